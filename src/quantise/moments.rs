//! Moments: how what a group of a product reads varies, and with the sums that are wanted of it.
//! Must not know quantisers.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use super::batch::{Batch, spread};
use super::shape::Shape;

/// Places for each column, as far as there are so many.
const PER_COLUMN: usize = 16;
/// Places at least, likewise.
const LEAST: usize = 1 << 14;
/// Numbers that they may have altogether.
const MOST: usize = 1 << 26;

/// Means, and moments about them.
pub(super) struct Moments {
    /// `[columns, columns]`: of what is read.
    pub(super) inner: Mat<f64>,
    /// `[columns, rows]`: of that with the wanted sums.
    pub(super) cross: Mat<f64>,
}

impl Moments {
    /// Of a group that reads `now` and shall give what `wanted` holds.
    pub(super) fn new(shape: &Shape, group: usize, now: &Batch, wanted: &Batch) -> Self {
        let most = (MOST / (shape.columns + shape.rows).max(1)).max(1);
        let count = (PER_COLUMN * shape.columns).max(LEAST).min(most);
        let places = spread(now.frames.len(), shape.places, count);
        let mut read = vec![0.0; shape.columns * places.len()];
        let mut sums = vec![0.0; shape.rows * places.len()];
        let samples = read
            .chunks_exact_mut(shape.columns)
            .zip(sums.chunks_exact_mut(shape.rows));
        for ((frame, place), (read, sums)) in places.iter().zip(samples) {
            shape.read(&now.frames[*frame], group, *place, read);
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = wanted.frames[*frame][shape.result(group * shape.rows + row, *place)];
            }
        }
        centre(&mut read, shape.columns);
        centre(&mut sums, shape.rows);
        Moments {
            inner: products(&read, shape.columns, &read, shape.columns),
            cross: products(&read, shape.columns, &sums, shape.rows),
        }
    }
}

/// Takes the means off.
fn centre(values: &mut [f32], length: usize) {
    let mut means = vec![0.0f64; length];
    for sample in values.chunks_exact(length) {
        means
            .iter_mut()
            .zip(sample)
            .for_each(|(mean, x)| *mean += f64::from(*x));
    }
    let count = (values.len() / length).max(1) as f64;
    for sample in values.chunks_exact_mut(length) {
        sample
            .iter_mut()
            .zip(&means)
            .for_each(|(x, mean)| *x -= (mean / count) as f32);
    }
}

/// `[a, b]`: means of products of samples that lie one behind the other.
fn products(a: &[f32], left: usize, b: &[f32], right: usize) -> Mat<f64> {
    let count = a.len() / left;
    let mut found = Mat::<f32>::zeros(left, right);
    let a = MatRef::from_column_major_slice(a, left, count);
    let b = MatRef::from_row_major_slice(b, count, right);
    matmul(found.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    Mat::from_fn(left, right, |row, column| {
        f64::from(found[(row, column)]) / count.max(1) as f64
    })
}
