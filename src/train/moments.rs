//! Mean and variance of channels, the same bits for any number of threads.
//! Must not know what the numbers are.

use rayon::prelude::*;

use super::lanes::{add, add_products, vectorised};

/// Pixels that are added up in one go, on one thread.
const PIECE: usize = 1024;
/// Pixels that are added up in f32 before they go on in f64.
const BLOCK: usize = 64;

/// Mean and variance of each of `channels`, over the pixels of `values`, channel fastest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
}

impl Moments {
    pub(super) fn of(values: &[f32], channels: usize) -> Self {
        let count = (values.len() / channels).max(1) as f64;
        let [sum, square] = added(values, values, channels);
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
        let pairs = square.iter().zip(&mean);
        let variance = pairs.map(|(square, mean)| (square / count - mean * mean).max(0.0));
        Moments {
            variance: variance.collect(),
            mean,
        }
    }

    /// Of several sets of equally many values, those of all of them.
    pub(super) fn together(sets: &[Moments]) -> Self {
        let Some(first) = sets.first() else {
            return Moments::default();
        };
        let count = sets.len() as f64;
        let channels = 0..first.mean.len();
        let mean = |c: usize| sets.iter().map(|set| set.mean[c]).sum::<f64>() / count;
        let mean: Vec<f64> = channels.clone().map(mean).collect();
        let variance = channels.map(|c| {
            let within = sets.iter().map(|set| set.variance[c]).sum::<f64>();
            let between = sets.iter().map(|set| (set.mean[c] - mean[c]).powi(2));
            (within + between.sum::<f64>()) / count
        });
        Moments {
            variance: variance.collect(),
            mean,
        }
    }
}

/// By channel, the sums of a and of a times b, in a fixed order.
pub(super) fn added(a: &[f32], b: &[f32], channels: usize) -> [Vec<f64>; 2] {
    let piece = PIECE * channels;
    let pieces = a.par_chunks(piece).zip(b.par_chunks(piece));
    let pieces: Vec<[Vec<f64>; 2]> = pieces
        .map(|(a, b)| {
            let mut total = [vec![0.0; channels], vec![0.0; channels]];
            let mut parts = [vec![0f32; channels], vec![0f32; channels]];
            vectorised(
                #[inline(always)]
                || piece_added(a, b, &mut total, &mut parts),
            );
            total
        })
        .collect();
    let mut total = [vec![0.0; channels], vec![0.0; channels]];
    for piece in &pieces {
        for (total, piece) in total.iter_mut().zip(piece) {
            total.iter_mut().zip(piece).for_each(|(t, p)| *t += p);
        }
    }
    total
}

#[inline(always)]
fn piece_added(a: &[f32], b: &[f32], total: &mut [Vec<f64>; 2], parts: &mut [Vec<f32>; 2]) {
    let [plain, times] = parts;
    let channels = plain.len();
    let blocks = a.chunks(BLOCK * channels).zip(b.chunks(BLOCK * channels));
    for (a, b) in blocks {
        plain.fill(0.0);
        times.fill(0.0);
        let pixels = a.chunks_exact(channels).zip(b.chunks_exact(channels));
        for (a, b) in pixels {
            add(plain, a);
            add_products(times, a, b);
        }
        for (total, part) in total.iter_mut().zip([&*plain, &*times]) {
            let pairs = total.iter_mut().zip(part);
            pairs.for_each(|(total, part)| *total += f64::from(*part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_definition() {
        let channels = 3;
        let values: Vec<f32> = (0..5000 * channels)
            .map(|i| (i * 7 % 41) as f32 - 9.0)
            .collect();
        let found = Moments::of(&values, channels);
        for c in 0..channels {
            let own: Vec<f64> = values
                .iter()
                .skip(c)
                .step_by(channels)
                .map(|v| f64::from(*v))
                .collect();
            let mean = own.iter().sum::<f64>() / 5000.0;
            let variance = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 5000.0;
            assert!((found.mean[c] - mean).abs() < 1e-6);
            assert!((found.variance[c] - variance).abs() < 1e-4);
        }
        let halves = values.chunks(values.len() / 2);
        let halves: Vec<Moments> = halves.map(|half| Moments::of(half, channels)).collect();
        let whole = Moments::together(&halves);
        for (a, b) in whole.variance.iter().zip(&found.variance) {
            assert!((a - b).abs() < 1e-6);
        }
    }
}
