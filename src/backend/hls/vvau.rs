//! The depthwise unit in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, Vvau};

/// The unit.
pub(super) fn unit(layer: &Vvau) -> Unit {
    Unit {
        header: "vvau",
        template: "Vvau",
        title: format!("Depthwise unit: {} channels.", layer.sliding.channels),
        pace: pace(&format!("{} channels", layer.pe), layer.cycles()),
        fields: vec![Unit::element("In", layer.input)],
        memories: vec![],
        has_state: true,
    }
}
