//! Support: which columns each row keeps, in the form that the layer is balanced in.
//! Must not know levels.

use std::collections::BTreeMap;

use faer::Mat;
use rayon::prelude::*;

use super::Lesson;
use super::eliminate::{Kept, eliminate};
use crate::layer::{Balance, Blocks, Cross};
use crate::prune::bcr_col::cell;
use crate::prune::{bcr, bcr_col};

/// Rows, those that are left in their new order, that keep the same columns.
pub(super) struct Support {
    pub(super) rows: Vec<usize>,
    /// Rising, in the new order.
    pub(super) columns: Vec<usize>,
}

/// The supports of all rows that are left, and how the loss grew with density, where columns go one by one. `inverse`
/// is that of the second moments, `whole`, `[columns, rows]`, the best weights of the whole matrix.
pub(super) fn supports(
    lesson: &Lesson<'_>,
    inverse: &Mat<f64>,
    whole: &Mat<f64>,
) -> (Vec<Support>, Vec<[f64; 2]>) {
    match lesson.balance {
        Some(Balance::Columns(blocks)) => columns(inverse, whole, blocks),
        Some(Balance::Cross(sides)) => (crossed(inverse, whole, sides), Vec::new()),
        None => {
            let all = Support {
                rows: (0..lesson.rows.len()).collect(),
                columns: (0..lesson.columns.len()).collect(),
            };
            (vec![all], Vec::new())
        }
    }
}

/// Groups of rows, each by elimination.
fn columns(inverse: &Mat<f64>, whole: &Mat<f64>, blocks: Blocks) -> (Vec<Support>, Vec<[f64; 2]>) {
    let (columns, rows) = (whole.nrows(), whole.ncols());
    let single = Mat::from_fn(columns, columns, |a, b| inverse[(a, b)] as f32);
    let lanes = 0..blocks.lanes;
    let lane = |lane| (0..blocks.per_lane(columns)).map(move |block| (lane, block));
    let cells: Vec<Vec<usize>> = lanes
        .flat_map(lane)
        .map(|(lane, block)| cell(blocks, lane, block).collect())
        .collect();
    let groups: Vec<Vec<usize>> = (0..rows)
        .step_by(blocks.rows)
        .map(|first| (first..rows.min(first + blocks.rows)).collect())
        .collect();
    let kept: Vec<Kept> = groups
        .par_iter()
        .map(|group| {
            let weights = Mat::from_fn(columns, group.len(), |at, row| {
                whole[(at, group[row])] as f32
            });
            eliminate(&single, weights, &cells, blocks.keep)
        })
        .collect();
    let points = points(&kept, columns);
    let pairs = groups.into_iter().zip(kept);
    let supports = pairs.map(|(rows, kept)| Support {
        rows,
        columns: kept.columns,
    });
    (supports.collect(), points)
}

/// The losses of all groups together. They all lose as many columns at a time.
fn points(kept: &[Kept], columns: usize) -> Vec<[f64; 2]> {
    let steps = kept.iter().map(|kept| kept.curve.len()).min().unwrap_or(0);
    let mut points = vec![[1.0, 0.0]];
    points.extend((0..steps).map(|step| {
        let gone = kept
            .iter()
            .map(|kept| kept.curve[step].0)
            .max()
            .unwrap_or(0);
        let loss = kept.iter().map(|kept| kept.curve[step].1).sum::<f64>();
        [1.0 - gone as f64 / columns.max(1) as f64, loss]
    }));
    points
}

/// Rows and columns of blocks, by what each weight alone would cost.
fn crossed(inverse: &Mat<f64>, whole: &Mat<f64>, sides: Cross) -> Vec<Support> {
    let (columns, rows) = (whole.nrows(), whole.ncols());
    let mut scores = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        scores.extend((0..columns).map(|at| whole[(at, row)].powi(2) / inverse[(at, at)]));
    }
    alike(&bcr::project(&scores, columns, sides), columns)
}

/// The supports of all rows where the largest levels of the dense layer stay.
pub(super) fn by_size(lesson: &Lesson<'_>) -> Vec<Support> {
    let (rows, columns) = (&lesson.rows, lesson.columns.len());
    let mut scores = Vec::with_capacity(rows.len() * columns);
    for row in rows {
        let level = |column: &usize| lesson.dense[row * lesson.matrix.columns + column];
        scores.extend(
            lesson
                .columns
                .iter()
                .map(|column| f64::from(level(column)).powi(2)),
        );
    }
    let kept = match lesson.balance {
        Some(Balance::Columns(blocks)) => bcr_col::project(&scores, columns, blocks),
        Some(Balance::Cross(sides)) => bcr::project(&scores, columns, sides),
        None => vec![true; scores.len()],
    };
    alike(&kept, columns)
}

/// The rows of `kept`, `[rows, columns]`, by what they keep.
fn alike(kept: &[bool], columns: usize) -> Vec<Support> {
    let mut alike: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (row, kept) in kept.chunks_exact(columns.max(1)).enumerate() {
        let columns = (0..columns).filter(|at| kept[*at]).collect();
        alike.entry(columns).or_default().push(row);
    }
    let supports = alike.into_iter();
    supports
        .map(|(columns, rows)| Support { rows, columns })
        .collect()
}
