//! Backends: a folded `Dataflow` as source text.
//! Must not know the disk or processes.

pub mod hls;
pub mod rtl;

use crate::layer::{Layer, Port};

/// Every backend; folder names and the table agree.
pub const BACKENDS: &[&str] = &["hls", "rtl"];

/// What a piece of hardware is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// C++ for Vitis HLS.
    Cpp,
    /// SystemVerilog.
    SystemVerilog,
}

/// What a core is made of.
#[derive(Debug, Clone, Copy)]
pub enum CorePart<'a> {
    /// A layer with its memories; `tag` is its shape.
    Layer {
        /// The layer.
        layer: &'a Layer,
        /// Its shape.
        tag: &'a str,
    },
    /// Where frames enter: TLAST is not looked at, bits of padding are left out.
    Input(Port),
    /// Where frames leave: with TLAST, their padding cleared.
    Output(Port),
}
