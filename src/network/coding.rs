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

    /// Coding of the accumulators of a convolution. This coding has `channels` channels in `group` groups of
    /// `depth`, and the filters of a group see its channels only. Weights of filter `row` stand for
    /// `weight_scale[row] * weight`; `weight_sums[row * depth + c]` is the sum of its weights on channel c of the
    /// group. `None` where the channels of one group have different scales.
    pub fn convolution(
        &self,
        weight_scale: &PerChannel,
        weight_sums: &[i64],
        channels: usize,
        group: usize,
    ) -> Option<Self> {
        let depth = channels / group.max(1);
        let rows = weight_sums.len() / depth.max(1);
        let first = |row: usize| row / (rows / group.max(1)).max(1) * depth;
        let scale = match self.scale.uniform() {
            Some(scale) => PerChannel::Same(scale),
            None => {
                let alike = |start: usize| {
                    let scale = self.scale.at(start);
                    (start..start + depth).all(|channel| self.scale.at(channel) == scale)
                };
                if !(0..group).all(|number| alike(number * depth)) {
                    return None;
                }
                self.scale.gather((0..rows).map(first))
            }
        };
        let scale = weight_scale.combine(&scale, |weight, input| weight * input);
        let bias = match self.bias.uniform() {
            Some(0.0) => PerChannel::Same(0.0),
            _ => PerChannel::from_values(
                weight_sums
                    .chunks_exact(depth.max(1))
                    .enumerate()
                    .map(|(row, sums)| {
                        let channels = sums.iter().zip(first(row)..);
                        let terms = channels.map(|(sum, c)| *sum as f64 * self.bias.at(c));
                        weight_scale.at(row) * terms.sum::<f64>()
                    })
                    .collect(),
            ),
        };
        Some(Coding { scale, bias })
    }

    /// The integer that stands for exactly 0 in `channel`, if there is one.
    pub fn zero(&self, channel: usize) -> Option<i64> {
        let (scale, bias) = (self.scale.at(channel), self.bias.at(channel));
        let zero = if bias == 0.0 { 0.0 } else { -bias / scale };
        let exact = zero.fract() == 0.0 && zero.abs() < 2f64.powi(53);
        (exact && scale * zero + bias == 0.0).then_some(zero as i64)
    }

    /// Sum of `weight[j] * bias[j]` over one row: the input of [`Coding::product`].
    pub fn weighted_bias(&self, weights: impl Iterator<Item = i64>) -> f64 {
        weights
            .enumerate()
            .map(|(column, weight)| weight as f64 * self.bias.at(column))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_has_the_scale_of_its_group() {
        let coding = Coding {
            scale: PerChannel::Each(vec![0.5, 0.5, 2.0, 2.0]),
            bias: PerChannel::Each(vec![0.0, 1.0, 0.0, 0.0]),
        };
        let scale = PerChannel::Each(vec![1.0, 10.0]);
        // Filter 0 sees channels 0 and 1, filter 1 channels 2 and 3.
        let found = coding.convolution(&scale, &[3, 7, 11, 15], 4, 2);
        let expected = Coding {
            scale: PerChannel::Each(vec![0.5, 20.0]),
            bias: PerChannel::Each(vec![7.0, 0.0]),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(coding.convolution(&scale, &[1; 8], 4, 1), None);
    }

    #[test]
    fn real_zero_is_an_integer_or_none() {
        let zero = |scale: f64, bias: f64| {
            let (scale, bias) = (PerChannel::Same(scale), PerChannel::Same(bias));
            Coding { scale, bias }.zero(0)
        };
        assert_eq!(zero(0.3, 0.0), Some(0));
        assert_eq!(zero(0.25, -32.0), Some(128));
        assert_eq!(zero(0.25, -0.1), None);
    }
}
