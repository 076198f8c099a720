//! Method `admm`: weights are pulled towards the nearest ones that the pattern allows, then masked and trained on
//! (Zhang et al., ECCV 2018: alternating direction method of multipliers).
//! Must not know patterns.

use super::method::{Project, Sparsify, projected};
use super::schedule::Schedule;
use super::weights::Weights;
use crate::error::Result;

/// Name in the manifest.
pub(super) const NAME: &str = "admm";

/// How often Z and U change, at least, before masks are set.
const CHANGES: usize = 20;
/// The penalty at the start and at the end, where 1 makes the pull on a usual weight as strong as its gradient was.
const PENALTY: [f64; 2] = [0.1, 10.0];

/// By weights that have a density: Z, which the pattern allows, the multipliers U, and the unit of the penalty. Lists
/// of others are empty.
#[derive(Debug, Default)]
pub(super) struct Admm {
    z: Vec<Vec<f32>>,
    u: Vec<Vec<f32>>,
    unit: Vec<Vec<f32>>,
}

impl Admm {
    pub(super) fn new(weights: &[Weights]) -> Self {
        let list = |weights: &Weights| match weights.density {
            Some(_) => weights.latent.clone(),
            None => Vec::new(),
        };
        let z: Vec<Vec<f32>> = weights.iter().map(list).collect();
        Admm {
            u: z.iter().map(|z| vec![0.0; z.len()]).collect(),
            unit: vec![vec![0.0]; z.len()],
            z,
        }
    }
}

/// The nearest to `weights` that the pattern allows, where distances count by column as much as the column is worth.
fn nearest(
    project: Project<'_>,
    weights: &Weights,
    values: &[f32],
    density: f64,
) -> Result<Vec<bool>> {
    let worth = weights.worth.iter().cycle();
    let squares = values.iter().zip(worth);
    let squares: Vec<f64> = squares
        .map(|(w, worth)| f64::from(w * w) * f64::from(*worth))
        .collect();
    projected(project, weights, &squares, density)
}

impl Sparsify for Admm {
    /// `Z = projection of W + U`, `U = U + W - Z`.
    fn masks(
        &mut self,
        step: usize,
        schedule: &Schedule,
        weights: &mut [Weights],
        project: Project<'_>,
    ) -> Result<()> {
        let every = schedule.per_epoch.min(schedule.ramp / CHANGES).max(1);
        for (at, weights) in weights.iter_mut().enumerate() {
            let Some(density) = weights.density else {
                continue;
            };
            weights.regrow = step < schedule.ramp;
            if step == schedule.ramp {
                weights.mask = nearest(project, weights, &weights.latent, density)?;
            } else if step < schedule.ramp && step.is_multiple_of(every) {
                let (z, u) = (&mut self.z[at], &mut self.u[at]);
                let pairs = weights.latent.iter().zip(&*u);
                let sum: Vec<f32> = pairs.map(|(w, u)| w + u).collect();
                let kept = nearest(project, weights, &sum, density)?;
                for (i, kept) in kept.into_iter().enumerate() {
                    z[i] = if kept { sum[i] } else { 0.0 };
                    u[i] = sum[i] - z[i];
                }
            }
        }
        Ok(())
    }

    /// Adds the gradient of `rho / 2 |W - Z + U|^2`.
    fn pull(&mut self, step: usize, schedule: &Schedule, weights: &mut [Weights]) {
        if step >= schedule.ramp {
            return;
        }
        let at = step as f64 / schedule.ramp as f64;
        let rho = PENALTY[0] * (PENALTY[1] / PENALTY[0]).powf(at);
        let lists = self.z.iter().zip(&self.u).zip(&mut self.unit);
        for (weights, ((z, u), unit)) in weights.iter_mut().zip(lists) {
            if weights.density.is_none() {
                continue;
            }
            if unit[0] == 0.0 {
                let squares = weights.gradient.iter().map(|g| f64::from(*g).powi(2));
                let usual = (squares.sum::<f64>() / weights.gradient.len().max(1) as f64).sqrt();
                unit[0] = usual as f32 / weights.unit;
            }
            let rho = rho as f32 * unit[0];
            let terms = weights.gradient.iter_mut().zip(&weights.latent);
            for ((gradient, w), (z, u)) in terms.zip(z.iter().zip(u)) {
                *gradient += rho * (w - z + u);
            }
        }
    }

    fn state(&mut self) -> Vec<&mut Vec<f32>> {
        let lists = self.z.iter_mut().chain(&mut self.u).chain(&mut self.unit);
        lists.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prune::project;
    use crate::tensor::DataType;
    use crate::train::Start;

    #[test]
    fn z_is_allowed_by_the_pattern_at_every_step() {
        let (rows, columns) = (4, 12);
        let noise = |i: usize| ((i * 37 % 19) as f64 - 9.0) / 10.0;
        let start = Start {
            weights: (0..rows * columns).map(noise).collect(),
            mask: vec![true; rows * columns],
            density: Some(0.25),
            range: (-1, 1),
            gain: Vec::new(),
            offset: Vec::new(),
        };
        let blocks = crate::layer::Blocks {
            lanes: 3,
            rows: 2,
            entries: 4,
            keep: 1,
        };
        let weights = Weights::fixed("a", columns, DataType::Ternary, &vec![0; rows * columns]);
        let mut all = vec![weights.trained(&start).expect("fits")];
        let pattern = |_: &str, scores: &[f64], _: f64| project(scores, columns, blocks);
        let schedule = Schedule::new(100, 10, 4.0, 0.5);
        let mut admm = Admm::new(&all);
        for step in 0..=schedule.ramp {
            admm.masks(step, &schedule, &mut all, &pattern)
                .expect("fits");
            let squares: Vec<f64> = admm.z[0].iter().map(|z| f64::from(z * z)).collect();
            let allowed = pattern("a", &squares, 0.25);
            let inside = admm.z[0].iter().zip(&allowed);
            assert!(
                inside.clone().all(|(z, allowed)| *allowed || *z == 0.0),
                "{step}"
            );
            all[0].gradient = (0..rows * columns)
                .map(|i| noise(i + step) as f32)
                .collect();
            admm.pull(step, &schedule, &mut all);
            let pairs = all[0].latent.clone().into_iter().zip(&all[0].gradient);
            all[0].latent = pairs.map(|(w, g)| w - 0.1 * g).collect();
        }
        assert_eq!(all[0].kept(), rows * columns / 4);
        assert!(!all[0].regrow);
    }
}
