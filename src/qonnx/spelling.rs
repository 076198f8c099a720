//! How operators of a `Network` are written in ONNX and QONNX: type and attributes.
//! Must not know names of tensors or nodes.

use tract_onnx::pb::AttributeProto;

use super::attribute::{float, int, ints, text};
use crate::error::{Error, Result};
use crate::network::{Binary, MultiThreshold, Network, Node, Op, Quant, Trunc, Unary};
use crate::tensor::{DataType, Window};

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
            let attributes = of_thresholds(quantiser, channels_last, [shape(0), shape(1)])?;
            ("MultiThreshold", attributes)
        }
        Op::Trunc(trunc) => ("Trunc", of_trunc(trunc, node.inputs.len())),
        Op::QuantizeLinear(_) | Op::DequantizeLinear(_) => {
            return Err(Error::bug("it is several operators in ONNX"));
        }
        Op::Conv { window, group } => ("Conv", of_conv(&window, group, shape(0).len())),
        Op::ConvTranspose { window, group } => {
            let (from, to) = (shape(0), &network.value(node.output).shape[..]);
            ("ConvTranspose", of_transpose(&window, group, from, to))
        }
        Op::Concat { axis } => ("Concat", vec![int("axis", axis as i64)]),
        Op::Upsample { .. } => ("Resize", of_upsample()),
        Op::MaxPool(window) => {
            let mut attributes = of_window(&window, shape(0).len());
            attributes.extend([int("ceil_mode", 0), int("storage_order", 0)]);
            ("MaxPool", attributes)
        }
        Op::AveragePool {
            window,
            count_padding,
        } => {
            let attributes = of_average(&window, shape(0).len(), count_padding);
            ("AveragePool", attributes)
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
        Op::Softmax { axis, log } => {
            let name = if log { "LogSoftmax" } else { "Softmax" };
            (name, vec![int("axis", axis as i64)])
        }
        Op::ArgMax { axis } => {
            let kept = network.value(node.output).shape.len() == shape(0).len();
            ("ArgMax", of_arg_max(axis, kept))
        }
    };
    Ok(Spelling { name, attributes })
}

fn of_conv(window: &Window, group: usize, rank: usize) -> Vec<AttributeProto> {
    let mut attributes = of_window(window, rank);
    attributes.push(int("group", group as i64));
    attributes
}

/// Behind the last place of the window there may be pixels.
fn of_transpose(
    window: &Window,
    group: usize,
    from: &[usize],
    to: &[usize],
) -> Vec<AttributeProto> {
    let (span, pads) = (window.span(), window.pads);
    let first = 4 - from.len();
    let more = (first..2).map(|axis| {
        let (rows, size) = (from[axis + from.len() - 2], to[axis + to.len() - 2]);
        let made = (rows - 1) * window.stride[axis] + span[axis];
        (size + pads[axis] + pads[axis + 2]).saturating_sub(made) as i64
    });
    let mut attributes = of_conv(window, group, from.len());
    attributes.push(ints("output_padding", more.collect()));
    attributes
}

/// Every pixel becomes as many of its kind, whoever reads it.
fn of_upsample() -> Vec<AttributeProto> {
    vec![
        text("mode", "nearest"),
        text("coordinate_transformation_mode", "asymmetric"),
        text("nearest_mode", "floor"),
    ]
}

fn of_arg_max(axis: usize, kept: bool) -> Vec<AttributeProto> {
    vec![
        int("axis", axis as i64),
        int("keepdims", i64::from(kept)),
        int("select_last_index", 0),
    ]
}

fn of_thresholds(
    quantiser: MultiThreshold,
    channels_last: bool,
    [x, thresholds]: [&[usize]; 2],
) -> Result<Vec<AttributeProto>> {
    let steps = thresholds.last().copied().unwrap_or(0);
    Ok(vec![
        text("data_layout", &layout(x.len(), channels_last)),
        text("out_dtype", &type_of_output(quantiser, steps)),
        float("out_scale", quantiser.out_scale)?,
        float("out_bias", quantiser.out_bias)?,
    ])
}

fn of_quant(quant: Quant) -> Vec<AttributeProto> {
    vec![
        int("signed", i64::from(quant.signed)),
        int("narrow", i64::from(quant.narrow)),
        text("rounding_mode", quant.rounding.name()),
    ]
}

fn of_average(window: &Window, rank: usize, count_padding: bool) -> Vec<AttributeProto> {
    let mut attributes = of_window(window, rank);
    // Older versions are dense and have no attribute to say so.
    if window.dilation == [1; 2] {
        attributes.retain(|attribute| attribute.name != "dilations");
    }
    let counted = int("count_include_pad", i64::from(count_padding));
    attributes.extend([int("ceil_mode", 0), counted]);
    attributes
}

/// Version 1 knows no bounds.
fn of_trunc(trunc: Trunc, inputs: usize) -> Vec<AttributeProto> {
    let mut attributes = vec![text("rounding_mode", trunc.rounding.name())];
    if inputs == 6 {
        attributes.push(int("signed", i64::from(trunc.signed)));
        attributes.push(int("narrow", i64::from(trunc.narrow)));
    }
    attributes
}

/// A window over a tensor of `rank` axes, the last one or two of which are the picture's.
fn of_window(window: &Window, rank: usize) -> Vec<AttributeProto> {
    let first = usize::from(rank == 3);
    let list =
        |values: [usize; 2]| -> Vec<i64> { values[first..].iter().map(|v| *v as i64).collect() };
    let [top, left, bottom, right] = window.pads;
    let ends: Vec<i64> = [[top, left], [bottom, right]].map(list).concat();
    vec![
        ints("kernel_shape", list(window.kernel)),
        ints("strides", list(window.stride)),
        ints("dilations", list(window.dilation)),
        ints("pads", ends),
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
