//! Weights of which blocks keep rows and columns, stored as what is kept.
//! Must not know how it was chosen.

use super::reorder::kept_type;
use crate::dataflow::Node;
use crate::error::{Error, Result};
use crate::layer::{Cross, Layer, Multiplier, MvauRc, Side};
use crate::tensor::Tensor;

/// Stores the weights of a product by the rows and columns that each block keeps: those in which some weight is not 0,
/// and as many more as make the lists equally long.
pub(super) fn compact(node: &mut Node, cross: Cross) -> Result<()> {
    let Layer::Mvau(mvau) = &node.layer else {
        let what = format!("`{}` has blocks but no weights", node.name);
        return Err(Error::bug(what));
    };
    if !cross.fit(mvau.rows, mvau.columns) {
        let what = format!(
            "blocks {cross:?} do not fit the {} x {} weights of `{}`",
            mvau.rows, mvau.columns, node.name
        );
        return Err(Error::bug(what));
    }
    let matrix = node.tensors.weights(&[mvau.rows, mvau.columns])?;
    let [down, across] = cross.blocks(mvau.rows, mvau.columns);
    let (mut weights, mut row_index, mut index) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0..down * across {
        let (top, left) = (
            block / across * cross.rows.lines(),
            block % across * cross.columns.lines(),
        );
        let at = |row: usize, column: usize| matrix[(top + row) * mvau.columns + left + column];
        let (rows, columns) = (0..cross.rows.lines(), 0..cross.columns.lines());
        let kept_rows = kept(cross.rows, |row| columns.clone().any(|c| at(row, c) != 0));
        let kept_columns = kept(cross.columns, |column| {
            rows.clone().any(|r| at(r, column) != 0)
        });
        let (Some(rows), Some(columns)) = (kept_rows, kept_columns) else {
            let what = format!("`{}` is not pruned in its blocks", node.name);
            return Err(Error::bug(what));
        };
        for row in &rows {
            weights.extend(columns.iter().map(|column| at(*row, *column)));
        }
        let entry = |side: Side| move |line: &usize| (line / side.lanes) as i32;
        row_index.extend(rows.iter().map(entry(cross.rows)));
        index.extend(columns.iter().map(entry(cross.columns)));
    }
    let layer = MvauRc {
        rows: mvau.rows,
        columns: mvau.columns,
        pixels: mvau.pixels,
        input: mvau.input,
        weight: kept_type(mvau, &weights),
        accumulator: mvau.accumulator,
        activation: mvau.activation.clone(),
        cross,
        pe: 1,
        simd: 1,
        multiplier: Multiplier::Lut,
    };
    let lists = |side: Side| vec![down, across, side.lanes, side.keep];
    let shape = vec![down * across, cross.rows.kept(), cross.columns.kept()];
    node.tensors.weights = Some(Tensor::new(shape, weights)?);
    node.tensors.row_index = Some(Tensor::new(lists(cross.rows), row_index)?);
    node.tensors.index = Some(Tensor::new(lists(cross.columns), index)?);
    node.layer = Layer::MvauRc(layer);
    Ok(())
}

/// Lane by lane, the lines that a block keeps, rising; `None` if it needs more than it keeps.
fn kept(side: Side, used: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
    let mut all = Vec::with_capacity(side.kept());
    for lane in 0..side.lanes {
        let (mut taken, spare): (Vec<usize>, Vec<usize>) = side.lane(lane).partition(|l| used(*l));
        let missing = side.keep.checked_sub(taken.len())?;
        taken.extend(&spare[..missing]);
        taken.sort_unstable();
        all.extend(taken);
    }
    Some(all)
}
