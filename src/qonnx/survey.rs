//! `survey`: everything that keeps a file from being read, instead of the first thing.
//! Must not know why nodes are refused.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};

use super::blocked::{Blocked, name_of};
use super::check::operator_problem;
use super::graph::{prepared, read};
use super::needed::needed;
use super::oracle::parse;
use crate::error::Result;
use crate::network::Network;

/// What can be read of a file.
pub struct Survey {
    /// Nodes of the file.
    pub nodes: usize,
    /// Names of the tensors that they make.
    pub made: BTreeSet<String>,
    /// The network, all of it if nothing blocks; else the part that depends on nothing that does, or none.
    pub network: Option<Network>,
    /// Nodes that cannot be read, in their order.
    pub blocked: Vec<Blocked>,
    /// Names of nodes that depend on those, in their order.
    pub unreached: Vec<String>,
}

/// Reads a file as far as it can be.
///
/// # Errors
/// A user error for bytes that are no model.
pub fn survey(bytes: &[u8]) -> Result<Survey> {
    let mut model = parse(bytes)?;
    let mut survey = Survey {
        nodes: model.graph.as_ref().map_or(0, |graph| graph.node.len()),
        made: BTreeSet::new(),
        network: None,
        blocked: Vec::new(),
        unreached: Vec::new(),
    };
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    for (place, node) in model.graph.iter().flat_map(|graph| &graph.node).enumerate() {
        order.entry(name_of(node)).or_insert(place);
    }
    let nodes = model.graph.iter().flat_map(|graph| &graph.node);
    survey.made = nodes.flat_map(|node| &node.output).cloned().collect();
    model = needed(model);
    survey.without_unknown(&mut model);
    let left = |model: &ModelProto| {
        let graph = model.graph.as_ref();
        graph.is_some_and(|graph| !graph.node.is_empty())
    };
    if left(&model) {
        match prepared(model).and_then(|model| read(&model)) {
            Err(error) => survey.blocked.push(Blocked::file(error)),
            Ok(reading) => {
                survey.blocked.extend(reading.blocked);
                survey.unreached.extend(reading.unreached);
                survey.network = Some(reading.network);
            }
        }
    }
    let place = |name: &String| order.get(name).copied();
    survey
        .blocked
        .sort_by_cached_key(|blocked| place(&blocked.node));
    survey.unreached.sort_by_cached_key(place);
    Ok(survey)
}

impl Survey {
    /// Takes operators that are not supported, and all that depends on them, out of the model. Of what depends on
    /// them, those are told that are not supported themselves.
    fn without_unknown(&mut self, model: &mut ModelProto) {
        let Some(graph) = &mut model.graph else {
            return;
        };
        let mut lost: BTreeSet<String> = BTreeSet::new();
        for node in std::mem::take(&mut graph.node) {
            let behind = node.input.iter().any(|name| lost.contains(name));
            match operator_problem(&node) {
                Some(error) => self.blocked.push(Blocked::new(&node, error)),
                None if behind => self.unreached.push(name_of(&node)),
                None => {
                    graph.node.push(node);
                    continue;
                }
            }
            lost.extend(node.output);
        }
        if !lost.is_empty() {
            ends(graph);
        }
    }
}

/// Makes all tensors that nothing reads the outputs of the graph: those of the file may be gone.
fn ends(graph: &mut GraphProto) {
    let read: BTreeSet<&str> = graph
        .node
        .iter()
        .flat_map(|node| &node.input)
        .map(String::as_str)
        .collect();
    let made = graph.node.iter().flat_map(|node| &node.output);
    let ends = made.filter(|name| !name.is_empty() && !read.contains(name.as_str()));
    graph.output = ends
        .map(|name| ValueInfoProto {
            name: name.clone(),
            ..ValueInfoProto::default()
        })
        .collect();
}
