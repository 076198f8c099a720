//! RTL: a hand-written SystemVerilog library, one small module per shape that fixes its parameters, and one memory file
//! per memory.
//!
//! Modules depend on shapes only; what a memory holds is named by a parameter of the instance. Must not know the disk
//! or processes.

mod bench;
mod label_select;
mod library;
mod memory;
mod module;
mod mvau;
mod mvau_bcr;
mod shape;
mod threshold;

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
        Layer::MvauBcr(layer) => Ok(mvau_bcr::module(layer)),
        Layer::LabelSelect(layer) => Ok(label_select::module(layer)),
        Layer::Threshold(layer) => Ok(threshold::module(layer)),
        _ => Err(Error::user(format!(
            "there is no RTL of a {} yet",
            layer.hardware().kind()
        ))),
    }
}
