//! Attributes that no reader survives: permutations, axes, windows and groups, as far as the file tells.
//! Must not know shapes of activations.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::attribute::Attributes;
use super::check::label;
use super::custom::DOMAINS;
use super::window;
use crate::error::{Error, Result};

/// tract follows a `perm` that is no permutation for ever.
pub(super) fn permutation(node: &NodeProto) -> Result<()> {
    let given = Attributes(node).ints("perm");
    let mut sorted = given.clone();
    sorted.sort_unstable();
    match sorted.into_iter().eq(0..given.len() as i64) {
        true => Ok(()),
        false => Err(Error::user(format!(
            "node {}: `perm` is {given:?}, which is no permutation",
            label(node)
        ))),
    }
}

/// Most axes of a tensor, of which real networks have five.
const AXES: i64 = 64;

/// Axes that no tensor has.
pub(super) fn axes(node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let mut given = attributes.ints("axes");
    given.push(attributes.int("axis", 0));
    match given.iter().find(|axis| !(-AXES..=AXES).contains(*axis)) {
        None => Ok(()),
        Some(axis) => Err(Error::user(format!(
            "node {}: no tensor has an axis {axis}",
            label(node)
        ))),
    }
}

/// Operators that make large tensors of small ones.
const GROWING: [&str; 7] = [
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "Pad",
    "Resize",
    "Upsample",
];

/// Attributes of windows that no reader survives; and windows over constants, which tract evaluates while it reads,
/// however large the result is.
pub(super) fn windows(graph: &GraphProto) -> Result<()> {
    let initializers: BTreeMap<&str, &TensorProto> = graph
        .initializer
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    let constants = |name: &str| initializers.contains_key(name);
    // Quantisers leave the shape of weights as it is.
    let custom = graph
        .node
        .iter()
        .filter(|node| DOMAINS.contains(&node.domain.as_str()));
    let quantised: BTreeMap<&str, &str> = custom
        .filter_map(|node| Some((node.output.first()?.as_str(), node.input.first()?.as_str())))
        .collect();
    let mut varying: BTreeSet<&str> = graph
        .input
        .iter()
        .map(|input| input.name.as_str())
        .filter(|name| !constants(name))
        .collect();
    for node in &graph.node {
        let checked = window::check(node).and_then(|()| weights(&initializers, &quantised, node));
        checked.map_err(|error| error.within(format!("node {}", label(node))))?;
        let first = node.input.first().map_or("", String::as_str);
        if GROWING.contains(&node.op_type.as_str()) && !varying.contains(first) {
            return Err(Error::user(format!(
                "node {}: it reads the constant `{first}`",
                label(node)
            ))
            .help("fold constants before the export"));
        }
        if node
            .input
            .iter()
            .any(|name| varying.contains(name.as_str()))
        {
            varying.extend(node.output.iter().map(String::as_str));
        }
    }
    Ok(())
}

/// Weights of a convolution, as far as the file tells their shape.
fn weights(
    initializers: &BTreeMap<&str, &TensorProto>,
    quantised: &BTreeMap<&str, &str>,
    node: &NodeProto,
) -> Result<()> {
    if node.op_type != "Conv" {
        return Ok(());
    }
    let mut name = node.input.get(1).map_or("", String::as_str);
    // The file's order has been checked, so this ends.
    while let Some(source) = quantised.get(name) {
        name = source;
    }
    let Some(dims) = initializers.get(name) else {
        return Ok(());
    };
    let (dims, group) = (&dims.dims, Attributes(node).int("group", 1));
    match dims.first().map(|filters| filters % group) {
        Some(0) if !dims.contains(&0) => Ok(()),
        _ => Err(Error::user(format!(
            "its weights have the shape {dims:?}, which does not make {group} groups of filters"
        ))),
    }
}
