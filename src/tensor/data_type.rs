//! `DataType`: the exact integer types that streams, weights and accumulators have.
//! Must not know how values are laid out in words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Widest integer that a stream may carry, in bits.
const MAX_BITS: u8 = 63;

/// Set of integers that one element of a stream or of a weight matrix can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataType {
    /// -1 or +1 in one bit: code 0 is -1, code 1 is +1. Zero is not in the type.
    Bipolar,
    /// -1, 0 or +1 in two bits, two's complement.
    Ternary,
    /// Two's complement of that many bits, 1 to 63.
    Int(u8),
    /// Unsigned of that many bits, 1 to 63.
    Uint(u8),
}

impl DataType {
    /// Width of one element in bits.
    pub const fn bits(self) -> u32 {
        match self {
            DataType::Bipolar => 1,
            DataType::Ternary => 2,
            DataType::Int(bits) | DataType::Uint(bits) => bits as u32,
        }
    }

    /// Smallest value.
    pub const fn min(self) -> i64 {
        match self {
            DataType::Bipolar | DataType::Ternary => -1,
            DataType::Int(bits) => -(1 << (bits - 1)),
            DataType::Uint(_) => 0,
        }
    }

    /// Largest value.
    pub const fn max(self) -> i64 {
        match self {
            DataType::Bipolar | DataType::Ternary => 1,
            DataType::Int(bits) => (1 << (bits - 1)) - 1,
            DataType::Uint(bits) => (1 << bits) - 1,
        }
    }

    /// Whether `value` is one of the type's values.
    pub const fn contains(self, value: i64) -> bool {
        match self {
            DataType::Bipolar => value == -1 || value == 1,
            _ => value >= self.min() && value <= self.max(),
        }
    }

    /// Distance between neighbouring values: 2 for bipolar, else 1.
    pub const fn step(self) -> i64 {
        match self {
            DataType::Bipolar => 2,
            _ => 1,
        }
    }

    /// Narrowest `Int` or `Uint` that holds every integer from `min` to `max` (both included);
    /// `None` where that takes more than 63 bits.
    pub fn spanning(min: i64, max: i64) -> Option<Self> {
        let magnitude = |value: i64| 64 - value.leading_zeros();
        if min >= 0 {
            let bits = magnitude(max).max(1);
            return (bits <= u32::from(MAX_BITS)).then_some(DataType::Uint(bits as u8));
        }
        let bits = magnitude(!min).max(magnitude(max.max(0))) + 1;
        (bits <= u32::from(MAX_BITS)).then_some(DataType::Int(bits as u8))
    }

    /// The type itself where it holds all of `others`, else the narrowest integer type that holds them beside its own
    /// values.
    #[must_use]
    pub fn widened(self, others: impl IntoIterator<Item = i64>) -> Self {
        let (mut low, mut high, mut fits) = (self.min(), self.max(), true);
        for other in others {
            (low, high) = (low.min(other), high.max(other));
            fits &= self.contains(other);
        }
        match fits {
            true => self,
            false => DataType::spanning(low, high).unwrap_or(self),
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Bipolar => f.write_str("bipolar"),
            DataType::Ternary => f.write_str("ternary"),
            DataType::Int(bits) => write!(f, "int{bits}"),
            DataType::Uint(bits) => write!(f, "uint{bits}"),
        }
    }
}

impl FromStr for DataType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits = |digits: &str| match digits.parse::<u8>() {
            Ok(bits @ 1..=MAX_BITS) if !digits.starts_with(['0', '+']) => Ok(bits),
            _ => Err(format!("`{text}` is not a type of 1 to {MAX_BITS} bits")),
        };
        match text {
            "bipolar" => Ok(DataType::Bipolar),
            "ternary" => Ok(DataType::Ternary),
            _ => match (text.strip_prefix("uint"), text.strip_prefix("int")) {
                (Some(digits), _) => bits(digits).map(DataType::Uint),
                (_, Some(digits)) => bits(digits).map(DataType::Int),
                _ => Err(format!(
                    "`{text}` is not a type: `uint8`, `int4`, `bipolar` and `ternary` are"
                )),
            },
        }
    }
}

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanning_is_the_narrowest_type() {
        for (min, max, expected) in [
            (0, 0, DataType::Uint(1)),
            (0, 1, DataType::Uint(1)),
            (0, 2, DataType::Uint(2)),
            (0, 255, DataType::Uint(8)),
            (-1, 0, DataType::Int(1)),
            (-1, 1, DataType::Int(2)),
            (-2, 1, DataType::Int(2)),
            (-3, 1, DataType::Int(3)),
            (-1, 4, DataType::Int(4)),
            (-784, 784, DataType::Int(11)),
            (-5, -3, DataType::Int(4)),
        ] {
            let found = DataType::spanning(min, max);
            assert_eq!(found, Some(expected), "{min}..{max}");
            assert!(expected.contains(min) && expected.contains(max));
        }
        assert_eq!(DataType::spanning(i64::MIN, 0), None);
        assert_eq!(DataType::spanning(0, i64::MAX), Some(DataType::Uint(63)));
    }

    #[test]
    fn text_round_trips() {
        for name in ["bipolar", "ternary", "int1", "int63", "uint8"] {
            assert_eq!(
                name.parse::<DataType>().map(|t| t.to_string()),
                Ok(name.into())
            );
        }
        for name in [
            "", "int", "int0", "int64", "uint08", "float", "uint+8", "INT8",
        ] {
            assert!(name.parse::<DataType>().is_err(), "{name}");
        }
    }
}
