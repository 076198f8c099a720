//! Moments: how what a layer reads varies, and with the sums that are wanted of it.
//! Must not know masks.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use crate::reference::Seen;

/// Samples for each column, as far as there are so many.
const PER_COLUMN: usize = 12;
/// Samples at least, likewise.
const LEAST: usize = 1 << 13;
/// Numbers that samples may have altogether.
const MOST: usize = 1 << 26;
/// Columns of a result that are computed together.
const BLOCK: usize = 64;

/// Means and covariances over places of frames.
pub(super) struct Moments {
    /// `[columns, columns]`: of what the layer reads.
    pub(super) inner: Mat<f64>,
    /// `[columns, rows]`: of that with the wanted sums.
    pub(super) cross: Mat<f64>,
    /// `[columns]`: means of what it reads.
    pub(super) read: Vec<f64>,
    /// `[rows]`: means of the wanted sums.
    pub(super) wanted: Vec<f64>,
    /// `[rows]`: variances of the wanted sums.
    pub(super) spread: Vec<f64>,
}

/// `[samples, length]`, sample by sample: a matrix with a column for each sample.
struct Samples {
    length: usize,
    values: Vec<f32>,
}

impl Samples {
    fn new(length: usize, count: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut values = vec![0.0; length * count];
        let samples = values.par_chunks_mut(length.max(1)).enumerate();
        samples.for_each(|(sample, values)| fill(sample, values));
        Samples { length, values }
    }

    fn count(&self) -> usize {
        self.values.len() / self.length.max(1)
    }

    /// `[length, samples]`.
    fn matrix(&self) -> MatRef<'_, f32> {
        MatRef::from_column_major_slice(&self.values, self.length, self.count())
    }

    /// Takes the means off, and gives them.
    fn centre(&mut self) -> Vec<f64> {
        let mut means = vec![0.0; self.length];
        for sample in self.values.chunks_exact(self.length.max(1)) {
            means
                .iter_mut()
                .zip(sample)
                .for_each(|(mean, x)| *mean += f64::from(*x));
        }
        let count = self.count().max(1) as f64;
        means.iter_mut().for_each(|mean| *mean /= count);
        self.values
            .par_chunks_mut(self.length.max(1))
            .for_each(|sample| {
                sample
                    .iter_mut()
                    .zip(&means)
                    .for_each(|(x, mean)| *x -= *mean as f32);
            });
        means
    }
}

impl Moments {
    /// Of a layer that reads `now` and shall give what `weights`, `[rows, columns]`, give of `then`.
    pub(super) fn new(now: &Seen<'_>, then: &Seen<'_>, weights: &[i32]) -> Self {
        let columns = now.columns;
        let rows = weights.len() / columns.max(1);
        let places = places(now);
        let read = |seen: &Seen<'_>| {
            Samples::new(columns, places.len(), |sample, values| {
                let (frame, place) = places[sample];
                seen.place(frame, place, values);
            })
        };
        let mut sums = sums(&read(then), weights, rows);
        let mut read = read(now);
        let (means, wanted) = (read.centre(), sums.centre());
        let mut spread = vec![0.0; rows];
        for sample in sums.values.chunks_exact(rows.max(1)) {
            let squares = sample.iter().map(|x| f64::from(*x).powi(2));
            spread
                .iter_mut()
                .zip(squares)
                .for_each(|(sum, square)| *sum += square);
        }
        let count = places.len().max(1) as f64;
        Moments {
            inner: covariance(&read, &read),
            cross: covariance(&read, &sums),
            read: means,
            wanted,
            spread: spread.into_iter().map(|sum| sum / count).collect(),
        }
    }

    /// The same about 0 instead of the means.
    pub(super) fn about_zero(mut self) -> Self {
        for column in 0..self.read.len() {
            for row in 0..self.read.len() {
                self.inner[(row, column)] += self.read[row] * self.read[column];
            }
            for row in 0..self.wanted.len() {
                self.cross[(column, row)] += self.read[column] * self.wanted[row];
            }
        }
        for (spread, mean) in self.spread.iter_mut().zip(&mut self.wanted) {
            *spread += std::mem::take(mean).powi(2);
        }
        self.read.fill(0.0);
        self
    }
}

/// `[columns]`: how much each of them varies.
pub(super) fn variances(seen: &Seen<'_>) -> Vec<f64> {
    let places = places(seen);
    let mut read = Samples::new(seen.columns, places.len(), |sample, values| {
        let (frame, place) = places[sample];
        seen.place(frame, place, values);
    });
    read.centre();
    let mut sums = vec![0.0; seen.columns];
    for sample in read.values.chunks_exact(seen.columns.max(1)) {
        let squares = sample.iter().map(|x| f64::from(*x).powi(2));
        sums.iter_mut()
            .zip(squares)
            .for_each(|(sum, square)| *sum += square);
    }
    let count = places.len().max(1) as f64;
    sums.into_iter().map(|sum| sum / count).collect()
}

/// Frames and places, spread evenly and unevenly enough that no column of pictures is always met.
fn places(seen: &Seen<'_>) -> Vec<(usize, usize)> {
    let all = seen.frames() * seen.places;
    let most = (MOST / seen.columns.max(1)).max(1);
    let count = (PER_COLUMN * seen.columns).max(LEAST).min(most).min(all);
    let mut state = 1u64;
    let mut jitter = |span: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % span.max(1)
    };
    let start = |at: usize| (at as u128 * all as u128 / count.max(1) as u128) as usize;
    let chosen = (0..count).map(|at| start(at) + jitter(start(at + 1) - start(at)));
    chosen
        .map(|at| (at / seen.places, at % seen.places))
        .collect()
}

/// What `weights` give of samples.
fn sums(read: &Samples, weights: &[i32], rows: usize) -> Samples {
    let columns = read.length;
    let matrix = Mat::from_fn(rows, columns, |row, column| {
        weights[row * columns + column] as f32
    });
    let mut values = vec![0.0f32; rows * read.count()];
    let parts = values.par_chunks_mut((rows * BLOCK).max(1)).enumerate();
    parts.for_each(|(part, values)| {
        let count = values.len() / rows;
        let to = faer::MatMut::from_column_major_slice_mut(values, rows, count);
        let from = read.matrix().subcols(part * BLOCK, count);
        matmul(to, Accum::Replace, matrix.as_ref(), from, 1.0, Par::Seq);
    });
    Samples {
        length: rows,
        values,
    }
}

/// `[a, b]`: means of products.
fn covariance(a: &Samples, b: &Samples) -> Mat<f64> {
    let count = a.count().max(1) as f64;
    let blocks = (0..b.length.div_ceil(BLOCK)).into_par_iter().map(|block| {
        let first = block * BLOCK;
        let width = BLOCK.min(b.length - first);
        let mut part = Mat::<f32>::zeros(a.length, width);
        let right = b.matrix().subrows(first, width).transpose();
        matmul(
            part.as_mut(),
            Accum::Replace,
            a.matrix(),
            right,
            1.0,
            Par::Seq,
        );
        part
    });
    let blocks: Vec<Mat<f32>> = blocks.collect();
    Mat::from_fn(a.length, b.length, |row, column| {
        f64::from(blocks[column / BLOCK][(row, column % BLOCK)]) / count
    })
}
