//! The width converter in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, WidthConverter};

/// The unit of a width converter.
pub(super) fn unit(layer: &WidthConverter) -> Unit {
    Unit {
        header: "width_converter",
        template: "WidthConverter",
        title: format!(
            "Width converter: {} {} elements a pixel, from {} to {} a word.",
            layer.channels, layer.element, layer.from, layer.to
        ),
        pace: pace("At most one word", layer.cycles()),
        fields: vec![
            Unit::element("Element", layer.element),
            Unit::number("CHANNELS", layer.channels),
            Unit::number("IN", layer.from),
            Unit::number("OUT", layer.to),
            Unit::number("PIXELS", layer.pixels),
        ],
        memories: vec![],
        has_state: false,
    }
}
