//! The concat layer in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Concat, Hardware};

/// The unit of a layer of this kind.
pub(super) fn unit(layer: &Concat) -> Unit {
    Unit {
        header: "concat",
        template: "Concat",
        title: format!(
            "Concat: the {} channels of {} streams.",
            layer.output().channels,
            layer.inputs.len()
        ),
        pace: pace(&format!("{} elements", layer.pe), layer.cycles()),
        fields: vec![
            Unit::element("Out", layer.output),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", layer.pixels),
        ],
        memories: vec![],
        has_state: false,
    }
}
