//! Equalisation: channels are divided by factors before they are quantised, and the weights that read them multiplied,
//! so that one scale serves channels of different sizes.
//!
//! The function of the network stays the same whatever stands before the quantiser, because the division comes behind
//! it: a bound of a `Clip` needs no change, and the division ends in the thresholds. Where the readers are depthwise
//! convolutions, whose kernels have scales of their own, the factors cost nothing and every channel gets its own best
//! scale. Where the reader is a matrix product the factors make its columns differ: of a few compromises that with the
//! least error of the product is taken (as Lin et al. 2023, AWQ, do). Must not know the graph.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::batch::{Batch, spread};
use super::scale::Range;
use super::shape::Shape;

/// Elements of a channel from which its scale is found.
const OF_CHANNEL: usize = 1 << 14;
/// Places at which compromises are tried.
const PLACES: usize = 1 << 11;
/// Numbers from which a compromise finds the scale of what is read.
const NUMBERS: usize = 1 << 15;
/// Powers of what channels hold, and of the weights that read them.
const TRIED: [(f64, f64); 7] = [
    (0.0, 0.0),
    (0.25, 0.0),
    (0.5, 0.0),
    (0.25, 0.25),
    (0.5, 0.25),
    (0.5, 0.5),
    (0.75, 0.25),
];
/// Farthest from 1 that a factor goes.
const MOST: f64 = 64.0;

/// For each channel of pictures its best scale as a factor of their middle.
pub(super) fn by_channel(x: &Batch, channels: usize, range: Range) -> Vec<f64> {
    let plane = x.frames.first().map_or(0, Vec::len) / channels.max(1);
    let places = spread(x.frames.len(), plane, OF_CHANNEL);
    let scales = (0..channels).into_par_iter().map(|channel| {
        let at = |(frame, place): &(usize, usize)| x.frames[*frame][channel * plane + place];
        let numbers: Vec<(f32, f32)> = places.iter().map(|place| (at(place), 1.0)).collect();
        let some = numbers.iter().any(|(x, _)| x.abs() > 0.0);
        some.then(|| range.best(&numbers))
    });
    let scales: Vec<Option<f64>> = scales.collect();
    centred(scales)
}

/// Divided by their middle, on a logarithmic scale; 1 where there is none.
fn centred(scales: Vec<Option<f64>>) -> Vec<f64> {
    let known: Vec<f64> = scales.iter().flatten().map(|scale| scale.ln()).collect();
    let middle = (known.iter().sum::<f64>() / known.len().max(1) as f64).exp();
    let factor = |scale: f64| (scale / middle).clamp(1.0 / MOST, MOST);
    scales
        .iter()
        .map(|scale| scale.map_or(1.0, factor))
        .collect()
}

/// Factors of the columns of a product of one group and one position, which reads `x` through `activations` with
/// weights on `grid`.
pub(super) fn compromise(
    (shape, x): (&Shape, &Batch),
    weights: &[f64],
    [activations, grid]: [Range; 2],
) -> Vec<f64> {
    let (columns, rows) = (shape.columns, shape.rows);
    let places = spread(x.frames.len(), shape.places, PLACES);
    let mut read = vec![0.0f32; columns * places.len()];
    for ((frame, place), read) in places.iter().zip(read.chunks_exact_mut(columns)) {
        shape.read(&x.frames[*frame], 0, *place, read);
    }
    let trial = Trial {
        columns,
        read,
        weights: (0..rows * columns)
            .map(|at| weights[shape.weight(at / columns, at % columns)] as f32)
            .collect(),
        ranges: [activations, grid],
    };
    let sizes: Vec<[f64; 2]> = (0..columns).map(|column| trial.sizes(column)).collect();
    let tried: Vec<(f64, Vec<f64>)> = TRIED
        .par_iter()
        .map(|(of_channel, of_weights)| {
            let of = |[channel, weight]: &[f64; 2]| {
                let factor = channel.powf(*of_channel) / weight.powf(*of_weights);
                (*channel > 0.0 && *weight > 0.0).then_some(factor)
            };
            let factors = centred(sizes.iter().map(of).collect());
            (trial.error(&factors), factors)
        })
        .collect();
    let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(|| vec![1.0; columns], |(_, factors)| factors)
}

/// A product on a few places.
struct Trial {
    columns: usize,
    /// `[places, columns]`.
    read: Vec<f32>,
    /// `[rows, columns]`.
    weights: Vec<f32>,
    ranges: [Range; 2],
}

impl Trial {
    /// Root of the mean square of what is read in a column, and the largest weight that reads it.
    fn sizes(&self, column: usize) -> [f64; 2] {
        let read = self.read.iter().skip(column).step_by(self.columns);
        let square: f64 = read.map(|x| f64::from(*x).powi(2)).sum();
        let weights = self.weights.iter().skip(column).step_by(self.columns);
        let most = weights.fold(0.0, |most: f64, w| most.max(f64::from(w.abs())));
        let count = (self.read.len() / self.columns).max(1) as f64;
        [(square / count).sqrt(), most]
    }

    /// Sum of the squares by which the product changes if both sides are quantised.
    fn error(&self, factors: &[f64]) -> f64 {
        let [activations, grid] = self.ranges;
        let factor = |at: usize| factors[at % self.columns];
        let read: Vec<(f32, f32)> = self
            .read
            .iter()
            .enumerate()
            .map(|(at, x)| ((f64::from(*x) / factor(at)) as f32, 1.0))
            .collect();
        // An odd step meets every column.
        let step = (read.len() / NUMBERS) | 1;
        let some: Vec<(f32, f32)> = read.iter().step_by(step).copied().collect();
        let scale = activations.best(&some);
        let lost = read
            .iter()
            .map(|(x, _)| (scale * activations.nearest(f64::from(*x) / scale)) as f32);
        let lost: Vec<f32> = lost.collect();
        let mut weights = Vec::with_capacity(self.weights.len());
        for row in self.weights.chunks_exact(self.columns) {
            let row: Vec<(f32, f32)> = row
                .iter()
                .zip(factors)
                .map(|(w, factor)| ((f64::from(*w) * factor) as f32, 1.0))
                .collect();
            let scale = grid.best(&row);
            weights.extend(
                row.iter()
                    .map(|(w, _)| (scale * grid.nearest(f64::from(*w) / scale)) as f32),
            );
        }
        let sums = [(&self.read, &self.weights), (&lost, &weights)].map(|(read, weights)| {
            let (places, rows) = (read.len() / self.columns, weights.len() / self.columns);
            let mut sums = Mat::<f32>::zeros(rows, places);
            let left = MatRef::from_row_major_slice(weights, rows, self.columns);
            let right = MatRef::from_column_major_slice(read, self.columns, places);
            matmul(sums.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
            sums
        });
        let off = &sums[0] - &sums[1];
        // What the mean is off goes into the bias.
        let places = off.ncols().max(1) as f64;
        let mut error = 0.0;
        for row in 0..off.nrows() {
            let of_row = |f: &dyn Fn(f64) -> f64| -> f64 {
                (0..off.ncols())
                    .map(|at| f(f64::from(off[(row, at)])))
                    .sum()
            };
            let mean = of_row(&|x| x) / places;
            error += of_row(&|x| x * x) - mean * mean * places;
        }
        error
    }
}
