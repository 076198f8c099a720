//! `Pool`: the largest element, or the sum, of each channel in a window.
//! Must not know what is made of it.

use rayon::prelude::*;

use super::lanes::{add, vectorised};
use super::step::{Back, Mode, Parts, Step};
use super::taps::{PADDING, Taps};

/// What is made of the elements that a window sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Of {
    /// The largest; padding is smaller than any.
    Largest,
    /// The sum, padding being so much.
    Sum(f32),
}

/// A pool of either kind.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    taps: Taps,
    of: Of,
    /// What the largest of nothing is.
    least: f32,
}

impl Pool {
    pub(super) fn new(taps: Taps, of: Of, least: f32) -> Self {
        Pool { taps, of, least }
    }

    #[inline(always)]
    fn frame(&self, x: &[f32], output: &mut [f32]) {
        let channels = self.taps.channels;
        for (place, output) in self.taps.places().zip(output.chunks_exact_mut(channels)) {
            output.fill(match self.of {
                Of::Largest => self.least,
                Of::Sum(_) => 0.0,
            });
            for pixel in place {
                let pixel = match pixel {
                    &PADDING => None,
                    pixel => Some(&x[pixel * channels..(pixel + 1) * channels]),
                };
                match (self.of, pixel) {
                    (Of::Largest, Some(pixel)) => {
                        let pairs = output.iter_mut().zip(pixel);
                        pairs.for_each(|(most, x)| *most = if *x > *most { *x } else { *most });
                    }
                    (Of::Largest, None) => {}
                    (Of::Sum(_), Some(pixel)) => add(output, pixel),
                    (Of::Sum(pad), None) => output.iter_mut().for_each(|sum| *sum += pad),
                }
            }
        }
    }

    /// Gradients of a frame: those of a largest element go to the first that is as large.
    #[inline(always)]
    fn frame_backward(&self, x: &[f32], output: &[f32], gradient: &mut [f32], input: &mut [f32]) {
        let channels = self.taps.channels;
        input.fill(0.0);
        let places = self.taps.places().zip(output.chunks_exact(channels));
        for ((place, output), gradient) in places.zip(gradient.chunks_exact_mut(channels)) {
            for pixel in place.iter().filter(|pixel| **pixel != PADDING) {
                let range = pixel * channels..(pixel + 1) * channels;
                let (x, input) = (&x[range.clone()], &mut input[range]);
                if self.of != Of::Largest {
                    add(input, gradient);
                    continue;
                }
                let (x, input) = (&x[..channels], &mut input[..channels]);
                let (output, gradient) = (&output[..channels], &mut gradient[..channels]);
                for at in 0..channels {
                    let part = if x[at] == output[at] {
                        gradient[at]
                    } else {
                        0.0
                    };
                    input[at] += part;
                    gradient[at] -= part;
                }
            }
        }
    }
}

impl Step for Pool {
    fn forward(&mut self, _: &mut Parts, _: Mode, inputs: &[&[f32]], output: &mut [f32], _: usize) {
        let frames = output.par_chunks_mut(self.taps.written);
        let frames = frames.zip(inputs[0].par_chunks(self.taps.read));
        frames.for_each(|(output, x)| {
            vectorised(
                #[inline(always)]
                || self.frame(x, output),
            );
        });
    }

    fn backward(&mut self, _: &mut Parts, mut back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let mut input = back.spare.take(back.frames * self.taps.read);
        let frames = input.par_chunks_mut(self.taps.read);
        let frames = frames.zip(back.inputs[0].par_chunks(self.taps.read));
        let frames = frames.zip(back.output.par_chunks(self.taps.written));
        let frames = frames.zip(back.gradient.par_chunks_mut(self.taps.written));
        frames.for_each(|(((input, x), output), gradient)| {
            vectorised(
                #[inline(always)]
                || self.frame_backward(x, output, gradient, input),
            );
        });
        back.spare.give(back.gradient);
        vec![Some(input)]
    }
}
