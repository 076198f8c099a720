//! `Model`: a whole network in real numbers, layer after layer on batches.
//! Must not know how it is made of a dataflow, nor what is learnt.

use super::moments::Moments;
use super::spare::Spare;
use super::step::{Back, Mode, Parts, Step};

/// A step in its place.
pub(super) struct Placed {
    pub(super) step: Box<dyn Step>,
    /// Values read.
    pub(super) from: Vec<usize>,
    /// The value made.
    pub(super) to: usize,
}

/// Steps in their order. Value 0 is the input.
#[derive(Default)]
pub(super) struct Model {
    pub(super) steps: Vec<Placed>,
    /// By value, elements of a frame.
    pub(super) elements: Vec<usize>,
    /// By value, whether anything is learnt in front of it.
    pub(super) wanted: Vec<bool>,
    pub(super) parts: Parts,
    /// The value that is the network's result, and its channels.
    pub(super) output: usize,
    pub(super) channels: usize,
    values: Vec<Vec<f32>>,
    spare: Spare,
}

impl Model {
    /// Computes a batch of so many frames.
    pub(super) fn forward(&mut self, mode: Mode, input: &[f32], frames: usize) {
        self.run(mode, input, frames, false);
    }

    /// The same in [`Mode::Evaluate`], and steps look at their inputs to begin to learn.
    pub(super) fn begin(&mut self, input: &[f32], frames: usize) {
        self.run(Mode::Evaluate, input, frames, true);
    }

    fn run(&mut self, mode: Mode, input: &[f32], frames: usize, begin: bool) {
        self.values.resize_with(self.elements.len(), Vec::new);
        for (value, elements) in self.values.iter_mut().zip(&self.elements) {
            value.resize(elements * frames, 0.0);
        }
        self.values[0].copy_from_slice(input);
        for placed in &mut self.steps {
            let mut output = std::mem::take(&mut self.values[placed.to]);
            let inputs: Vec<&[f32]> = placed.from.iter().map(|at| &self.values[*at][..]).collect();
            if begin {
                placed.step.begin(&mut self.parts, &inputs);
            }
            let parts = &mut self.parts;
            placed
                .step
                .forward(parts, mode, &inputs, &mut output, frames);
            self.values[placed.to] = output;
        }
    }

    /// The result of the last forward pass.
    pub(super) fn result(&self) -> &[f32] {
        &self.values[self.output]
    }

    /// From the gradient of the result of the last forward pass to those of all that is learnt.
    pub(super) fn backward(&mut self, gradient: Vec<f32>, frames: usize) {
        let mut gradients: Vec<Option<Vec<f32>>> = vec![None; self.elements.len()];
        gradients[self.output] = Some(gradient);
        for placed in self.steps.iter_mut().rev() {
            let Some(gradient) = gradients[placed.to].take() else {
                continue;
            };
            if !self.wanted[placed.to] {
                self.spare.give(gradient);
                continue;
            }
            let inputs: Vec<&[f32]> = placed.from.iter().map(|at| &self.values[*at][..]).collect();
            let wanted: Vec<bool> = placed.from.iter().map(|at| self.wanted[*at]).collect();
            let back = Back {
                inputs: &inputs,
                output: &self.values[placed.to],
                gradient,
                wanted: &wanted,
                frames,
                spare: &mut self.spare,
            };
            let found = placed.step.backward(&mut self.parts, back);
            for (at, found) in placed.from.iter().zip(found) {
                let Some(found) = found else { continue };
                match &mut gradients[*at] {
                    Some(sum) => {
                        sum.iter_mut().zip(&found).for_each(|(sum, g)| *sum += g);
                        self.spare.give(found);
                    }
                    empty => *empty = Some(found),
                }
            }
        }
        gradients
            .into_iter()
            .flatten()
            .for_each(|left| self.spare.give(left));
    }

    /// A buffer for the gradient of the result.
    pub(super) fn buffer(&mut self) -> Vec<f32> {
        let length = self.values[self.output].len();
        self.spare.take(length)
    }

    /// By normalisation, the moments of the last batch.
    pub(super) fn moments(&self) -> Vec<Moments> {
        let norms = self.parts.norms.iter();
        norms.map(|norm| norm.batch.clone()).collect()
    }

    /// Elements of all values of a frame.
    pub(super) fn held(&self) -> usize {
        self.elements.iter().sum()
    }

    /// The share of trained weights that is kept.
    pub(super) fn density(&self) -> f64 {
        let trained = || self.parts.weights.iter().filter(|weights| weights.trained);
        let kept: usize = trained().map(|weights| weights.kept()).sum();
        let all: usize = trained().map(|weights| weights.mask.len()).sum();
        kept as f64 / all.max(1) as f64
    }
}
