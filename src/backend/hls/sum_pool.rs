//! The sum-pool in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, SumPool};

/// The unit.
pub(super) fn unit(layer: &SumPool) -> Unit {
    Unit {
        header: "sum_pool",
        template: "SumPool",
        title: format!("Sum-pool: {} channels.", layer.sliding.channels),
        pace: pace(&format!("{} channels", layer.pe), layer.cycles()),
        fields: vec![Unit::element("In", layer.input)],
        memories: vec![],
        has_state: true,
    }
}
