//! `Tensors`: the integers that a layer holds on chip.
//! Must not know how a memory is laid out.

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Weights and thresholds of one layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensors {
    /// `[rows, columns]`, columns in stream order.
    pub weights: Option<Tensor<i32>>,
    /// `[channels or 1, levels]`, rising along each row.
    pub thresholds: Option<Tensor<i64>>,
    /// `[channels or 1]`: 1 where the count is mirrored because the channel falls.
    pub flip: Option<Tensor<i32>>,
}

impl Tensors {
    /// The weights.
    ///
    /// # Errors
    /// A bug if there are none or they are not `[rows, columns]`.
    pub fn weights(&self, rows: usize, columns: usize) -> Result<&[i32]> {
        self.weights
            .as_ref()
            .filter(|weights| weights.shape() == [rows, columns])
            .map(Tensor::data)
            .ok_or_else(|| Error::bug(format!("a layer has no weights of [{rows}, {columns}]")))
    }

    /// Thresholds and flips.
    ///
    /// # Errors
    /// A bug if there are none or they are not `[rows, levels]` and `[rows]`.
    pub fn thresholds(&self, rows: usize, levels: usize) -> Result<(&[i64], &[i32])> {
        match (&self.thresholds, &self.flip) {
            (Some(thresholds), Some(flip))
                if thresholds.shape() == [rows, levels] && flip.shape() == [rows] =>
            {
                Ok((thresholds.data(), flip.data()))
            }
            _ => Err(Error::bug(format!(
                "a layer has no thresholds of [{rows}, {levels}]"
            ))),
        }
    }
}
