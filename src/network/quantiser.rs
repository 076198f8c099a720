//! Quantisers as scalar functions in f64: the one definition that both the reference executor and the
//! search for integer thresholds use.
//! Must not know tensors or graphs.

use serde::{Deserialize, Serialize};

use super::rounding::Rounding;

/// QONNX `Quant` (also `IntQuant`) without its tensor inputs scale, zero-point and bit width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quant {
    /// Two's complement range (1 bit: -1 and +1) instead of `0 ..`.
    pub signed: bool,
    /// Leaves out the smallest value (signed) or the largest (unsigned).
    pub narrow: bool,
    /// How `x / scale + zero_point` becomes an integer.
    pub rounding: Rounding,
}

impl Quant {
    /// Smallest and largest integer before the zero-point is subtracted, for `bits` bits (1 to 32).
    pub fn range(&self, bits: u32) -> (i64, i64) {
        let narrow = i64::from(self.narrow);
        match (self.signed, bits) {
            (true, 1) => (-1, 1),
            (true, _) => (-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1),
            (false, _) => (0, (1 << bits) - 1 - narrow),
        }
    }

    /// The integer level of `x`: divide, shift, clamp and only then round (QONNX 1.0).
    pub fn level(&self, x: f64, scale: f64, zero_point: f64, bits: u32) -> i64 {
        let y = x / scale + zero_point;
        if self.signed && bits == 1 {
            return if y >= 0.0 { 1 } else { -1 };
        }
        let (low, high) = self.range(bits);
        self.rounding.apply(y.clamp(low as f64, high as f64)) as i64
    }
}

/// QONNX `BipolarQuant`: `+1` level where `x >= 0`, else `-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bipolar;

impl Bipolar {
    /// The level, -1 or +1. Minus zero counts as zero.
    pub fn level(x: f64) -> i64 {
        if x >= 0.0 { 1 } else { -1 }
    }
}

/// QONNX `MultiThreshold` without its threshold matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MultiThreshold {
    /// Real value of one step.
    pub out_scale: f64,
    /// Real value of count 0.
    pub out_bias: f64,
}

impl MultiThreshold {
    /// The integers of its `steps + 1` results as `(code of count 0, code step, scale, bias)` with
    /// `real = scale * code + bias`. The bias is 0 wherever the results are multiples of one number.
    pub fn grid(&self, steps: usize) -> (i64, i64, f64, f64) {
        let MultiThreshold {
            out_scale,
            out_bias,
        } = *self;
        if steps == 1 && out_bias == -out_scale / 2.0 {
            return (-1, 2, out_scale / 2.0, 0.0);
        }
        let shift = out_bias / out_scale;
        match shift.fract() == 0.0 && shift.abs() < 1e9 && shift * out_scale == out_bias {
            true => (shift as i64, 1, out_scale, 0.0),
            false => (0, 1, out_scale, out_bias),
        }
    }

    /// How many of `thresholds` are at or below `x`.
    pub fn level(x: f64, thresholds: &[f64]) -> i64 {
        thresholds.iter().filter(|t| x >= **t).count() as i64
    }
}

/// What a quantiser does to one channel, all parameters resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantiser {
    /// `Quant` with integer zero-point.
    Quant {
        /// The attributes.
        quant: Quant,
        /// Real value of one level, greater than 0.
        scale: f64,
        /// Level that stands for real zero.
        zero_point: i64,
        /// Bit width, 1 to 32.
        bits: u32,
    },
    /// `BipolarQuant`.
    Bipolar,
    /// `MultiThreshold`.
    MultiThreshold {
        /// The channel's thresholds.
        thresholds: Vec<f64>,
        /// Code of count 0.
        base: i64,
        /// Distance between neighbouring codes.
        step: i64,
    },
    /// `Trunc`, see [`super::Trunc::resolve`].
    Trunc {
        /// How the quotient becomes an integer.
        rounding: Rounding,
        /// Real value of one step of its input.
        scale: f64,
        /// Added to the input's integer.
        zero_point: i64,
        /// A power of two.
        divisor: f64,
        /// Smallest and largest level.
        bounds: (i64, i64),
        /// Level of code 0.
        offset: i64,
    },
    /// `QuantizeLinear`, see [`super::Linear::quantiser`].
    Linear {
        /// Real value of one level, greater than 0.
        scale: f64,
        /// Smallest and largest code of this channel.
        bounds: (i64, i64),
        /// Smallest and largest code of all channels.
        codes: (i64, i64),
    },
}

impl Quantiser {
    /// Integer code of the real number `x`: the level less the zero-point.
    pub fn code(&self, x: f64) -> i64 {
        match self {
            Quantiser::Quant {
                quant,
                scale,
                zero_point,
                bits,
            } => quant.level(x, *scale, *zero_point as f64, *bits) - zero_point,
            Quantiser::Bipolar => Bipolar::level(x),
            Quantiser::MultiThreshold {
                thresholds,
                base,
                step,
            } => base + step * MultiThreshold::level(x, thresholds),
            Quantiser::Trunc {
                rounding,
                scale,
                zero_point,
                divisor,
                bounds: (low, high),
                offset,
            } => {
                let quotient = (x / scale + *zero_point as f64).round_ties_even() / divisor;
                let bounded = quotient.clamp(*low as f64, *high as f64);
                rounding.apply(bounded) as i64 - offset
            }
            Quantiser::Linear {
                scale,
                bounds: (low, high),
                ..
            } => (x / scale)
                .round_ties_even()
                .clamp(*low as f64, *high as f64) as i64,
        }
    }

    /// Smallest and largest code, and the distance between neighbouring codes.
    pub fn codes(&self) -> (i64, i64, i64) {
        match self {
            Quantiser::Quant {
                quant,
                zero_point,
                bits,
                ..
            } => {
                let (low, high) = quant.range(*bits);
                let step = if quant.signed && *bits == 1 { 2 } else { 1 };
                (low - zero_point, high - zero_point, step)
            }
            Quantiser::Bipolar => (-1, 1, 2),
            Quantiser::MultiThreshold {
                thresholds,
                base,
                step,
            } => (*base, base + step * thresholds.len() as i64, *step),
            Quantiser::Trunc { bounds, offset, .. } => (bounds.0 - offset, bounds.1 - offset, 1),
            Quantiser::Linear { codes, .. } => (codes.0, codes.1, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quant(signed: bool, narrow: bool) -> Quant {
        Quant {
            signed,
            narrow,
            rounding: Rounding::HalfEven,
        }
    }

    #[test]
    fn ranges_are_those_of_qonnx() {
        assert_eq!(quant(true, false).range(4), (-8, 7));
        assert_eq!(quant(true, true).range(4), (-7, 7));
        assert_eq!(quant(false, false).range(2), (0, 3));
        assert_eq!(quant(false, true).range(2), (0, 2));
        assert_eq!(quant(true, true).range(1), (-1, 1));
        assert_eq!(quant(false, false).range(1), (0, 1));
    }

    #[test]
    fn clamps_before_it_rounds() {
        let quant = Quant {
            rounding: Rounding::Ceil,
            ..quant(false, false)
        };
        assert_eq!(quant.level(3.2, 1.0, 0.0, 2), 3);
        assert_eq!(quant.level(2.2, 1.0, 0.0, 2), 3);
        assert_eq!(quant.level(-0.5, 1.0, 0.0, 2), 0);
    }

    #[test]
    fn multi_threshold_results_become_integers() {
        let grid = |out_scale, out_bias, steps| {
            MultiThreshold {
                out_scale,
                out_bias,
            }
            .grid(steps)
        };
        assert_eq!(grid(2.0, -1.0, 1), (-1, 2, 1.0, 0.0));
        assert_eq!(grid(1.0, -1.0, 2), (-1, 1, 1.0, 0.0));
        assert_eq!(grid(0.5, 0.0, 15), (0, 1, 0.5, 0.0));
        assert_eq!(grid(1.0, 0.25, 3), (0, 1, 1.0, 0.25));
    }

    #[test]
    fn a_one_bit_zero_is_positive() {
        assert_eq!(quant(true, false).level(-0.0, 1.0, 0.0, 1), 1);
        assert_eq!(Bipolar::level(-0.0), 1);
        assert_eq!(Bipolar::level(-1e-300), -1);
    }
}
