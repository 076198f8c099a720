//! RTL: a hand-written SystemVerilog library, one small module per shape that fixes its parameters, and one memory file
//! per memory.
//!
//! Modules depend on shapes only; what a memory holds is named by a parameter of the instance. Must not know the disk
//! or processes.

mod add;
mod bench;
mod concat;
mod duplicate;
mod library;
mod memory;
mod module;
mod mvau;
mod pool;
mod shape;
mod sliding_window;
mod threshold;
mod upsample;
mod vvau;
mod width_converter;
mod window;

pub use bench::{BENCH, bench_source};
pub use library::LIBRARY;
pub use memory::{memories, memory_files};
pub use shape::shape_source;

use crate::error::{Error, Result};
use crate::layer::Layer;
use module::Module;

/// The module of the library that a layer is, and with which parameters.
///
/// # Errors
/// A user error for a layer that has no module.
fn module(layer: &Layer) -> Result<Module> {
    match layer {
        Layer::Mvau(layer) => Ok(mvau::module(layer)),
        Layer::SlidingWindow(layer) => Ok(sliding_window::module(layer)),
        Layer::Vvau(layer) => Ok(vvau::module(layer)),
        Layer::MaxPool(layer) => Ok(pool::max(layer)),
        Layer::SumPool(layer) => Ok(pool::sum(layer)),
        Layer::Threshold(layer) => Ok(threshold::module(layer)),
        Layer::Add(layer) => Ok(add::module(layer)),
        Layer::Concat(layer) => Ok(concat::module(layer)),
        Layer::Duplicate(layer) => Ok(duplicate::module(layer)),
        Layer::Upsample(layer) => Ok(upsample::module(layer)),
        Layer::WidthConverter(layer) => Ok(width_converter::module(layer)),
        _ => Err(Error::user(format!(
            "there is no RTL of a {} yet",
            layer.hardware().kind()
        ))),
    }
}
