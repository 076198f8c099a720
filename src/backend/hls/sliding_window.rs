//! The sliding window in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, SlidingWindow};

/// The unit.
pub(super) fn unit(layer: &SlidingWindow) -> Unit {
    Unit {
        header: "sliding_window",
        template: "SlidingWindow",
        title: format!("Sliding window: {} channels.", layer.sliding.channels),
        pace: pace(&format!("{} channels", layer.pe), layer.cycles()),
        fields: vec![Unit::element("In", layer.input)],
        memories: vec![],
        has_state: true,
    }
}
