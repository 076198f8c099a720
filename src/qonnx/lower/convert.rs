//! Reals of one grid as those of another, and integers as sums of what an f32 holds.
//! Must not know operators.

use tract_onnx::pb::NodeProto;

use super::grid::{Grid, Operands};
use super::{Lowering, Made};
use crate::error::{Error, Result};

/// Integers are split at multiples of this, so that both parts fit an f32.
const FINE: f64 = 4096.0;

impl Lowering<'_> {
    /// A constant of integers as the sum of two that f32 holds; of one where it can.
    pub(super) fn split(&mut self, name: &str) -> Result<(String, Option<String>)> {
        let whole = (self.resolved(name), None);
        let Some((shape, values)) = self.contents(name) else {
            return Ok(whole);
        };
        if values
            .iter()
            .all(|value| f64::from(*value as f32) == *value)
        {
            return Ok(whole);
        }
        let coarse = |value: &f64| (value / FINE).floor() * FINE;
        let coarses: Vec<f64> = values.iter().map(coarse).collect();
        let fines: Vec<f64> = values.iter().map(|value| value - coarse(value)).collect();
        let first = self.real(format!("{name}.coarse"), &shape, &coarses)?;
        let second = self.real(format!("{name}.fine"), &shape, &fines)?;
        Ok((first, Some(second)))
    }

    /// Reals of one grid as those of another one with the same integers.
    pub(super) fn converted(
        &mut self,
        origin: &NodeProto,
        name: &str,
        from: &Grid,
        to: &Operands,
    ) -> Result<String> {
        let steps = [
            ("Div", &from.operands.scale),
            ("Add", &from.operands.zero),
            ("Sub", &to.zero),
            ("Mul", &to.scale),
        ];
        let mut current = from.real.clone();
        for (op, operand) in steps {
            let Some(operand) = operand else { continue };
            let Some((_, values)) = self.contents(operand) else {
                return Err(Error::user(format!(
                    "`{operand}` is computed, and differs from how `{name}` was quantised"
                ))
                .help("fold constants before the export"));
            };
            let [value] = values[..] else {
                return Err(Error::user(format!(
                    "`{operand}` differs along an axis, and from how `{name}` was quantised"
                ))
                .help("use the scale and zero-point of the quantiser"));
            };
            if matches!((op, value), ("Add" | "Sub", 0.0) | ("Div" | "Mul", 1.0)) {
                continue;
            }
            let operand = self.real(format!("{name}.{}", op.to_lowercase()), &[], &[value])?;
            let output = self.fresh(format!("{name}.converted"));
            let made = Made {
                op,
                inputs: vec![current, operand],
                output: output.clone(),
                attributes: Vec::new(),
            };
            self.push(origin, &format!(".{}", op.to_lowercase()), made);
            current = output;
        }
        Ok(current)
    }
}
