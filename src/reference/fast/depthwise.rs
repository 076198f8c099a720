//! `Depthwise`: windows whose channels stay apart, weighted sums and largest elements, many channels at once.
//! Must not know how layers are folded.

use pulp::{Arch, Simd, WithSimd};

use super::taps::Taps;
use super::threshold::Thresholds;
use crate::layer::Sliding;

/// Registers of sums that are worked on at once.
const REGISTERS: usize = 4;

/// Weighted sums of what a window sees, channel by channel.
#[derive(Debug)]
pub(super) struct Depthwise {
    taps: Taps,
    channels: usize,
    /// `[positions, channels]`.
    weights: Vec<f32>,
    /// A pixel of padding.
    pad: Vec<f32>,
    thresholds: Option<Thresholds>,
}

impl Depthwise {
    /// Prepares a layer whose weight of a channel and a position is `weight`.
    pub(super) fn new(
        sliding: &Sliding,
        pad: i64,
        weight: impl Fn(usize, usize) -> i32,
        thresholds: Option<Thresholds>,
    ) -> Self {
        let channels = sliding.channels;
        let weights = (0..sliding.positions() * channels)
            .map(|at| weight(at % channels, at / channels) as f32);
        Depthwise {
            taps: Taps::new(sliding),
            channels,
            weights: weights.collect(),
            pad: vec![pad as f32; channels],
            thresholds,
        }
    }

    /// Computes a frame.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32]) {
        arch.dispatch(Run {
            layer: self,
            input,
            output,
        });
    }
}

struct Run<'a> {
    layer: &'a Depthwise,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let layer = self.layer;
        let [_, columns] = layer.taps.output();
        let mut seen: Vec<&[f32]> = Vec::with_capacity(layer.weights.len() / layer.channels);
        let rows = self.output.chunks_exact_mut(columns * layer.channels);
        for (row, line) in rows.enumerate() {
            for (column, sums) in line.chunks_exact_mut(layer.channels).enumerate() {
                seen.clear();
                let pixels = layer.taps.at(row, column);
                seen.extend(pixels.map(|pixel| match pixel {
                    Some(pixel) => &self.input[pixel * layer.channels..][..layer.channels],
                    None => &layer.pad[..],
                }));
                weigh(simd, &seen, &layer.weights, sums);
            }
            if let Some(thresholds) = &layer.thresholds {
                thresholds.apply(simd, line);
            }
        }
    }
}

/// Weighted sums of one place.
#[inline(always)]
fn weigh<S: Simd>(simd: S, seen: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let (whole, rest) = S::as_mut_simd_f32s(sums);
    let mut first = 0;
    let (blocks, single) = whole.as_chunks_mut::<REGISTERS>();
    for block in blocks {
        *block = registers(simd, seen, weights, channels, first);
        first += REGISTERS * S::F32_LANES;
    }
    for register in single {
        [*register] = registers(simd, seen, weights, channels, first);
        first += S::F32_LANES;
    }
    for (channel, sum) in rest.iter_mut().enumerate() {
        let lines = weights.chunks_exact(channels).zip(seen);
        *sum = lines
            .map(|(weights, pixel)| weights[first + channel] * pixel[first + channel])
            .sum();
    }
}

/// N registers of weighted sums from channel `first` on.
#[inline(always)]
fn registers<S: Simd, const N: usize>(
    simd: S,
    seen: &[&[f32]],
    weights: &[f32],
    channels: usize,
    first: usize,
) -> [S::f32s; N] {
    let mut sums = [simd.splat_f32s(0.0); N];
    let length = N * S::F32_LANES;
    for (weights, pixel) in weights.chunks_exact(channels).zip(seen) {
        let (weights, _) = S::as_simd_f32s(&weights[first..first + length]);
        let (pixel, _) = S::as_simd_f32s(&pixel[first..first + length]);
        for ((sum, w), x) in sums.iter_mut().zip(weights).zip(pixel) {
            *sum = simd.mul_add_e_f32s(*w, *x, *sum);
        }
    }
    sums
}

/// Largest element of what a window sees, channel by channel.
#[derive(Debug)]
pub(super) struct Largest {
    taps: Taps,
    channels: usize,
    /// No element is smaller.
    least: f32,
}

impl Largest {
    pub(super) fn new(sliding: &Sliding, least: i64) -> Self {
        Largest {
            taps: Taps::new(sliding),
            channels: sliding.channels,
            least: least as f32,
        }
    }

    /// Computes a frame.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32]) {
        arch.dispatch(
            #[inline(always)]
            || {
                let [_, columns] = self.taps.output();
                let places = output.chunks_exact_mut(self.channels).enumerate();
                for (place, largest) in places {
                    largest.fill(self.least);
                    let pixels = self.taps.at(place / columns, place % columns);
                    for pixel in pixels.flatten() {
                        let pixel = &input[pixel * self.channels..][..self.channels];
                        for (largest, x) in largest.iter_mut().zip(pixel) {
                            *largest = if *x > *largest { *x } else { *largest };
                        }
                    }
                }
            },
        );
    }
}
