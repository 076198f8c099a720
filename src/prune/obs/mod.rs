//! Method `obs`: weights go whose loss costs the sums of the layer least, and those that stay take over what they can
//! of them, layer by layer on samples, each layer on what the layers before it have become.
//!
//! Optimal brain surgeon (Hassibi and Stork 1993) for rows that share their columns, rounding as GPTQ (Frantar et al.
//! 2022), wanted sums from the dense network as in asymmetric calibration. Must not know stages or files.

mod descent;
mod eliminate;
mod moments;
mod round;
mod row;
mod student;
mod support;

use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use super::matrix::{Chain, Matrix};
use super::repair::Repair;
use crate::dataflow::{Dataflow, Node, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Balance, Layer};
use crate::reference::Walk;
use crate::tensor::DataType;

use moments::Moments;
pub(crate) use round::{Levels, Order};
use row::Row;
use support::supports;

/// Name in the manifest.
pub(super) const NAME: &str = "obs";

/// Part of the mean second moment that is added to each, so that inverses exist and nothing grows beyond what the
/// samples tell.
const RIDGE: f64 = 0.03;

/// The ridge at least, where nothing that is read varies.
const LEAST: f64 = 1e-6;

/// What was learnt of one layer.
pub(super) struct Outcome {
    /// `[rows, columns]` in the layer's old order.
    pub(super) kept: Vec<bool>,
    /// Its new weights and how its loss grew; none where nothing is removed, from it or from what comes before it.
    pub(super) learnt: Option<(Repair, Curve)>,
}

/// The loss of a layer's sums, as a part of their variance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Name of the layer.
    pub layer: String,
    /// Density, and loss before weights are rounded, from the whole matrix on.
    pub points: Vec<[f64; 2]>,
    /// Loss of the layer as it is afterwards.
    pub loss: f64,
}

/// What may be put behind the sums of a layer at no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A straight line behind each: thresholds follow, or the host.
    Each,
    /// One gain behind all of them: they are compared with each other.
    Common,
    /// Nothing: they are added to others.
    Never,
}

/// A layer with the moments of what it reads.
struct Lesson<'a> {
    matrix: &'a Matrix,
    /// Rows and columns that are left of the old ones, in their new order.
    rows: Vec<usize>,
    columns: Vec<usize>,
    balance: Option<Balance>,
    /// `[rows, columns]` in the old order: the dense layer's levels.
    dense: Vec<i32>,
    levels: Levels,
    line: Line,
    moments: Moments,
    /// Second moments of the columns that are left, in their new order, with the ridge on them.
    inner: Mat<f64>,
    /// `[columns, rows]` likewise.
    cross: Mat<f64>,
}

/// Learns all layers of a chain from `frames` of `dense`, whose channels move in these orders and whose layers are
/// balanced in these forms; `told` hears of each that is done.
///
/// # Errors
/// A bug where graphs do not belong together; those of `told`.
pub(super) fn learn(
    (chain, dense): (&Chain, &Dataflow),
    (orders, balances): (&[Vec<usize>], &[Option<Balance>]),
    frames: &[Vec<i64>],
    told: &dyn Fn(usize) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let mut student = dense.clone();
    let mut then = Walk::new(dense, frames)?;
    let mut now = Walk::new(dense, frames)?;
    // What comes before the first layer that loses weights stays as it is.
    let mut changed = false;
    let mut found: Vec<Option<Outcome>> = chain.matrices.iter().map(|_| None).collect();
    for at in 0..dense.nodes.len() {
        let node = &dense.nodes[at];
        let place = chain
            .matrices
            .iter()
            .position(|matrix| matrix.name == node.name);
        if let Some(place) = place {
            let matrix = &chain.matrices[place];
            let seen = [&now, &then].map(|walk| walk.seen(dense, node));
            let [Some(now), Some(then)] = seen else {
                return Err(Error::bug(format!("`{}` reads nothing", node.name)));
            };
            let weights = node.tensors.weights(&[matrix.rows, matrix.columns])?;
            let moments = Moments::new(&now, &then, weights);
            let form = (orders, balances[place]);
            let lesson = Lesson::new((chain, matrix, dense), node, form, moments)?;
            changed |= !lesson.is_whole();
            let outcome = match changed {
                true => lesson.outcome()?,
                false => Outcome {
                    kept: lesson
                        .placed(row::plain(&lesson, &support::by_size(&lesson)))
                        .0,
                    learnt: None,
                },
            };
            if let Some((repair, _)) = &outcome.learnt {
                student::teach(&mut student.nodes[at], repair)?;
            }
            found[place] = Some(outcome);
            told(place)?;
        }
        then.pass(dense, at)?;
        now.pass(&student, at)?;
    }
    let found = found.into_iter().collect::<Option<Vec<Outcome>>>();
    found.ok_or_else(|| Error::bug("a product is in no layer"))
}

/// Makes the scores of all layers what their weights cost the sums: squares, times how much what they are multiplied
/// by varies on `frames` of `dense`. Rows count by their sums' parts.
///
/// # Errors
/// As [`learn`].
pub(super) fn weigh(chain: &mut Chain, dense: &Dataflow, frames: &[Vec<i64>]) -> Result<()> {
    let mut walk = Walk::new(dense, frames)?;
    for (at, node) in dense.nodes.iter().enumerate() {
        let matrix = chain
            .matrices
            .iter_mut()
            .find(|matrix| matrix.name == node.name);
        if let (Some(matrix), Some(seen)) = (matrix, walk.seen(dense, node)) {
            let varies = moments::variances(&seen);
            let weights = node.tensors.weights(&[matrix.rows, matrix.columns])?;
            let rows = weights.chunks_exact(matrix.columns.max(1));
            matrix.scores.clear();
            for row in rows {
                let cost = row
                    .iter()
                    .zip(&varies)
                    .map(|(w, v)| f64::from(*w).powi(2) * v);
                matrix.scores.extend(cost);
            }
        }
        walk.pass(dense, at)?;
    }
    Ok(())
}

impl<'a> Lesson<'a> {
    fn new(
        (chain, matrix, dataflow): (&Chain, &'a Matrix, &Dataflow),
        node: &Node,
        (orders, balance): (&[Vec<usize>], Option<Balance>),
        moments: Moments,
    ) -> Result<Self> {
        let Layer::Mvau(mvau) = &node.layer else {
            return Err(Error::bug(format!("`{}` is no matrix product", node.name)));
        };
        let line = line(dataflow, node);
        let moments = match line {
            Line::Each => moments,
            Line::Common | Line::Never => moments.about_zero(),
        };
        let (rows, columns) = (chain.rows(matrix, orders), chain.columns(matrix, orders));
        let dense = node
            .tensors
            .weights(&[matrix.rows, matrix.columns])?
            .to_vec();
        let count = columns.len();
        let mean = (0..count).map(|at| moments.inner[(columns[at], columns[at])]);
        let ridge = (RIDGE * mean.sum::<f64>() / count.max(1) as f64).max(LEAST);
        let inner = Mat::from_fn(count, count, |a, b| {
            moments.inner[(columns[a], columns[b])] + if a == b { ridge } else { 0.0 }
        });
        let cross = Mat::from_fn(count, rows.len(), |at, row| {
            let weight = f64::from(dense[rows[row] * matrix.columns + columns[at]]);
            moments.cross[(columns[at], rows[row])] + ridge * weight
        });
        let ends = dense
            .iter()
            .fold((0, 0), |(low, high), w| (low.min(*w), high.max(*w)));
        let levels = match mvau.weight {
            DataType::Bipolar => Levels::new(-1, 1, 2),
            _ => Levels::new(ends.0, ends.1, 1),
        };
        Ok(Lesson {
            matrix,
            rows,
            columns,
            balance,
            dense,
            levels,
            line,
            moments,
            inner,
            cross,
        })
    }

    /// Whether nothing is removed that the sums of rows that stay depend on.
    fn is_whole(&self) -> bool {
        let mut stays = vec![false; self.matrix.columns];
        self.columns.iter().for_each(|column| stays[*column] = true);
        let row = |row: &usize| &self.dense[row * stays.len()..(row + 1) * stays.len()];
        let idle = |row: &[i32]| {
            row.iter()
                .zip(&stays)
                .all(|(level, stays)| *stays || *level == 0)
        };
        self.balance.is_none() && self.rows.iter().map(row).all(idle)
    }

    fn outcome(&self) -> Result<Outcome> {
        let inverse = inverse(&self.inner).ok_or_else(|| {
            Error::bug(format!(
                "`{}` has moments without an inverse",
                self.matrix.name
            ))
        })?;
        let whole = &inverse * &self.cross;
        let (supports, points) = supports(self, &inverse, &whole);
        let loss = |rows: &[Row]| rows.iter().map(|row| row.loss).sum::<f64>();
        let [learnt, plain] = [
            row::learn(self, &supports)?,
            row::plain(self, &support::by_size(self)),
        ];
        // What is cheapest step by step may cost more in the end.
        let best = if loss(&plain) < loss(&learnt) {
            plain
        } else {
            learnt
        };
        let wanted: f64 = self.rows.iter().map(|row| self.moments.spread[*row]).sum();
        let part = |loss: f64| if wanted > 0.0 { loss / wanted } else { 0.0 };
        let points = points
            .into_iter()
            .map(|[density, loss]| [density, part(loss)]);
        let curve = Curve {
            layer: self.matrix.name.clone(),
            points: points.collect(),
            loss: part(loss(&best)),
        };
        let (kept, repair) = self.placed(best);
        Ok(Outcome {
            kept,
            learnt: Some((repair, curve)),
        })
    }

    /// Rows in the places of the old matrix.
    fn placed(&self, learnt: Vec<Row>) -> (Vec<bool>, Repair) {
        let (rows, columns) = (self.matrix.rows, self.matrix.columns);
        let mut kept = vec![false; rows * columns];
        let mut repair = Repair {
            layer: self.matrix.name.clone(),
            levels: vec![0; rows * columns],
            gain: vec![1.0; rows],
            offset: vec![0.0; rows],
        };
        for row in learnt {
            let old = self.rows[row.row];
            for (at, level) in &row.levels {
                let place = old * columns + self.columns[*at];
                (kept[place], repair.levels[place]) = (true, *level);
            }
            (repair.gain[old], repair.offset[old]) = (row.gain, row.offset);
        }
        (kept, repair)
    }
}

/// What may be put behind the sums of a product of this dataflow.
fn line(dataflow: &Dataflow, node: &Node) -> Line {
    let Layer::Mvau(mvau) = &node.layer else {
        return Line::Never;
    };
    let written = |id: &StreamId| dataflow.outputs.iter().any(|output| output.stream == *id);
    let compares = |reader: &Node| matches!(reader.layer, Layer::LabelSelect(_));
    match &node.outputs[..] {
        _ if mvau.activation.is_some() => Line::Each,
        [one] if written(one) => Line::Each,
        [one] if dataflow.consumers(*one).any(compares) => Line::Common,
        _ => Line::Never,
    }
}

/// The inverse of a positive definite matrix.
fn inverse(matrix: &Mat<f64>) -> Option<Mat<f64>> {
    let factor = matrix.llt(Side::Lower).ok()?;
    Some(factor.inverse())
}

/// What `matrix` must be multiplied by to give `right`.
pub(crate) fn solved(matrix: &Mat<f64>, right: &Mat<f64>) -> Option<Mat<f64>> {
    let factor = matrix.llt(Side::Lower).ok()?;
    Some(factor.solve(right))
}
