//! The file's own consistency, before anything else looks at it: names, references, order, sizes.
//! Must not know shapes.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use super::bounds::{axes, permutation, windows};
use super::constant;
use super::custom::DOMAINS;
use super::growth;
use super::lower;
use super::operator;
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
