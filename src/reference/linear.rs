//! ONNX `QuantizeLinear` and `DequantizeLinear` on known tensors: scales and zero-points per tensor or per axis.
//! Must not know the graph around them.

use super::known::{Code, Known, inner_length};
use super::node::check_scale;
use crate::error::{Error, Result};
use crate::network::{Coding, Linear};
use crate::tensor::{PerChannel, Tensor};

/// Scales and zero-points, one each or one for every index of the axis.
pub struct LinearGrid {
    /// Real values of one step.
    pub scale: PerChannel,
    /// Integers that stand for real 0.
    pub zero_point: PerChannel,
}

impl LinearGrid {
    /// Zero-point of a channel.
    fn zero(&self, channel: usize) -> i64 {
        self.zero_point.at(channel) as i64
    }

    fn channels(&self) -> usize {
        let channels = self.scale.channels().or(self.zero_point.channels());
        channels.unwrap_or(1)
    }
}

/// The operands of `linear` on a tensor of `shape`.
///
/// # Errors
/// A user error for operands that do not fit the shape, scales that are not positive finite numbers, and
/// zero-points that the integers' type does not have.
pub fn linear_grid(
    linear: Linear,
    shape: &[usize],
    scale: &Tensor<f64>,
    zero: &Tensor<f64>,
) -> Result<LinearGrid> {
    check_scale(scale)?;
    let element = linear.element;
    let strange = |zero: &&f64| zero.fract() != 0.0 || !element.contains(**zero as i64);
    if let Some(bad) = zero.data().iter().find(strange) {
        return Err(Error::user(format!(
            "zero-point {bad} is no integer of the type {element}"
        )));
    }
    let along = |what: &str, values: &Tensor<f64>| {
        let fits = values.len() == 1
            || values.shape().len() == 1 && shape.get(linear.axis) == Some(&values.len());
        match fits {
            true => Ok(PerChannel::from_values(values.data().to_vec())),
            false => Err(Error::user(format!(
                "its {what} has the shape {:?}, which fits neither one number nor axis {} of {shape:?}",
                values.shape(),
                linear.axis
            ))
            .help("quantise per tensor or per axis, not in blocks")),
        }
    };
    Ok(LinearGrid {
        scale: along("scale", scale)?,
        zero_point: along("zero-point", zero)?,
    })
}

/// The grid that `x` is rounded to.
pub(super) fn quantised(x: &Known, linear: Linear, scale: &Known, zero: &Known) -> Result<Known> {
    let shape = x.real.shape();
    let grid = linear_grid(linear, shape, &scale.real, &zero.real)?;
    let quantisers: Vec<_> = (0..grid.channels())
        .map(|channel| linear.quantiser(grid.scale.at(channel), grid.zero(channel)))
        .collect();
    let inner = inner_length(shape, linear.axis);
    let mut position = 0;
    let integers = x.real.map(|value| {
        let channel = position / inner.max(1) % quantisers.len();
        position += 1;
        quantisers[channel].code(*value)
    });
    Ok(coded(integers, grid, linear))
}

/// Constant integers with their grid.
pub(super) fn dequantised(
    x: &Known,
    linear: Linear,
    scale: &Known,
    zero: &Known,
    fine: &[&Known],
) -> Result<Known> {
    let shape = x.real.shape();
    let grid = linear_grid(linear, shape, &scale.real, &zero.real)?;
    let mut values = x.real.clone();
    if let [fine] = fine {
        let both = values.data().iter().zip(fine.real.data());
        values = Tensor::new(shape.to_vec(), both.map(|(a, b)| a + b).collect())?;
    }
    let allowed = linear.low as f64..=linear.high as f64;
    let strange = |value: &&f64| value.fract() != 0.0 || !allowed.contains(*value);
    if let Some(bad) = values.data().iter().find(strange) {
        return Err(Error::user(format!(
            "it reads {bad}, which is no integer of the type {}",
            linear.element
        )));
    }
    let (inner, channels) = (inner_length(shape, linear.axis), grid.channels());
    let mut position = 0;
    let integers = values.map(|value| {
        let channel = position / inner.max(1) % channels;
        position += 1;
        *value as i64 - grid.zero(channel)
    });
    Ok(coded(integers, grid, linear))
}

fn coded(integers: Tensor<i64>, grid: LinearGrid, linear: Linear) -> Known {
    Known::coded(Code {
        integers,
        coding: Coding::scaled(grid.scale),
        axis: linear.axis,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::DataType;

    fn known(shape: &[usize], values: &[f64]) -> Known {
        Known::real(Tensor::new(shape.to_vec(), values.to_vec()).expect("fits"))
    }

    #[test]
    fn a_bias_of_31_bits_is_exact() {
        let linear = Linear::new(DataType::Int(32), 0);
        let (coarse, fine) = (known(&[1], &[2_147_479_552.0]), known(&[1], &[4095.0]));
        let (scale, zero) = (known(&[], &[1.0]), known(&[], &[0.0]));
        let made = dequantised(&coarse, linear, &scale, &zero, &[&fine]).expect("fits");
        assert_eq!(made.real.data(), [f64::from(i32::MAX)]);
    }

    #[test]
    fn each_channel_has_its_own_zero() {
        let linear = Linear::new(DataType::Uint(8), 0);
        let weights = known(&[2, 2], &[0.0, 255.0, 1.0, 2.0]);
        let (scale, zero) = (known(&[2], &[0.5, 2.0]), known(&[2], &[128.0, 1.0]));
        let made = dequantised(&weights, linear, &scale, &zero, &[]).expect("fits");
        assert_eq!(made.real.data(), [-64.0, 63.5, 0.0, 2.0]);
        let again = quantised(&made, linear, &scale, &zero).expect("fits");
        assert_eq!(again.real, made.real);
        assert!(quantised(&made, linear, &known(&[3], &[1.0; 3]), &zero).is_err());
    }
}
