//! The duplicate layer in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Duplicate, Hardware};

/// The unit of a layer of this kind.
pub(super) fn unit(layer: &Duplicate) -> Unit {
    Unit {
        header: "duplicate",
        template: "Duplicate",
        title: format!(
            "Duplicate: the same {} elements {} times.",
            layer.element, layer.copies
        ),
        pace: pace(&format!("{} elements", layer.pe), layer.cycles()),
        fields: vec![
            Unit::element("In", layer.element),
            Unit::number("CHANNELS", layer.channels),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", layer.pixels),
            Unit::number("COPIES", layer.copies),
        ],
        memories: vec![],
        has_state: false,
    }
}
