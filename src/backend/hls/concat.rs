//! The concat layer in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace, scaled};
use crate::layer::{Concat, Hardware, Part};

/// The unit of a layer of this kind.
pub(super) fn unit(layer: &Concat) -> Unit {
    let part = |part: &Part| {
        let scaled = scaled(part.element, part.gain);
        format!("finnp::Part<{scaled}, {}>", part.channels)
    };
    let parts: Vec<String> = layer.inputs.iter().map(part).collect();
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
            ("Inputs", format!("finnp::Parts<{}>", parts.join(", "))),
            Unit::element("Out", layer.output),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", layer.pixels),
        ],
        memories: vec![],
        has_state: false,
    }
}
