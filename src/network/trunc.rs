//! QONNX `Trunc`: the lowest bits of a fixed-point number go, as an average pool wants it.
//! Must not know tensors or graphs.

use serde::{Deserialize, Serialize};

use super::quantiser::{Quant, Quantiser};
use super::rounding::Rounding;

/// `Trunc` without its operands: of version 1 scale, zero-point, input bit width and output bit width; version 2
/// has the output scale before the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunc {
    /// Two's complement range of the output (version 2).
    pub signed: bool,
    /// Leaves out the smallest value (signed) or the largest (unsigned) (version 2).
    pub narrow: bool,
    /// How the quotient becomes an integer.
    pub rounding: Rounding,
}

/// Levels beyond these are no levels of a hardware type.
const MOST: i64 = 1 << 31;

impl Trunc {
    /// What it does for these operands, and the real value of one step of its codes. Version 1 has no bounds:
    /// its codes are said to go as far as 32 bits.
    ///
    /// # Errors
    /// What is wrong with the operands.
    pub fn resolve(&self, operands: &[f64]) -> Result<(Quantiser, f64), String> {
        let (scale, zero_point, out_bits) = match *operands {
            [scale, zero_point, _, bits] | [scale, zero_point, _, _, bits] => {
                (scale, zero_point, bits)
            }
            _ => return Err(format!("it has {} operands", operands.len())),
        };
        let integer =
            |what: &str, value: f64, most: f64| match value.fract() == 0.0 && value.abs() <= most {
                true => Ok(value as i64),
                false => Err(format!("{what} {value} is not an integer of that size")),
            };
        let positive = |value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(value),
            false => Err(format!("scale {value} is not a positive finite number")),
        };
        let scale = positive(scale)?;
        let bits = integer("output bit width", out_bits, 32.0)?.max(1) as u32;
        let zero_point = integer("zero-point", zero_point, MOST as f64)?;
        let (divisor, step, bounds) = match *operands {
            [_, _, in_bits, out_scale, _] => {
                integer("input bit width", in_bits, 64.0)?;
                let step = positive(out_scale)?;
                let divisor = (step / scale).log2().round_ties_even().exp2();
                let quant = Quant {
                    signed: self.signed,
                    narrow: self.narrow,
                    rounding: self.rounding,
                };
                (divisor, step, quant.range(bits))
            }
            _ => {
                let less = integer("input bit width", operands[2], 64.0)? - i64::from(bits);
                ((less as f64).exp2(), scale, (-MOST, MOST))
            }
        };
        // Version 1 subtracts the zero-point as it is, version 2 in the scale of the output.
        let offset = match operands.len() {
            5 => integer(
                "zero-point by the divisor",
                zero_point as f64 / divisor,
                MOST as f64,
            )?,
            _ => zero_point,
        };
        let quantiser = Quantiser::Trunc {
            rounding: self.rounding,
            scale,
            zero_point,
            divisor,
            bounds,
            offset,
        };
        Ok((quantiser, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Trunc = Trunc {
        signed: false,
        narrow: false,
        rounding: Rounding::Floor,
    };

    #[test]
    fn version_2_divides_by_a_power_of_two_and_clamps() {
        let (quantiser, step) = FLOOR.resolve(&[0.25, 0.0, 10.0, 16.0, 4.0]).expect("fits");
        assert_eq!(step, 16.0);
        assert_eq!(quantiser.codes(), (0, 15, 1));
        let codes = [0.0, 15.75, 16.0, 255.0, 1e6, -3.0].map(|x| quantiser.code(x));
        assert_eq!(codes, [0, 0, 1, 15, 15, 0]);
    }

    #[test]
    fn version_1_keeps_its_scale_and_has_no_bounds() {
        let (quantiser, step) = FLOOR.resolve(&[0.5, 0.0, 8.0, 6.0]).expect("fits");
        assert_eq!(step, 0.5);
        assert_eq!(
            [1.5, 2.0, -0.5, 1000.0].map(|x| quantiser.code(x)),
            [0, 1, -1, 500]
        );
        assert!(FLOOR.resolve(&[0.5, 0.5, 8.0, 6.0]).is_err());
        assert!(FLOOR.resolve(&[0.5, 1.0, 8.0, 2.0, 4.0]).is_err());
    }
}
