//! `Larger`: a picture with more pixels.
//! Must not know why.

use rayon::prelude::*;

use super::step::{Back, Mode, Parts, Step};
use crate::layer::Upsample;

/// An upsampling, prepared.
#[derive(Debug, Clone)]
pub(super) struct Larger {
    /// By pixel that leaves, the pixel that it is; none where it is constant.
    from: Vec<Option<usize>>,
    fill: f32,
    channels: usize,
    /// Pixels that arrive.
    pixels: usize,
}

impl Larger {
    pub(super) fn new(layer: &Upsample) -> Self {
        let ([rows, columns], [down, right]) = (layer.size(), layer.factor);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let from = places.map(|(row, column)| {
            let moved = row % down > 0 || column % right > 0;
            let pixel = row / down * layer.picture[1] + column / right;
            (layer.fill.is_none() || !moved).then_some(pixel)
        });
        Larger {
            from: from.collect(),
            fill: layer.fill.unwrap_or(0) as f32,
            channels: layer.channels,
            pixels: layer.picture[0] * layer.picture[1],
        }
    }
}

impl Step for Larger {
    fn forward(&mut self, _: &mut Parts, _: Mode, inputs: &[&[f32]], output: &mut [f32], _: usize) {
        let channels = self.channels;
        let frames = output.par_chunks_mut(self.from.len() * channels);
        let frames = frames.zip(inputs[0].par_chunks(self.pixels * channels));
        frames.for_each(|(output, x)| {
            for (from, output) in self.from.iter().zip(output.chunks_exact_mut(channels)) {
                match from {
                    Some(pixel) => {
                        output.copy_from_slice(&x[pixel * channels..(pixel + 1) * channels]);
                    }
                    None => output.fill(self.fill),
                }
            }
        });
    }

    fn backward(&mut self, _: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let channels = self.channels;
        let mut input = back.spare.take(back.inputs[0].len());
        let frames = input.par_chunks_mut(self.pixels * channels);
        let written = back.gradient.par_chunks(self.from.len() * channels);
        frames.zip(written).for_each(|(input, gradient)| {
            input.fill(0.0);
            for (from, gradient) in self.from.iter().zip(gradient.chunks_exact(channels)) {
                if let Some(pixel) = from {
                    let input = &mut input[pixel * channels..(pixel + 1) * channels];
                    input.iter_mut().zip(gradient).for_each(|(x, g)| *x += g);
                }
            }
        });
        back.spare.give(back.gradient);
        vec![Some(input)]
    }
}
