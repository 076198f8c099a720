//! `Op`: every operator that a `Network` may hold.
//! Must not know how any of them is executed.

use serde::{Deserialize, Serialize};

use super::elementwise::{Binary, Unary};
use super::linear::Linear;
use super::quantiser::{MultiThreshold, Quant};
use super::trunc::Trunc;
use crate::tensor::Window;

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
    /// x, scale, zero-point, input bit width, output scale (version 2 only), output bit width.
    Trunc(Trunc),
    /// x, scale, zero-point, one number or one along the axis: `QuantizeLinear` and the `DequantizeLinear` behind it.
    QuantizeLinear(Linear),
    /// Constant integers, scale, zero-point and, where an f32 does not hold the integers, what is to be added to them.
    DequantizeLinear(Linear),
    /// x `[1, channels, height, width]` or `[1, channels, length]`, weights `[filters, channels / group, kernel...]`.
    Conv {
        /// Where the kernel reads; of one row where there is one axis. Padding is real 0.
        window: Window,
        /// Groups of channels that do not see each other.
        group: usize,
    },
    /// x as of a convolution; padding is less than any number.
    MaxPool(Window),
    /// x as of a convolution; padding is real 0.
    AveragePool {
        /// Where it reads.
        window: Window,
        /// Whether padding counts as elements.
        count_padding: bool,
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
    /// Any number of tensors, side by side along `axis`.
    Concat {
        /// Axis, from 0.
        axis: usize,
    },
    /// x as of a convolution; every pixel so many times along rows and columns.
    Upsample {
        /// Rows and columns for each.
        factor: [usize; 2],
    },
    /// x as of a convolution, weights `[channels, filters / group, kernel...]`: the transpose of a convolution that
    /// slides `window` over the output. Weights that read what is cropped are lost.
    ConvTranspose {
        /// Where the convolution that it transposes reads.
        window: Window,
        /// Groups of channels that do not see each other.
        group: usize,
    },
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

/// Channels, and rows and columns, of a picture `[1, channels, height, width]` or of a signal `[1, channels, length]`,
/// which is a picture of one row.
pub fn picture(shape: &[usize]) -> Option<(usize, [usize; 2])> {
    match *shape {
        [1, channels, height, width] => Some((channels, [height, width])),
        [1, channels, length] => Some((channels, [1, length])),
        _ => None,
    }
}

/// The shape of a picture of so many channels, rows and columns, of so many axes; the inverse of [`picture`].
pub fn shape_of(axes: usize, channels: usize, [rows, columns]: [usize; 2]) -> Vec<usize> {
    match axes {
        3 => vec![1, channels, columns],
        _ => vec![1, channels, rows, columns],
    }
}

impl Op {
    /// Whether it multiplies its first operand by a matrix of constants, whole or pixel by pixel. In a grouped
    /// convolution there is one for each group.
    pub fn is_product(&self) -> bool {
        matches!(
            self,
            Op::MatMul | Op::Conv { group: 1, .. } | Op::ConvTranspose { group: 1, .. }
        )
    }

    /// Whether the output lies on an integer grid that the operator itself defines.
    pub fn is_quantiser(&self) -> bool {
        matches!(
            self,
            Op::Quant(_)
                | Op::BipolarQuant
                | Op::MultiThreshold { .. }
                | Op::Trunc(_)
                | Op::QuantizeLinear(_)
        )
    }
}
