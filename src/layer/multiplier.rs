//! `Multiplier`: what multiplies in a matrix-vector unit.
//! Must not know layers.

use serde::{Deserialize, Serialize};

use crate::tensor::DataType;

/// What multiplies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Multiplier {
    /// Look-up tables.
    #[default]
    Lut,
    /// DSP slices of UltraScale+, each of which multiplies one input with the weights of several rows.
    Dsp,
}

/// Bits of the slice's wider operand: 27, one of which keeps the lowest weight's sum from overflowing.
const OPERAND_BITS: u32 = 26;

/// Bits that weights and inputs may have to be worth a slice.
const BITS: std::ops::RangeInclusive<u32> = 2..=8;

impl Multiplier {
    /// Whether it is the default.
    pub fn is_lut(&self) -> bool {
        *self == Multiplier::Lut
    }

    /// Rows whose weights one DSP slice multiplies with a shared input; `None` where it cannot multiply these types:
    /// weights are two's complement, and both have 2 to 8 bits. Products are `W + A - 1` bits apart (the highest bit of
    /// one lies on the lowest bit of the next, which is known).
    pub fn rows(weight: DataType, input: DataType) -> Option<usize> {
        let fits = matches!(weight, DataType::Int(_))
            && matches!(input, DataType::Int(_) | DataType::Uint(_))
            && BITS.contains(&weight.bits())
            && BITS.contains(&input.bits());
        let (w, a) = (weight.bits(), input.bits());
        fits.then(|| 1 + ((OPERAND_BITS - w) / (w + a - 1)) as usize)
    }

    /// Rows that one slice multiplies, where `shared` rows share an input; 0 for look-up tables.
    pub fn packed(self, weight: DataType, input: DataType, shared: usize) -> usize {
        match self {
            Multiplier::Lut => 0,
            Multiplier::Dsp => Multiplier::rows(weight, input).unwrap_or(1).min(shared),
        }
    }

    /// Cycles that products take beyond those of look-up tables: the slice has four registers, and its sums are put
    /// right in one more.
    pub(super) fn delay(self) -> u64 {
        match self {
            Multiplier::Lut => 0,
            Multiplier::Dsp => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_products_share_a_slice() {
        let rows = |w, a| Multiplier::rows(DataType::Int(w), DataType::Uint(a));
        assert_eq!(rows(4, 4), Some(4));
        assert_eq!(rows(3, 3), Some(5));
        assert_eq!(rows(8, 8), Some(2));
        assert_eq!(rows(2, 2), Some(9));
        assert_eq!(rows(9, 2), None);
        assert_eq!(Multiplier::rows(DataType::Bipolar, DataType::Uint(4)), None);
    }
}
