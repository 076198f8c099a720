//! `Grouped`: matrices that take turns, as of a grouped convolution. Their weights stay as they are.
//! Must not know the window in front of them.

use rayon::prelude::*;

use super::gemm;
use super::step::{Back, Mode, Parts, Step};

/// Pixel p is multiplied by matrix `p % groups`.
#[derive(Debug, Clone)]
pub(super) struct Grouped {
    /// By group, `[rows, columns]`.
    matrices: Vec<Vec<f32>>,
    rows: usize,
    columns: usize,
}

impl Grouped {
    /// `weights` is `[groups * rows, columns]`.
    pub(super) fn new(weights: &[i32], rows: usize, columns: usize) -> Self {
        let matrices = weights.chunks_exact(rows * columns);
        let real = |matrix: &[i32]| matrix.iter().map(|w| *w as f32).collect();
        Grouped {
            matrices: matrices.map(real).collect(),
            rows,
            columns,
        }
    }

    /// Pixels of a group, side by side.
    fn gathered(&self, from: &[f32], width: usize, group: usize) -> Vec<f32> {
        let pixels = from.chunks_exact(width);
        let own = pixels.skip(group).step_by(self.matrices.len());
        own.flatten().copied().collect()
    }

    /// The reverse.
    fn spread(&self, own: &[f32], to: &mut [f32], width: usize, group: usize) {
        let pixels = to.chunks_exact_mut(width);
        let pixels = pixels.skip(group).step_by(self.matrices.len());
        for (pixel, own) in pixels.zip(own.chunks_exact(width)) {
            pixel.copy_from_slice(own);
        }
    }
}

impl Step for Grouped {
    fn forward(
        &mut self,
        _: &mut Parts,
        _: Mode,
        inputs: &[&[f32]],
        output: &mut [f32],
        frames: usize,
    ) {
        let (written, read) = (output.len() / frames, inputs[0].len() / frames);
        let frames = output
            .par_chunks_mut(written)
            .zip(inputs[0].par_chunks(read));
        frames.for_each(|(output, x)| {
            for (group, matrix) in self.matrices.iter().enumerate() {
                let x = self.gathered(x, self.columns, group);
                let mut sums = vec![0.0; x.len() / self.columns * self.rows];
                gemm::sums(&mut sums, &x, matrix, self.columns);
                self.spread(&sums, output, self.rows, group);
            }
        });
    }

    fn backward(&mut self, _: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let read = back.inputs[0].len();
        let mut input = back.spare.take(read);
        let written = back.gradient.len() / back.frames;
        let frames = input.par_chunks_mut(read / back.frames);
        frames
            .zip(back.gradient.par_chunks(written))
            .for_each(|(input, gradient)| {
                for (group, matrix) in self.matrices.iter().enumerate() {
                    let gradient = self.gathered(gradient, self.rows, group);
                    let mut own = vec![0.0; gradient.len() / self.rows * self.columns];
                    gemm::to_input(&mut own, &gradient, matrix, self.columns);
                    self.spread(&own, input, self.columns, group);
                }
            });
        back.spare.give(back.gradient);
        vec![Some(input)]
    }
}
