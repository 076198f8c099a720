//! `calibration.json`: what Yosys made of random shapes, the factors that follow from one half of them, and how far
//! the model is off for the other half. `cargo bench --bench area` writes it.
//! Must not know how shapes are synthesised.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Figures, PARTS};

/// A shape that was synthesised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Kind of layer.
    pub kind: String,
    /// Number of the random shape.
    pub seed: u64,
    /// Whether the model was not fitted to it.
    pub held_out: bool,
    /// What synthesis made of it.
    pub measured: Figures,
    /// What the model says of it.
    pub model: Figures,
}

/// What is known of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What synthesised.
    pub tool: String,
    /// By part as in [`PARTS`], what its look-up tables are multiplied by.
    pub factors: [f64; PARTS.len()],
    /// Shapes.
    pub rows: Vec<Row>,
}

/// How far the model is off, in percent of what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Least, which may be negative.
    pub low: f64,
    /// Most.
    pub high: f64,
    /// Half of the shapes are off by no more than this, up or down.
    pub median: f64,
    /// Shapes that this is known from: those that have something of it, and that the model was not fitted to.
    pub shapes: usize,
}

/// How far `model` is off, in percent; `None` where nothing was measured.
pub fn off(model: u64, measured: u64) -> Option<f64> {
    let percent = 100.0 * (model as f64 - measured as f64) / measured as f64;
    (measured > 0).then_some(percent)
}

impl Calibration {
    /// How far a figure is off over the shapes that the model was not fitted to; `None` where none has any of it.
    pub fn spread(&self, of: impl Fn(&Figures) -> u64) -> Option<Spread> {
        let held_out = self.rows.iter().filter(|row| row.held_out);
        let mut all: Vec<f64> = held_out
            .filter_map(|row| off(of(&row.model), of(&row.measured)))
            .collect();
        all.sort_by(f64::total_cmp);
        let mut sizes: Vec<f64> = all.iter().map(|percent| percent.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        Some(Spread {
            low: *all.first()?,
            high: *all.last()?,
            median: sizes[sizes.len() / 2],
            shapes: all.len(),
        })
    }
}

/// What was measured.
pub fn calibration() -> &'static Calibration {
    static KNOWN: LazyLock<Calibration> = LazyLock::new(|| {
        let read = serde_json::from_str(include_str!("calibration.json"));
        // A test reads the file; without it all factors are one.
        read.unwrap_or_else(|_| Calibration {
            tool: String::new(),
            factors: [1.0; PARTS.len()],
            rows: Vec::new(),
        })
    });
    &KNOWN
}

/// How strongly factors are held at 1, in terms of one shape that is off by all of its look-up tables.
const HOLD: f64 = 0.02;

/// The factors that bring `estimates` nearest to `measured`, both look-up tables that compute, in squares of relative
/// errors. A part that hardly matters keeps a factor near 1; no factor is less than a quarter.
pub fn fitted(estimates: &[[f64; PARTS.len()]], measured: &[f64]) -> [f64; PARTS.len()] {
    const COUNT: usize = PARTS.len();
    let mut matrix = [[0.0; COUNT + 1]; COUNT];
    for (parts, total) in estimates.iter().zip(measured) {
        let total = total.max(1.0);
        let shares = parts.map(|luts| luts / total);
        for (row, share) in matrix.iter_mut().zip(shares) {
            for (cell, other) in row.iter_mut().zip(shares) {
                *cell += share * other;
            }
            row[COUNT] += share;
        }
    }
    for (at, row) in matrix.iter_mut().enumerate() {
        row[at] += HOLD;
        row[COUNT] += HOLD;
    }
    solved(matrix).map(|factor| (factor.max(0.25) * 1000.0).round() / 1000.0)
}

/// The solution of linear equations whose matrix is positive definite; the last column is the right side.
fn solved<const N: usize, const M: usize>(mut matrix: [[f64; M]; N]) -> [f64; N] {
    for at in 0..N {
        let pivot = matrix[at];
        for (other, row) in matrix.iter_mut().enumerate() {
            if other != at {
                let times = row[at] / pivot[at];
                for (cell, value) in row.iter_mut().zip(pivot) {
                    *cell -= times * value;
                }
            }
        }
    }
    let mut solution = [0.0; N];
    for (at, row) in matrix.iter().enumerate() {
        solution[at] = row[N] / row[at];
    }
    solution
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_is_read_and_has_what_the_model_needs() {
        let read: Calibration = serde_json::from_str(include_str!("calibration.json")).unwrap();
        assert_eq!(&read, calibration());
        assert!(read.rows.iter().filter(|row| row.held_out).count() >= 15);
        assert!(read.rows.iter().filter(|row| !row.held_out).count() >= 15);
        assert!(!read.tool.is_empty());
    }

    #[test]
    fn factors_are_found_where_they_can_be() {
        let mut truth = [1.0; PARTS.len()];
        (truth[0], truth[1]) = (0.8, 1.5);
        let mut estimates = Vec::new();
        for at in 0..40_u32 {
            let mut parts = [0.0; PARTS.len()];
            parts[0] = 100.0 + f64::from(at * 13 % 50);
            parts[1] = 10.0 + f64::from(at * 29 % 70);
            estimates.push(parts);
        }
        let total = |parts: &[f64; PARTS.len()]| parts.iter().zip(truth).map(|(a, b)| a * b).sum();
        let measured: Vec<f64> = estimates.iter().map(total).collect();
        let found = fitted(&estimates, &measured);
        assert!((found[0] - 0.8).abs() < 0.02, "{found:?}");
        assert!((found[1] - 1.5).abs() < 0.05, "{found:?}");
        assert_eq!(found[2], 1.0);
    }
}
