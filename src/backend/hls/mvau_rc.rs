//! The sparse matrix-vector-threshold unit of rows and columns in the library's terms.
//! Must not know other layers.

use super::unit::{COLUMN_INDEX, FLIP, ROW_INDEX, THRESHOLDS, Unit, WEIGHTS, pace};
use crate::layer::{Hardware, MvauRc};

/// The unit of a sparse MVAU whose blocks keep rows and columns.
pub(super) fn unit(layer: &MvauRc) -> Unit {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let (rows, columns) = (layer.cross.rows, layer.cross.columns);
    let mut memories = vec![WEIGHTS, COLUMN_INDEX, ROW_INDEX];
    if activation.is_some() {
        memories.extend([THRESHOLDS, FLIP]);
    }
    let mut fields = vec![
        Unit::element("In", layer.input),
        Unit::element("Weight", layer.weight),
        Unit::element("Out", output),
        Unit::number("ACC", layer.accumulator.bits()),
        Unit::number("ROWS", layer.rows),
        Unit::number("COLS", layer.columns),
        Unit::number("PE", layer.pe),
        Unit::number("SIMD", layer.simd),
        Unit::number("PIXELS", layer.pixels),
        Unit::number("BLOCK_ROWS", rows.lines()),
        Unit::number("BLOCK_COLS", columns.lines()),
        Unit::number("ROW_STEPS", layer.row_steps()),
        Unit::number("COL_STEPS", layer.column_steps()),
        Unit::number("FORWARD", u8::from(layer.forwards())),
    ];
    fields.extend(Unit::activation(activation));
    Unit {
        header: "mvau_rc",
        template: "MvauRc",
        title: format!(
            "Sparse matrix-vector unit: {} x {}, {} of {} rows and {} of {} columns of a block kept, {} weights, {} inputs, {output} outputs.",
            layer.rows,
            layer.columns,
            rows.kept(),
            rows.lines(),
            columns.kept(),
            columns.lines(),
            layer.weight,
            layer.input
        ),
        pace: pace(
            &format!("{} rows and {} columns", layer.pe, layer.simd),
            layer.cycles(),
        ),
        fields,
        memories,
        has_state: true,
    }
}
