//! `Schedule`: how fast is learnt, and how much is kept, step by step.
//! Must not know what is learnt.

/// Part of the steps in which the rate rises.
const WARM_UP: f64 = 0.05;
/// Part of the rate that is left at the end.
const LAST: f64 = 0.01;

/// The steps of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Schedule {
    /// All of them.
    pub(super) steps: usize,
    /// Those in which every sample is seen once.
    pub(super) per_epoch: usize,
    /// Those in which masks change.
    pub(super) ramp: usize,
}

impl Schedule {
    /// For `epochs` of so many samples in batches; masks change in the first `ramp` of all steps.
    pub(super) fn new(samples: usize, batch: usize, epochs: f64, ramp: f64) -> Self {
        let per_epoch = (samples / batch).max(1);
        let steps = ((epochs * per_epoch as f64).round() as usize).max(1);
        Schedule {
            steps,
            per_epoch,
            ramp: (ramp * steps as f64).round() as usize,
        }
    }

    /// The share of the rate in a step: a rise, then half a cosine.
    pub(super) fn rate(&self, step: usize) -> f64 {
        let at = (step as f64 + 0.5) / self.steps as f64;
        let fallen = LAST + (1.0 - LAST) * (1.0 + (at * std::f64::consts::PI).cos()) / 2.0;
        (at / WARM_UP).min(1.0) * fallen
    }

    /// The density of a step on the way from 1 to `target` (Zhu and Gupta 2017).
    pub(super) fn density(&self, step: usize, target: f64) -> f64 {
        match step < self.ramp {
            true => {
                let left = 1.0 - step as f64 / self.ramp as f64;
                target + (1.0 - target) * left.powi(3)
            }
            false => target,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_falls_to_its_target_and_the_rate_to_almost_nothing() {
        let schedule = Schedule::new(1000, 10, 2.5, 0.4);
        assert_eq!(
            (schedule.steps, schedule.per_epoch, schedule.ramp),
            (250, 100, 100)
        );
        assert_eq!(schedule.density(0, 0.25), 1.0);
        assert_eq!(schedule.density(100, 0.25), 0.25);
        let densities = (0..250).map(|step| schedule.density(step, 0.25));
        assert!(
            densities
                .clone()
                .zip(densities.skip(1))
                .all(|(a, b)| a >= b)
        );
        assert!(schedule.rate(0) < 0.05 && schedule.rate(13) > 0.99 && schedule.rate(249) < 0.02);
    }
}
