//! Hardware layers: what each one computes, the streams that it reads and writes, and how long it takes.
//! Must not know graphs or generated text.

mod activation;
mod add;
mod blocks;
mod concat;
mod cross;
mod duplicate;
mod label_select;
mod limits;
mod max_pool;
mod memory;
mod multiplier;
mod mvau;
mod mvau_bcr;
mod mvau_rc;
mod need;
mod port;
mod schedule;
mod sliding;
mod sliding_window;
mod sum_pool;
mod tensors;
mod threshold;
mod upsample;
mod vvau;
mod width_converter;
mod word;
mod work;

use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use add::Add;
pub use blocks::Blocks;
pub use concat::{Concat, Part};
pub use cross::{Balance, Cross, Side};
pub use duplicate::Duplicate;
pub use label_select::LabelSelect;
pub use limits::{Limits, Range};
pub use max_pool::MaxPool;
pub use memory::{Memory, grouping, memories};
pub use multiplier::Multiplier;
pub use mvau::Mvau;
pub use mvau_bcr::{Lists, MvauBcr};
pub use mvau_rc::{Kept, MvauRc};
pub use port::Port;
pub use schedule::{FIFO_LATENCY, Form, Phase, Schedule};
pub use sliding::Sliding;
pub use sliding_window::SlidingWindow;
pub use sum_pool::SumPool;
pub use tensors::Tensors;
pub use threshold::Threshold;
pub use upsample::Upsample;
pub use vvau::Vvau;
pub use width_converter::WidthConverter;

use crate::error::{Error, Result};

/// One layer of the hardware, with its parallelism and without its weights and its name:
/// equal layers have equal records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Layer {
    /// Matrix-vector product with an optional activation.
    Mvau(Mvau),
    /// The same with weights that are pruned in the balanced form.
    MvauBcr(MvauBcr),
    /// The same with blocks that keep rows and columns.
    MvauRc(MvauRc),
    /// The pixels that a convolution sees at each place.
    SlidingWindow(SlidingWindow),
    /// Depthwise convolution with an optional activation.
    Vvau(Vvau),
    /// Largest element of each window.
    MaxPool(MaxPool),
    /// Sum of each window.
    SumPool(SumPool),
    /// Activation alone.
    Threshold(Threshold),
    /// Sum of two streams.
    Add(Add),
    /// Channels of several streams side by side.
    Concat(Concat),
    /// The same stream for several readers.
    Duplicate(Duplicate),
    /// A picture with more pixels.
    Upsample(Upsample),
    /// The same elements in words of another size.
    WidthConverter(WidthConverter),
    /// Index of the largest channel.
    LabelSelect(LabelSelect),
}

/// Every kind of layer; file names and the table agree.
pub const LAYERS: &[&str] = &[
    "mvau",
    "mvau_bcr",
    "mvau_rc",
    "sliding_window",
    "vvau",
    "max_pool",
    "sum_pool",
    "threshold",
    "add",
    "concat",
    "duplicate",
    "upsample",
    "width_converter",
    "label_select",
];

/// What every hardware layer can tell and do.
pub trait Hardware {
    /// Its kind, as in [`LAYERS`].
    fn kind(&self) -> &'static str;

    /// The stream that it reads, the first of them.
    fn input(&self) -> Port;

    /// The streams that it reads, in their order.
    fn inputs(&self) -> Vec<Port> {
        vec![self.input()]
    }

    /// The stream that it writes.
    fn output(&self) -> Port;

    /// In which order, and how soon after each other, it takes and makes words.
    fn schedule(&self) -> Schedule;

    /// How many streams carry what it writes, one for each reader.
    fn copies(&self) -> usize {
        1
    }

    /// Clock cycles that it is busy with one frame when it never waits.
    /// By default one word per cycle on its wider side.
    fn cycles(&self) -> u64 {
        let read = self.inputs().iter().map(Port::words).max().unwrap_or(0);
        read.max(self.output().words()) as u64
    }

    /// The parallelism that it may have.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Present parallelism, in the form of [`Hardware::limits`].
    fn parallelism(&self) -> Parallelism {
        Parallelism::default()
    }

    /// First-order estimate of look-up tables, not calibrated: good for comparing foldings only, whatever language the
    /// hardware is written in. What modules of SystemVerilog take is for [`crate::cost`] to say.
    fn luts(&self) -> u64;

    /// Computes one frame: `input` holds `input().elements()` integers in stream order, the result
    /// `output().elements()`.
    ///
    /// # Errors
    /// A bug where weights or input do not fit the layer.
    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>>;

    /// Computes one frame of a layer with any number of inputs: one frame of each, in their order.
    ///
    /// # Errors
    /// A bug where weights or inputs do not fit the layer.
    fn join(&self, tensors: &Tensors, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        match *inputs {
            [input] => self.run(tensors, input),
            _ => Err(Error::bug(format!(
                "a {} was fed {} streams",
                self.kind(),
                inputs.len()
            ))),
        }
    }
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
            Layer::MvauRc(layer) => layer,
            Layer::SlidingWindow(layer) => layer,
            Layer::Vvau(layer) => layer,
            Layer::MaxPool(layer) => layer,
            Layer::SumPool(layer) => layer,
            Layer::Threshold(layer) => layer,
            Layer::Add(layer) => layer,
            Layer::Concat(layer) => layer,
            Layer::Duplicate(layer) => layer,
            Layer::Upsample(layer) => layer,
            Layer::WidthConverter(layer) => layer,
            Layer::LabelSelect(layer) => layer,
        }
    }

    /// The layer with another parallelism; parameters that it does not have are ignored.
    #[must_use]
    pub fn folded(mut self, parallelism: Parallelism) -> Self {
        let Some((pe, simd)) = self.lanes() else {
            return self;
        };
        *pe = parallelism.pe.unwrap_or(*pe);
        if let Some(simd) = simd {
            *simd = parallelism.simd.unwrap_or(*simd);
        }
        self
    }

    /// Its PE and SIMD, as far as it has them.
    fn lanes(&mut self) -> Option<(&mut usize, Option<&mut usize>)> {
        match self {
            Layer::Mvau(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::MvauBcr(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::MvauRc(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::SlidingWindow(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::Vvau(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::MaxPool(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::SumPool(layer) => Some((&mut layer.pe, Some(&mut layer.simd))),
            Layer::Threshold(layer) => Some((&mut layer.pe, None)),
            Layer::Add(layer) => Some((&mut layer.pe, None)),
            Layer::Concat(layer) => Some((&mut layer.pe, None)),
            Layer::Duplicate(layer) => Some((&mut layer.pe, None)),
            Layer::Upsample(layer) => Some((&mut layer.pe, None)),
            Layer::LabelSelect(layer) => Some((&mut layer.pe, None)),
            Layer::WidthConverter(_) => None,
        }
    }

    /// Its activation, if it has one.
    pub fn activation(&self) -> Option<&Activation> {
        match self {
            Layer::Mvau(layer) => layer.activation.as_ref(),
            Layer::MvauBcr(layer) => layer.activation.as_ref(),
            Layer::MvauRc(layer) => layer.activation.as_ref(),
            Layer::Vvau(layer) => layer.activation.as_ref(),
            Layer::Threshold(layer) => Some(&layer.activation),
            Layer::SlidingWindow(_)
            | Layer::MaxPool(_)
            | Layer::SumPool(_)
            | Layer::Add(_)
            | Layer::Concat(_)
            | Layer::Duplicate(_)
            | Layer::Upsample(_)
            | Layer::WidthConverter(_)
            | Layer::LabelSelect(_) => None,
        }
    }

    /// The same layer on a smaller picture, so that about `pixels` pixels leave, one row of them at least:
    /// what it reads is the beginning of what the whole layer reads, and padding is as wide on all sides.
    #[must_use]
    pub fn reduced(&self, pixels: usize) -> Self {
        let mut layer = self.clone();
        match &mut layer {
            Layer::Mvau(mvau) => mvau.pixels = whole(pixels, mvau.groups, mvau.pixels),
            Layer::MvauBcr(mvau) => mvau.pixels = mvau.pixels.min(pixels),
            Layer::MvauRc(mvau) => mvau.pixels = mvau.pixels.min(pixels),
            Layer::Threshold(threshold) => threshold.pixels = threshold.pixels.min(pixels),
            Layer::Add(add) => add.pixels = add.pixels.min(pixels),
            Layer::Concat(concat) => concat.pixels = concat.pixels.min(pixels),
            Layer::Duplicate(duplicate) => duplicate.pixels = duplicate.pixels.min(pixels),
            Layer::Upsample(upsample) => *upsample = upsample.reduced(pixels),
            Layer::WidthConverter(converter) => converter.pixels = converter.pixels.min(pixels),
            Layer::LabelSelect(select) => select.pixels = select.pixels.min(pixels),
            Layer::SlidingWindow(window) => {
                window.sliding = window.sliding.reduced(pixels.div_ceil(window.groups));
            }
            Layer::Vvau(vvau) => vvau.sliding = vvau.sliding.reduced(pixels),
            Layer::MaxPool(pool) => pool.sliding = pool.sliding.reduced(pixels),
            Layer::SumPool(pool) => pool.sliding = pool.sliding.reduced(pixels),
        }
        layer
    }
}

/// About `wanted` pixels in whole groups, at most `all`.
fn whole(wanted: usize, groups: usize, all: usize) -> usize {
    (wanted.div_ceil(groups) * groups).min(all)
}
