//! `Weights`: the weights of one layer as training sees them: real numbers behind a grid and a mask.
//! Must not know how a layer uses them.

use crate::error::{Error, Result};
use crate::tensor::DataType;

use super::Start;

/// What a masked weight loses in a step, as a part of the rate.
const FORGET: f64 = 0.15;

/// A matrix of weights, `[rows, columns]`, in units of the layer's integers.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) name: String,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether there are two levels, -1 and +1.
    bipolar: bool,
    low: f32,
    high: f32,
    /// Real numbers, of which the levels are the nearest.
    pub(super) latent: Vec<f32>,
    pub(super) mask: Vec<bool>,
    /// The share that is to be kept; none where the mask stays as it is.
    pub(super) density: Option<f64>,
    /// Whether masked weights go on learning.
    pub(super) regrow: bool,
    /// What the layer multiplies with: levels, 0 where masked.
    pub(super) used: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    /// Whether they change at all.
    pub(super) trained: bool,
    /// Size of a usual weight, by which steps are measured.
    pub(super) unit: f32,
    /// By column, how much sums usually change when the weight changes by one; in no unit.
    pub(super) worth: Vec<f32>,
    /// The normalisation behind the sums.
    pub(super) norm: Option<usize>,
}

impl Weights {
    /// Weights of type `grid` that stay as they are.
    pub(super) fn fixed(name: &str, columns: usize, grid: DataType, weights: &[i32]) -> Self {
        let latent: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
        Weights {
            name: name.to_owned(),
            rows: weights.len() / columns,
            columns,
            bipolar: grid == DataType::Bipolar,
            low: grid.min() as f32,
            high: grid.max() as f32,
            mask: vec![true; latent.len()],
            density: None,
            regrow: false,
            used: latent.clone(),
            latent,
            gradient: Vec::new(),
            trained: false,
            unit: 1.0,
            worth: vec![1.0; columns],
            norm: None,
        }
    }

    /// Weights that begin at `start` and are trained.
    ///
    /// # Errors
    /// A bug where sizes or numbers do not fit.
    pub(super) fn trained(mut self, start: &Start) -> Result<Self> {
        let count = self.latent.len();
        let sizes = [start.weights.len(), start.mask.len()];
        if sizes != [count; 2] || start.weights.iter().any(|w| !w.is_finite()) {
            let what = format!("`{}` has {count} weights, its start {sizes:?}", self.name);
            return Err(Error::bug(what));
        }
        let (low, high) = start.range;
        self.low = self.low.max(low as f32);
        self.high = self.high.min(high as f32);
        if self.low > self.high {
            let what = format!("`{}` has no levels from {low} to {high}", self.name);
            return Err(Error::bug(what));
        }
        let clipped = start.weights.iter();
        self.latent = clipped
            .map(|w| (*w as f32).clamp(self.low, self.high))
            .collect();
        self.mask.clone_from(&start.mask);
        self.density = start.density;
        self.regrow = start.density.is_some();
        if self.regrow {
            self.mask.fill(true);
        }
        self.gradient = vec![0.0; count];
        self.trained = true;
        let squares: f64 = self.latent.iter().map(|w| f64::from(*w).powi(2)).sum();
        self.unit = ((squares / count.max(1) as f64).sqrt() as f32).max(0.05);
        self.refresh();
        Ok(self)
    }

    /// The level nearest to a real weight.
    fn level(&self, latent: f32) -> f32 {
        match self.bipolar {
            true if latent >= 0.0 => 1.0,
            true => -1.0,
            false => latent.round().clamp(self.low, self.high),
        }
    }

    /// Makes levels of the real weights again.
    pub(super) fn refresh(&mut self) {
        let mut used = std::mem::take(&mut self.used);
        let pairs = self.latent.iter().zip(&self.mask);
        for (used, (latent, kept)) in used.iter_mut().zip(pairs) {
            *used = if *kept { self.level(*latent) } else { 0.0 };
        }
        self.used = used;
    }

    /// Makes the gradient of what the layer uses one of the real weights, straight through the grid: inside its
    /// range, which they never leave, rounding counts as nothing. Masked weights learn only while masks change.
    pub(super) fn straight_through(&mut self) {
        if !self.regrow {
            let pairs = self.gradient.iter_mut().zip(&self.mask);
            pairs
                .filter(|(_, kept)| !**kept)
                .for_each(|(gradient, _)| *gradient = 0.0);
        }
    }

    /// Brings the real weights back into the range of the grid, after a step at this rate. Masked ones that still
    /// learn are forgotten bit by bit: what nothing uses would wander off, and come back for no reason.
    pub(super) fn clip(&mut self, rate: f64) {
        let (low, high) = (self.low, self.high);
        if self.regrow {
            let left = 1.0 - (FORGET * rate) as f32;
            let pairs = self.latent.iter_mut().zip(&self.mask);
            pairs
                .filter(|(_, kept)| !**kept)
                .for_each(|(w, _)| *w *= left);
        }
        self.latent.iter_mut().for_each(|w| *w = w.clamp(low, high));
    }

    /// What keeping each weight is worth, never negative: by how much the squared error of its level falls below
    /// that of 0, times the worth of its column.
    pub(super) fn scores(&self) -> Vec<f64> {
        let gains = self.latent.iter().map(|w| {
            let level = f64::from(self.level(*w));
            level * (2.0 * f64::from(*w) - level)
        });
        let gains: Vec<f64> = gains.collect();
        // Where the grid has no zero, or rounds up, all are lifted: as many are kept whichever they are.
        let least = gains.iter().copied().fold(0.0, f64::min);
        let worth = self.worth.iter().cycle();
        let pairs = gains.iter().zip(worth);
        pairs
            .map(|(gain, worth)| (gain - least) * f64::from(*worth))
            .collect()
    }

    /// The levels, 0 where masked.
    pub(super) fn levels(&self) -> Vec<i32> {
        self.used.iter().map(|level| *level as i32).collect()
    }

    /// How many weights are kept.
    pub(super) fn kept(&self) -> usize {
        self.mask.iter().filter(|kept| **kept).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(weights: &[f64]) -> Start {
        Start {
            weights: weights.to_vec(),
            mask: vec![true; weights.len()],
            density: None,
            range: (i64::MIN, i64::MAX),
            gain: Vec::new(),
            offset: Vec::new(),
        }
    }

    #[test]
    fn levels_are_those_of_the_grid() {
        let levels = |grid, range, given: &[f64]| {
            let weights = Weights::fixed("a", 1, grid, &vec![0; given.len()]);
            let start = Start {
                range,
                ..start(given)
            };
            weights.trained(&start).expect("fits").levels()
        };
        let given = [-9.0, -1.6, -0.4, 0.0, 0.4, 1.6, 9.0];
        let all = (i64::MIN, i64::MAX);
        assert_eq!(
            levels(DataType::Int(3), all, &given),
            [-4, -2, 0, 0, 0, 2, 3]
        );
        assert_eq!(
            levels(DataType::Int(3), (-3, 3), &given),
            [-3, -2, 0, 0, 0, 2, 3]
        );
        assert_eq!(
            levels(DataType::Ternary, all, &given),
            [-1, -1, 0, 0, 0, 1, 1]
        );
        assert_eq!(
            levels(DataType::Bipolar, all, &given),
            [-1, -1, -1, 1, 1, 1, 1]
        );
    }

    #[test]
    fn masked_weights_are_zero_and_learn_only_while_masks_change() {
        let weights = Weights::fixed("a", 2, DataType::Bipolar, &[1, 1]);
        let masked = Start {
            mask: vec![true, false],
            ..start(&[0.5, 0.5])
        };
        let mut weights = weights.trained(&masked).expect("fits");
        assert_eq!(weights.levels(), [1, 0]);
        weights.gradient = vec![1.0, 1.0];
        weights.straight_through();
        assert_eq!(weights.gradient, [1.0, 0.0]);
        weights.regrow = true;
        weights.gradient = vec![1.0, 1.0];
        weights.straight_through();
        assert_eq!(weights.gradient, [1.0, 1.0]);
        assert!(weights.clone().trained(&start(&[1.0])).is_err());
    }
}
