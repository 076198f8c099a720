//! Method `gradual`: masks of a density that falls step by step, while masked weights learn on and may come back.
//! Must not know patterns.

use super::method::{Project, Sparsify, projected};
use super::schedule::Schedule;
use super::weights::Weights;
use crate::error::Result;

/// Name in the manifest.
pub(super) const NAME: &str = "gradual";

/// How often masks change before they stay.
const CHANGES: usize = 100;

/// The method; all that it remembers are the masks.
#[derive(Debug, Default)]
pub(super) struct Gradual;

impl Sparsify for Gradual {
    fn masks(
        &mut self,
        step: usize,
        schedule: &Schedule,
        weights: &mut [Weights],
        project: Project<'_>,
    ) -> Result<()> {
        let every = (schedule.ramp / CHANGES).max(1);
        let changes = step < schedule.ramp && step.is_multiple_of(every) || step == schedule.ramp;
        for weights in weights {
            let Some(target) = weights.density else {
                continue;
            };
            weights.regrow = step < schedule.ramp;
            if changes {
                let density = schedule.density(step, target);
                weights.mask = projected(project, weights, &weights.scores(), density)?;
            }
        }
        Ok(())
    }
}
