//! `Sum` and `SideBySide`: several streams made one, each times a number.
//! Must not know where streams come from.

use rayon::prelude::*;

use super::step::{Back, Mode, Parts, Step};

/// Elements of a piece of work.
const PIECE: usize = 1 << 16;

/// `y = gains[0] a + gains[1] b`.
#[derive(Debug, Clone)]
pub(super) struct Sum {
    pub(super) gains: [f32; 2],
}

impl Step for Sum {
    fn forward(&mut self, _: &mut Parts, _: Mode, inputs: &[&[f32]], output: &mut [f32], _: usize) {
        let [first, second] = self.gains;
        let pieces = inputs[0].par_chunks(PIECE).zip(inputs[1].par_chunks(PIECE));
        output
            .par_chunks_mut(PIECE)
            .zip(pieces)
            .for_each(|(output, (a, b))| {
                let terms = output.iter_mut().zip(a).zip(b);
                terms.for_each(|((y, a), b)| *y = first * a + second * b);
            });
    }

    fn backward(&mut self, _: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let mut gradients = Vec::new();
        for (gain, wanted) in self.gains.iter().zip(back.wanted) {
            gradients.push(wanted.then(|| {
                let mut gradient = back.spare.take(back.gradient.len());
                let pairs = gradient.iter_mut().zip(&back.gradient);
                pairs.for_each(|(x, g)| *x = gain * g);
                gradient
            }));
        }
        back.spare.give(back.gradient);
        gradients
    }
}

/// Pixels of all inputs side by side.
#[derive(Debug, Clone)]
pub(super) struct SideBySide {
    /// By input, its channels and its gain.
    pub(super) inputs: Vec<(usize, f32)>,
}

impl Step for SideBySide {
    fn forward(&mut self, _: &mut Parts, _: Mode, inputs: &[&[f32]], output: &mut [f32], _: usize) {
        let width: usize = self.inputs.iter().map(|(channels, _)| channels).sum();
        let pixels = output.par_chunks_mut(width).enumerate();
        pixels.for_each(|(pixel, output)| {
            let mut first = 0;
            for ((channels, gain), x) in self.inputs.iter().zip(inputs) {
                let x = &x[pixel * channels..(pixel + 1) * channels];
                let pairs = output[first..first + channels].iter_mut().zip(x);
                pairs.for_each(|(y, x)| *y = gain * x);
                first += channels;
            }
        });
    }

    fn backward(&mut self, _: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let width: usize = self.inputs.iter().map(|(channels, _)| channels).sum();
        let mut gradients = Vec::new();
        let mut first = 0;
        for ((channels, gain), wanted) in self.inputs.iter().zip(back.wanted) {
            gradients.push(wanted.then(|| {
                let pixels = back.gradient.len() / width;
                let mut gradient = back.spare.take(pixels * channels);
                let own = gradient.par_chunks_mut(*channels);
                own.zip(back.gradient.par_chunks(width))
                    .for_each(|(own, all)| {
                        let pairs = own.iter_mut().zip(&all[first..]);
                        pairs.for_each(|(x, g)| *x = gain * g);
                    });
                gradient
            }));
            first += channels;
        }
        back.spare.give(back.gradient);
        gradients
    }
}
