//! Staircase: the integer thresholds of one channel's tail and quantiser, found by bisection and so
//! exact for every rounding mode, zero-point and gain by construction.
//! Must not know graphs.

use crate::dataflow::Tail;
use crate::error::{Error, Result};
use crate::network::{Quantiser, Slope};

/// Ranges up to this many integers are evaluated whole where monotonicity is not proved.
pub(super) const EXHAUSTIVE: i64 = 1 << 20;

/// Thresholds of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Staircase {
    /// Rising; `range.1 + 1` means never.
    pub(super) thresholds: Vec<i64>,
    /// Whether the count is mirrored because the channel falls.
    pub(super) flip: bool,
    /// Smallest and largest code that the channel attains.
    pub(super) codes: (i64, i64),
}

/// The staircase of `quantiser(tail(x))` for x from `range.0` to `range.1`.
///
/// # Errors
/// A user error where the function is no staircase, or its monotonicity cannot be shown.
pub(super) fn staircase(
    tail: &Tail,
    quantiser: &Quantiser,
    channel: usize,
    range: (i64, i64),
) -> Result<Staircase> {
    let code = |x: i64| quantiser.code(tail.real(x, channel));
    let (low, _, step) = quantiser.codes();
    let level = |x: i64| (code(x) - low) / step;
    let falls = match tail.slope(channel) {
        Slope::Rising | Slope::Flat => false,
        Slope::Falling => true,
        Slope::Unknown => direction(range, level)?,
    };
    if tail.real(range.0, channel).is_nan() || tail.real(range.1, channel).is_nan() {
        return Err(Error::user(
            "the function before it is not a number at the ends of its range",
        ));
    }
    let (_, high, _) = quantiser.codes();
    let levels = (high - low) / step;
    let rising = |x: i64| if falls { levels - level(x) } else { level(x) };
    let ends = (code(range.0), code(range.1));
    Ok(Staircase {
        thresholds: steps(range, levels, rising),
        flip: falls,
        codes: (ends.0.min(ends.1), ends.0.max(ends.1)),
    })
}

/// For each k from 1 to `levels` the least x with `rising(x) >= k`, or one past the range.
fn steps(range: (i64, i64), levels: i64, rising: impl Fn(i64) -> i64) -> Vec<i64> {
    let mut from = range.0;
    (1..=levels)
        .map(|k| {
            let (mut low, mut high) = (from, range.1 + 1);
            while low < high {
                let middle = low + (high - low) / 2;
                match rising(middle) >= k {
                    true => high = middle,
                    false => low = middle + 1,
                }
            }
            from = low;
            low
        })
        .collect()
}

/// Looks at every integer of the range: `true` if the level only falls, `false` if it only rises.
fn direction(range: (i64, i64), level: impl Fn(i64) -> i64) -> Result<bool> {
    if range.1 - range.0 >= EXHAUSTIVE {
        return Err(
            Error::user("the operators before it are not known to be monotone").help(
                "use operators such as Relu, Clip, Sigmoid, Tanh, Add, Mul or BatchNormalization",
            ),
        );
    }
    let levels: Vec<i64> = (range.0..=range.1).map(level).collect();
    if levels.windows(2).all(|pair| pair[0] <= pair[1]) {
        return Ok(false);
    }
    if levels.windows(2).all(|pair| pair[0] >= pair[1]) {
        return Ok(true);
    }
    Err(Error::user("the operators before it go up and down, so thresholds cannot replace them")
        .help("a quantiser right before the operator that is not monotone makes it a layer of its own"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::Step;
    use crate::network::{Binary, Coding, Quant, Rounding, Unary};
    use crate::tensor::PerChannel;

    fn affine(scale: f64, gain: f64, bias: f64) -> Tail {
        let mut tail = Tail::new(Coding::scaled(PerChannel::Same(scale)));
        for (op, constant) in [(Binary::Mul, gain), (Binary::Add, bias)] {
            let constant = PerChannel::Same(constant);
            tail.steps.push(Step::Binary {
                op,
                constant,
                varies_first: true,
            });
        }
        tail
    }

    fn quant(rounding: Rounding, signed: bool, zero_point: i64) -> Quantiser {
        let quant = Quant {
            signed,
            narrow: false,
            rounding,
        };
        Quantiser::Quant {
            quant,
            scale: 0.5,
            zero_point,
            bits: 3,
        }
    }

    /// Level by level equality over whole ranges, ties included (power-of-two scales make them).
    #[test]
    fn equals_the_function_everywhere() {
        use Rounding::{Ceil, Down, Floor, HalfDown, HalfEven, HalfUp, Up};
        for rounding in [HalfEven, Ceil, Floor, Up, Down, HalfUp, HalfDown] {
            for gain in [0.25, -0.25, 0.0, 0.3, -1.7] {
                for zero_point in [0, 3] {
                    let quantiser = quant(rounding, zero_point == 0, zero_point);
                    let tail = affine(0.25, gain, 0.125);
                    let stairs = staircase(&tail, &quantiser, 0, (-60, 70)).expect("monotone");
                    let (base, _, step) = quantiser.codes();
                    for x in -60..=70 {
                        let below = stairs.thresholds.iter().filter(|t| x >= **t).count() as i64;
                        let count = if stairs.flip {
                            stairs.thresholds.len() as i64 - below
                        } else {
                            below
                        };
                        let expected = quantiser.code(tail.real(x, 0));
                        assert_eq!(base + step * count, expected, "{rounding:?} {gain} at {x}");
                        assert!((stairs.codes.0..=stairs.codes.1).contains(&expected));
                    }
                }
            }
        }
    }

    #[test]
    fn what_goes_up_and_down_is_refused() {
        let mut tail = affine(1.0, 1.0, 0.0);
        tail.steps.push(Step::Unary(Unary::Abs));
        let quantiser = quant(Rounding::HalfEven, false, 0);
        assert!(staircase(&tail, &quantiser, 0, (-5, 5)).is_err());
        assert!(staircase(&tail, &quantiser, 0, (0, 5)).is_ok());
    }
}
