//! The max-pool in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, MaxPool};

/// The unit.
pub(super) fn unit(layer: &MaxPool) -> Unit {
    Unit {
        header: "max_pool",
        template: "MaxPool",
        title: format!("Max-pool: {} channels.", layer.sliding.channels),
        pace: pace(&format!("{} channels", layer.pe), layer.cycles()),
        fields: vec![Unit::element("In", layer.input)],
        memories: vec![],
        has_state: true,
    }
}
