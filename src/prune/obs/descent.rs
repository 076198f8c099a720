//! Descent: levels are exchanged one by one as long as the sums come nearer to those that are wanted.
//! Must not know how the first levels were found.

use faer::Mat;

use super::round::Levels;

/// Rounds through all columns, at most.
const ROUNDS: usize = 20;
/// Gains below this part of what is reached are rounding.
const LEAST: f64 = 1e-9;

/// What levels of one row shall reach.
pub(super) struct Goal<'a> {
    /// Second moments of what is read.
    pub(super) inner: &'a Mat<f64>,
    /// Of that with the wanted sum.
    pub(super) cross: &'a [f64],
    /// Gain behind the sum; the best one if absent.
    pub(super) scale: Option<f64>,
}

impl Goal<'_> {
    /// What of the wanted sum's second moment is reached, where the sum has the moment `own` with itself and `shared`
    /// with the wanted one.
    fn reached(&self, own: f64, shared: f64) -> f64 {
        match self.scale {
            None if own > 0.0 && shared > 0.0 => shared * shared / own,
            None => 0.0,
            Some(scale) => scale * (2.0 * shared - scale * own),
        }
    }

    /// What levels reach.
    pub(super) fn of(&self, levels: &[i32]) -> f64 {
        let column = |at: usize| -> f64 {
            let pairs = self.inner.col_as_slice(at).iter().zip(levels);
            pairs
                .map(|(moment, level)| moment * f64::from(*level))
                .sum()
        };
        let used = levels.iter().enumerate().filter(|(_, level)| **level != 0);
        let (own, shared) = used.fold((0.0, 0.0), |(own, shared), (at, level)| {
            let level = f64::from(*level);
            (own + level * column(at), shared + level * self.cross[at])
        });
        self.reached(own, shared)
    }

    /// Better levels than these.
    pub(super) fn descend(&self, mut levels: Vec<i32>, grid: &Levels) -> Vec<i32> {
        let mut pulls = vec![0.0; levels.len()];
        for (at, level) in levels.iter().enumerate().filter(|(_, level)| **level != 0) {
            add(&mut pulls, self.inner.col_as_slice(at), f64::from(*level));
        }
        let dot = |weights: &[f64]| -> f64 {
            let pairs = levels.iter().zip(weights);
            pairs
                .map(|(level, weight)| f64::from(*level) * weight)
                .sum()
        };
        let (mut own, mut shared) = (dot(&pulls), dot(self.cross));
        let mut reached = self.reached(own, shared);
        for _ in 0..ROUNDS {
            let before = reached;
            for at in 0..levels.len() {
                let moved = |level: i32| {
                    let step = f64::from(level - levels[at]);
                    let own = own + 2.0 * step * pulls[at] + step * step * self.inner[(at, at)];
                    let shared = shared + step * self.cross[at];
                    (self.reached(own, shared), own, shared, level)
                };
                let best = grid.all().map(moved).max_by(|a, b| a.0.total_cmp(&b.0));
                if let Some(best) = best.filter(|best| best.0 > reached + LEAST * reached.abs()) {
                    let step = f64::from(best.3 - levels[at]);
                    add(&mut pulls, self.inner.col_as_slice(at), step);
                    (reached, own, shared, levels[at]) = best;
                }
            }
            if reached <= before + LEAST * before.abs() {
                break;
            }
        }
        levels
    }
}

fn add(to: &mut [f64], from: &[f64], factor: f64) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to += factor * from);
}
