//! QONNX' operators for tract, in f32 and in the order of QONNX' text.
//! Must not know `Network`: what tract computes is a second opinion.

use tract_onnx::model::{Onnx, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::{as_op, op_as_typed_op, op_out_of_plan};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_ndarray::{ArrayD, ArrayViewD};

use super::attribute::Attributes;
use super::batch_norm;
use crate::network::Rounding;

/// Domains in which the operators are found.
pub(super) const DOMAINS: &[&str] = &[
    "qonnx.custom_op.general",
    "onnx.brevitas",
    "finn.custom_op.general",
];

/// Domain of `QuantizeLinear` and `DequantizeLinear` once they are lowered: on reals, with all operands. No file
/// has it.
pub(super) const LINEAR: &str = "finnp.linear";

/// tract's ONNX reader with `Quant`, `IntQuant`, `BipolarQuant`, `MultiThreshold` and `Trunc`, and a
/// `BatchNormalization` that is safe on damaged files.
pub fn onnx_with_qonnx() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    onnx.op_register.insert("Quant", quant);
    onnx.op_register.insert("IntQuant", quant);
    onnx.op_register.insert("BipolarQuant", bipolar);
    onnx.op_register.insert("MultiThreshold", multi_threshold);
    onnx.op_register.insert("Trunc", trunc);
    onnx.op_register.insert("QuantizeLinear", quantize_linear);
    onnx.op_register
        .insert("DequantizeLinear", dequantize_linear);
    onnx.op_register
        .insert("BatchNormalization", batch_norm::read);
    onnx
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Quantiser {
    Quant {
        signed: bool,
        narrow: bool,
        rounding: RoundingName,
    },
    Bipolar,
    /// Scale and bias as bits, because operators are compared.
    MultiThreshold {
        scale: u32,
        bias: u32,
        channels_last: bool,
    },
    Trunc {
        signed: bool,
        narrow: bool,
        rounding: RoundingName,
    },
    QuantizeLinear {
        low: i64,
        high: i64,
        axis: i64,
    },
    DequantizeLinear {
        axis: i64,
    },
}

/// [`Rounding`] with the traits that tract asks of operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RoundingName(Rounding);

impl std::hash::Hash for RoundingName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.0 as u8).hash(state);
    }
}

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

fn rounding(attributes: &Attributes<'_>, default: &str) -> TractResult<RoundingName> {
    let name = attributes.text("rounding_mode", default);
    let rounding = name.parse::<Rounding>().map_err(|e| format_err!(e))?;
    Ok(RoundingName(rounding))
}

fn quant(_: &ParsingContext, node: &NodeProto) -> Built {
    let attributes = Attributes(node);
    built(Quantiser::Quant {
        signed: attributes.flag("signed", true),
        narrow: attributes.flag("narrow", false),
        rounding: rounding(&attributes, "ROUND")?,
    })
}

fn trunc(_: &ParsingContext, node: &NodeProto) -> Built {
    let attributes = Attributes(node);
    built(Quantiser::Trunc {
        signed: attributes.flag("signed", true),
        narrow: attributes.flag("narrow", false),
        rounding: rounding(&attributes, "FLOOR")?,
    })
}

fn quantize_linear(_: &ParsingContext, node: &NodeProto) -> Built {
    let attributes = Attributes(node);
    built(Quantiser::QuantizeLinear {
        low: attributes.int("low", 0),
        high: attributes.int("high", 0),
        axis: attributes.int("axis", 1),
    })
}

fn dequantize_linear(_: &ParsingContext, node: &NodeProto) -> Built {
    let axis = Attributes(node).int("axis", 1);
    built(Quantiser::DequantizeLinear { axis })
}

fn bipolar(_: &ParsingContext, _: &NodeProto) -> Built {
    built(Quantiser::Bipolar)
}

fn multi_threshold(_: &ParsingContext, node: &NodeProto) -> Built {
    let attributes = Attributes(node);
    built(Quantiser::MultiThreshold {
        scale: (attributes.float("out_scale", 1.0) as f32).to_bits(),
        bias: (attributes.float("out_bias", 0.0) as f32).to_bits(),
        channels_last: attributes.text("data_layout", "NCHW").ends_with('C'),
    })
}

fn built(quantiser: Quantiser) -> Built {
    Ok((expand(quantiser), vec![]))
}

impl Op for Quantiser {
    fn name(&self) -> StaticName {
        match self {
            Quantiser::Quant { .. } => "Quant".into(),
            Quantiser::Bipolar => "BipolarQuant".into(),
            Quantiser::MultiThreshold { .. } => "MultiThreshold".into(),
            Quantiser::Trunc { .. } => "Trunc".into(),
            Quantiser::QuantizeLinear { .. } => "QuantizeLinear".into(),
            Quantiser::DequantizeLinear { .. } => "DequantizeLinear".into(),
        }
    }
    op_as_typed_op!();
}

impl EvalOp for Quantiser {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let operands = inputs
            .iter()
            .map(|input| input.cast_to::<f32>().map(|tensor| tensor.into_owned()))
            .collect::<TractResult<Vec<Tensor>>>()?;
        let views = operands
            .iter()
            .map(|operand| operand.to_plain_array_view::<f32>())
            .collect::<TractResult<Vec<_>>>()?;
        let result = match (self, &views[..]) {
            (
                Quantiser::Quant {
                    signed,
                    narrow,
                    rounding,
                },
                [x, scale, zero, bits],
            ) => eval_quant(x, scale, zero, bits, *signed, *narrow, rounding.0)?,
            (Quantiser::Bipolar, [x, scale]) => {
                let scale = spread(scale, x.shape())?;
                let mut y = x.to_owned();
                y.zip_mut_with(&scale, |y, s| *y = if *y >= 0.0 { *s } else { -*s });
                y.into_tensor()
            }
            (
                Quantiser::MultiThreshold {
                    scale,
                    bias,
                    channels_last,
                },
                [x, thresholds],
            ) => eval_thresholds(
                x,
                thresholds,
                f32::from_bits(*scale),
                f32::from_bits(*bias),
                *channels_last,
            )?,
            (
                Quantiser::Trunc {
                    signed,
                    narrow,
                    rounding,
                },
                [x, operands @ ..],
            ) => eval_trunc(x, operands, *signed, *narrow, rounding.0)?,
            (Quantiser::QuantizeLinear { low, high, axis }, [x, scale, zero]) => {
                let (scale, zero) = (along(scale, x, *axis)?, along(zero, x, *axis)?);
                let mut y = x.to_owned();
                let levels = y.iter_mut().zip(scale.iter().zip(zero.iter()));
                for (y, (scale, zero)) in levels {
                    let level = (*y / scale).round_ties_even() + zero;
                    *y = (level.max(*low as f32).min(*high as f32) - zero) * scale;
                }
                y.into_tensor()
            }
            (Quantiser::DequantizeLinear { axis }, [x, scale, zero, fine @ ..]) => {
                let (scale, zero) = (along(scale, x, *axis)?, along(zero, x, *axis)?);
                let mut y = x.to_owned();
                if let [fine] = fine {
                    y += &spread(fine, x.shape())?;
                }
                (((y - zero) * scale) as ArrayD<f32>).into_tensor()
            }
            _ => bail!("{} was given {} inputs", Op::name(self), views.len()),
        };
        Ok(tvec!(result.into_tvalue()))
    }
}

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

fn spread<'a>(
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
fn eval_trunc(
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

fn eval_quant(
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

fn eval_thresholds(
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

impl TypedOp for Quantiser {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(inputs[0].shape.clone())))
    }
    as_op!();
}

impl Expansion for Quantiser {
    fn name(&self) -> StaticName {
        Op::name(self)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.equals(&outputs[0].datum_type, f32::datum_type())?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, *self, inputs)
    }
}
