//! The file's own consistency, before anything else looks at it: names, references, order, sizes.
//! Must not know shapes.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::attribute::Attributes;
use super::constant;
use super::custom::DOMAINS;
use super::growth;
use super::lower;
use super::operator;
use super::window;
use crate::error::{Error, Result};

/// Most nodes of a network; large ones have some hundreds.
const MOST_NODES: usize = 20_000;

/// The graph of a model that is safe to analyse.
///
/// # Errors
/// A user error for broken references, tensors whose sizes lie and, all together, operators that are
/// not supported.
pub(super) fn check(model: &ModelProto) -> Result<&GraphProto> {
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| Error::user("the model has no graph"))?;
    if graph.node.len() > MOST_NODES {
        return Err(Error::user(format!(
            "the network has {} nodes, more than the {MOST_NODES} that are read",
            graph.node.len()
        ))
        .help("fold constants before the export, or check what this file is"));
    }
    for tensor in &graph.initializer {
        constant::check(tensor)?;
    }
    for node in &graph.node {
        for tensor in node
            .attribute
            .iter()
            .filter_map(|attribute| attribute.t.as_ref())
        {
            constant::check(tensor)?;
        }
    }
    operators(graph)?;
    names(graph)?;
    graph.node.iter().try_for_each(permutation)?;
    graph.node.iter().try_for_each(axes)?;
    references(graph)?;
    windows(graph)?;
    growth::check(graph)?;
    Ok(graph)
}

/// Name under which a node is known to the user.
pub(super) fn label(node: &NodeProto) -> String {
    let name = if node.name.is_empty() {
        node.output.first()
    } else {
        Some(&node.name)
    };
    // Lowering keeps the operator of the file there.
    let operator = match node.doc_string.as_str() {
        operator if lower::is_origin(operator) => operator,
        _ => &node.op_type,
    };
    format!("`{}` ({operator})", name.map_or("?", String::as_str))
}

fn operators(graph: &GraphProto) -> Result<()> {
    let named = |node| Some(operator_problem(node)?.within(format!("node {}", label(node))));
    let problems: Vec<Error> = graph.node.iter().filter_map(named).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => {
            let count = problems.len();
            Err(Error::many(
                format!("{count} nodes of the network are not supported"),
                problems,
            ))
        }
    }
}

/// Why an operator is not supported, whatever it reads.
pub(super) fn operator_problem(node: &NodeProto) -> Option<Error> {
    let refused = |why: String| {
        Some(Error::user(why).help(
            "the operators of multi-layer perceptrons and convolutional networks are supported: see \
             `finnp check --operators`",
        ))
    };
    let custom = DOMAINS.contains(&node.domain.as_str());
    if lower::is_known(&node.op_type, &node.domain) {
        return None;
    }
    if node.domain == lower::MICROSOFT {
        return refused(format!(
            "onnxruntime's operator `{}` is not supported",
            node.op_type
        ));
    }
    if !custom && !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return refused(format!("the operator domain `{}` is unknown", node.domain));
    }
    match operator::is_known(&node.op_type, custom) {
        true => None,
        false => refused(format!("the operator `{}` is not supported", node.op_type)),
    }
}

/// tract follows a `perm` that is no permutation for ever.
fn permutation(node: &NodeProto) -> Result<()> {
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
fn axes(node: &NodeProto) -> Result<()> {
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
const GROWING: [&str; 4] = ["Conv", "MaxPool", "AveragePool", "Pad"];

/// Attributes of windows that no reader survives; and windows over constants, which tract evaluates while it reads,
/// however large the result is.
fn windows(graph: &GraphProto) -> Result<()> {
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

/// Names of nodes may be missing, but not shared: nobody could tell which one is meant.
fn names(graph: &GraphProto) -> Result<()> {
    let mut known = BTreeSet::new();
    let named = graph.node.iter().filter(|node| !node.name.is_empty());
    match named
        .map(|node| node.name.as_str())
        .find(|name| !known.insert(*name))
    {
        None => Ok(()),
        Some(name) => Err(Error::user(format!("two nodes are called `{name}`"))
            .help("give every node a name of its own, or none, and save the file again")),
    }
}

fn references(graph: &GraphProto) -> Result<()> {
    let mut known: BTreeSet<&str> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    if known.len() != graph.initializer.len() {
        return Err(
            Error::user("two initializers have the same name").help("export the network again")
        );
    }
    let mut fed = BTreeSet::new();
    if let Some(twice) = graph.input.iter().find(|input| !fed.insert(&input.name)) {
        return Err(
            Error::user(format!("two inputs have the same name, `{}`", twice.name))
                .help("export the network again"),
        );
    }
    known.extend(graph.input.iter().map(|input| input.name.as_str()));
    let made: BTreeMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    for node in &graph.node {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name.as_str()) {
                return Err(dangling(node, name, made.contains_key(name.as_str())));
            }
        }
        if node.output.first().is_none_or(String::is_empty) {
            return Err(Error::user(format!("node {} has no output", label(node)))
                .help("the file is damaged: export it again"));
        }
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if !known.insert(name) {
                return Err(Error::user(format!(
                    "tensor `{name}` is made more than once, at last by node {}",
                    label(node)
                )));
            }
        }
    }
    match graph
        .output
        .iter()
        .find(|output| !known.contains(output.name.as_str()))
    {
        Some(output) => Err(Error::user(format!(
            "output `{}` is made by no node",
            output.name
        ))),
        None if graph.output.is_empty() => Err(Error::user("the network has no output")),
        None => Ok(()),
    }
}

fn dangling(node: &NodeProto, name: &str, made_later: bool) -> Error {
    match made_later {
        true => Error::user(format!(
            "node {} reads `{name}` before it is made",
            label(node)
        ))
        .help("the nodes form a cycle or are out of order; ONNX wants them sorted"),
        false => Error::user(format!(
            "node {} reads `{name}`, which nothing makes",
            label(node)
        ))
        .help("the file lost an initializer or a node: export the network again"),
    }
}
