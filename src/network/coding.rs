//! `Coding`: how integers stand for real numbers, channel by channel, and how that passes through
//! affine operators and matrix products. The reference executor and streamlining both call it, so that
//! the real number behind an accumulator is one definition.
//! Must not know tensors or graphs.

use serde::{Deserialize, Serialize};

use super::elementwise::Binary;
use crate::tensor::PerChannel;

/// `real = scale * integer + bias`, in f64, rounded after each operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coding {
    /// Real value of one integer step.
    pub scale: PerChannel,
    /// Real value of integer 0.
    pub bias: PerChannel,
}

impl Coding {
    /// `real = scale * integer`.
    pub fn scaled(scale: PerChannel) -> Self {
        Coding {
            scale,
            bias: PerChannel::Same(0.0),
        }
    }

    /// The real number that `integer` stands for in `channel`.
    pub fn real(&self, integer: i64, channel: usize) -> f64 {
        self.scale.at(channel) * integer as f64 + self.bias.at(channel)
    }

    /// Number of channels that are told apart; `None` where one description serves all.
    pub fn channels(&self) -> Option<usize> {
        self.scale.channels().or(self.bias.channels())
    }

    /// Coding of `op(x, constant)`, or of `op(constant, x)` unless `varies_first`;
    /// `None` where the operator is not affine in x.
    pub fn through(&self, op: Binary, constant: &PerChannel, varies_first: bool) -> Option<Self> {
        let each = |f: fn(f64, f64) -> f64| Coding {
            scale: self.scale.combine(constant, f),
            bias: self.bias.combine(constant, f),
        };
        let shifted = |f: fn(f64, f64) -> f64| Coding {
            scale: self.scale.clone(),
            bias: self.bias.combine(constant, f),
        };
        match (op, varies_first) {
            (Binary::Add, _) => Some(shifted(|bias, c| bias + c)),
            (Binary::Sub, true) => Some(shifted(|bias, c| bias - c)),
            (Binary::Mul, _) => Some(each(|value, c| value * c)),
            (Binary::Div, true) => Some(each(|value, c| value / c)),
            _ => None,
        }
    }

    /// Coding of `accumulator = sum over j of weight[row][j] * integer[j]`, where weights stand for
    /// `weight_scale[row] * weight` and `weighted_bias[row]` comes from [`Coding::weighted_bias`].
    /// `None` where this coding has no single scale.
    pub fn product(&self, weight_scale: &PerChannel, weighted_bias: &[f64]) -> Option<Self> {
        let scale = PerChannel::Same(self.scale.uniform()?);
        let scale = weight_scale.combine(&scale, |weight, input| weight * input);
        let bias = match self.bias.uniform() {
            Some(0.0) => PerChannel::Same(0.0),
            _ => PerChannel::from_values(
                weighted_bias
                    .iter()
                    .enumerate()
                    .map(|(row, bias)| weight_scale.at(row) * bias)
                    .collect(),
            ),
        };
        Some(Coding { scale, bias })
    }

    /// Sum of `weight[j] * bias[j]` over one row: the input of [`Coding::product`].
    pub fn weighted_bias(&self, weights: impl Iterator<Item = i64>) -> f64 {
        weights
            .enumerate()
            .map(|(column, weight)| weight as f64 * self.bias.at(column))
            .sum()
    }
}
