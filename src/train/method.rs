//! `Sparsify`: how weights are chosen that stay, while training goes on.
//! Must not know which methods there are.

use super::schedule::Schedule;
use super::weights::Weights;
use crate::error::{Error, Result};

/// Which weights of the layer of a name stay: for scores `[rows, columns]` and a density the mask that its pattern
/// allows with the largest sum of scores.
pub type Project<'a> = &'a dyn Fn(&str, &[f64], f64) -> Vec<bool>;

/// A method at work.
pub(super) trait Sparsify {
    /// Before step `step`: changes masks, those of weights that have a density.
    ///
    /// # Errors
    /// A bug where a projection does not fit.
    fn masks(
        &mut self,
        step: usize,
        schedule: &Schedule,
        weights: &mut [Weights],
        project: Project<'_>,
    ) -> Result<()>;

    /// Adds what it wants to the gradients of a step.
    fn pull(&mut self, _step: usize, _schedule: &Schedule, _weights: &mut [Weights]) {}

    /// All numbers that it remembers from one step to the next, always as many lists.
    fn state(&mut self) -> Vec<&mut Vec<f32>> {
        Vec::new()
    }
}

/// The projection of scores of a layer, checked.
pub(super) fn projected(
    project: Project<'_>,
    weights: &Weights,
    scores: &[f64],
    density: f64,
) -> Result<Vec<bool>> {
    if density >= 1.0 {
        return Ok(vec![true; scores.len()]);
    }
    let mask = project(&weights.name, scores, density);
    match mask.len() == scores.len() {
        true => Ok(mask),
        false => Err(Error::bug(format!(
            "the mask of `{}` has {} weights, not {}",
            weights.name,
            mask.len(),
            scores.len()
        ))),
    }
}
