//! Row: the levels of a row of weights on the columns that it keeps, and the straight line behind its sum.
//! Must not know how the columns were chosen.

use faer::Mat;
use rayon::prelude::*;

use super::descent::Goal;
use super::moments::Moments;
use super::round::{NEAR, Order};
use super::support::Support;
use super::{Lesson, Line, solved};
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
    /// Second moments of the sum with itself and with the wanted one.
    own: f64,
    shared: f64,
}

/// All rows of all supports.
///
/// # Errors
/// A bug where moments are not positive definite.
pub(super) fn learn(lesson: &Lesson<'_>, supports: &[Support]) -> Result<Vec<Row>> {
    let with = |scale: Option<f64>| -> Result<Vec<Row>> {
        let rows = supports
            .par_iter()
            .map(|support| of(lesson, support, scale));
        let rows: Vec<Vec<Row>> = rows.collect::<Result<_>>()?;
        Ok(rows.into_iter().flatten().collect())
    };
    match lesson.line {
        Line::Each => with(None),
        Line::Never => with(Some(1.0)),
        Line::Common => {
            let mut gains: Vec<f64> = with(None)?.iter().map(|row| row.gain).collect();
            gains.sort_by(f64::total_cmp);
            let middle = gains.get(gains.len() / 2).copied().unwrap_or(1.0);
            let tried = NEAR.iter().map(|near| with(Some(near * middle)));
            let mut tried: Vec<Vec<Row>> = tried.collect::<Result<_>>()?;
            tried.iter_mut().for_each(|rows| agree(lesson, rows));
            let loss = |rows: &Vec<Row>| rows.iter().map(|row| row.loss).sum::<f64>();
            let best = tried.into_iter().min_by(|a, b| loss(a).total_cmp(&loss(b)));
            Ok(best.unwrap_or_default())
        }
    }
}

/// All rows of all supports as the dense layer has them, with lines.
pub(super) fn plain(lesson: &Lesson<'_>, supports: &[Support]) -> Vec<Row> {
    let scale = if lesson.line == Line::Each {
        None
    } else {
        Some(1.0)
    };
    let rows = supports.iter().flat_map(|support| {
        support.rows.iter().map(move |row| {
            let start = lesson.rows[*row] * lesson.matrix.columns;
            let dense = |at: &usize| lesson.dense[start + lesson.columns[*at]];
            let levels: Vec<i32> = support.columns.iter().map(dense).collect();
            Row::new(lesson, *row, &support.columns, &levels, scale)
        })
    });
    rows.collect()
}

/// Gives all rows the gain that is best for them together.
fn agree(lesson: &Lesson<'_>, rows: &mut [Row]) {
    let sum = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let (own, shared) = (sum(|row| row.own), sum(|row| row.shared));
    if own > 0.0 && shared > 0.0 {
        for row in rows {
            row.bend(lesson, shared / own);
        }
    }
}

/// The rows of one support, whose levels stand for so much or, if that is none, each for what is best.
fn of(lesson: &Lesson<'_>, support: &Support, scale: Option<f64>) -> Result<Vec<Row>> {
    let Support { rows, columns } = support;
    let count = columns.len();
    let inner = Mat::from_fn(count, count, |a, b| lesson.inner[(columns[a], columns[b])]);
    let cross = Mat::from_fn(count, rows.len(), |at, row| {
        lesson.cross[(columns[at], rows[row])]
    });
    let degenerate = || {
        Error::bug(format!(
            "`{}` has moments without a factor",
            lesson.matrix.name
        ))
    };
    let best = solved(&inner, &cross).ok_or_else(degenerate)?;
    let order = Order::new(&inner).ok_or_else(degenerate)?;
    let learnt = rows.iter().enumerate().map(|(at, row)| {
        let start = lesson.rows[*row] * lesson.matrix.columns;
        let dense = |at: &usize| lesson.dense[start + lesson.columns[*at]];
        let dense: Vec<i32> = columns.iter().map(dense).collect();
        let rounded = order.round(best.col_as_slice(at), &lesson.levels, scale);
        let goal = Goal {
            inner: &inner,
            cross: cross.col_as_slice(at),
            scale,
        };
        let found = [dense, rounded.levels].map(|levels| goal.descend(levels, &lesson.levels));
        let found = found
            .into_iter()
            .max_by(|a, b| goal.of(a).total_cmp(&goal.of(b)));
        Row::new(lesson, *row, columns, &found.unwrap_or_default(), scale)
    });
    Ok(learnt.collect())
}

impl Row {
    /// With the line that is best for these levels, or with the gain `scale`.
    fn new(
        lesson: &Lesson<'_>,
        row: usize,
        columns: &[usize],
        levels: &[i32],
        scale: Option<f64>,
    ) -> Self {
        let used = columns.iter().zip(levels).filter(|(_, level)| **level != 0);
        let used: Vec<(usize, f64)> = used
            .map(|(at, level)| (lesson.columns[*at], f64::from(*level)))
            .collect();
        let old = lesson.rows[row];
        let Moments { inner, cross, .. } = &lesson.moments;
        let mut own = 0.0;
        for (a, level) in &used {
            let column = inner.col_as_slice(*a);
            own += level
                * used
                    .iter()
                    .map(|(b, other)| other * column[*b])
                    .sum::<f64>();
        }
        let shared = used
            .iter()
            .map(|(a, level)| level * cross[(*a, old)])
            .sum::<f64>();
        let mut made = Row {
            row,
            levels: columns
                .iter()
                .copied()
                .zip(levels.iter().copied())
                .collect(),
            gain: 1.0,
            offset: 0.0,
            loss: 0.0,
            own,
            shared,
        };
        // A gain that makes the sum vary as the wanted one does, which thresholds need, instead of the least error, for
        // which it would vary less.
        let wanted = lesson.moments.spread[old];
        let fits = own > 0.0 && shared > 0.0 && wanted > 0.0;
        let gain = if fits { (wanted / own).sqrt() } else { 1.0 };
        made.bend(lesson, scale.unwrap_or(gain));
        made
    }

    /// Puts a gain behind the sum, and the offset that goes with it, if there may be one.
    fn bend(&mut self, lesson: &Lesson<'_>, gain: f64) {
        let old = lesson.rows[self.row];
        let moments = &lesson.moments;
        self.gain = gain;
        self.loss = moments.spread[old] - 2.0 * gain * self.shared + gain * gain * self.own;
        if let Line::Each = lesson.line {
            let mean = self
                .levels
                .iter()
                .map(|(at, level)| f64::from(*level) * moments.read[lesson.columns[*at]]);
            self.offset = moments.wanted[old] - gain * mean.sum::<f64>();
        }
    }
}
