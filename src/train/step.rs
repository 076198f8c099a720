//! `Step`: what one layer does in training, forward and backward.
//! Must not know which layers there are.

use super::norm::Norm;
use super::spare::Spare;
use super::weights::Weights;

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Sums are normalised by the moments of the batch.
    Train,
    /// Sums go through their lines, exactly.
    Evaluate,
}

/// What is learnt, by the numbers that steps know.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) weights: Vec<Weights>,
    pub(super) norms: Vec<Norm>,
}

/// One layer on whole batches: frame after frame, pixel after pixel, channel fastest.
///
/// Work is cut into pieces that do not depend on the number of threads, and what pieces add up is added in a fixed
/// order, so that any number of threads gives the same bits.
pub(super) trait Step: Send + Sync {
    /// Computes `output` from its inputs.
    fn forward(
        &mut self,
        parts: &mut Parts,
        mode: Mode,
        inputs: &[&[f32]],
        output: &mut [f32],
        frames: usize,
    );

    /// From the gradient of the output to those of the inputs that are wanted; gradients of what is learnt are left
    /// in `parts`. Inputs and output are those of the last forward pass in [`Mode::Train`].
    fn backward(&mut self, parts: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>>;

    /// Looks at the inputs of a forward pass in [`Mode::Evaluate`], before anything is learnt.
    fn begin(&mut self, _: &mut Parts, _: &[&[f32]]) {}
}

/// What [`Step::backward`] is told.
pub(super) struct Back<'a> {
    pub(super) inputs: &'a [&'a [f32]],
    pub(super) output: &'a [f32],
    /// Of the output; a step may make another one of it.
    pub(super) gradient: Vec<f32>,
    /// By input, whether its gradient is wanted.
    pub(super) wanted: &'a [bool],
    pub(super) frames: usize,
    pub(super) spare: &'a mut Spare,
}

/// Frames of a batch that make one piece of work where there are to be about `pieces`.
pub(super) fn frames_of_piece(frames: usize, pieces: usize) -> usize {
    frames.div_ceil(pieces).max(1)
}
