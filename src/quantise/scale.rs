//! The scale of a grid on which numbers lose least: the mean square error is least among many scales.
//! Must not know tensors.

/// Steps of the search from one scale to its double.
const PER_OCTAVE: f64 = 12.0;
/// Octaves below the scale that reaches the largest number.
const OCTAVES: f64 = 6.0;

/// A grid of integers, all from `low` to `high` that are `step` apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Range {
    /// Of activations of so many bits.
    pub(super) fn of(signed: bool, bits: u32) -> Self {
        let half = 2f64.powi(bits as i32 - 1);
        match (signed, bits) {
            (true, 1) => Range {
                low: -1.0,
                high: 1.0,
                step: 2.0,
            },
            (true, _) => Range {
                low: -half,
                high: half - 1.0,
                step: 1.0,
            },
            (false, _) => Range {
                low: 0.0,
                high: 2.0 * half - 1.0,
                step: 1.0,
            },
        }
    }

    /// Of weights of so many bits: as many below 0 as above.
    pub(super) fn narrow(bits: u32) -> Self {
        let half = 2f64.powi(bits as i32 - 1);
        match bits {
            1 => Range::of(true, 1),
            _ => Range {
                low: 1.0 - half,
                high: half - 1.0,
                step: 1.0,
            },
        }
    }

    /// The number of the grid that is nearest to `x` steps.
    pub(super) fn nearest(&self, x: f64) -> f64 {
        match self.step {
            1.0 => x.clamp(self.low, self.high).round_ties_even(),
            _ if x >= 0.0 => self.high,
            _ => self.low,
        }
    }

    /// The scale with the least error on `numbers`, each of a weight of its own; 1 where all are 0.
    pub(super) fn best(&self, numbers: &[(f32, f32)]) -> f64 {
        let reach = |number: f32| {
            let end = if number < 0.0 { self.low } else { self.high };
            if end == 0.0 {
                0.0
            } else {
                f64::from(number) / end
            }
        };
        let whole = numbers
            .iter()
            .fold(0.0, |most: f64, (x, _)| most.max(reach(*x)));
        if whole.is_nan() || whole <= 0.0 {
            return 1.0;
        }
        let scales = (0..=(PER_OCTAVE * OCTAVES) as u32)
            .map(|step| whole * (-f64::from(step) / PER_OCTAVE).exp2());
        let least = scales
            .map(|scale| (self.error(numbers, scale), scale))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        least.map_or(whole, |(_, scale)| scale)
    }

    /// Sum of the squares of what `numbers` lose.
    pub(super) fn error(&self, numbers: &[(f32, f32)], scale: f64) -> f64 {
        let (low, high) = (self.low as f32, self.high as f32);
        let (scale, inverse) = (scale as f32, (1.0 / scale) as f32);
        let mut sums = [0.0f64; 2];
        for chunk in numbers.chunks(256) {
            let mut sum = 0.0f32;
            for (x, weight) in chunk {
                let level = match self.step {
                    1.0 => (x * inverse).clamp(low, high).round_ties_even(),
                    _ if *x >= 0.0 => high,
                    _ => low,
                };
                let off = x - scale * level;
                sum += weight * off * off;
            }
            sums[0] += f64::from(sum);
        }
        sums[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_scale_cuts_what_is_rare() {
        let range = Range::of(false, 2);
        let numbers: Vec<(f32, f32)> = (0..300).map(|at| ((at % 4) as f32, 1.0)).collect();
        assert!((range.best(&numbers) - 1.0).abs() < 1e-6);
        let rare = [&numbers[..], &[(9.0, 1.0)]].concat();
        assert!(range.best(&rare) < 1.2);
        assert_eq!(range.best(&[(0.0, 1.0)]), 1.0);
        assert_eq!(Range::narrow(4).nearest(-9.0), -7.0);
        assert_eq!(Range::narrow(1).nearest(-0.1), -1.0);
    }
}
