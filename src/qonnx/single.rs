//! The arithmetic of quantisers in f32, for tract, in the order of their texts.
//! Must not know nodes or attributes.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_ndarray::{ArrayD, ArrayViewD};

use crate::network::Rounding;

/// One number, or one for every index of an axis, laid out as `x`.
fn along(
    operand: &ArrayViewD<'_, f32>,
    x: &ArrayViewD<'_, f32>,
    axis: i64,
) -> TractResult<ArrayD<f32>> {
    let rank = x.ndim();
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    let mut shape = vec![1; rank];
    if operand.len() != 1 {
        let length = usize::try_from(axis).ok().and_then(|a| shape.get_mut(a));
        *length.context("no such axis")? = operand.len();
    }
    let operand = operand.to_owned().into_shape_with_order(shape)?;
    Ok(spread(&operand.view(), x.shape())?.to_owned())
}

pub(super) fn spread<'a>(
    operand: &'a ArrayViewD<'_, f32>,
    shape: &[usize],
) -> TractResult<ArrayViewD<'a, f32>> {
    operand
        .broadcast(shape)
        .with_context(|| format!("{:?} does not broadcast to {shape:?}", operand.shape()))
}

/// Smallest and largest level of so many bits.
fn bounds(bits: f32, signed: bool, narrow: bool) -> (f32, f32) {
    let narrow = if narrow { 1.0 } else { 0.0 };
    match signed {
        true => (-(bits - 1.0).exp2() + narrow, (bits - 1.0).exp2() - 1.0),
        false => (0.0, bits.exp2() - 1.0 - narrow),
    }
}

/// Scale, zero-point, input bit width, output scale in version 2, output bit width.
pub(super) fn eval_trunc(
    x: &ArrayViewD<'_, f32>,
    operands: &[ArrayViewD<'_, f32>],
    signed: bool,
    narrow: bool,
    rounding: Rounding,
) -> TractResult<Tensor> {
    let operands = operands
        .iter()
        .map(|operand| spread(operand, x.shape()))
        .collect::<TractResult<Vec<_>>>()?;
    let mut y = x.to_owned();
    let mut operands: Vec<_> = operands.iter().map(|operand| operand.iter()).collect();
    for y in &mut y {
        let operands: TVec<f32> = operands
            .iter_mut()
            .filter_map(Iterator::next)
            .copied()
            .collect();
        let (scale, zero, divisor, bounds, step) = match operands[..] {
            [scale, zero, bits, out_bits] => (scale, zero, (bits - out_bits).exp2(), None, scale),
            [scale, zero, _, step, bits] => {
                let divisor = (step / scale).log2().round_ties_even().exp2();
                (
                    scale,
                    zero,
                    divisor,
                    Some(bounds(bits, signed, narrow)),
                    step,
                )
            }
            _ => bail!("{} operands of Trunc", operands.len()),
        };
        let mut level = (*y / scale + zero).round_ties_even() / divisor;
        if let Some((low, high)) = bounds {
            level = level.min(high).max(low);
        }
        let level = rounding.apply(f64::from(level)) as f32;
        // Version 2 shifts by the zero-point of the output.
        let shift = if bounds.is_some() {
            zero / divisor
        } else {
            zero
        };
        *y = (level - shift) * step;
    }
    Ok(y.into_tensor())
}

pub(super) fn eval_quantize(
    x: &ArrayViewD<'_, f32>,
    [scale, zero]: [&ArrayViewD<'_, f32>; 2],
    (low, high): (i64, i64),
    axis: i64,
) -> TractResult<Tensor> {
    let (scale, zero) = (along(scale, x, axis)?, along(zero, x, axis)?);
    let mut y = x.to_owned();
    let levels = y.iter_mut().zip(scale.iter().zip(zero.iter()));
    for (y, (scale, zero)) in levels {
        let level = (*y / scale).round_ties_even() + zero;
        *y = (level.max(low as f32).min(high as f32) - zero) * scale;
    }
    Ok(y.into_tensor())
}

pub(super) fn eval_dequantize(
    x: &ArrayViewD<'_, f32>,
    [scale, zero]: [&ArrayViewD<'_, f32>; 2],
    fine: &[ArrayViewD<'_, f32>],
    axis: i64,
) -> TractResult<Tensor> {
    let (scale, zero) = (along(scale, x, axis)?, along(zero, x, axis)?);
    let mut y = x.to_owned();
    if let [fine] = fine {
        y += &spread(fine, x.shape())?;
    }
    let real: ArrayD<f32> = (y - zero) * scale;
    Ok(real.into_tensor())
}

pub(super) fn eval_quant(
    x: &ArrayViewD<'_, f32>,
    scale: &ArrayViewD<'_, f32>,
    zero: &ArrayViewD<'_, f32>,
    bits: &ArrayViewD<'_, f32>,
    signed: bool,
    narrow: bool,
    rounding: Rounding,
) -> TractResult<Tensor> {
    let bits = bits.first().copied().context("no bit width")?;
    let (scale, zero) = (spread(scale, x.shape())?, spread(zero, x.shape())?);
    let (low, high) = bounds(bits, signed, narrow);
    let mut y = x.to_owned();
    let levels = y.iter_mut().zip(scale.iter().zip(zero.iter()));
    for (y, (scale, zero)) in levels {
        let level = *y / scale + zero;
        let level = match signed && bits == 1.0 {
            true => {
                if level >= 0.0 {
                    1.0
                } else {
                    -1.0
                }
            }
            // Rounding in f64 is exact for every f32.
            false => rounding.apply(f64::from(level.max(low).min(high))) as f32,
        };
        *y = (level - zero) * scale;
    }
    Ok(y.into_tensor())
}

pub(super) fn eval_thresholds(
    x: &ArrayViewD<'_, f32>,
    thresholds: &ArrayViewD<'_, f32>,
    scale: f32,
    bias: f32,
    channels_last: bool,
) -> TractResult<Tensor> {
    let [rows, steps] = *thresholds.shape() else {
        bail!("thresholds of shape {:?}", thresholds.shape())
    };
    let list: Vec<f32> = thresholds.iter().copied().collect();
    let axis = if channels_last {
        x.ndim().saturating_sub(1)
    } else {
        1.min(x.ndim().saturating_sub(1))
    };
    let inner: usize = x.shape().iter().skip(axis + 1).product();
    let values: Vec<f32> = x
        .iter()
        .enumerate()
        .map(|(position, x)| {
            let row = position / inner % rows;
            let count = list[row * steps..(row + 1) * steps]
                .iter()
                .filter(|t| x >= t)
                .count();
            scale * count as f32 + bias
        })
        .collect();
    Tensor::from_shape(x.shape(), &values)
}
