//! The sum-pool in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace, view};
use crate::layer::{Hardware, SumPool};

/// The unit of a sum-pool. Windows that lie side by side keep nothing from frame to frame.
pub(super) fn unit(layer: &SumPool) -> Unit {
    let mut fields = vec![
        Unit::element("In", layer.input),
        Unit::element("Out", layer.accumulator),
        Unit::number("PAD", layer.pad),
        Unit::number("PE", layer.pe),
        Unit::number("SIMD", layer.simd),
    ];
    fields.extend(Unit::window(&layer.sliding));
    Unit {
        header: "sum_pool",
        template: "SumPool",
        title: format!("Sum-pool: {}.", view(&layer.sliding, layer.input)),
        pace: pace(
            &format!("{} channels and {} positions", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields,
        memories: vec![],
        has_state: !layer.sliding.window.is_disjoint(),
    }
}
