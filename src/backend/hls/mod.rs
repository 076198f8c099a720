//! HLS C++: one small source per shape, one data file per memory, one top, beside a hand-written library.
//!
//! Sources depend on shapes only, so equal shapes are compiled once; weights are text that C simulation
//! reads at run time and synthesis includes. Must not know the disk or processes.

mod add;
mod concat;
mod core;
mod duplicate;
mod ends;
mod identifier;
mod label_select;
mod library;
mod max_pool;
mod memory;
mod mvau;
mod mvau_bcr;
mod mvau_rc;
mod reserved;
mod shape;
mod sliding_window;
mod stream;
mod sum_pool;
mod tcl;
mod threshold;
mod top;
mod unit;
mod upsample;
mod vvau;
mod width_converter;

pub use core::{CORE_TO_HLS, core_source};
pub use ends::Ends;
pub use identifier::{identifiers, streams};
pub use library::{LIBRARY, include_flags};
pub use memory::memories;
pub use shape::{main_source, shape_sources, tag};
pub use stream::numbered;
pub use tcl::{Target, archive, core_script, ip_name};
pub use top::{network_files, top_sources};

use crate::layer::Layer;
use unit::Unit;

/// Files of the memories of a layer, in the order in which its function takes them; none if it holds nothing.
pub fn memory_files(layer: &Layer) -> Vec<String> {
    let memories = unit(layer).memories;
    let names = memories.iter().map(|memory| format!("{}.dat", memory.name));
    names.collect()
}

/// What a layer is, in one sentence.
pub fn title(layer: &Layer) -> String {
    unit(layer).title
}

/// What the library calls the layer, and with which parameters.
fn unit(layer: &Layer) -> Unit {
    match layer {
        Layer::Mvau(layer) => mvau::unit(layer),
        Layer::MvauBcr(layer) => mvau_bcr::unit(layer),
        Layer::MvauRc(layer) => mvau_rc::unit(layer),
        Layer::SlidingWindow(layer) => sliding_window::unit(layer),
        Layer::Vvau(layer) => vvau::unit(layer),
        Layer::MaxPool(layer) => max_pool::unit(layer),
        Layer::SumPool(layer) => sum_pool::unit(layer),
        Layer::Threshold(layer) => threshold::unit(layer),
        Layer::Add(layer) => add::unit(layer),
        Layer::Concat(layer) => concat::unit(layer),
        Layer::Duplicate(layer) => duplicate::unit(layer),
        Layer::Upsample(layer) => upsample::unit(layer),
        Layer::WidthConverter(layer) => width_converter::unit(layer),
        Layer::LabelSelect(layer) => label_select::unit(layer),
    }
}
