//! Sizes of the constants that a file computes, before anybody computes them: a few bytes can ask for terabytes.
//! Must not know what the constants are for.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::attribute::Attributes;
use super::check::label;
use super::constant;
use crate::error::{Error, Result};

/// Most elements of a computed constant.
const MOST: u128 = 1 << 24;

/// Operators whose result is as large as their operands broadcast together.
const BROADCAST: &[&str] = &[
    "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu", "Equal", "Where",
];

/// What is known of constants.
#[derive(Default)]
struct Sizes<'a> {
    /// Shapes; of a computed tensor an upper bound, laid out as one axis where nothing else is known.
    shapes: BTreeMap<&'a str, Vec<u128>>,
    tensors: BTreeMap<&'a str, &'a TensorProto>,
    varying: BTreeSet<&'a str>,
}

/// Refuses constants, and shapes of activations, that nobody could hold.
///
/// # Errors
/// A user error that names the node that would make them.
pub(super) fn check(graph: &GraphProto) -> Result<()> {
    let mut sizes = Sizes::default();
    for tensor in &graph.initializer {
        sizes.constant(&tensor.name, tensor);
    }
    let fed = graph.input.iter().map(|input| input.name.as_str());
    let fed = fed.filter(|name| !sizes.tensors.contains_key(name));
    sizes.varying = fed.collect();
    for node in &graph.node {
        let shape = sizes.of(node);
        let elements = shape.iter().try_fold(1u128, |a, b| a.checked_mul(*b));
        if elements.is_none_or(|count| count > MOST.max(sizes.largest(node))) {
            return Err(Error::user(format!(
                "node {}: its result of the shape {shape:?} is too large",
                label(node)
            ))
            .help("fold constants before the export, or check what this file is"));
        }
        let varies = node
            .input
            .iter()
            .any(|name| sizes.varying.contains(name.as_str()));
        for output in &node.output {
            match varies {
                true => drop(sizes.varying.insert(output)),
                false => drop(sizes.shapes.insert(output, shape.clone())),
            }
        }
        if let ("Constant", Some(output), Some(tensor)) = (
            node.op_type.as_str(),
            node.output.first(),
            node.attribute.iter().find_map(|a| a.t.as_ref()),
        ) {
            sizes.constant(output, tensor);
        }
    }
    Ok(())
}

impl<'a> Sizes<'a> {
    fn constant(&mut self, name: &'a str, tensor: &'a TensorProto) {
        let dims = tensor.dims.iter().map(|d| u128::try_from(*d).unwrap_or(0));
        self.shapes.insert(name, dims.collect());
        self.tensors.insert(name, tensor);
    }

    /// Elements of the largest constant operand: what is in the file is never too large.
    fn largest(&self, node: &NodeProto) -> u128 {
        let operands = node
            .input
            .iter()
            .filter_map(|name| self.shapes.get(name.as_str()));
        operands
            .map(|shape| shape.iter().product())
            .max()
            .unwrap_or(0)
    }

    /// Shape of a node's result; one element for what depends on the input, where tract only computes shapes.
    fn of(&self, node: &NodeProto) -> Vec<u128> {
        let list = |slot: usize| self.list(node.input.get(slot).map_or("", String::as_str));
        match node.op_type.as_str() {
            "ConstantOfShape" => return list(0),
            "Expand" => return list(1),
            "Range" => return self.range(node),
            _ => {}
        }
        let known = |name: &String| self.shapes.get(name.as_str());
        let operands: Option<Vec<&Vec<u128>>> = node
            .input
            .iter()
            .filter(|name| !name.is_empty())
            .map(known)
            .collect();
        let Some(operands) = operands else {
            return Vec::new();
        };
        let count = |shape: &Vec<u128>| shape.iter().fold(1u128, |a, b| a.saturating_mul(*b));
        match (node.op_type.as_str(), &operands[..]) {
            (op, operands) if BROADCAST.contains(&op) => operands
                .iter()
                .fold(Vec::new(), |all, one| broadcast(&all, one)),
            ("MatMul" | "Gemm", [a, b, ..]) => product(a, b, node),
            ("Concat", operands) => {
                vec![
                    operands
                        .iter()
                        .fold(0u128, |sum, shape| sum.saturating_add(count(shape))),
                ]
            }
            ("Gather", [data, indices]) => vec![count(data).saturating_mul(count(indices))],
            (_, [first, ..]) => (*first).clone(),
            (_, []) => Vec::new(),
        }
    }

    /// A list of lengths that stands in the file.
    fn list(&self, name: &str) -> Vec<u128> {
        let values = self
            .tensors
            .get(name)
            .and_then(|tensor| constant::elements(tensor));
        let values = values.unwrap_or_default();
        values.iter().map(|value| value.max(0.0) as u128).collect()
    }

    fn range(&self, node: &NodeProto) -> Vec<u128> {
        let number = |slot: usize| {
            let tensor = self.tensors.get(node.input.get(slot)?.as_str())?;
            constant::elements(tensor)?.first().copied()
        };
        match (number(0), number(1), number(2)) {
            (Some(from), Some(to), Some(step)) => {
                vec![((to - from) / step).abs().ceil().max(1.0) as u128]
            }
            _ => Vec::new(),
        }
    }
}

fn broadcast(a: &[u128], b: &[u128]) -> Vec<u128> {
    let rank = a.len().max(b.len());
    let at = |shape: &[u128], axis: usize| {
        let axis = (axis + shape.len()).checked_sub(rank);
        axis.map_or(1, |axis| shape[axis])
    };
    (0..rank).map(|axis| at(a, axis).max(at(b, axis))).collect()
}

/// Rows and columns of a matrix product; all axes before the last two of both.
fn product(a: &[u128], b: &[u128], node: &NodeProto) -> Vec<u128> {
    let ends = |shape: &[u128], turned: bool| {
        let (last, before) = (shape.len().checked_sub(1), shape.len().checked_sub(2));
        let at = |place: Option<usize>| place.map_or(1, |place| shape[place]);
        if turned { at(last) } else { at(before) }
    };
    let attributes = Attributes(node);
    let rows = ends(a, attributes.flag("transA", false));
    let columns = ends(b, !attributes.flag("transB", false));
    let outer = |shape: &[u128]| shape[..shape.len().saturating_sub(2)].to_vec();
    let mut shape = broadcast(&outer(a), &outer(b));
    shape.extend([rows, columns]);
    shape
}
