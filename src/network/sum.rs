//! How integers of two codings become integers of one: each times an integer, exactly. The reference executor
//! and streamlining both call it, so that the real number behind a sum is one definition.
//! Must not know tensors or graphs.

use super::coding::Coding;
use crate::tensor::{PerChannel, greatest_divisor};

/// Largest gain of a sum: with codes of up to 31 bits on both sides a sum fits 63.
const LARGEST_GAIN: i64 = 1 << 31;

/// Largest gain with which streams are put side by side; where it takes more they keep their scales.
const LARGEST_SIDE_GAIN: i64 = 1 << 8;

impl Coding {
    /// Coding of the sum of two numbers, the second of them times `sign`, and the gains with which the integers are
    /// added: `gain[0] * a + gain[1] * b`. `None` where the scales have no common unit that is small enough, or not
    /// the same gains in all channels.
    pub fn sum(&self, other: &Self, sign: f64) -> Option<(Self, [i64; 2])> {
        let scales = [self.scale.clone(), other.scale.map(|scale| sign * scale)];
        let (scale, gains) = common_unit(&scales)?;
        let gains = <[i64; 2]>::try_from(gains).ok()?;
        let small = gains.iter().all(|gain| gain.abs() <= LARGEST_GAIN);
        let bias = self.bias.combine(&other.bias, |a, b| a + sign * b);
        small.then_some((Coding { scale, bias }, gains))
    }

    /// Coding of tensors side by side, of so many channels each, and what the integers of each are multiplied by:
    /// one scale for all where small gains suffice, else each keeps its own.
    pub fn side_by_side(parts: &[(&Self, usize)]) -> (Self, Vec<i64>) {
        let spread = |of: fn(&Coding) -> &PerChannel| {
            let values = parts.iter().flat_map(|(coding, channels)| {
                (0..*channels).map(move |channel| of(coding).at(channel))
            });
            PerChannel::from_values(values.collect())
        };
        let bias = spread(|coding| &coding.bias);
        let scales: Vec<PerChannel> = parts.iter().map(|(part, _)| part.scale.clone()).collect();
        let alike = scales.iter().all(|scale| scale.channels().is_none());
        let unit = alike.then(|| common_unit(&scales)).flatten();
        match unit.filter(|(_, gains)| gains.iter().all(|gain| gain.abs() <= LARGEST_SIDE_GAIN)) {
            Some((scale, gains)) => (Coding { scale, bias }, gains),
            None => {
                let scale = spread(|coding| &coding.scale);
                (Coding { scale, bias }, vec![1; parts.len()])
            }
        }
    }
}

/// The largest number of which all scales are multiples, channel by channel, and the multiples, which are the same
/// in all channels; it is positive where the first scale is.
fn common_unit(scales: &[PerChannel]) -> Option<(PerChannel, Vec<i64>)> {
    let channels = scales.iter().find_map(PerChannel::channels).unwrap_or(1);
    let at = |channel: usize| scales.iter().map(move |scale| scale.at(channel));
    let gains = multiples(&at(0).collect::<Vec<f64>>())?;
    let mut units = Vec::with_capacity(channels);
    for channel in 0..channels {
        let unit = scales[0].at(channel) / gains[0] as f64;
        let exact = at(channel)
            .zip(&gains)
            .all(|(scale, gain)| unit * *gain as f64 == scale);
        if !exact || unit == 0.0 {
            return None;
        }
        units.push(unit);
    }
    Some((PerChannel::from_values(units), gains))
}

/// The smallest integers that are to each other as these numbers, the first of them positive.
fn multiples(numbers: &[f64]) -> Option<Vec<i64>> {
    let parts: Option<Vec<(i64, i32)>> = numbers.iter().map(|number| parts(*number)).collect();
    let parts = parts?;
    let least = parts.iter().map(|(_, exponent)| *exponent).min()?;
    let mut integers = Vec::with_capacity(parts.len());
    for (odd, exponent) in parts {
        let shift = u32::try_from(exponent - least).ok()?;
        let fits = shift + (64 - odd.unsigned_abs().leading_zeros()) < 63;
        integers.push(fits.then(|| odd << shift)?);
    }
    let divisor = integers
        .iter()
        .fold(0, |a, b| greatest_divisor(a, b.unsigned_abs())) as i64;
    let divisor = divisor * integers.first()?.signum();
    Some(
        integers
            .into_iter()
            .map(|integer| integer / divisor)
            .collect(),
    )
}

/// An odd integer and the power of two by which it is multiplied.
fn parts(number: f64) -> Option<(i64, i32)> {
    if !number.is_finite() || number == 0.0 {
        return None;
    }
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i64);
    let (whole, exponent) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    let twos = whole.trailing_zeros();
    let odd = whole >> twos;
    Some((
        if number < 0.0 { -odd } else { odd },
        exponent + twos as i32,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(scale: f64) -> Coding {
        Coding::scaled(PerChannel::Same(scale))
    }

    fn gains(a: f64, b: f64, sign: f64) -> Option<(f64, [i64; 2])> {
        let (coding, gains) = scaled(a).sum(&scaled(b), sign)?;
        Some((coding.scale.uniform()?, gains))
    }

    #[test]
    fn scales_have_a_common_unit() {
        assert_eq!(gains(0.3, 0.3, 1.0), Some((0.3, [1, 1])));
        assert_eq!(gains(0.3, 1.2, -1.0), Some((0.3, [1, -4])));
        assert_eq!(gains(0.75, 0.5, 1.0), Some((0.25, [3, 2])));
        assert_eq!(gains(0.1, 0.3, 1.0), None);
        assert_eq!(gains(0.1, 0.0, 1.0), None);
        assert_eq!(gains(f64::NAN, 1.0, 1.0), None);
        assert_eq!(gains(5e-324, 1.5e-323, 1.0), Some((5e-324, [1, 3])));
    }

    /// Two scales of 24 bits that differ in the last one: the sum of their integers is the sum, to the last bit.
    #[test]
    fn nearly_equal_scales_are_told_apart() {
        let (a, b) = (
            f64::from(1.9137087f32),
            f64::from(f32::from_bits(1.9137087f32.to_bits() + 1)),
        );
        let (coding, [first, second]) = scaled(a).sum(&scaled(b), 1.0).expect("a common unit");
        assert!(first != second);
        for (x, y) in [(3, 1), (0, 3), (-2, 2)] {
            let sum = coding.real(first * x + second * y, 0);
            assert_eq!(sum, a * x as f64 + b * y as f64);
        }
    }

    #[test]
    fn side_by_side_has_one_scale_where_that_is_cheap() {
        let (half, third) = (scaled(0.5), scaled(1.0 / 3.0));
        let (coding, gains) = Coding::side_by_side(&[(&half, 2), (&scaled(2.0), 1)]);
        assert_eq!((coding, gains), (half.clone(), vec![1, 4]));
        let (coding, gains) = Coding::side_by_side(&[(&half, 2), (&third, 1)]);
        assert_eq!(coding.scale, PerChannel::Each(vec![0.5, 0.5, 1.0 / 3.0]));
        assert_eq!(gains, [1, 1]);
    }
}
