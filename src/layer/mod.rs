//! Hardware layers: what each one computes, the streams that it reads and writes, and how long it takes.
//! Must not know graphs or generated text.

mod activation;
mod blocks;
mod label_select;
mod limits;
mod mvau;
mod mvau_bcr;
mod port;
mod tensors;
mod threshold;
mod width_converter;

use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use blocks::Blocks;
pub use label_select::LabelSelect;
pub use limits::{Limits, Range};
pub use mvau::Mvau;
pub use mvau_bcr::{MvauBcr, Schedule};
pub use port::Port;
pub use tensors::Tensors;
pub use threshold::Threshold;
pub use width_converter::WidthConverter;

use crate::error::Result;

/// One layer of the hardware, with its parallelism and without its weights and its name:
/// equal layers have equal records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Layer {
    /// Matrix-vector product with an optional activation.
    Mvau(Mvau),
    /// The same with weights that are pruned in the balanced form.
    MvauBcr(MvauBcr),
    /// Activation alone.
    Threshold(Threshold),
    /// The same elements in words of another size.
    WidthConverter(WidthConverter),
    /// Index of the largest channel.
    LabelSelect(LabelSelect),
}

/// Every kind of layer; file names and the table agree.
pub const LAYERS: &[&str] = &[
    "mvau",
    "mvau_bcr",
    "threshold",
    "width_converter",
    "label_select",
];

/// What every hardware layer can tell and do.
pub trait Hardware {
    /// Its kind, as in [`LAYERS`].
    fn kind(&self) -> &'static str;

    /// The stream that it reads.
    fn input(&self) -> Port;

    /// The stream that it writes.
    fn output(&self) -> Port;

    /// Clock cycles that it is busy with one frame when it never waits.
    /// By default one word per cycle on its wider side.
    fn cycles(&self) -> u64 {
        self.input().words().max(self.output().words()) as u64
    }

    /// The parallelism that it may have.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Present parallelism, in the form of [`Hardware::limits`].
    fn parallelism(&self) -> Parallelism {
        Parallelism::default()
    }

    /// First-order estimate of look-up tables, not calibrated: good for comparing foldings only.
    fn luts(&self) -> u64;

    /// Computes one frame: `input` holds `input().elements()` integers in stream order, the result
    /// `output().elements()`.
    ///
    /// # Errors
    /// A bug where weights or input do not fit the layer.
    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>>;
}

/// PE (outputs per cycle) and SIMD (inputs per cycle), where a layer has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parallelism {
    /// Rows or channels per cycle.
    pub pe: Option<usize>,
    /// Columns per cycle.
    pub simd: Option<usize>,
}

impl Parallelism {
    /// PE alone.
    pub(crate) fn channels(pe: usize) -> Self {
        Parallelism {
            pe: Some(pe),
            simd: None,
        }
    }
}

impl Layer {
    /// The layer behind its common interface.
    pub fn hardware(&self) -> &dyn Hardware {
        match self {
            Layer::Mvau(layer) => layer,
            Layer::MvauBcr(layer) => layer,
            Layer::Threshold(layer) => layer,
            Layer::WidthConverter(layer) => layer,
            Layer::LabelSelect(layer) => layer,
        }
    }

    /// The layer with another parallelism; parameters that it does not have are ignored.
    #[must_use]
    pub fn folded(mut self, parallelism: Parallelism) -> Self {
        let set = |field: &mut usize, value: Option<usize>| *field = value.unwrap_or(*field);
        match &mut self {
            Layer::Mvau(layer) => {
                set(&mut layer.pe, parallelism.pe);
                set(&mut layer.simd, parallelism.simd);
            }
            Layer::MvauBcr(layer) => {
                set(&mut layer.pe, parallelism.pe);
                set(&mut layer.simd, parallelism.simd);
            }
            Layer::Threshold(layer) => set(&mut layer.pe, parallelism.pe),
            Layer::LabelSelect(layer) => set(&mut layer.pe, parallelism.pe),
            Layer::WidthConverter(_) => {}
        }
        self
    }

    /// Its activation, if it has one.
    pub fn activation(&self) -> Option<&Activation> {
        match self {
            Layer::Mvau(layer) => layer.activation.as_ref(),
            Layer::MvauBcr(layer) => layer.activation.as_ref(),
            Layer::Threshold(layer) => Some(&layer.activation),
            Layer::WidthConverter(_) | Layer::LabelSelect(_) => None,
        }
    }
}
