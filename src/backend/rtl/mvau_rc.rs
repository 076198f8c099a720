//! The matrix-vector-threshold unit of blocks that keep rows and columns in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Hardware, MvauRc};

/// The module of a sparse MVAU whose blocks keep rows and columns.
pub(super) fn module(layer: &MvauRc) -> Module {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let ([down, across], [row_bits, index_bits]) = (layer.blocks(), layer.index_bits());
    let (rows, columns) = (layer.cross.rows, layer.cross.columns);
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("SIMD", layer.simd),
        Module::number("DOWN", down),
        Module::number("ACROSS", across),
        Module::number("BLOCK", layer.block_words()),
        Module::number("RESULTS", layer.results()),
        Module::number("ROW_STEPS", layer.row_steps()),
        Module::number("COL_STEPS", layer.column_steps()),
        Module::number("INDEX_BITS", index_bits),
        Module::number("ROW_BITS", row_bits),
        Module::number("FORWARD", u8::from(layer.forwards())),
    ];
    parameters.extend(Module::element(["X_BITS", "X_KIND"], layer.input));
    parameters.extend(Module::weight(layer.weight));
    let packed = layer.multiplier.packed(layer.weight, layer.input, layer.pe);
    parameters.push(Module::number("PACKED", packed));
    parameters.push(Module::number("ACC_BITS", layer.accumulator.bits()));
    parameters.extend(Module::activation(activation));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], output));
    Module {
        name: "finnp_mvau_rc",
        title: format!(
            "Sparse matrix unit: {} x {}, {} of {} rows and {} of {} columns of a block kept, {} weights, {} inputs, {output} outputs.",
            layer.rows,
            layer.columns,
            rows.kept(),
            rows.lines(),
            columns.kept(),
            columns.lines(),
            layer.weight,
            layer.input
        ),
        parameters,
        memories: Module::memories(&["weights", "index", "row_index"], activation),
    }
}
