//! The sparse matrix-vector-threshold unit in the library's terms.
//! Must not know other layers.

use super::unit::{FLIP, INDEX, THRESHOLDS, Unit, WEIGHTS, pace};
use crate::layer::{Hardware, MvauBcr};

/// The unit of a sparse MVAU.
pub(super) fn unit(layer: &MvauBcr) -> Unit {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let mut memories = vec![WEIGHTS, INDEX];
    if activation.is_some() {
        memories.extend([THRESHOLDS, FLIP]);
    }
    Unit {
        header: "mvau_bcr",
        template: "MvauBcr",
        title: format!(
            "Sparse matrix-vector unit: {} x {}, {} of {} entries kept, {} weights, {} inputs, {output} outputs.",
            layer.rows,
            layer.columns,
            layer.blocks.keep,
            layer.blocks.entries,
            layer.weight,
            layer.input
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
            Unit::number("BLOCK_ROWS", layer.blocks.rows),
            Unit::number("BLOCK", layer.block()),
            Unit::number("BLOCK_STEPS", layer.block_steps()),
            Unit::number("THRESHOLDS", activation.map_or(0, |a| a.levels)),
            Unit::number(
                "THRESHOLD_BITS",
                activation.map_or(1, |a| a.threshold.bits()),
            ),
            Unit::number("BASE", activation.map_or(0, |a| a.base)),
        ],
        memories,
        has_state: true,
    }
}
