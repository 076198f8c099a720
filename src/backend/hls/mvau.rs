//! The matrix-vector-threshold unit in the library's terms.
//! Must not know other layers.

use super::unit::{FLIP, THRESHOLDS, Unit, WEIGHTS, pace};
use crate::layer::{Hardware, Mvau};

/// The unit of an MVAU.
pub(super) fn unit(layer: &Mvau) -> Unit {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let kind = if activation.is_some() {
        "matrix-vector-threshold"
    } else {
        "matrix-vector"
    };
    let mut memories = vec![WEIGHTS];
    if activation.is_some() {
        memories.extend([THRESHOLDS, FLIP]);
    }
    let matrices = match layer.groups {
        1 => String::new(),
        groups => format!("{groups} matrices of "),
    };
    let mut unit = Unit {
        header: "mvau",
        template: "Mvau",
        title: format!(
            "Dense {kind} unit: {matrices}{} x {}, {} weights, {} inputs, {output} outputs.",
            layer.rows, layer.columns, layer.weight, layer.input
        ),
        pace: pace(
            &format!("{} rows and {} columns", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields: vec![
            Unit::element("In", layer.input),
            Unit::element("Weight", layer.weight),
            Unit::element("Out", output),
            Unit::number("ACC", layer.accumulator.bits()),
            Unit::number("ROWS", layer.rows),
            Unit::number("COLS", layer.columns),
            Unit::number("PE", layer.pe),
            Unit::number("SIMD", layer.simd),
            Unit::number("PIXELS", layer.pixels),
            Unit::number("GROUPS", layer.groups),
            Unit::number("INITIAL", layer.initial()),
        ],
        memories,
        has_state: false,
    };
    unit.fields.extend(Unit::activation(activation));
    unit
}
