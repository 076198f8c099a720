//! The table of ONNX and QONNX operators: how each one enters the network.
//! Must not know tract or the walk's order.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use super::graph::Walk;
use super::{idle, linear, lower, quantiser, resample, sliding};
use crate::error::{Error, Result};
use crate::network::{Binary, Op, Unary, ValueId};

/// How one operator is read.
pub(super) struct Operator {
    /// ONNX operator type.
    pub(super) name: &'static str,
    /// Whether it is one of QONNX'.
    pub(super) quantiser: bool,
    /// Fewest and most inputs.
    pub(super) inputs: (usize, usize),
    /// Adds it to the network.
    pub(super) read: fn(&mut Walk<'_>, &NodeProto) -> Result<()>,
}

const fn standard(name: &'static str, inputs: (usize, usize), read: Read) -> Operator {
    Operator {
        name,
        quantiser: false,
        inputs,
        read,
    }
}

const fn quantiser(name: &'static str, inputs: (usize, usize), read: Read) -> Operator {
    Operator {
        name,
        quantiser: true,
        inputs,
        read,
    }
}

type Read = fn(&mut Walk<'_>, &NodeProto) -> Result<()>;

/// Every operator that may act on activations.
const OPERATORS: &[Operator] = &[
    quantiser("Quant", (4, 4), quantiser::read_quant),
    quantiser("IntQuant", (4, 4), quantiser::read_quant),
    quantiser("BipolarQuant", (2, 2), |walk, node| {
        plain(walk, node, Op::BipolarQuant)
    }),
    quantiser("MultiThreshold", (2, 2), quantiser::read_multi_threshold),
    quantiser("Trunc", (5, 6), quantiser::read_trunc),
    quantiser("QuantizeLinear", (3, 3), linear::read_quantize),
    quantiser("DequantizeLinear", (3, 4), linear::read_dequantize),
    standard("Conv", (2, 3), sliding::read_conv),
    standard("ConvTranspose", (2, 3), resample::read_conv_transpose),
    standard("Resize", (1, 4), resample::read_resize),
    standard("Upsample", (2, 2), resample::read_resize),
    standard("Concat", (1, usize::MAX), read_concat),
    standard("MaxPool", (1, 1), sliding::read_max_pool),
    standard("GlobalMaxPool", (1, 1), sliding::read_global_max_pool),
    standard("AveragePool", (1, 1), sliding::read_average_pool),
    standard(
        "GlobalAveragePool",
        (1, 1),
        sliding::read_global_average_pool,
    ),
    standard("ReduceMean", (1, 2), sliding::read_reduce_mean),
    standard("Pad", (1, 4), sliding::read_pad),
    standard("MatMul", (2, 2), |walk, node| plain(walk, node, Op::MatMul)),
    standard("Gemm", (2, 3), read_gemm),
    standard("BatchNormalization", (5, 5), read_batch_norm),
    standard("Add", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Add))
    }),
    standard("Sub", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Sub))
    }),
    standard("Mul", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Mul))
    }),
    standard("Div", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Div))
    }),
    standard("Pow", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Pow))
    }),
    standard("Min", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Min))
    }),
    standard("Max", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Max))
    }),
    standard("PRelu", (2, 2), |walk, node| {
        plain(walk, node, Op::Binary(Binary::Prelu))
    }),
    standard("Relu", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Relu)
    }),
    standard("LeakyRelu", (1, 1), |walk, node| {
        unary(walk, node, |a| Unary::LeakyRelu {
            alpha: a.float("alpha", 0.01),
        })
    }),
    standard("Clip", (1, 3), read_clip),
    standard("Sigmoid", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Sigmoid)
    }),
    standard("Tanh", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Tanh)
    }),
    standard("Elu", (1, 1), |walk, node| {
        unary(walk, node, |a| Unary::Elu {
            alpha: a.float("alpha", 1.0),
        })
    }),
    standard("Selu", (1, 1), |walk, node| {
        unary(walk, node, |a| Unary::Selu {
            alpha: a.float("alpha", 1.673_263_2),
            gamma: a.float("gamma", 1.050_701),
        })
    }),
    standard("HardSigmoid", (1, 1), |walk, node| {
        unary(walk, node, |a| Unary::HardSigmoid {
            alpha: a.float("alpha", 0.2),
            beta: a.float("beta", 0.5),
        })
    }),
    standard("Softplus", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Softplus)
    }),
    standard("Softsign", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Softsign)
    }),
    standard("Neg", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Neg)
    }),
    standard("Abs", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Abs)
    }),
    standard("Sqrt", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Sqrt)
    }),
    standard("Exp", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Exp)
    }),
    standard("Identity", (1, 1), |walk, node| {
        unary(walk, node, |_| Unary::Identity)
    }),
    standard("Dropout", (1, 3), idle::read_dropout),
    standard("Cast", (1, 1), idle::read_cast),
    standard("Expand", (2, 2), idle::read_expand),
    standard("Reshape", (1, 2), read_reshape),
    standard("Flatten", (1, 1), read_reshape),
    standard("Squeeze", (1, 2), read_reshape),
    standard("Unsqueeze", (1, 2), read_reshape),
    standard("Transpose", (1, 1), read_transpose),
    standard("Softmax", (1, 1), |walk, node| {
        read_softmax(walk, node, false)
    }),
    standard("LogSoftmax", (1, 1), |walk, node| {
        read_softmax(walk, node, true)
    }),
    standard("ArgMax", (1, 1), read_arg_max),
];

/// Operators that are met in computations of shapes and constants.
const ON_CONSTANTS: &[&str] = &[
    "Constant",
    "ConstantOfShape",
    "Equal",
    "Gather",
    "Range",
    "ReduceProd",
    "Shape",
    "Slice",
    "Where",
];

/// The entry of an operator that may act on activations.
pub(super) fn find(name: &str, custom: bool) -> Option<&'static Operator> {
    OPERATORS
        .iter()
        .find(|entry| entry.name == name && entry.quantiser == custom)
}

/// Whether an operator is met anywhere.
pub(super) fn is_known(name: &str, custom: bool) -> bool {
    find(name, custom).is_some() || (!custom && ON_CONSTANTS.contains(&name))
}

/// Names of all operators that may act on activations, in the table's order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let on_reals = OPERATORS.iter().map(|entry| entry.name);
    on_reals.chain(lower::names())
}

pub(super) fn inputs(walk: &mut Walk<'_>, node: &NodeProto) -> Result<Vec<ValueId>> {
    node.input
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| walk.id(name))
        .collect()
}

/// An operator whose inputs and first output are the file's.
pub(super) fn plain(walk: &mut Walk<'_>, node: &NodeProto, op: Op) -> Result<()> {
    let inputs = inputs(walk, node)?;
    finish(walk, node, op, inputs)
}

pub(super) fn finish(
    walk: &mut Walk<'_>,
    node: &NodeProto,
    op: Op,
    inputs: Vec<ValueId>,
) -> Result<()> {
    let name = walk.name(node);
    let output = walk.output(&node.output[0])?;
    walk.push(name, &node.op_type, op, inputs, output);
    Ok(())
}

/// An operator on its first input; further ones do not matter at inference.
fn unary(walk: &mut Walk<'_>, node: &NodeProto, op: fn(&Attributes<'_>) -> Unary) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    finish(walk, node, Op::Unary(op(&Attributes(node))), vec![input])
}

fn read_batch_norm(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let statistics = node.output.iter().skip(1).any(|name| !name.is_empty());
    if attributes.flag("training_mode", false) || statistics {
        return Err(
            Error::user("it is in training mode").help("call `model.eval()` before the export")
        );
    }
    plain(
        walk,
        node,
        Op::BatchNorm {
            epsilon: attributes.float("epsilon", 1e-5),
        },
    )
}

/// Bounds are attributes before opset 11 and inputs since.
fn read_clip(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let mut bound = |position: usize, name: &str, default: f64| -> Result<f64> {
        match node.input.get(position).filter(|input| !input.is_empty()) {
            Some(input) => walk
                .number(input)
                .map_err(|error| error.within(format!("its {name}"))),
            None => Ok(attributes.optional_float(name).unwrap_or(default)),
        }
    };
    let low = bound(1, "min", f64::NEG_INFINITY)?;
    let high = bound(2, "max", f64::INFINITY)?;
    let input = walk.id(&node.input[0])?;
    finish(
        walk,
        node,
        Op::Unary(Unary::Clip { low, high }),
        vec![input],
    )
}

/// The oracle knows the new shape, whichever way the file states it.
fn read_reshape(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    let from = walk.shape(input).to_vec();
    let name = walk.name(node);
    let output = walk.output(&node.output[0])?;
    let to = walk.shape(output);
    if from.iter().product::<usize>() != to.iter().product::<usize>() {
        return Err(Error::user(format!(
            "it makes the shape {to:?} of {from:?}, which has another number of elements"
        )));
    }
    if let ("Reshape", Some(list)) = (node.op_type.as_str(), node.input.get(1)) {
        let list = walk.integers(list)?;
        if Attributes(node).flag("allowzero", false) && list.contains(&0) {
            return Err(Error::user(
                "it makes a tensor without elements (`allowzero`)",
            ));
        }
        let stated = |(asked, length): (&i64, &usize)| *asked < 1 || *asked == *length as i64;
        let to = walk.shape(output);
        if list.len() != to.len() || !list.iter().zip(to).all(stated) {
            return Err(Error::user(format!(
                "it asks for the shape {list:?} of {from:?}"
            )));
        }
    }
    walk.push(name, &node.op_type, Op::Reshape, vec![input], output);
    Ok(())
}

fn read_transpose(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    let rank = walk.shape(input).len();
    let given: Vec<usize> = Attributes(node)
        .ints("perm")
        .iter()
        .map(|&axis| axis as usize)
        .collect();
    let permutation = if given.is_empty() {
        (0..rank).rev().collect()
    } else {
        given
    };
    let name = walk.name(node);
    let output = walk.output(&node.output[0])?;
    walk.push_permuted(
        name,
        &node.op_type,
        Op::Transpose,
        permutation,
        vec![input],
        output,
    );
    Ok(())
}

/// `alpha * A' B' + beta * C` as the operators that it stands for; factors of 1 leave no trace.
fn read_gemm(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let (alpha, beta) = (
        attributes.float("alpha", 1.0) as f32,
        attributes.float("beta", 1.0) as f32,
    );
    let name = walk.name(node);
    let out = node.output[0].clone();
    let mut operands = inputs(walk, node)?;
    for (position, flag) in ["transA", "transB"].into_iter().enumerate() {
        if attributes.flag(flag, false) {
            let source = operands[position];
            let shape: Vec<usize> = walk.shape(source).iter().rev().copied().collect();
            let turned = walk.inner(format!("{out}.{flag}"), shape);
            walk.push_permuted(
                format!("{name}.{flag}"),
                &node.op_type,
                Op::Transpose,
                vec![1, 0],
                vec![source],
                turned,
            );
            operands[position] = turned;
        }
    }
    let last_shape = match (walk.shape(operands[0]), walk.shape(operands[1])) {
        ([rows, _], [_, columns]) => vec![*rows, *columns],
        (a, b) => return Err(Error::user(format!("{a:?} and {b:?} are not matrices"))),
    };
    let mut steps: Vec<(&str, Op, Option<ValueId>)> = vec![("", Op::MatMul, Some(operands[1]))];
    if alpha != 1.0 {
        let factor = walk.constant(format!("{out}.alpha"), alpha);
        steps.push((".alpha", Op::Binary(Binary::Mul), Some(factor)));
    }
    if let Some(&bias) = operands.get(2) {
        let bias = scaled_bias(walk, node, &name, bias, beta);
        steps.push((".bias", Op::Binary(Binary::Add), Some(bias)));
    }
    let mut current = operands[0];
    let count = steps.len();
    for (position, (suffix, op, operand)) in steps.into_iter().enumerate() {
        let result = match position + 1 == count {
            true => walk.output(&out)?,
            false => walk.inner(format!("{out}.{position}"), last_shape.clone()),
        };
        let inputs = std::iter::once(current).chain(operand).collect();
        walk.push(format!("{name}{suffix}"), &node.op_type, op, inputs, result);
        current = result;
    }
    Ok(())
}

fn scaled_bias(
    walk: &mut Walk<'_>,
    node: &NodeProto,
    name: &str,
    bias: ValueId,
    beta: f32,
) -> ValueId {
    if beta == 1.0 {
        return bias;
    }
    let out = &node.output[0];
    let factor = walk.constant(format!("{out}.beta"), beta);
    let shape = walk.shape(bias).to_vec();
    let scaled = walk.inner(format!("{out}.scaled_bias"), shape);
    let op = Op::Binary(Binary::Mul);
    walk.push(
        format!("{name}.beta"),
        &node.op_type,
        op,
        vec![bias, factor],
        scaled,
    );
    scaled
}

fn axis_of(walk: &Walk<'_>, node: &NodeProto, input: ValueId, default: i64) -> Result<usize> {
    let rank = walk.shape(input).len() as i64;
    let axis = Attributes(node).int("axis", default);
    let positive = if axis < 0 { axis + rank } else { axis };
    match (0..rank).contains(&positive) {
        true => Ok(positive as usize),
        false => Err(Error::user(format!(
            "axis {axis} of a tensor with {rank} axes"
        ))),
    }
}

/// Tensors side by side.
fn read_concat(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let parts = inputs(walk, node)?;
    let axis = axis_of(walk, node, parts[0], 1)?;
    finish(walk, node, Op::Concat { axis }, parts)
}

fn read_softmax(walk: &mut Walk<'_>, node: &NodeProto, log: bool) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    let old = walk.opset < 13;
    let axis = axis_of(walk, node, input, if old { 1 } else { -1 })?;
    // Before opset 13 all axes from `axis` on were taken together.
    if old
        && walk
            .shape(input)
            .iter()
            .skip(axis + 1)
            .any(|&length| length != 1)
    {
        return Err(
            Error::user("it runs over several axes at once (opset below 13)")
                .help("flatten the tensor before it, or export with opset 13 or later"),
        );
    }
    finish(walk, node, Op::Softmax { axis, log }, vec![input])
}

fn read_arg_max(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    if Attributes(node).flag("select_last_index", false) {
        return Err(Error::user(
            "it selects the last of equal values; the hardware selects the first",
        ));
    }
    let input = walk.id(&node.input[0])?;
    let axis = axis_of(walk, node, input, 0)?;
    finish(walk, node, Op::ArgMax { axis }, vec![input])
}
