//! onnxruntime's operators on quantised tensors that are no matrix products.
//! Must not know how grids are compared.

use tract_onnx::pb::NodeProto;

use super::linear::required_output;
use super::product::{between, channels_last, meaning, requantise};
use super::{Lowering, Made, required};
use crate::error::{Error, Result};
use crate::qonnx::attribute::Attributes;

/// The operator on reals: `QLinearAdd` is `Add`.
fn on_reals(node: &NodeProto) -> &str {
    let name = node.op_type.as_str();
    name.strip_prefix("QLinear").unwrap_or(name)
}

fn finish(
    lowering: &mut Lowering<'_>,
    node: &NodeProto,
    inputs: Vec<String>,
    slots: (usize, usize),
) -> Result<()> {
    let output = between(lowering, node)?;
    let own = ["channels_last"];
    let attributes = node.attribute.iter();
    let attributes = attributes.filter(|attribute| !own.contains(&attribute.name.as_str()));
    let made = Made {
        op: on_reals(node),
        inputs,
        output: output.clone(),
        attributes: attributes.cloned().collect(),
    };
    lowering.push(node, "", made);
    requantise(lowering, node, output, slots)
}

/// `QLinearAdd` and `QLinearMul`: a, scale, zero-point, b, scale, zero-point, output scale, output zero-point.
pub(super) fn binary(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let mut inputs = Vec::new();
    for (slot, what) in [(0, "first"), (3, "second")] {
        let operands = meaning(lowering, node, (slot + 1, slot + 2), 1)?;
        inputs.push(lowering.reals(node, required(node, slot, what)?, what, &operands)?);
    }
    finish(lowering, node, inputs, (6, 7))
}

/// Operators with one operand: x, scale, zero-point, output scale, output zero-point.
pub(super) fn unary(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    if Attributes(node).flag("channels_last", false) {
        return Err(channels_last());
    }
    let operands = meaning(lowering, node, (1, 2), 1)?;
    let input = lowering.reals(node, required(node, 0, "input")?, "input", &operands)?;
    finish(lowering, node, vec![input], (3, 4))
}

/// `QLinearConcat`: output scale, output zero-point, and for each operand itself, its scale and its zero-point.
pub(super) fn concat(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let count = node.input.len();
    if count < 5 || !(count - 2).is_multiple_of(3) {
        return Err(Error::user(format!(
            "it has {count} inputs, not two and three for each operand"
        )));
    }
    required_output(node)?;
    let mut inputs = Vec::new();
    for slot in (2..count).step_by(3) {
        let operands = meaning(lowering, node, (slot + 1, slot + 2), 1)?;
        let name = required(node, slot, "operand")?;
        inputs.push(lowering.reals(node, name, "operand", &operands)?);
    }
    finish(lowering, node, inputs, (0, 1))
}
