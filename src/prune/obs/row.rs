//! Row: the levels of a row of weights on the columns that it keeps, and the straight line behind its sum.
//! Must not know how the columns were chosen.

use faer::Mat;
use rayon::prelude::*;

use super::round::{Order, quadratic};
use super::support::Support;
use super::{Lesson, solved};
use crate::error::{Error, Result};

/// A row that is learnt.
pub(super) struct Row {
    /// Which of those that are left.
    pub(super) row: usize,
    /// Column, of those that are left, and its level.
    pub(super) levels: Vec<(usize, i32)>,
    pub(super) gain: f64,
    pub(super) offset: f64,
    /// Mean square of the error of what follows sees.
    pub(super) loss: f64,
}

/// How well levels give the wanted sums.
struct Fit {
    gain: f64,
    loss: f64,
}

/// All rows of all supports.
///
/// # Errors
/// A bug where moments are not positive definite.
pub(super) fn learn(lesson: &Lesson<'_>, supports: &[Support]) -> Result<Vec<Row>> {
    let rows = supports.par_iter().map(|support| of(lesson, support));
    let rows: Vec<Vec<Row>> = rows.collect::<Result<_>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// The rows of one support.
fn of(lesson: &Lesson<'_>, support: &Support) -> Result<Vec<Row>> {
    let Support { rows, columns } = support;
    let count = columns.len();
    let inner = Mat::from_fn(count, count, |a, b| lesson.inner[(columns[a], columns[b])]);
    let cross = Mat::from_fn(count, rows.len(), |at, row| {
        lesson.cross[(columns[at], rows[row])]
    });
    let degenerate = || {
        Error::bug(format!(
            "moments of `{}` have no factor",
            lesson.matrix.name
        ))
    };
    let best = solved(&inner, &cross).ok_or_else(degenerate)?;
    let order = Order::new(&inner).ok_or_else(degenerate)?;
    // Without the ridge.
    let plain = Mat::from_fn(count, count, |a, b| {
        lesson.moments.inner[(lesson.columns[columns[a]], lesson.columns[columns[b]])]
    });
    let learnt = rows.iter().enumerate().map(|(at, row)| {
        let old = lesson.rows[*row];
        let start = old * lesson.matrix.columns;
        let dense = columns
            .iter()
            .map(|at| lesson.dense[start + lesson.columns[*at]]);
        let dense: Vec<i32> = dense.collect();
        let rounded = order.round(best.col_as_slice(at), &lesson.levels, lesson.free);
        let fits = [dense, rounded.levels]
            .map(|levels| (lesson.fit(&levels, &plain, columns, *row), levels));
        let [first, second] = fits;
        let (fit, levels) = if second.0.loss < first.0.loss {
            second
        } else {
            first
        };
        let mean = levels
            .iter()
            .zip(columns)
            .map(|(level, at)| f64::from(*level) * lesson.moments.read[lesson.columns[*at]]);
        let offset = lesson.moments.wanted[old] - fit.gain * mean.sum::<f64>();
        Row {
            row: *row,
            levels: columns.iter().copied().zip(levels).collect(),
            gain: fit.gain,
            offset: if lesson.free { offset } else { 0.0 },
            loss: fit.loss,
        }
    });
    Ok(learnt.collect())
}

impl Lesson<'_> {
    /// The best line behind the sums of these levels, and what is left of the error then.
    fn fit(&self, levels: &[i32], plain: &Mat<f64>, columns: &[usize], row: usize) -> Fit {
        let values: Vec<f64> = levels.iter().map(|level| f64::from(*level)).collect();
        let old = self.rows[row];
        let own = quadratic(plain, &values);
        let pairs = values.iter().zip(columns);
        let shared: f64 = pairs
            .map(|(value, at)| value * self.moments.cross[(self.columns[*at], old)])
            .sum();
        let gain = match self.free && own > 0.0 && shared > 0.0 {
            true => shared / own,
            false => 1.0,
        };
        let loss = self.moments.spread[old] - 2.0 * gain * shared + gain * gain * own;
        Fit { gain, loss }
    }
}
