//! Eliminate: which columns a group of rows keeps. Those go first whose loss costs the sums least, and what stays
//! takes over what it can of them: optimal brain surgeon, for several rows that share one inverse.
//! Must not know where moments come from.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, Par, Side};

/// Part of the columns that go at once, as a divisor; one at a time where there are few.
const STEP: usize = 32;
/// Columns from which on larger parts go at once, as the time grows with the third power.
const WIDE: usize = 2304;

/// What happened to a group.
pub(super) struct Kept {
    /// Columns that stay, rising.
    pub(super) columns: Vec<usize>,
    /// Columns that had gone, and the loss until then in units of the sums' squares.
    pub(super) curve: Vec<(usize, f64)>,
}

/// The columns that stay in flux.
struct Rest {
    columns: Vec<usize>,
    /// Inverse of their second moments.
    inverse: Mat<f32>,
    /// `[columns, rows]`: the weights that are best for them.
    weights: Mat<f32>,
}

/// Takes columns out of each of `cells` until `keep` are left in it. `inverse` is that of the second moments of what
/// is read, `weights`, `[columns, rows]`, the best weights while all columns are there. Columns in no cell stay.
pub(super) fn eliminate(
    inverse: &Mat<f32>,
    weights: Mat<f32>,
    cells: &[Vec<usize>],
    keep: usize,
) -> Kept {
    let count = inverse.nrows();
    let mut cell_of = vec![usize::MAX; count];
    for (cell, columns) in cells.iter().enumerate() {
        columns.iter().for_each(|column| cell_of[*column] = cell);
    }
    let mut over: Vec<usize> = cells
        .iter()
        .map(|cell| cell.len().saturating_sub(keep))
        .collect();
    let mut rest = Rest {
        columns: (0..count).collect(),
        inverse: inverse.clone(),
        weights,
    };
    let (mut curve, mut loss) = (Vec::new(), 0.0);
    let step = STEP * WIDE / count.clamp(WIDE, WIDE * 8);
    while over.iter().any(|over| *over > 0) {
        let most = (rest.columns.len() / step).max(1);
        let gone = rest.cheapest(most, &cell_of, &mut over);
        if gone.is_empty() {
            break;
        }
        loss += rest.remove(&gone);
        curve.push((count - rest.columns.len(), loss));
    }
    Kept {
        columns: rest.columns,
        curve,
    }
}

impl Rest {
    /// Places of the columns that go next, rising; counts them off.
    fn cheapest(&self, most: usize, cell_of: &[usize], over: &mut [usize]) -> Vec<usize> {
        let cost = |at: usize| {
            let row = (0..self.weights.ncols()).map(|row| self.weights[(at, row)].powi(2));
            row.sum::<f32>() / self.inverse[(at, at)].max(f32::MIN_POSITIVE)
        };
        let mut order: Vec<(f32, usize)> = (0..self.columns.len())
            .filter(|at| {
                cell_of
                    .get(self.columns[*at])
                    .is_some_and(|cell| *cell < over.len())
            })
            .map(|at| (cost(at), at))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut gone = Vec::new();
        for (_, at) in order {
            let left = &mut over[cell_of[self.columns[at]]];
            if *left > 0 && gone.len() < most {
                *left -= 1;
                gone.push(at);
            }
        }
        gone.sort_unstable();
        gone
    }

    /// Removes the columns at these places, rising; what that costs.
    fn remove(&mut self, gone: &[usize]) -> f64 {
        let (count, rows) = (self.columns.len(), self.weights.ncols());
        let mut goes = vec![false; count];
        gone.iter().for_each(|at| goes[*at] = true);
        let stay: Vec<usize> = (0..count).filter(|at| !goes[*at]).collect();
        let inverse = &self.inverse;
        let corner = Mat::from_fn(gone.len(), gone.len(), |a, b| {
            f64::from(inverse[(gone[a], gone[b])])
        });
        let side = Mat::from_fn(gone.len(), stay.len(), |a, b| {
            f64::from(inverse[(gone[a], stay[b])])
        });
        let lost = Mat::from_fn(gone.len(), rows, |a, row| {
            f64::from(self.weights[(gone[a], row)])
        });
        // The corner of a positive definite matrix is one too, but for rounding.
        let (share, pull) = match corner.llt(Side::Lower) {
            Ok(factor) => (factor.solve(&side), factor.solve(&lost)),
            Err(_) => (
                Mat::zeros(gone.len(), stay.len()),
                Mat::zeros(gone.len(), rows),
            ),
        };
        let loss = (0..gone.len())
            .map(|at| {
                (0..rows)
                    .map(|row| lost[(at, row)] * pull[(at, row)])
                    .sum::<f64>()
            })
            .sum::<f64>();
        let (side, share, pull) = (single(&side), single(&share), single(&pull));
        let (mut smaller, turned) = (corner_of(inverse, &stay), side.transpose());
        let mut weights = Mat::from_fn(stay.len(), rows, |at, row| self.weights[(stay[at], row)]);
        for (to, right) in [(&mut smaller, &share), (&mut weights, &pull)] {
            matmul(
                to.as_mut(),
                Accum::Add,
                turned,
                right.as_ref(),
                -1.0,
                Par::Seq,
            );
        }
        self.columns = stay.iter().map(|at| self.columns[*at]).collect();
        (self.inverse, self.weights) = (smaller, weights);
        loss
    }
}

fn single(matrix: &Mat<f64>) -> Mat<f32> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
        matrix[(row, column)] as f32
    })
}

/// These rows and columns of a square matrix.
fn corner_of(matrix: &Mat<f32>, places: &[usize]) -> Mat<f32> {
    let mut corner = Mat::<f32>::zeros(places.len(), places.len());
    for (to, from) in places.iter().enumerate() {
        let column = matrix.col_as_slice(*from);
        let pairs = corner.col_as_slice_mut(to).iter_mut().zip(places);
        pairs.for_each(|(to, from)| *to = column[*from]);
    }
    corner
}
