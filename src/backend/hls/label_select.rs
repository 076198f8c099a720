//! The label select in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, LabelSelect};

/// The unit of a label select.
pub(super) fn unit(layer: &LabelSelect) -> Unit {
    Unit {
        header: "label_select",
        template: "LabelSelect",
        title: format!(
            "Label select: the index of the largest of {} {} elements.",
            layer.channels, layer.input
        ),
        pace: pace(&format!("{} elements", layer.pe), layer.cycles()),
        fields: vec![
            Unit::element("In", layer.input),
            Unit::number("CHANNELS", layer.channels),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", layer.pixels),
        ],
        memories: vec![],
        has_state: false,
    }
}
