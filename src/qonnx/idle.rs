//! Operators that do nothing to activations at inference, where they really do nothing.
//! Must not know tract.

use tract_onnx::pb::{NodeProto, tensor_proto::DataType as Kind};

use super::attribute::Attributes;
use super::graph::Walk;
use super::operator::finish;
use crate::error::{Error, Result};
use crate::network::{Op, Unary};

fn identity(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    finish(walk, node, Op::Unary(Unary::Identity), vec![input])
}

/// Nothing is dropped outside training. The mask, its second output, is nothing that hardware has.
pub(super) fn read_dropout(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let training = node.input.get(2).filter(|name| !name.is_empty());
    if let Some(name) = training {
        let training = walk.number(name);
        if training.is_ok_and(|training| training != 0.0) {
            return Err(
                Error::user("it is in training mode").help("call `model.eval()` before the export")
            );
        }
    }
    identity(walk, node)
}

/// Reals stay reals; of constants the oracle knows the result.
pub(super) fn read_cast(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    if walk.is_folded(&node.output[0]) {
        return Ok(());
    }
    let to = Attributes(node).int("to", 0);
    match [Kind::Float, Kind::Double]
        .iter()
        .any(|kind| *kind as i64 == to)
    {
        true => identity(walk, node),
        false => Err(
            Error::user(format!("it turns activations into ONNX type number {to}")).help(
                "activations are cast to single or double precision only; quantise them instead",
            ),
        ),
    }
}

/// Activations are not repeated; of constants the oracle knows the result.
pub(super) fn read_expand(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    if walk.is_folded(&node.output[0]) {
        return Ok(());
    }
    let input = walk.id(&node.input[0])?;
    let from = walk.shape(input).to_vec();
    let output = walk.output(&node.output[0])?;
    let to = walk.shape(output).to_vec();
    if from != to {
        return Err(Error::user(format!(
            "it repeats activations of the shape {from:?} to {to:?}"
        ))
        .help("the hardware has no layer that repeats; export the network without `Expand`"));
    }
    let name = walk.name(node);
    let op = Op::Unary(Unary::Identity);
    walk.push(name, &node.op_type, op, vec![input], output);
    Ok(())
}
