//! Matrix products of row-major slices, each on one core: which of its cores a product runs on does not change a bit.
//! Must not know layers.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

fn of(slice: &[f32], columns: usize) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(slice, slice.len() / columns, columns)
}

fn into(slice: &mut [f32], columns: usize) -> MatMut<'_, f32> {
    let rows = slice.len() / columns;
    MatMut::from_row_major_slice_mut(slice, rows, columns)
}

/// `sums[n, rows] = x[n, columns] weights[rows, columns]'`.
pub(super) fn sums(sums: &mut [f32], x: &[f32], weights: &[f32], columns: usize) {
    let rows = weights.len() / columns;
    let weights = of(weights, columns).transpose();
    matmul(
        into(sums, rows),
        Accum::Replace,
        of(x, columns),
        weights,
        1.0,
        Par::Seq,
    );
}

/// `x[n, columns] = gradient[n, rows] weights[rows, columns]`.
pub(super) fn to_input(x: &mut [f32], gradient: &[f32], weights: &[f32], columns: usize) {
    let rows = weights.len() / columns;
    matmul(
        into(x, columns),
        Accum::Replace,
        of(gradient, rows),
        of(weights, columns),
        1.0,
        Par::Seq,
    );
}

/// Rows `part` of `weights[rows, columns] = gradient[n, rows]' x[n, columns]`, or of that added.
pub(super) fn to_weights(
    part: &mut [f32],
    (gradient, rows, range): (&[f32], usize, Range<usize>),
    (x, columns): (&[f32], usize),
    add: bool,
) {
    let gradient = of(gradient, rows).subcols(range.start, range.len());
    let how = if add { Accum::Add } else { Accum::Replace };
    matmul(
        into(part, columns),
        how,
        gradient.transpose(),
        of(x, columns),
        1.0,
        Par::Seq,
    );
}
