//! The rounding modes of QONNX' `Quant` and `Trunc`.
//! Must not know quantisers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a real number becomes an integer. Names are those of QONNX' `rounding_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rounding {
    /// To nearest, ties to even; `ROUND` in QONNX.
    HalfEven,
    /// Towards plus infinity.
    Ceil,
    /// Towards minus infinity.
    Floor,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// To nearest, ties away from zero.
    HalfUp,
    /// To nearest, ties towards zero.
    HalfDown,
}

/// QONNX' names, read without regard to case.
const NAMES: &[(&str, Rounding)] = &[
    ("ROUND", Rounding::HalfEven),
    ("HALF_EVEN", Rounding::HalfEven),
    ("CEIL", Rounding::Ceil),
    ("FLOOR", Rounding::Floor),
    ("UP", Rounding::Up),
    ("DOWN", Rounding::Down),
    ("HALF_UP", Rounding::HalfUp),
    ("HALF_DOWN", Rounding::HalfDown),
];

impl Rounding {
    /// QONNX' name; the first one where there are several.
    pub fn name(self) -> &'static str {
        let named = NAMES.iter().find(|(_, mode)| *mode == self);
        named.map_or("ROUND", |(name, _)| name)
    }

    /// The integer for `x`, as a float.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Rounding::HalfEven => x.round_ties_even(),
            Rounding::Ceil => x.ceil(),
            Rounding::Floor => x.floor(),
            Rounding::Up => x.abs().ceil().copysign(x),
            Rounding::Down => x.trunc(),
            Rounding::HalfUp => x.round(),
            Rounding::HalfDown => (x.abs() - 0.5).ceil().max(0.0).copysign(x),
        }
    }
}

impl FromStr for Rounding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        NAMES
            .iter()
            .find(|(name, _)| *name == upper)
            .map(|(_, mode)| *mode)
            .ok_or_else(|| {
                let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                format!("rounding mode `{text}` is none of {}", names.join(", "))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_and_signs() {
        // columns: -2.5 -1.5 -1.2 -0.5 0.5 1.2 1.5 2.5
        let inputs = [-2.5, -1.5, -1.2, -0.5, 0.5, 1.2, 1.5, 2.5];
        for (mode, expected) in [
            ("ROUND", [-2., -2., -1., 0., 0., 1., 2., 2.]),
            ("ceil", [-2., -1., -1., 0., 1., 2., 2., 3.]),
            ("FLOOR", [-3., -2., -2., -1., 0., 1., 1., 2.]),
            ("UP", [-3., -2., -2., -1., 1., 2., 2., 3.]),
            ("DOWN", [-2., -1., -1., 0., 0., 1., 1., 2.]),
            ("HALF_UP", [-3., -2., -1., -1., 1., 1., 2., 3.]),
            ("HALF_DOWN", [-2., -1., -1., 0., 0., 1., 1., 2.]),
        ] {
            let mode: Rounding = mode.parse().expect("a mode");
            assert_eq!(inputs.map(|x| mode.apply(x)), expected, "{mode:?}");
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert!("NEAREST".parse::<Rounding>().is_err());
    }
}
