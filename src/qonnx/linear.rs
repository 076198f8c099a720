//! `QuantizeLinear` and `DequantizeLinear` between the file and the network: lowered nodes are written and read
//! here, and the types of integers told. Must not know how other operators become these two.

use tract_onnx::pb::tensor_proto::DataType as Kind;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::attribute::{Attributes, int, text};
use super::graph::Walk;
use super::operator::{finish, inputs};
use crate::error::{Error, Result};
use crate::network::{Linear, Op};
use crate::tensor::DataType;

/// Integer types of ONNX by their number in the file, with the first version of the standard operators that
/// has them beside a scale. Integers of 32 bits are dequantised only.
const TYPES: &[(i32, DataType, i64)] = &[
    (Kind::Int8 as i32, DataType::Int(8), 10),
    (Kind::Uint8 as i32, DataType::Uint(8), 10),
    (Kind::Int16 as i32, DataType::Int(16), 21),
    (Kind::Uint16 as i32, DataType::Uint(16), 21),
    (UINT4, DataType::Uint(4), 21),
    (INT4, DataType::Int(4), 21),
    (Kind::Int32 as i32, DataType::Int(32), 10),
];

/// Two elements share a byte; tract does not know these types.
pub(super) const UINT4: i32 = 21;
/// As [`UINT4`].
pub(super) const INT4: i32 = 22;

/// A type that ONNX quantises to, for integers of `element` of which only those from `bounds.0` to `bounds.1` are
/// there; `element` itself where there is none.
pub(super) fn quantised(element: DataType, bounds: (i64, i64)) -> DataType {
    let holds = |kind: &DataType| kind.contains(bounds.0) && kind.contains(bounds.1);
    let narrow = TYPES
        .iter()
        .map(|entry| entry.1)
        .filter(|kind| (8..=16).contains(&kind.bits()));
    match element.bits() > 16 {
        true => narrow.into_iter().find(holds).unwrap_or(element),
        false => element,
    }
}

/// The integer type that has this number in the file.
pub(super) fn element_of(kind: i32) -> Option<DataType> {
    let entry = TYPES.iter().find(|entry| entry.0 == kind);
    entry.map(|entry| entry.1)
}

/// Number of an integer type in the file, and the first opset that quantises to it.
pub(super) fn kind_of(element: DataType) -> Option<(i32, i64)> {
    let entry = TYPES.iter().find(|entry| entry.1 == element);
    entry.map(|entry| (entry.0, entry.2))
}

/// Attributes of a lowered node; the axis may count from the end.
pub(super) fn attributes(
    element: DataType,
    (low, high): (i64, i64),
    axis: i64,
) -> Vec<AttributeProto> {
    vec![
        text("element", &element.to_string()),
        int("low", low),
        int("high", high),
        int("axis", axis),
    ]
}

fn read(walk: &mut Walk<'_>, node: &NodeProto, op: fn(Linear) -> Op) -> Result<()> {
    let attributes = Attributes(node);
    let element = attributes.text("element", "").parse();
    let element: DataType = element.map_err(|cause: String| Error::user(cause))?;
    let inputs = inputs(walk, node)?;
    let rank = walk.shape(inputs[0]).len() as i64;
    let given = attributes.int("axis", 1);
    let axis = if given < 0 { given + rank } else { given };
    let differs = inputs[1..3]
        .iter()
        .any(|id| walk.shape(*id).iter().product::<usize>() != 1);
    // The default axis of one number for all may lie beyond the last one.
    let axis = match (0..rank).contains(&axis) {
        true => axis as usize,
        false if !differs => 0,
        false => {
            return Err(Error::user(format!(
                "its axis is {given}, of a tensor with {rank} axes"
            )));
        }
    };
    let linear = Linear {
        element,
        low: attributes.int("low", element.min()),
        high: attributes.int("high", element.max()),
        axis: if differs { axis } else { 0 },
    };
    finish(walk, node, op(linear), inputs)
}

/// A lowered `QuantizeLinear`.
pub(super) fn read_quantize(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    read(walk, node, Op::QuantizeLinear)
}

/// A lowered `DequantizeLinear`, whose integers are constants.
pub(super) fn read_dequantize(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    read(walk, node, Op::DequantizeLinear)
}
