//! RTL: a hand-written SystemVerilog library, one small module per shape that fixes its parameters, and one memory file
//! per memory.
//!
//! Modules depend on shapes only; what a memory holds is named by a parameter of the instance. Must not know the disk
//! or processes.

mod add;
mod bench;
mod concat;
mod core;
mod duplicate;
mod label_select;
mod library;
mod memory;
mod module;
mod mvau;
mod mvau_bcr;
mod mvau_rc;
mod pool;
mod shape;
mod sliding_window;
mod synthesis;
mod threshold;
mod top;
mod upsample;
mod vvau;
mod width_converter;
mod window;

pub use bench::{BENCH, bench_source, network_bench_source};
pub use core::{CORE_DEPTH, CORE_TO_RTL, core_memory, core_source};
pub use library::LIBRARY;
pub use memory::{memories, memory_files};
pub use shape::shape_source;
pub use synthesis::{PRIMITIVES, STAT, synthesis_script};
pub use top::{CONTROL, CONTROL_ADDRESS_BITS, CONTROL_SIGNALS, memory_path, top_name, top_source};

use crate::layer::Layer;
use module::Module;

/// The module of the library that a layer is, and with which parameters.
fn module(layer: &Layer) -> Module {
    match layer {
        Layer::Mvau(layer) => mvau::module(layer),
        Layer::MvauBcr(layer) => mvau_bcr::module(layer),
        Layer::MvauRc(layer) => mvau_rc::module(layer),
        Layer::SlidingWindow(layer) => sliding_window::module(layer),
        Layer::Vvau(layer) => vvau::module(layer),
        Layer::MaxPool(layer) => pool::max(layer),
        Layer::SumPool(layer) => pool::sum(layer),
        Layer::Threshold(layer) => threshold::module(layer),
        Layer::Add(layer) => add::module(layer),
        Layer::Concat(layer) => concat::module(layer),
        Layer::Duplicate(layer) => duplicate::module(layer),
        Layer::Upsample(layer) => upsample::module(layer),
        Layer::WidthConverter(layer) => width_converter::module(layer),
        Layer::LabelSelect(layer) => label_select::module(layer),
    }
}
