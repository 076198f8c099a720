//! The add layer in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Add, Hardware};

/// The unit of a layer of this kind.
pub(super) fn unit(layer: &Add) -> Unit {
    Unit {
        header: "add",
        template: "Add",
        title: format!(
            "Add: {} of {} and {} elements.",
            layer.output, layer.inputs[0], layer.inputs[1]
        ),
        pace: pace(&format!("{} elements", layer.pe), layer.cycles()),
        fields: vec![
            Unit::scaled("A", layer.inputs[0], layer.gains[0]),
            Unit::scaled("B", layer.inputs[1], layer.gains[1]),
            Unit::element("Out", layer.output),
            Unit::number("CHANNELS", layer.channels),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", layer.pixels),
        ],
        memories: vec![],
        has_state: false,
    }
}
