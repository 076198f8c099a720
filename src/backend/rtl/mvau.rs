//! The matrix-vector-threshold unit in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Hardware, Mvau};

/// The module of an MVAU.
pub(super) fn module(layer: &Mvau) -> Module {
    let (words, output) = (layer.column_folds(), layer.output().element);
    let activation = layer.activation.as_ref();
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("SIMD", layer.simd),
        Module::number("WORDS", words),
        Module::number("FOLDS", layer.row_folds()),
        Module::number("MATRICES", layer.groups),
        Module::number("LAST", layer.columns - (words - 1) * layer.simd),
    ];
    parameters.extend(Module::element(["X_BITS", "X_KIND"], layer.input));
    parameters.extend(Module::weight(layer.weight));
    let packed = layer.multiplier.packed(layer.weight, layer.input, layer.pe);
    parameters.push(Module::number("PACKED", packed));
    parameters.push(Module::number("ACC_BITS", layer.accumulator.bits()));
    parameters.extend(Module::activation(activation));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], output));
    Module {
        name: "finnp_mvau",
        title: format!(
            "Dense matrix unit: {} x {}, {} weights, {} inputs, {output} outputs.",
            layer.rows, layer.columns, layer.weight, layer.input
        ),
        parameters,
        memories: Module::memories(&["weights"], activation),
    }
}
