//! The upsample layer in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::Upsample;

/// The module of an upsampling.
pub(super) fn module(layer: &Upsample) -> Module {
    let ([rows, columns], [down, right]) = (layer.picture, layer.factor);
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("WORDS", layer.channels / layer.pe),
        Module::number("ROWS", rows),
        Module::number("COLUMNS", columns),
        Module::number("ROW_FACTOR", down),
        Module::number("COLUMN_FACTOR", right),
        Module::number("FILLED", u8::from(layer.fill.is_some())),
        Module::wide("FILL", layer.fill.unwrap_or(0)),
    ];
    parameters.extend(Module::element(["IN_BITS", "IN_KIND"], layer.input));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], layer.output));
    Module {
        name: "finnp_upsample",
        title: format!("Upsample: {down} x {right} pixels for each of {rows} x {columns}."),
        parameters,
        memories: vec![],
    }
}
