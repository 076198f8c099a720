//! QONNX' operators for tract, in f32 and in the order of QONNX' text.
//! Must not know `Network`: what tract computes is a second opinion.

use tract_onnx::model::{Onnx, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::{as_op, op_as_typed_op, op_out_of_plan};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_ndarray::ArrayViewD;

use super::attribute::Attributes;
use super::batch_norm;
use crate::network::Rounding;

/// Domains in which the operators are found.
pub(super) const DOMAINS: &[&str] = &[
    "qonnx.custom_op.general",
    "onnx.brevitas",
    "finn.custom_op.general",
];

/// tract's ONNX reader with `Quant`, `IntQuant`, `BipolarQuant` and `MultiThreshold`, and a `BatchNormalization`
/// that is safe on damaged files.
pub fn onnx_with_qonnx() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    onnx.op_register.insert("Quant", quant);
    onnx.op_register.insert("IntQuant", quant);
    onnx.op_register.insert("BipolarQuant", bipolar);
    onnx.op_register.insert("MultiThreshold", multi_threshold);
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

fn quant(_: &ParsingContext, node: &NodeProto) -> Built {
    let attributes = Attributes(node);
    let rounding = attributes
        .text("rounding_mode", "ROUND")
        .parse::<Rounding>()
        .map_err(|e| format_err!(e))?;
    built(Quantiser::Quant {
        signed: attributes.flag("signed", true),
        narrow: attributes.flag("narrow", false),
        rounding: RoundingName(rounding),
    })
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
            _ => bail!("{} was given {} inputs", Op::name(self), views.len()),
        };
        Ok(tvec!(result.into_tvalue()))
    }
}

fn spread<'a>(
    operand: &'a ArrayViewD<'_, f32>,
    shape: &[usize],
) -> TractResult<ArrayViewD<'a, f32>> {
    operand
        .broadcast(shape)
        .with_context(|| format!("{:?} does not broadcast to {shape:?}", operand.shape()))
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
    let narrow = if narrow { 1.0 } else { 0.0 };
    let (low, high) = match signed {
        true => (-(bits - 1.0).exp2() + narrow, (bits - 1.0).exp2() - 1.0),
        false => (0.0, bits.exp2() - 1.0 - narrow),
    };
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
