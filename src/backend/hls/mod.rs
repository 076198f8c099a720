//! HLS C++: one small source per shape, one data file per memory, one top, beside a hand-written library.
//!
//! Sources depend on shapes only, so equal shapes are compiled once; weights are text that C simulation
//! reads at run time and synthesis includes. Must not know the disk or processes.

mod identifier;
mod label_select;
mod library;
mod memory;
mod mvau;
mod shape;
mod tcl;
mod threshold;
mod top;
mod unit;
mod width_converter;

pub use identifier::identifiers;
pub use library::{LIBRARY, include_flags};
pub use memory::memories;
pub use shape::{main_source, shape_sources, tag};
pub use tcl::Target;
pub use top::top_sources;

use crate::layer::Layer;
use unit::Unit;

/// What the library calls the layer, and with which parameters.
fn unit(layer: &Layer) -> Unit {
    match layer {
        Layer::Mvau(layer) => mvau::unit(layer),
        Layer::Threshold(layer) => threshold::unit(layer),
        Layer::WidthConverter(layer) => width_converter::unit(layer),
        Layer::LabelSelect(layer) => label_select::unit(layer),
    }
}
