//! `Tail`: the real operators between an integer stream and the next quantiser, as one function per channel.
//! Must not know how thresholds are found.

use serde::{Deserialize, Serialize};

use crate::network::{Binary, Coding, Slope, Unary, batch_norm};
use crate::tensor::PerChannel;

/// One element-wise operator with its constants laid out per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// `op(x)`.
    Unary(Unary),
    /// `op(x, constant)`, or `op(constant, x)` unless `varies_first`.
    Binary {
        /// Operator.
        op: Binary,
        /// Its other operand.
        constant: PerChannel,
        /// Whether x is the first operand.
        varies_first: bool,
    },
    /// Batch normalisation at inference.
    BatchNorm {
        /// Gain, bias, mean and variance.
        parameters: [PerChannel; 4],
        /// Added to the variance.
        epsilon: f64,
    },
}

/// `x -> steps(coding(x))`: the real value that the network has where the hardware has integer x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// What the stream's integers stand for.
    pub coding: Coding,
    /// Operators, applied in order.
    pub steps: Vec<Step>,
}

impl Step {
    /// The value at `x` in `channel`.
    pub fn apply(&self, x: f64, channel: usize) -> f64 {
        match self {
            Step::Unary(op) => op.apply(x),
            Step::Binary {
                op,
                constant,
                varies_first: true,
            } => op.apply(x, constant.at(channel)),
            Step::Binary {
                op,
                constant,
                varies_first: false,
            } => op.apply(constant.at(channel), x),
            Step::BatchNorm {
                parameters,
                epsilon,
            } => batch_norm(x, [0, 1, 2, 3].map(|i| parameters[i].at(channel)), *epsilon),
        }
    }

    /// The coding of `op(x)` where x has `coding`; `None` where the operator is not affine in x.
    pub fn through(&self, coding: &Coding) -> Option<Coding> {
        match self {
            Step::Binary {
                op,
                constant,
                varies_first,
            } => coding.through(*op, constant, *varies_first),
            Step::Unary(_) | Step::BatchNorm { .. } => None,
        }
    }

    fn slope(&self, channel: usize) -> Slope {
        match self {
            Step::Unary(op) => op.slope(),
            Step::Binary {
                op,
                constant,
                varies_first,
            } => op.slope(constant.at(channel), *varies_first),
            Step::BatchNorm {
                parameters: [gain, _, _, variance],
                epsilon,
            } => match variance.at(channel) + epsilon > 0.0 {
                true => Slope::of_gain(gain.at(channel)),
                false => Slope::Unknown,
            },
        }
    }

    fn gathered(&self, order: &[usize]) -> Self {
        let gather = |values: &PerChannel| values.gather(order.iter().copied());
        match self {
            Step::Unary(op) => Step::Unary(*op),
            Step::Binary {
                op,
                constant,
                varies_first,
            } => Step::Binary {
                op: *op,
                constant: gather(constant),
                varies_first: *varies_first,
            },
            Step::BatchNorm {
                parameters,
                epsilon,
            } => Step::BatchNorm {
                parameters: [0, 1, 2, 3].map(|i| gather(&parameters[i])),
                epsilon: *epsilon,
            },
        }
    }

    fn channels(&self) -> Option<usize> {
        match self {
            Step::Unary(_) => None,
            Step::Binary { constant, .. } => constant.channels(),
            Step::BatchNorm { parameters, .. } => parameters.iter().find_map(PerChannel::channels),
        }
    }
}

impl Tail {
    /// No operators yet.
    pub fn new(coding: Coding) -> Self {
        Tail {
            coding,
            steps: Vec::new(),
        }
    }

    /// The real value for integer `x` in `channel`.
    pub fn real(&self, x: i64, channel: usize) -> f64 {
        let start = self.coding.real(x, channel);
        self.steps
            .iter()
            .fold(start, |value, step| step.apply(value, channel))
    }

    /// Direction in which `channel` moves, as far as it is proved operator by operator.
    pub fn slope(&self, channel: usize) -> Slope {
        let start = Slope::of_gain(self.coding.scale.at(channel));
        self.steps
            .iter()
            .fold(start, |slope, step| slope.then(step.slope(channel)))
    }

    /// Number of channels that behave differently; `None` where all behave alike.
    pub fn channels(&self) -> Option<usize> {
        self.coding
            .channels()
            .or_else(|| self.steps.iter().find_map(Step::channels))
    }

    /// The tail for channels `order[0]`, `order[1]`, ... of this one.
    #[must_use]
    pub fn gathered(&self, order: &[usize]) -> Self {
        Tail {
            coding: Coding {
                scale: self.coding.scale.gather(order.iter().copied()),
                bias: self.coding.bias.gather(order.iter().copied()),
            },
            steps: self.steps.iter().map(|step| step.gathered(order)).collect(),
        }
    }
}
