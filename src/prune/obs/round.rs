//! Round: real weights become levels, each error taken over by the weights that are not rounded yet (GPTQ).
//! Must not know masks.

use faer::Mat;

/// Scales that are tried for a row, as parts of the one that reaches its largest weight.
const SCALES: usize = 40;
/// Scales that are rounded with the errors taken over, around the best one.
pub(super) const NEAR: [f64; 5] = [0.8, 0.9, 1.0, 1.1, 1.25];

/// What weights can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    low: i32,
    high: i32,
    step: i32,
}

impl Levels {
    /// All integers from `low` to `high`, or these two where `step` lies between them.
    pub(crate) fn new(low: i32, high: i32, step: i32) -> Self {
        Levels { low, high, step }
    }

    /// The nearest level.
    fn nearest(&self, x: f64) -> i32 {
        let steps = ((x - f64::from(self.low)) / f64::from(self.step)).round();
        let most = f64::from((self.high - self.low) / self.step);
        self.low + self.step * steps.clamp(0.0, most) as i32
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = i32> + use<> {
        (self.low..=self.high).step_by(self.step.unsigned_abs().max(1) as usize)
    }

    /// The largest absolute value.
    fn most(&self) -> f64 {
        f64::from(self.high.max(-self.low))
    }
}

/// Columns in the order in which they are rounded, and what rounding one does to those behind it.
pub(crate) struct Order {
    columns: Vec<usize>,
    /// Lower triangular factor of the inverse of the second moments, in that order.
    factor: Mat<f64>,
    /// Second moments, in that order.
    moments: Mat<f64>,
}

/// A row's levels, and what one stands for.
pub(crate) struct Rounded {
    /// In the order of the columns.
    pub(crate) levels: Vec<i32>,
    /// Mean square of the sums' error.
    pub(crate) error: f64,
}

impl Order {
    /// For columns with these second moments, whose inverse has a factor; `None` where it has none. Those with the
    /// largest moments are rounded first.
    pub(crate) fn new(moments: &Mat<f64>) -> Option<Self> {
        let count = moments.nrows();
        let mut columns: Vec<usize> = (0..count).collect();
        columns.sort_by(|a, b| {
            moments[(*b, *b)]
                .total_cmp(&moments[(*a, *a)])
                .then(a.cmp(b))
        });
        let moments = Mat::from_fn(count, count, |a, b| moments[(columns[a], columns[b])]);
        let inverse = super::inverse(&moments)?;
        let factor = inverse.llt(faer::Side::Lower).ok()?.L().to_owned();
        Some(Order {
            columns,
            factor,
            moments,
        })
    }

    /// Rounds a row of `weights`, all of which stand for levels times `scale`, or
    /// times one that is found too.
    pub(crate) fn round(&self, weights: &[f64], levels: &Levels, scale: Option<f64>) -> Rounded {
        let ordered: Vec<f64> = self.columns.iter().map(|column| weights[*column]).collect();
        let scales = match scale {
            None => self.scales(&ordered, levels),
            Some(scale) => vec![scale],
        };
        let tried = scales
            .into_iter()
            .map(|scale| self.with(&ordered, levels, scale));
        let best = tried.min_by(|a, b| a.error.total_cmp(&b.error));
        let best = best.unwrap_or_else(|| self.with(&ordered, levels, 1.0));
        let mut found = vec![0; weights.len()];
        for (column, level) in self.columns.iter().zip(&best.levels) {
            found[*column] = *level;
        }
        Rounded {
            levels: found,
            error: best.error,
        }
    }

    /// Scales around the one that is best if each weight is rounded by itself.
    fn scales(&self, weights: &[f64], levels: &Levels) -> Vec<f64> {
        let largest = weights.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
        let whole = largest / levels.most();
        if whole <= 0.0 || whole.is_nan() {
            return vec![1.0];
        }
        let error = |scale: f64| -> f64 {
            let each = weights.iter().enumerate().map(|(at, w)| {
                let off = w - scale * f64::from(levels.nearest(w / scale));
                off * off * self.moments[(at, at)]
            });
            each.sum()
        };
        let parts = (1..=SCALES).map(|part| whole * part as f64 / SCALES as f64);
        let best = parts.min_by(|a, b| error(*a).total_cmp(&error(*b)));
        NEAR.iter()
            .map(|near| near * best.unwrap_or(whole))
            .collect()
    }

    fn with(&self, weights: &[f64], levels: &Levels, scale: f64) -> Rounded {
        let mut left = weights.to_vec();
        let mut found = Vec::with_capacity(left.len());
        for at in 0..left.len() {
            let level = levels.nearest(left[at] / scale);
            let column = self.factor.col_as_slice(at);
            let off = (left[at] - scale * f64::from(level)) / column[at];
            let behind = left[at..].iter_mut().zip(&column[at..]);
            behind.for_each(|(weight, factor)| *weight -= off * factor);
            found.push(level);
        }
        let off = weights.iter().zip(&found);
        let off: Vec<f64> = off
            .map(|(w, level)| w - scale * f64::from(*level))
            .collect();
        Rounded {
            error: quadratic(&self.moments, &off),
            levels: found,
        }
    }
}

/// `x' M x`.
fn quadratic(matrix: &Mat<f64>, x: &[f64]) -> f64 {
    let column = |at: usize| -> f64 {
        let pairs = matrix.col_as_slice(at).iter().zip(x);
        pairs.map(|(m, x)| m * x).sum()
    };
    (0..x.len())
        .filter(|at| x[*at] != 0.0)
        .map(|at| x[at] * column(at))
        .sum()
}
