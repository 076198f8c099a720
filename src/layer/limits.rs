//! `Limits`: the values that PE and SIMD of a layer may take.
//! Must not know which of them is chosen.

use super::Parallelism;

/// Values of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// Every number from 1 to this one; what is left over is padded.
    UpTo(usize),
    /// These numbers, rising.
    OneOf(Vec<usize>),
}

/// Values of PE and SIMD, `None` where a layer has no such parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Rows or channels per cycle.
    pub pe: Option<Range>,
    /// Columns per cycle.
    pub simd: Option<Range>,
}

impl Range {
    /// The divisors of `number`.
    pub fn divisors(number: usize) -> Self {
        Range::OneOf((1..=number).filter(|d| number.is_multiple_of(*d)).collect())
    }

    /// Whether the parameter may be `value`.
    pub fn allows(&self, value: usize) -> bool {
        match self {
            Range::UpTo(limit) => (1..=*limit).contains(&value),
            Range::OneOf(values) => values.contains(&value),
        }
    }

    /// The values worth trying, rising: of those that give the same number of folds only the smallest.
    pub fn useful(&self) -> Vec<usize> {
        match self {
            Range::OneOf(values) => values.clone(),
            Range::UpTo(limit) => {
                let mut values = Vec::new();
                let mut folds = 1;
                while folds <= *limit {
                    let value = limit.div_ceil(folds);
                    values.push(value);
                    // The next number of folds with which a smaller value suffices.
                    folds = match value {
                        1 => limit + 1,
                        _ => limit.div_ceil(value - 1),
                    };
                }
                values.reverse();
                values
            }
        }
    }

    /// The values in words, such as `1 to 64` or `1, 2, 4`.
    pub fn words(&self) -> String {
        match self {
            Range::UpTo(limit) => format!("1 to {limit}"),
            Range::OneOf(values) => {
                let values: Vec<String> = values.iter().map(usize::to_string).collect();
                values.join(", ")
            }
        }
    }
}

impl Limits {
    /// PE alone.
    pub(crate) fn channels(channels: usize) -> Self {
        Limits {
            pe: Some(Range::UpTo(channels)),
            simd: None,
        }
    }

    /// Whether a layer with these limits has the parameters of `parallelism`, with values that it may take.
    pub fn allow(&self, parallelism: Parallelism) -> bool {
        let fits = |range: &Option<Range>, value: Option<usize>| match (range, value) {
            (Some(range), Some(value)) => range.allows(value),
            (None, None) => true,
            _ => false,
        };
        fits(&self.pe, parallelism.pe) && fits(&self.simd, parallelism.simd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_for_each_number_of_folds() {
        assert_eq!(Range::UpTo(10).useful(), [1, 2, 3, 4, 5, 10]);
        assert_eq!(Range::UpTo(1).useful(), [1]);
        assert_eq!(Range::divisors(12).useful(), [1, 2, 3, 4, 6, 12]);
        for limit in 1..200 {
            let folds = |value: usize| limit / value + usize::from(limit % value > 0);
            let useful = Range::UpTo(limit).useful();
            for value in 1..=limit {
                assert!(
                    useful
                        .iter()
                        .any(|u| *u <= value && folds(*u) == folds(value))
                );
            }
        }
    }
}
