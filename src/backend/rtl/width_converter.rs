//! The width converter in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::WidthConverter;

/// The module of a width converter.
pub(super) fn module(layer: &WidthConverter) -> Module {
    let WidthConverter {
        channels, from, to, ..
    } = layer;
    Module {
        name: "finnp_width_converter",
        title: format!(
            "Width converter: {channels} {} elements a pixel, from {from} to {to} a word.",
            layer.element
        ),
        parameters: vec![
            Module::number("BITS", layer.element.bits()),
            Module::number("CHANNELS", channels),
            Module::number("FROM", from),
            Module::number("TO", to),
        ],
        memories: vec![],
    }
}
