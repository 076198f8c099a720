//! The depthwise unit in the library's terms.
//! Must not know other layers.

use super::unit::{FLIP, THRESHOLDS, Unit, WEIGHTS, pace, view};
use crate::layer::{Hardware, Vvau};

/// The unit of a VVAU.
pub(super) fn unit(layer: &Vvau) -> Unit {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let mut memories = vec![WEIGHTS];
    if activation.is_some() {
        memories.extend([THRESHOLDS, FLIP]);
    }
    let mut fields = vec![
        Unit::element("In", layer.input),
        Unit::element("Weight", layer.weight),
        Unit::element("Out", output),
        Unit::number("PAD", layer.pad),
        Unit::number("ACC", layer.accumulator.bits()),
        Unit::number("PE", layer.pe),
        Unit::number("SIMD", layer.simd),
    ];
    fields.extend(Unit::window(&layer.sliding));
    fields.extend(Unit::activation(activation));
    Unit {
        header: "vvau",
        template: "Vvau",
        title: format!(
            "Depthwise unit: {}, {} weights, {output} outputs.",
            view(&layer.sliding, layer.input),
            layer.weight
        ),
        pace: pace(
            &format!("{} channels and {} positions", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields,
        memories,
        has_state: true,
    }
}
