//! `Depthwise`: a convolution of each channel with a kernel of its own.
//! Must not know what becomes of the sums.

use rayon::prelude::*;

use super::lanes::{add_products, add_scaled, vectorised};
use super::step::{Back, Mode, Parts, Step, frames_of_piece};
use super::taps::{PADDING, Taps};
use super::weights::Weights;

/// Pieces of a batch, each with gradients of all weights of its own.
const PIECES: usize = 8;

/// `sums[c] = sum over positions of weights[c][position] x[position][c]` at each place.
#[derive(Debug, Clone)]
pub(super) struct Depthwise {
    /// Number of the weights.
    weights: usize,
    taps: Taps,
    pad: f32,
}

impl Depthwise {
    pub(super) fn new(weights: usize, taps: Taps, pad: f32) -> Self {
        Depthwise { weights, taps, pad }
    }

    /// `[positions, channels]`, channel fastest as elements are.
    fn turned(&self, weights: &Weights) -> Vec<f32> {
        let (positions, channels) = (self.taps.positions, self.taps.channels);
        let used = &weights.used;
        let turned =
            (0..positions * channels).map(|at| used[at % channels * positions + at / channels]);
        turned.collect()
    }

    #[inline(always)]
    fn frame(&self, weights: &[f32], x: &[f32], output: &mut [f32]) {
        let channels = self.taps.channels;
        for (place, output) in self.taps.places().zip(output.chunks_exact_mut(channels)) {
            output.fill(0.0);
            for (pixel, weights) in place.iter().zip(weights.chunks_exact(channels)) {
                match *pixel {
                    PADDING => add_scaled(output, weights, self.pad),
                    pixel => {
                        let x = &x[pixel * channels..(pixel + 1) * channels];
                        add_products(output, weights, x);
                    }
                }
            }
        }
    }

    /// Adds the gradients of a frame: `own` of weights, as turned, and `input` where it has room.
    #[inline(always)]
    fn frame_backward(
        &self,
        weights: &[f32],
        (x, gradient): (&[f32], &[f32]),
        own: &mut [f32],
        input: &mut [f32],
    ) {
        let channels = self.taps.channels;
        input.fill(0.0);
        let places = self.taps.places().zip(gradient.chunks_exact(channels));
        for (place, gradient) in places {
            let kernel = weights.chunks_exact(channels);
            let owns = own.chunks_exact_mut(channels);
            for ((pixel, weights), own) in place.iter().zip(kernel).zip(owns) {
                if *pixel == PADDING {
                    add_scaled(own, gradient, self.pad);
                    continue;
                }
                let range = pixel * channels..(pixel + 1) * channels;
                add_products(own, gradient, &x[range.clone()]);
                if !input.is_empty() {
                    add_products(&mut input[range], gradient, weights);
                }
            }
        }
    }
}

impl Step for Depthwise {
    fn forward(
        &mut self,
        parts: &mut Parts,
        _: Mode,
        inputs: &[&[f32]],
        output: &mut [f32],
        _: usize,
    ) {
        let weights = self.turned(&parts.weights[self.weights]);
        let frames = output.par_chunks_mut(self.taps.written);
        let frames = frames.zip(inputs[0].par_chunks(self.taps.read));
        frames.for_each(|(output, x)| {
            vectorised(
                #[inline(always)]
                || self.frame(&weights, x, output),
            );
        });
    }

    fn backward(&mut self, parts: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let weights = &mut parts.weights[self.weights];
        let turned = self.turned(weights);
        let (read, written) = (self.taps.read, self.taps.written);
        let frames = frames_of_piece(back.frames, PIECES);
        let pieces = back.frames.div_ceil(frames);
        let mut input = match back.wanted[0] {
            true => back.spare.take(back.frames * read),
            false => Vec::new(),
        };
        let mut inputs: Vec<&mut [f32]> = input.chunks_mut(frames * read).collect();
        inputs.resize_with(pieces, Default::default);
        let work = inputs.into_par_iter();
        let work = work.zip(back.inputs[0].par_chunks(frames * read));
        let work = work.zip(back.gradient.par_chunks(frames * written));
        let partial = work.map(|((input, x), gradient)| {
            let mut own = vec![0.0; turned.len()];
            let mut inputs = input.chunks_exact_mut(read);
            for (x, gradient) in x.chunks_exact(read).zip(gradient.chunks_exact(written)) {
                let input = inputs.next().unwrap_or_default();
                vectorised(
                    #[inline(always)]
                    || self.frame_backward(&turned, (x, gradient), &mut own, input),
                );
            }
            own
        });
        let partial: Vec<Vec<f32>> = partial.collect();
        if weights.trained {
            let (positions, channels) = (self.taps.positions, self.taps.channels);
            for (at, gradient) in weights.gradient.iter_mut().enumerate() {
                let turned = at % positions * channels + at / positions;
                *gradient = partial.iter().map(|own| own[turned]).sum();
            }
        }
        back.spare.give(back.gradient);
        vec![back.wanted[0].then_some(input)]
    }
}
