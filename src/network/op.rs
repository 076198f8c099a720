//! `Op`: every operator that a `Network` may hold.
//! Must not know how any of them is executed.

use serde::{Deserialize, Serialize};

use super::elementwise::{Binary, Unary};
use super::quantiser::{MultiThreshold, Quant};

/// An operator; the comment of each names its inputs in order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// x, scale, zero-point, bit width. Tensor inputs broadcast over x.
    Quant(Quant),
    /// x, scale.
    BipolarQuant,
    /// x, thresholds `[channels or 1, steps]`; channels are axis 1, or the last one if `channels_last`.
    MultiThreshold {
        /// Scale and bias of the output.
        quantiser: MultiThreshold,
        /// `data_layout` ends in C.
        channels_last: bool,
    },
    /// x.
    Unary(Unary),
    /// a, b.
    Binary(Binary),
    /// x, gain, bias, mean, variance; channels are axis 1.
    BatchNorm {
        /// Added to the variance.
        epsilon: f64,
    },
    /// a, b as in NumPy's `matmul`.
    MatMul,
    /// x; the same elements under the output's shape.
    Reshape,
    /// x; two axes swapped or all permuted, see [`super::Node::permutation`].
    Transpose,
    /// x; along `axis`.
    Softmax {
        /// Axis, from 0.
        axis: usize,
        /// Natural logarithm of it.
        log: bool,
    },
    /// x; index of the largest element along `axis`, kept as an axis of length 1 or dropped.
    ArgMax {
        /// Axis, from 0.
        axis: usize,
    },
}

impl Op {
    /// Whether the output lies on an integer grid that the operator itself defines.
    pub fn is_quantiser(&self) -> bool {
        matches!(
            self,
            Op::Quant(_) | Op::BipolarQuant | Op::MultiThreshold { .. }
        )
    }
}
