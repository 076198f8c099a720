//! Element-wise real operators as scalar functions in f64, and what is known of their monotonicity.
//! Must not know tensors or graphs.

use serde::{Deserialize, Serialize};

/// Direction in which a function moves, as far as it is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slope {
    /// Never falls.
    Rising,
    /// Never rises.
    Falling,
    /// The same everywhere.
    Flat,
    /// Not proved.
    Unknown,
}

impl Slope {
    /// Slope of `outer(inner(x))`.
    pub fn then(self, outer: Slope) -> Slope {
        match (self, outer) {
            (_, Slope::Flat) => Slope::Flat,
            // Behind a gain of 0 both zeros are met, which division tells apart.
            (Slope::Unknown, _) | (_, Slope::Unknown) => Slope::Unknown,
            (Slope::Flat, _) => Slope::Flat,
            (a, b) if a == b => Slope::Rising,
            _ => Slope::Falling,
        }
    }

    /// Slope of multiplying by `gain`.
    pub fn of_gain(gain: f64) -> Slope {
        match gain {
            g if g.is_infinite() => Slope::Unknown,
            g if g > 0.0 => Slope::Rising,
            g if g < 0.0 => Slope::Falling,
            0.0 => Slope::Flat,
            _ => Slope::Unknown,
        }
    }
}

/// Operators with one real input; fields are ONNX attributes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unary {
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, else `alpha * x`.
    LeakyRelu {
        /// Gain below zero.
        alpha: f64,
    },
    /// `min(max(x, low), high)`; ONNX `Clip`, Brevitas' hard tanh.
    Clip {
        /// Lower bound, may be minus infinity.
        #[serde(with = "bound")]
        low: f64,
        /// Upper bound, may be infinity.
        #[serde(with = "bound")]
        high: f64,
    },
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x` where positive, else `alpha * (exp(x) - 1)`.
    Elu {
        /// Asymptote below zero.
        alpha: f64,
    },
    /// `gamma * x` where positive, else `gamma * alpha * (exp(x) - 1)`.
    Selu {
        /// Asymptote below zero.
        alpha: f64,
        /// Gain above zero.
        gamma: f64,
    },
    /// `min(max(alpha * x + beta, 0), 1)`.
    HardSigmoid {
        /// Gain.
        alpha: f64,
        /// Offset.
        beta: f64,
    },
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `-x`.
    Neg,
    /// `|x|`.
    Abs,
    /// Square root.
    Sqrt,
    /// Exponential.
    Exp,
    /// `x` itself: ONNX `Identity`, `Dropout` at inference, `Cast` between floats.
    Identity,
}

impl Unary {
    /// The value at `x`.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Relu => x.max(0.0),
            Unary::LeakyRelu { alpha } => keep_positive(x, || alpha * x),
            Unary::Clip { low, high } => x.max(low).min(high),
            Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Unary::Tanh => x.tanh(),
            Unary::Elu { alpha } => keep_positive(x, || alpha * x.exp_m1()),
            Unary::Selu { alpha, gamma } => gamma * keep_positive(x, || alpha * x.exp_m1()),
            Unary::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Unary::Softsign => x / (1.0 + x.abs()),
            Unary::Neg => -x,
            Unary::Abs => x.abs(),
            Unary::Sqrt => x.sqrt(),
            Unary::Exp => x.exp(),
            Unary::Identity => x,
        }
    }

    /// Direction, for all inputs.
    pub fn slope(self) -> Slope {
        let rising_if = |condition: bool| match condition {
            true => Slope::Rising,
            false => Slope::Unknown,
        };
        match self {
            Unary::LeakyRelu { alpha } | Unary::Elu { alpha } => rising_if(alpha >= 0.0),
            Unary::Selu { alpha, gamma } => rising_if(alpha >= 0.0 && gamma >= 0.0),
            Unary::HardSigmoid { alpha, .. } => Slope::of_gain(alpha),
            Unary::Neg => Slope::Falling,
            Unary::Abs | Unary::Sqrt => Slope::Unknown,
            Unary::Relu
            | Unary::Clip { .. }
            | Unary::Sigmoid
            | Unary::Tanh
            | Unary::Softplus
            | Unary::Softsign
            | Unary::Exp
            | Unary::Identity => Slope::Rising,
        }
    }
}

fn keep_positive(x: f64, below: impl FnOnce() -> f64) -> f64 {
    if x >= 0.0 { x } else { below() }
}

/// Operators with two real inputs that broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// `a` to the power of `b`.
    Pow,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// ONNX `PRelu`: `a` where positive, else `a * b`.
    Prelu,
}

impl Binary {
    /// The value at `(a, b)`.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Pow => a.powf(b),
            Binary::Min => a.min(b),
            Binary::Max => a.max(b),
            Binary::Prelu => keep_positive(a, || a * b),
        }
    }

    /// Direction in the input that varies while the other one is the constant `constant`;
    /// `varies_first` tells which one varies.
    pub fn slope(self, constant: f64, varies_first: bool) -> Slope {
        match (self, varies_first) {
            (Binary::Add | Binary::Min | Binary::Max, _) | (Binary::Sub, true) => Slope::Rising,
            (Binary::Sub, false) => Slope::Falling,
            // Dividing by zero gives three different results, none of them flat.
            (Binary::Div, true) if constant == 0.0 => Slope::Unknown,
            (Binary::Mul, _) | (Binary::Div, true) => Slope::of_gain(constant),
            (Binary::Prelu, true) if constant >= 0.0 => Slope::Rising,
            (Binary::Prelu | Binary::Div | Binary::Pow, _) => Slope::Unknown,
        }
    }
}

/// ONNX `BatchNormalization` at inference for one element, operator order of the ONNX text:
/// `(x - mean) / sqrt(variance + epsilon) * gain + bias`.
pub fn batch_norm(x: f64, [gain, bias, mean, variance]: [f64; 4], epsilon: f64) -> f64 {
    (x - mean) / (variance + epsilon).sqrt() * gain + bias
}

/// Bounds that may be infinite, which JSON has no number for.
mod bound {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value.is_finite() {
            true => value.serialize(serializer),
            false => value.to_string().serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Bound {
            Finite(f64),
            Infinite(String),
        }
        match Bound::deserialize(deserializer)? {
            Bound::Finite(value) => Ok(value),
            Bound::Infinite(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proved_slopes_hold_on_a_grid() {
        let cases = [
            Unary::Relu,
            Unary::LeakyRelu { alpha: 0.1 },
            Unary::Clip {
                low: -1.0,
                high: 1.0,
            },
            Unary::Sigmoid,
            Unary::Tanh,
            Unary::Elu { alpha: 1.0 },
            Unary::Selu {
                alpha: 1.67,
                gamma: 1.05,
            },
            Unary::HardSigmoid {
                alpha: -0.2,
                beta: 0.5,
            },
            Unary::Softplus,
            Unary::Softsign,
            Unary::Neg,
            Unary::Exp,
            Unary::Identity,
        ];
        for op in cases {
            let values: Vec<f64> = (-400..400).map(|i| op.apply(f64::from(i) / 50.0)).collect();
            let rising = values.windows(2).all(|w| w[0] <= w[1]);
            let falling = values.windows(2).all(|w| w[0] >= w[1]);
            match op.slope() {
                Slope::Rising => assert!(rising, "{op:?}"),
                Slope::Falling => assert!(falling, "{op:?}"),
                other => panic!("{op:?} is {other:?}"),
            }
        }
    }

    #[test]
    fn slopes_compose() {
        use Slope::{Falling, Flat, Rising, Unknown};
        assert_eq!(Falling.then(Falling), Rising);
        assert_eq!(Rising.then(Falling), Falling);
        assert_eq!(Unknown.then(Flat), Flat);
        assert_eq!(Unknown.then(Rising), Unknown);
        assert_eq!(Flat.then(Unknown), Unknown);
        assert_eq!(Flat.then(Falling), Flat);
        assert_eq!(Binary::Div.slope(2.0, false), Unknown);
        assert_eq!(Binary::Mul.slope(-0.0, true), Flat);
    }

    #[test]
    fn infinite_bounds_survive_json() {
        let clip = Unary::Clip {
            low: f64::NEG_INFINITY,
            high: 6.0,
        };
        let text = serde_json::to_string(&clip).expect("serialises");
        assert_eq!(serde_json::from_str::<Unary>(&text).expect("reads"), clip);
    }
}
