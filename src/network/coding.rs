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

    /// Coding of the accumulators of a convolution over a picture whose channels have this coding. `weights`, in
    /// the tensor's order, are `[filters, channels / group, positions]` and stand for `weight_scale[filter] * weight`.
    /// `None` where channels that are added up have different scales.
    pub fn convolution(
        &self,
        weight_scale: &PerChannel,
        weights: &[i64],
        [filters, per_group, positions]: [usize; 3],
        group: usize,
    ) -> Option<Self> {
        let first = |filter: usize| filter / (filters / group) * per_group;
        let alike = |group: usize| {
            let channels = group * per_group..(group + 1) * per_group;
            PerChannel::from_values(channels.map(|channel| self.scale.at(channel)).collect())
                .uniform()
                .is_some()
        };
        if !(0..group).all(alike) {
            return None;
        }
        let scale = (0..filters).map(|f| weight_scale.at(f) * self.scale.at(first(f)));
        let bias = match self.bias.uniform() {
            Some(0.0) => PerChannel::Same(0.0),
            _ => {
                let kernels = weights.chunks_exact(per_group * positions).enumerate();
                let of_filter = |(filter, kernel): (usize, &[i64])| {
                    let biases = kernel.iter().enumerate().map(|(at, weight)| {
                        *weight as f64 * self.bias.at(first(filter) + at / positions)
                    });
                    weight_scale.at(filter) * biases.sum::<f64>()
                };
                PerChannel::from_values(kernels.map(of_filter).collect())
            }
        };
        Some(Coding {
            scale: PerChannel::from_values(scale.collect()),
            bias,
        })
    }

    /// The integer that stands for real 0 in every channel, exactly; `None` if there is none.
    pub fn zero(&self) -> Option<i64> {
        let of_channel = |channel: usize| {
            let (scale, bias) = (self.scale.at(channel), self.bias.at(channel));
            let integer = -bias / scale;
            let exact = integer.fract() == 0.0 && integer.abs() < 2f64.powi(53);
            (exact && scale * integer + bias == 0.0).then_some(integer as i64)
        };
        let first = of_channel(0)?;
        let channels = 1..self.channels().unwrap_or(1);
        channels
            .map(of_channel)
            .all(|zero| zero == Some(first))
            .then_some(first)
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
        let weights: Vec<i64> = (1..=8).collect();
        let scale = PerChannel::Each(vec![1.0, 10.0]);
        // Filter 0 sees channels 0 and 1, filter 1 channels 2 and 3; two positions each.
        let found = coding.convolution(&scale, &weights, [2, 2, 2], 2);
        let expected = Coding {
            scale: PerChannel::Each(vec![0.5, 20.0]),
            bias: PerChannel::Each(vec![3.0 + 4.0, 0.0]),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(coding.convolution(&scale, &weights, [2, 4, 1], 1), None);
    }

    #[test]
    fn real_zero_is_an_integer_or_none() {
        let zero = |scale: f64, bias: PerChannel| {
            let scale = PerChannel::Same(scale);
            Coding { scale, bias }.zero()
        };
        assert_eq!(zero(0.3, PerChannel::Same(0.0)), Some(0));
        assert_eq!(zero(0.25, PerChannel::Same(-32.0)), Some(128));
        assert_eq!(zero(0.25, PerChannel::Same(-0.1)), None);
        assert_eq!(zero(0.5, PerChannel::Each(vec![1.0, 2.0])), None);
        assert_eq!(zero(0.5, PerChannel::Each(vec![-2.0, -2.0])), Some(4));
    }
}
