//! The sliding window in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace, view};
use crate::layer::{Hardware, SlidingWindow};

/// The unit of a sliding window.
pub(super) fn unit(layer: &SlidingWindow) -> Unit {
    let mut fields = vec![
        Unit::element("In", layer.input),
        Unit::element("Out", layer.output),
        Unit::number("PAD", layer.pad),
        Unit::number("GROUPS", layer.groups),
        Unit::number("PE", layer.pe),
        Unit::number("SIMD", layer.simd),
    ];
    fields.extend(Unit::window(&layer.sliding));
    Unit {
        header: "sliding_window",
        template: "SlidingWindow",
        title: format!("Sliding window: {}.", view(&layer.sliding, layer.input)),
        pace: pace(
            &format!("{} elements in and {} out", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields,
        memories: vec![],
        has_state: true,
    }
}
