//! `Activation`: integer thresholds that stand for everything between an accumulator and a quantiser.
//! Must not know where the thresholds come from.

use serde::{Deserialize, Serialize};

use super::tensors::Tensors;
use crate::error::Result;
use crate::tensor::DataType;

/// `value = base + step * count`, where `count` is the number of the channel's thresholds at or below
/// the accumulator, or `levels` less that where the channel is flipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Type of the result.
    pub output: DataType,
    /// Thresholds per channel.
    pub levels: usize,
    /// Result of count 0.
    pub base: i64,
    /// Distance between results: 2 for bipolar, else 1.
    pub step: i64,
    /// Type that holds every threshold.
    pub threshold: DataType,
    /// One row of thresholds per channel, or 1 row for all channels.
    pub rows: usize,
}

impl Activation {
    /// Type of what leaves a layer: that of its activation, or the accumulator's where there is none.
    pub(super) fn leaving(activation: Option<&Activation>, accumulator: DataType) -> DataType {
        activation.map_or(accumulator, |activation| activation.output)
    }

    /// Applies the activation to a frame in stream order; element i belongs to channel `i % channels`.
    ///
    /// # Errors
    /// A bug where the thresholds do not fit.
    pub fn run(&self, tensors: &Tensors, accumulators: &mut [i64]) -> Result<()> {
        let (thresholds, flip) = tensors.thresholds(self.rows, self.levels)?;
        let rows = self.rows;
        for pixel in accumulators.chunks_mut(rows) {
            for (row, value) in pixel.iter_mut().enumerate() {
                let list = &thresholds[row * self.levels..(row + 1) * self.levels];
                let below = list.iter().filter(|t| *value >= **t).count() as i64;
                let count = if flip[row] == 1 {
                    self.levels as i64 - below
                } else {
                    below
                };
                *value = self.base + self.step * count;
            }
        }
        Ok(())
    }

    /// First-order look-up tables of one channel's comparators.
    pub fn luts(&self, accumulator: DataType) -> u64 {
        self.levels as u64 * u64::from(accumulator.bits()).div_ceil(2)
    }
}
