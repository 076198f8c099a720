//! QONNX' operators for tract, in f32 and in the order of QONNX' text.
//! Must not know `Network`: what tract computes is a second opinion.

use tract_onnx::model::{Onnx, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::{as_op, op_as_typed_op, op_out_of_plan};
use tract_onnx::tract_hir::internal::*;

use super::attribute::Attributes;
use super::batch_norm;
use super::single::{
    eval_dequantize, eval_quant, eval_quantize, eval_thresholds, eval_trunc, spread,
};
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
        /// None where the layout follows from the rank.
        channels_last: Option<bool>,
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
        channels_last: match attributes.text("data_layout", "") {
            layout if layout.is_empty() => None,
            layout => Some(layout.ends_with('C')),
        },
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
                channels_last.unwrap_or(x.ndim() == 3),
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
                eval_quantize(x, [scale, zero], (*low, *high), *axis)?
            }
            (Quantiser::DequantizeLinear { axis }, [x, scale, zero, fine @ ..]) => {
                eval_dequantize(x, [scale, zero], fine, *axis)?
            }
            _ => bail!("{} was given {} inputs", Op::name(self), views.len()),
        };
        Ok(tvec!(result.into_tvalue()))
    }
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
