//! The weights of a product on their grid: each row by itself, so that the sums on the samples change least.
//! Must not know the graph.

use faer::Mat;
use rayon::prelude::*;

use super::batch::Batch;
use super::moments::Moments;
use super::scale::Range;
use super::shape::Shape;
use crate::error::{Error, Result};
use crate::prune::{Levels, RoundingOrder, solved};

/// Part of the mean second moment that is added to each, so that inverses exist and nothing grows beyond what the
/// samples tell.
const RIDGE: f64 = 0.01;

/// How much of the wanted sums is that of the float network on what *it* reads; the rest is what the float weights give
/// of what the quantised network reads. All of it would have weights make up for errors that they did not make, which
/// shrinks them; none of it lets errors pile up. Half was best of a fifth, a half and 1 on MobileNet V1 at 4 bits.
const OF_FLOAT: f64 = 0.5;

/// Weights on a grid.
pub(super) struct Weighed {
    /// In the order of the file's tensor.
    pub(super) levels: Vec<i32>,
    /// By row of all rows, what one level stands for.
    pub(super) scales: Vec<f32>,
}

impl Weighed {
    /// The real numbers that the levels stand for, in the order of the file's tensor.
    pub(super) fn real(&self, row: impl Fn(usize) -> usize) -> Vec<f32> {
        let levels = self.levels.iter().enumerate();
        levels
            .map(|(at, level)| (f64::from(self.scales[row(at)]) * f64::from(*level)) as f32)
            .collect()
    }
}

/// Finds levels for `weights`, in the order of the file's tensor, of so many bits. The product reads `now` and shall
/// give `wanted`.
///
/// # Errors
/// A user error where samples tell too little.
pub(super) fn weigh(
    shape: &Shape,
    weights: &[f64],
    bits: u32,
    (now, wanted): (&Batch, &Batch),
) -> Result<Weighed> {
    let mut found = Weighed {
        levels: vec![0; weights.len()],
        scales: vec![1.0; shape.all_rows()],
    };
    let range = Range::narrow(bits);
    let rounded = |group: usize| -> Result<Vec<(Vec<i32>, f32)>> {
        let moments = Moments::new(shape, group, now, wanted);
        let first = group * shape.rows;
        let row = |row: usize| -> Vec<f64> {
            let columns = 0..shape.columns;
            let of_row = columns.map(|column| weights[shape.weight(first + row, column)]);
            of_row.collect()
        };
        let rows: Vec<Vec<f64>> = (0..shape.rows).map(row).collect();
        group_of(&moments, &rows, range)
    };
    let groups: Result<Vec<_>> = (0..shape.groups).into_par_iter().map(rounded).collect();
    for (row, (levels, scale)) in groups?.into_iter().flatten().enumerate() {
        found.scales[row] = scale;
        for (column, level) in levels.into_iter().enumerate() {
            found.levels[shape.weight(row, column)] = level;
        }
    }
    Ok(found)
}

/// Levels and scale of every row of a group.
fn group_of(moments: &Moments, rows: &[Vec<f64>], range: Range) -> Result<Vec<(Vec<i32>, f32)>> {
    let count = moments.inner.nrows();
    let mean = (0..count).map(|at| moments.inner[(at, at)]).sum::<f64>() / count.max(1) as f64;
    let ridge = (RIDGE * mean).max(1e-12);
    let inner = Mat::from_fn(count, count, |a, b| {
        moments.inner[(a, b)] + if a == b { ridge } else { 0.0 }
    });
    let float = Mat::from_fn(count, rows.len(), |column, row| rows[row][column]);
    let own = &inner * &float;
    let cross = Mat::from_fn(count, rows.len(), |column, row| {
        let wanted = moments.cross[(column, row)] + ridge * float[(column, row)];
        OF_FLOAT * wanted + (1.0 - OF_FLOAT) * own[(column, row)]
    });
    let few = || Error::user("the samples hardly vary").help("calibrate with more samples");
    let order = RoundingOrder::new(&inner).ok_or_else(few)?;
    let whole = solved(&inner, &cross).ok_or_else(few)?;
    let levels = Levels::new(range.low as i32, range.high as i32, range.step as i32);
    let learnt = (0..rows.len()).into_par_iter().map(|row| {
        let wanted: Vec<f64> = (0..count).map(|column| whole[(column, row)]).collect();
        let found = order.round(&wanted, &levels, None).levels;
        let scale = refit(&inner, &found, |column| cross[(column, row)]);
        let scale = scale.unwrap_or_else(|| {
            let weights: Vec<(f32, f32)> = wanted.iter().map(|w| (*w as f32, 1.0)).collect();
            range.best(&weights)
        });
        (found, scale as f32)
    });
    Ok(learnt.collect())
}

/// The scale with which levels give the wanted sums best; `None` where it would be none.
fn refit(inner: &Mat<f64>, levels: &[i32], cross: impl Fn(usize) -> f64) -> Option<f64> {
    let (mut with, mut own) = (0.0, 0.0);
    for (column, level) in levels.iter().enumerate().filter(|(_, level)| **level != 0) {
        let moments = inner.col_as_slice(column).iter().zip(levels);
        let sum: f64 = moments.map(|(m, level)| m * f64::from(*level)).sum();
        own += f64::from(*level) * sum;
        with += f64::from(*level) * cross(column);
    }
    let scale = with / own;
    (scale.is_finite() && scale > f64::from(f32::MIN_POSITIVE)).then_some(scale)
}
