//! Convolutions and matrix products on integers.
//! Must not know onnxruntime's other operators.

use tract_onnx::pb::NodeProto;

use super::grid::Operands;
use super::linear::required_output;
use super::{Lowering, Made, optional, required};
use crate::error::{Error, Result};
use crate::qonnx::attribute::{Attributes, float, int};

/// Scale and zero-point of an operand in these two slots.
pub(super) fn meaning(
    lowering: &Lowering<'_>,
    node: &NodeProto,
    (scale, zero): (usize, usize),
    axis: i64,
) -> Result<Operands> {
    let scale = required(node, scale, "scale")?;
    let zero = optional(node, zero);
    let kind = crate::tensor::DataType::Int(8);
    Ok(lowering.operands((scale, zero), axis, Some(kind))?.0)
}

/// Ends a node on reals: its output in quantised form, in the scale and zero-point of these slots.
pub(super) fn requantise(
    lowering: &mut Lowering<'_>,
    node: &NodeProto,
    real: String,
    (scale, zero): (usize, usize),
) -> Result<()> {
    let scale = required(node, scale, "scale of its output")?;
    let meaning = lowering.operands((scale, optional(node, zero)), 1, None)?;
    let bounds = (meaning.1.min(), meaning.1.max());
    let output = required_output(node)?;
    lowering.quantise(node, ".quantize", (real, output), meaning, bounds)
}

/// The tensor between a node on reals and its quantiser.
pub(super) fn between(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<String> {
    let output = required_output(node)?.to_owned();
    Ok(lowering.fresh(format!("{output}.real")))
}

/// The scale of accumulators: the product of those of both operands, and of `alpha`, as nodes.
fn accumulator(
    lowering: &mut Lowering<'_>,
    node: &NodeProto,
    scales: [&Operands; 2],
    alpha: f64,
) -> Result<String> {
    let output = required_output(node)?.to_owned();
    let mut factors: Vec<String> = scales.iter().filter_map(|s| s.scale.clone()).collect();
    if alpha != 1.0 {
        factors.push(lowering.real(format!("{output}.alpha"), &[], &[alpha])?);
    }
    let shapes = factors.iter().filter_map(|name| lowering.contents(name));
    let longest = shapes.max_by_key(|(_, values)| values.len());
    let shape = longest.map_or(Vec::new(), |(shape, _)| shape);
    let mut product = factors.remove(0);
    for factor in factors {
        let name = lowering.fresh(format!("{output}.bias_scale"));
        let made = Made {
            op: "Mul",
            inputs: vec![product, factor],
            output: name.clone(),
            attributes: Vec::new(),
        };
        lowering.push(node, ".bias_scale", made);
        lowering.products.insert(name.clone(), shape.clone());
        product = name;
    }
    Ok(product)
}

/// The 32-bit bias in this slot as reals.
fn bias(
    lowering: &mut Lowering<'_>,
    node: &NodeProto,
    slot: usize,
    scales: [&Operands; 2],
    (alpha, axis): (f64, i64),
) -> Result<Option<String>> {
    let Some(name) = optional(node, slot) else {
        return Ok(None);
    };
    let scale = accumulator(lowering, node, scales, alpha)?;
    let operands = Operands {
        scale: Some(scale),
        zero: None,
        axis,
    };
    lowering.reals(node, name, "bias", &operands).map(Some)
}

/// `QLinearConv`: x, scale, zero-point, weights, scale, zero-point, output scale, output zero-point, bias.
pub(super) fn convolution(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    if Attributes(node).flag("channels_last", false) {
        return Err(channels_last());
    }
    let x = meaning(lowering, node, (1, 2), 1)?;
    let weights = meaning(lowering, node, (4, 5), 0)?;
    let mut inputs = vec![
        lowering.reals(node, required(node, 0, "input")?, "input", &x)?,
        lowering.reals(node, required(node, 3, "weights")?, "weights", &weights)?,
    ];
    inputs.extend(bias(lowering, node, 8, [&x, &weights], (1.0, 0))?);
    let output = between(lowering, node)?;
    let made = Made {
        op: "Conv",
        inputs,
        output: output.clone(),
        attributes: node.attribute.clone(),
    };
    lowering.push(node, "", made);
    requantise(lowering, node, output, (6, 7))
}

/// The error for layouts that only onnxruntime has.
pub(super) fn channels_last() -> Error {
    Error::user("its channels are the last axis (`channels_last`)")
        .help("export without onnxruntime's layout optimisation")
}

/// `QLinearMatMul`: a, scale, zero-point, b, scale, zero-point, output scale, output zero-point.
pub(super) fn matrix(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let a = meaning(lowering, node, (1, 2), 1)?;
    let b = meaning(lowering, node, (4, 5), -1)?;
    let inputs = vec![
        lowering.reals(node, required(node, 0, "input")?, "input", &a)?,
        lowering.reals(node, required(node, 3, "weights")?, "weights", &b)?,
    ];
    let output = between(lowering, node)?;
    let made = Made {
        op: "MatMul",
        inputs,
        output: output.clone(),
        attributes: Vec::new(),
    };
    lowering.push(node, "", made);
    requantise(lowering, node, output, (6, 7))
}

/// `ConvInteger` and `MatMulInteger`: x, weights, zero-point, zero-point. The sums are 32-bit integers.
pub(super) fn integer(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let (op, axis) = match node.op_type.as_str() {
        "ConvInteger" => ("Conv", 0),
        _ => ("MatMul", -1),
    };
    let (x, weights) = (required(node, 0, "input")?, required(node, 1, "weights")?);
    let inputs = vec![
        lowering.integers(node, x, "input", optional(node, 2), 1)?,
        lowering.integers(node, weights, "weights", optional(node, 3), axis)?,
    ];
    let output = required_output(node)?;
    let made = Made {
        op,
        inputs,
        output: output.to_owned(),
        attributes: node.attribute.clone(),
    };
    let maker = lowering.push(node, "", made);
    lowering.accumulated(output, maker);
    Ok(())
}

/// `QGemm`: a, scale, zero-point, b, scale, zero-point, bias, output scale, output zero-point; reals where there is
/// no output scale.
pub(super) fn gemm(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let alpha = attributes.float("alpha", 1.0);
    let turned = attributes.flag("transB", false);
    let a = meaning(lowering, node, (1, 2), 1)?;
    let b = meaning(lowering, node, (4, 5), if turned { 0 } else { 1 })?;
    let mut inputs = vec![
        lowering.reals(node, required(node, 0, "input")?, "input", &a)?,
        lowering.reals(node, required(node, 3, "weights")?, "weights", &b)?,
    ];
    inputs.extend(bias(lowering, node, 6, [&a, &b], (alpha, -1))?);
    let quantised = optional(node, 7).is_some();
    let output = match quantised {
        true => between(lowering, node)?,
        false => required_output(node)?.to_owned(),
    };
    let made = Made {
        op: "Gemm",
        inputs,
        output: output.clone(),
        attributes: vec![
            float("alpha", alpha)?,
            int("transA", attributes.int("transA", 0)),
            int("transB", i64::from(turned)),
        ],
    };
    lowering.push(node, "", made);
    match quantised {
        true => requantise(lowering, node, output, (7, 8)),
        false => Ok(()),
    }
}
