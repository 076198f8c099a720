//! The max-pool in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace, view};
use crate::layer::{Hardware, MaxPool};

/// The unit of a max-pool. Windows that lie side by side keep nothing from frame to frame.
pub(super) fn unit(layer: &MaxPool) -> Unit {
    let mut fields = vec![
        Unit::element("In", layer.input),
        Unit::number("PE", layer.pe),
        Unit::number("SIMD", layer.simd),
    ];
    fields.extend(Unit::window(&layer.sliding));
    Unit {
        header: "max_pool",
        template: "MaxPool",
        title: format!("Max-pool: {}.", view(&layer.sliding, layer.input)),
        pace: pace(
            &format!("{} channels and {} positions", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields,
        memories: vec![],
        has_state: !layer.sliding.window.is_disjoint(),
    }
}
