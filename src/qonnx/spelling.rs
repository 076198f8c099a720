//! How operators of a `Network` are written in ONNX and QONNX: type and attributes.
//! Must not know names of tensors or nodes.

use tract_onnx::pb::AttributeProto;

use super::attribute::{float, int, ints, text};
use crate::error::Result;
use crate::network::{Binary, MultiThreshold, Network, Node, Op, Quant, Unary};
use crate::tensor::DataType;

/// An operator as the file has it.
pub(super) struct Spelling {
    /// ONNX operator type.
    pub(super) name: &'static str,
    /// Its attributes, all of them, so that no reader needs to know defaults.
    pub(super) attributes: Vec<AttributeProto>,
}

/// Spells the operator of `node`.
///
/// # Errors
/// A bug where an attribute is no f32, which a file cannot hold.
pub(super) fn spell(network: &Network, node: &Node) -> Result<Spelling> {
    let shape = |slot: usize| {
        let id = node.inputs.get(slot);
        id.map_or(&[][..], |id| &network.value(*id).shape[..])
    };
    let (name, attributes) = match node.op {
        Op::Quant(quant) => ("Quant", of_quant(quant)),
        Op::BipolarQuant => ("BipolarQuant", Vec::new()),
        Op::MultiThreshold {
            quantiser,
            channels_last,
        } => {
            let layout = layout(shape(0).len(), channels_last);
            let steps = shape(1).last().copied().unwrap_or(0);
            (
                "MultiThreshold",
                vec![
                    text("data_layout", &layout),
                    text("out_dtype", &type_of_output(quantiser, steps)),
                    float("out_scale", quantiser.out_scale)?,
                    float("out_bias", quantiser.out_bias)?,
                ],
            )
        }
        Op::Trunc(_) | Op::Conv { .. } | Op::MaxPool(_) | Op::AveragePool { .. } => {
            return Err(crate::error::Error::bug("it cannot be written yet"));
        }
        Op::Unary(unary) => return of_unary(unary),
        Op::Binary(binary) => (of_binary(binary), Vec::new()),
        Op::BatchNorm { epsilon } => ("BatchNormalization", vec![float("epsilon", epsilon)?]),
        Op::MatMul => ("MatMul", Vec::new()),
        Op::Reshape => ("Reshape", Vec::new()),
        Op::Transpose => {
            let axes = node.permutation.iter().map(|&axis| axis as i64);
            ("Transpose", vec![ints("perm", axes.collect())])
        }
        Op::Softmax { axis, log: false } => ("Softmax", vec![int("axis", axis as i64)]),
        Op::Softmax { axis, log: true } => ("LogSoftmax", vec![int("axis", axis as i64)]),
        Op::ArgMax { axis } => {
            let kept = network.value(node.output).shape.len() == shape(0).len();
            let flags = vec![
                int("axis", axis as i64),
                int("keepdims", i64::from(kept)),
                int("select_last_index", 0),
            ];
            ("ArgMax", flags)
        }
    };
    Ok(Spelling { name, attributes })
}

fn of_quant(quant: Quant) -> Vec<AttributeProto> {
    vec![
        int("signed", i64::from(quant.signed)),
        int("narrow", i64::from(quant.narrow)),
        text("rounding_mode", quant.rounding.name()),
    ]
}

/// QONNX reads the position of C; where channels are axis 1, `NCHW` serves every rank.
fn layout(rank: usize, channels_last: bool) -> String {
    match (channels_last, rank) {
        (false, _) => "NCHW".into(),
        (true, 0..=2) => "NC".into(),
        (true, 3) => "NWC".into(),
        (true, 4) => "NHWC".into(),
        (true, _) => format!("N{}HWC", "D".repeat(rank - 4)),
    }
}

/// QONNX' name of the type of a `MultiThreshold`'s results.
fn type_of_output(quantiser: MultiThreshold, steps: usize) -> String {
    let (base, step, scale, bias) = quantiser.grid(steps);
    let last = base.saturating_add(step.saturating_mul(steps as i64));
    let kind = match (base, last, step) {
        _ if (scale, bias) != (1.0, 0.0) => None,
        (-1, 1, 2) => Some(DataType::Bipolar),
        _ => DataType::spanning(base, last),
    };
    kind.map_or("FLOAT32".into(), |kind| kind.to_string().to_uppercase())
}

fn of_unary(unary: Unary) -> Result<Spelling> {
    let (name, numbers): (_, &[(&str, f64)]) = match &unary {
        Unary::Relu => ("Relu", &[]),
        Unary::LeakyRelu { alpha } => ("LeakyRelu", &[("alpha", *alpha)]),
        // Its bounds are inputs.
        Unary::Clip { .. } => ("Clip", &[]),
        Unary::Sigmoid => ("Sigmoid", &[]),
        Unary::Tanh => ("Tanh", &[]),
        Unary::Elu { alpha } => ("Elu", &[("alpha", *alpha)]),
        Unary::Selu { alpha, gamma } => ("Selu", &[("alpha", *alpha), ("gamma", *gamma)]),
        Unary::HardSigmoid { alpha, beta } => {
            ("HardSigmoid", &[("alpha", *alpha), ("beta", *beta)])
        }
        Unary::Softplus => ("Softplus", &[]),
        Unary::Softsign => ("Softsign", &[]),
        Unary::Neg => ("Neg", &[]),
        Unary::Abs => ("Abs", &[]),
        Unary::Sqrt => ("Sqrt", &[]),
        Unary::Exp => ("Exp", &[]),
        Unary::Identity => ("Identity", &[]),
    };
    let attributes = numbers.iter().map(|(name, value)| float(name, *value));
    Ok(Spelling {
        name,
        attributes: attributes.collect::<Result<_>>()?,
    })
}

fn of_binary(binary: Binary) -> &'static str {
    match binary {
        Binary::Add => "Add",
        Binary::Sub => "Sub",
        Binary::Mul => "Mul",
        Binary::Div => "Div",
        Binary::Pow => "Pow",
        Binary::Min => "Min",
        Binary::Max => "Max",
        Binary::Prelu => "PRelu",
    }
}
