//! ONNX `QuantizeLinear` and `DequantizeLinear` without their operands.
//! Must not know tensors or graphs.

use serde::{Deserialize, Serialize};

use super::quantiser::Quantiser;
use crate::tensor::DataType;

/// The integers of `QuantizeLinear` or `DequantizeLinear`, before the zero-point is subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Type that the file stores them in.
    pub element: DataType,
    /// Smallest one; more than the type's where a `Clip` says so.
    pub low: i64,
    /// Largest one; less than the type's where a `Clip` says so.
    pub high: i64,
    /// The axis along which scales and zero-points differ where these are vectors, from 0.
    pub axis: usize,
}

impl Linear {
    /// All integers of `element`.
    pub fn new(element: DataType, axis: usize) -> Self {
        Linear {
            element,
            low: element.min(),
            high: element.max(),
            axis,
        }
    }

    /// What it does in a channel of this scale and zero-point: divide, round half to even, add the zero-point
    /// and only then clamp. Unlike [`super::Quant`] it rounds before the zero-point comes, so that ties go to
    /// even multiples of the scale.
    pub fn quantiser(&self, scale: f64, zero_point: i64) -> Quantiser {
        let bounds = (self.low - zero_point, self.high - zero_point);
        Quantiser::Linear {
            scale,
            bounds,
            codes: bounds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_before_the_zero_point_comes() {
        let linear = Linear::new(DataType::Uint(8), 0);
        let quantiser = linear.quantiser(0.5, 3);
        let codes = [0.25, 0.75, 1.25, -0.25, -100.0, 1e9].map(|x| quantiser.code(x));
        assert_eq!(codes, [0, 2, 2, 0, -3, 252]);
        assert_eq!(quantiser.codes(), (-3, 252, 1));
    }
}
