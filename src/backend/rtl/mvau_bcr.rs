//! The matrix-vector-threshold unit of weights in the balanced form in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Hardware, MvauBcr};

/// The module of a sparse MVAU.
pub(super) fn module(layer: &MvauBcr) -> Module {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("SIMD", layer.simd),
        Module::number("WORDS", layer.depth()),
        Module::number("FOLDS", layer.row_folds()),
        Module::number("BLOCK", layer.block()),
        Module::number("BLOCK_STEPS", layer.block_steps()),
        Module::number("GROUPS", layer.groups()),
        Module::number("SHARING", layer.sharing()),
        Module::number("INDEX_BITS", layer.index_bits()),
    ];
    parameters.extend(Module::element(["X_BITS", "X_KIND"], layer.input));
    parameters.extend(Module::weight(layer.weight));
    let packed = layer
        .multiplier
        .packed(layer.weight, layer.input, layer.pe / layer.groups());
    parameters.push(Module::number("PACKED", packed));
    parameters.push(Module::number("ACC_BITS", layer.accumulator.bits()));
    parameters.extend(Module::activation(activation));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], output));
    Module {
        name: "finnp_mvau_bcr",
        title: format!(
            "Sparse matrix unit: {} x {}, {} of {} kept, {} weights, {} inputs, {output} outputs.",
            layer.rows,
            layer.columns,
            layer.blocks.keep,
            layer.blocks.entries,
            layer.weight,
            layer.input
        ),
        parameters,
        memories: Module::memories(&["weights", "index"], activation),
    }
}
