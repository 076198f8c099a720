//! `Tensors`: the integers that a layer holds on chip.
//! Must not know how a memory is laid out.

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Weights, lists of kept weights and thresholds of one layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensors {
    /// `[rows, columns]`, columns in stream order; of a sparse layer `[rows, lanes, kept]`, or `[blocks, kept rows,
    /// kept columns]` where blocks keep rows too.
    pub weights: Option<Tensor<i32>>,
    /// Of a sparse layer, `[lists, lanes, kept]`: entries of the lane that are kept, rising. Where blocks keep rows too,
    /// `[row blocks, column blocks, lanes, kept]`: entries of the block's part of the lane.
    pub index: Option<Tensor<i32>>,
    /// Where blocks keep rows too, `[row blocks, column blocks, row lanes, kept]`: the same for rows.
    pub row_index: Option<Tensor<i32>>,
    /// `[channels or 1, levels]`, rising along each row.
    pub thresholds: Option<Tensor<i64>>,
    /// `[channels or 1]`: 1 where the count is mirrored because the channel falls.
    pub flip: Option<Tensor<i32>>,
}

impl Tensors {
    /// The weights.
    ///
    /// # Errors
    /// A bug if there are none or they do not have that shape.
    pub fn weights(&self, shape: &[usize]) -> Result<&[i32]> {
        of_shape(self.weights.as_ref(), shape, "weights")
    }

    /// The lists of kept entries.
    ///
    /// # Errors
    /// A bug if there are none or they do not have that shape.
    pub fn index(&self, shape: &[usize]) -> Result<&[i32]> {
        of_shape(self.index.as_ref(), shape, "index")
    }

    /// The lists of kept rows.
    ///
    /// # Errors
    /// A bug if there are none or they do not have that shape.
    pub fn row_index(&self, shape: &[usize]) -> Result<&[i32]> {
        of_shape(self.row_index.as_ref(), shape, "index of rows")
    }

    /// Thresholds and flips.
    ///
    /// # Errors
    /// A bug if there are none or they are not `[rows, levels]` and `[rows]`.
    pub fn thresholds(&self, rows: usize, levels: usize) -> Result<(&[i64], &[i32])> {
        let thresholds = of_shape(self.thresholds.as_ref(), &[rows, levels], "thresholds")?;
        let flip = of_shape(self.flip.as_ref(), &[rows], "flip")?;
        Ok((thresholds, flip))
    }
}

fn of_shape<'a, T>(tensor: Option<&'a Tensor<T>>, shape: &[usize], what: &str) -> Result<&'a [T]> {
    tensor
        .filter(|tensor| tensor.shape() == shape)
        .map(Tensor::data)
        .ok_or_else(|| Error::bug(format!("a layer has no {what} of {shape:?}")))
}
