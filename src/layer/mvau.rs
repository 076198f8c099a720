//! Matrix-vector-threshold unit: a dense layer, or a convolution behind a sliding window, PE rows and SIMD
//! columns per cycle.
//! Must not know graphs.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::{
    Form, Hardware, Limits, Multiplier, Parallelism, Phase, Port, Range, Schedule, Tensors,
};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// `y = activation(W x)` for each pixel. With `groups` there are so many matrices, and pixels take turns: pixel p is
/// multiplied by matrix `p % groups`, so that together they are a grouped convolution. Rows are padded up to a multiple of PE, columns up to a
/// multiple of SIMD; the padding never shows in a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mvau {
    /// Rows of W: output channels.
    pub rows: usize,
    /// Columns of W: input channels.
    pub columns: usize,
    /// Pixels in a frame, those of all groups.
    pub pixels: usize,
    /// Matrices that take turns; 1 unless the convolution is grouped.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
    /// Type of the input.
    pub input: DataType,
    /// Type of the weights.
    pub weight: DataType,
    /// Type that holds every accumulator.
    pub accumulator: DataType,
    /// What follows the product; without it the accumulators are the result.
    pub activation: Option<Activation>,
    /// Rows per cycle.
    pub pe: usize,
    /// Columns per cycle.
    pub simd: usize,
    /// What multiplies.
    #[serde(default, skip_serializing_if = "Multiplier::is_lut")]
    pub multiplier: Multiplier,
}

fn one() -> usize {
    1
}

fn is_one(groups: &usize) -> bool {
    *groups == 1
}

impl Mvau {
    /// Neuron folds: groups of PE rows.
    pub fn row_folds(&self) -> usize {
        self.rows.div_ceil(self.pe)
    }

    /// Words of SIMD columns per row.
    pub fn column_folds(&self) -> usize {
        self.columns.div_ceil(self.simd)
    }

    /// Padded columns per row.
    pub fn padding(&self) -> usize {
        self.column_folds() * self.simd - self.columns
    }

    /// Value at which accumulators start. Padded products are 0, except where neither type has a
    /// zero: there each one is +1, which this takes back.
    pub fn initial(&self) -> i64 {
        match (self.input, self.weight) {
            (DataType::Bipolar, DataType::Bipolar) => -(self.padding() as i64),
            _ => 0,
        }
    }

    /// Sums of one pixel.
    fn accumulate(&self, weights: &[i32], pixel: &[i64]) -> Vec<i64> {
        let rows = weights.chunks_exact(self.columns);
        // Arithmetic modulo 2^32 is exact where the true sum fits 32 bits, and twice as fast.
        if self.accumulator.bits() <= 31 && self.input.bits() <= 31 {
            let narrow: Vec<i32> = pixel.iter().map(|x| *x as i32).collect();
            return rows.map(|row| i64::from(dot(row, &narrow))).collect();
        }
        rows.map(|row| row.iter().zip(pixel).map(|(w, x)| i64::from(*w) * x).sum())
            .collect()
    }
}

/// Dot product modulo 2^32, exact where the true sum fits 32 bits.
fn dot(a: &[i32], b: &[i32]) -> i32 {
    a.iter()
        .zip(b)
        .fold(0, |sum: i32, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)))
}

impl Hardware for Mvau {
    fn kind(&self) -> &'static str {
        "mvau"
    }

    fn input(&self) -> Port {
        Port {
            element: self.input,
            pixels: self.pixels,
            channels: self.columns,
            per_word: self.simd,
        }
    }

    fn output(&self) -> Port {
        Port {
            element: Activation::leaving(self.activation.as_ref(), self.accumulator),
            pixels: self.pixels,
            channels: self.rows,
            per_word: self.pe,
        }
    }

    /// Words are multiplied as they arrive where each is needed once; else they are kept.
    fn schedule(&self) -> Schedule {
        let words = self.column_folds();
        let form = match self.row_folds() {
            1 => Form::Steps {
                phases: vec![Phase::of_first(words - 1, false), Phase::of_first(1, true)],
                repeats: self.pixels,
            },
            folds => Form::Banks {
                pixels: self.pixels,
                words,
                folds,
                steps: words,
                in_order: true,
            },
        };
        Schedule {
            latency: Schedule::sum(self.simd, self.activation.as_ref()) + self.multiplier.delay(),
            form,
        }
    }

    fn cycles(&self) -> u64 {
        (self.pixels * self.row_folds() * self.column_folds()) as u64
    }

    fn limits(&self) -> Limits {
        Limits {
            pe: Some(Range::UpTo(self.rows)),
            simd: Some(Range::UpTo(self.columns)),
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    fn luts(&self) -> u64 {
        let product = match (self.input.bits(), self.weight.bits()) {
            (1, 1) => 1,
            (a, 1) | (1, a) => u64::from(a),
            (a, w) => u64::from(a * w),
        };
        let adder = u64::from(self.input.bits() + self.weight.bits());
        let lanes = (self.pe * self.simd) as u64;
        let activation = self
            .activation
            .as_ref()
            .map_or(0, |a| a.luts(self.accumulator));
        lanes * (product + adder)
            + self.pe as u64 * (activation + u64::from(self.accumulator.bits()))
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            return Err(Error::bug(format!(
                "an MVAU was fed {} elements",
                input.len()
            )));
        }
        let weights = tensors.weights(&[self.groups * self.rows, self.columns])?;
        let matrices = weights.chunks_exact(self.rows * self.columns).cycle();
        let mut output: Vec<i64> = input
            .chunks_exact(self.columns)
            .zip(matrices)
            .flat_map(|(pixel, matrix)| self.accumulate(matrix, pixel))
            .collect();
        if let Some(activation) = &self.activation {
            activation.run(tensors, &mut output)?;
        }
        Ok(output)
    }
}
