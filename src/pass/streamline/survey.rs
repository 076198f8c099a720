//! `survey`: how each layer came about, or everything that keeps a network from becoming integers.
//! Must not know what operators do.

use std::collections::BTreeSet;

use super::{Builder, Grid, Meaning};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::network::{Coding, Network, Node, Op, Unary, ValueId};
use crate::pass::fuse;
use crate::reference::Real;

/// A node that cannot become integers.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Its stable name.
    pub node: String,
    /// Its operator in the file.
    pub operator: String,
    /// Why, without its name.
    pub error: Error,
}

/// What becomes of a network.
#[derive(Debug, Default)]
pub struct Survey {
    /// Nodes that cannot become integers, in order.
    pub refused: Vec<Refusal>,
    /// Names of nodes that depend on those, in order.
    pub unreached: Vec<String>,
    /// The integer network, unless something blocks.
    pub derived: Option<Derived>,
}

/// An integer network and where it comes from. Nodes of the network are told by their output.
#[derive(Debug)]
pub struct Derived {
    /// The layers.
    pub dataflow: Dataflow,
    /// What each layer comes from, in their order.
    pub origins: Vec<Origin>,
    /// Nodes that became the grid of the inputs.
    pub grid: Vec<ValueId>,
    /// Nodes that only name or arrange elements.
    pub folded: Vec<ValueId>,
    /// Nodes whose work is left to the host.
    pub host: Vec<ValueId>,
}

/// What a layer comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// Nodes on the way of the data, in order; none for a layer that only connects others.
    pub nodes: Vec<ValueId>,
    /// Nodes that make its constants.
    pub constants: Vec<ValueId>,
    /// What the integers that leave it stand for, where that is a scale and an offset.
    pub coding: Option<Coding>,
}

/// What happened on the way through a network.
#[derive(Default)]
pub(super) struct Walk {
    refused: Vec<Refusal>,
    unreached: Vec<String>,
    /// What each layer comes from, in their order.
    origins: Vec<Origin>,
    /// By value, the nodes in front of it that no layer has taken up yet.
    pending: Vec<Vec<ValueId>>,
    grid: Vec<ValueId>,
    folded: Vec<ValueId>,
}

/// Surveys a network; the arguments are those of [`super::streamline`]. Of a network that is `partial` the outputs
/// are not looked at.
///
/// # Errors
/// A user error for what no single node is to blame for.
pub fn survey(
    network: &Network,
    input: Option<&Grid>,
    labels: bool,
    partial: bool,
) -> Result<Survey> {
    let real = Real::new(network)?;
    let (mut builder, walk) = Builder::walked(network, &real, input)?;
    if partial || !walk.refused.is_empty() {
        return Ok(Survey {
            refused: walk.refused,
            unreached: walk.unreached,
            derived: None,
        });
    }
    builder.end(labels)?;
    let mut origins = walk.origins;
    // A layer that selects the label stands behind everything.
    origins.resize(builder.dataflow.nodes.len(), Origin::default());
    let (dataflow, mut origins) = fused(builder.dataflow, origins)?;
    let made = Made::of(network);
    for (node, origin) in dataflow.nodes.iter().zip(&mut origins) {
        // A window moves data for a convolution, whose constants it never sees.
        if !matches!(node.layer, Layer::SlidingWindow(_)) {
            origin.constants = made.constants(&origin.nodes, &real);
        }
    }
    let mut host: Vec<ValueId> = Vec::new();
    for id in &network.outputs {
        host.extend(
            walk.pending[id.0]
                .iter()
                .filter(|one| !host.contains(one))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    Ok(Survey {
        derived: Some(Derived {
            dataflow,
            origins,
            grid: walk.grid,
            folded: walk.folded,
            host,
        }),
        ..Survey::default()
    })
}

/// The network after [`fuse`], with what each of its layers comes from.
fn fused(dataflow: Dataflow, origins: Vec<Origin>) -> Result<(Dataflow, Vec<Origin>)> {
    let before = dataflow.clone();
    let after = fuse(dataflow)?;
    let position = |name: &str| before.nodes.iter().position(|node| node.name == name);
    let mut kept: Vec<Origin> = Vec::with_capacity(after.nodes.len());
    for node in &after.nodes {
        let at = position(&node.name);
        kept.push(at.map(|at| origins[at].clone()).unwrap_or_default());
    }
    for (at, node) in before.nodes.iter().enumerate() {
        if after.nodes.iter().any(|other| other.name == node.name) {
            continue;
        }
        // It moved into the unit that it reads from.
        let unit = node
            .inputs
            .first()
            .and_then(|stream| before.producer(*stream));
        let unit =
            unit.and_then(|unit| after.nodes.iter().position(|other| other.name == unit.name));
        if let Some(unit) = unit {
            kept[unit].nodes.extend(&origins[at].nodes);
            kept[unit].coding.clone_from(&origins[at].coding);
        }
    }
    Ok((after, kept))
}

/// Who makes each value.
struct Made<'n> {
    by: Vec<Option<&'n Node>>,
}

impl<'n> Made<'n> {
    fn of(network: &'n Network) -> Self {
        let mut by = vec![None; network.values.len()];
        for node in &network.nodes {
            by[node.output.0] = Some(node);
        }
        Made { by }
    }

    /// The nodes that make what these nodes read and no input reaches, in order.
    fn constants(&self, nodes: &[ValueId], real: &Real<'_>) -> Vec<ValueId> {
        let mut found = BTreeSet::new();
        let mut left: Vec<ValueId> = nodes.to_vec();
        while let Some(id) = left.pop() {
            let inputs = self.by[id.0].map_or(&[][..], |node| &node.inputs);
            for input in inputs.iter().filter(|input| real.is_constant(**input)) {
                if self.by[input.0].is_some() && found.insert(*input) {
                    left.push(*input);
                }
            }
        }
        let order = |id: &ValueId| self.by[id.0].map(|node| node.output);
        let mut found: Vec<ValueId> = found.into_iter().collect();
        found.sort_by_key(order);
        found
    }
}

impl Walk {
    /// The error for the first node that cannot become integers, and how many more there are.
    pub(super) fn first(&self) -> Option<Error> {
        let first = self.refused.first()?;
        let error = first.error.clone();
        let named = error.within(format!("node `{}` ({})", first.node, first.operator));
        Some(named.and_more(self.refused.len() - 1))
    }
}

/// Whether an operator changes no number.
fn arranges(op: Op) -> bool {
    matches!(op, Op::Reshape | Op::Transpose | Op::Unary(Unary::Identity))
}

impl Builder<'_> {
    /// Takes all nodes in their order; what depends on one that cannot become integers is left out.
    pub(super) fn walk(&mut self, nodes: &[&Node]) -> Walk {
        let mut walk = Walk {
            pending: vec![Vec::new(); self.network.values.len()],
            ..Walk::default()
        };
        let mut lost = BTreeSet::new();
        for node in nodes {
            if node.inputs.iter().any(|id| lost.contains(id)) {
                walk.unreached.push(node.name.clone());
                lost.insert(node.output);
                continue;
            }
            match self.node(node) {
                Ok(meaning) => {
                    self.note(&mut walk, node, &meaning);
                    self.meanings[node.output.0] = Some(meaning);
                }
                Err(error) => {
                    walk.refused.push(Refusal {
                        node: node.name.clone(),
                        operator: node.onnx.clone(),
                        error,
                    });
                    lost.insert(node.output);
                }
            }
        }
        walk
    }

    /// Notes what a node made.
    fn note(&self, walk: &mut Walk, node: &Node, meaning: &Meaning) {
        let mut pending: Vec<ValueId> = Vec::new();
        for id in &node.inputs {
            let more = &walk.pending[id.0];
            let more: Vec<ValueId> = more
                .iter()
                .filter(|id| !pending.contains(id))
                .copied()
                .collect();
            pending.extend(more);
        }
        let (coding, last) = match meaning {
            Meaning::Flow(flow) => (flow.affine.clone(), Some(flow.stream)),
            _ => (None, None),
        };
        let before = walk.origins.len();
        for layer in &self.dataflow.nodes[before..] {
            // A pool that has waited, and copies for several readers, belong to earlier nodes.
            let earlier = pending
                .iter()
                .position(|id| self.maker(*id) == Some(layer.name.as_str()));
            let own = layer.name == node.name || layer.name.starts_with(&format!("{}.", node.name));
            let mut origin = Origin::default();
            if layer.outputs.last().copied() == last {
                origin.coding.clone_from(&coding);
            }
            if let Some(earlier) = earlier {
                origin.nodes = vec![pending.remove(earlier)];
            } else if own && node.op.is_quantiser() && matches!(layer.layer, Layer::Threshold(_)) {
                origin.nodes = std::mem::take(&mut pending);
                origin.nodes.push(node.output);
            } else if own && !matches!(layer.layer, Layer::Duplicate(_)) {
                origin.nodes = vec![node.output];
            }
            walk.origins.push(origin);
        }
        let made = walk.origins[before..]
            .iter()
            .any(|origin| origin.nodes.contains(&node.output));
        match made {
            true if node.op.is_quantiser() => pending.clear(),
            true => {}
            false if arranges(node.op) => walk.folded.push(node.output),
            false if node.op.is_quantiser() && self.feeds(node.output) => {
                walk.grid.push(node.output)
            }
            false => pending.push(node.output),
        }
        walk.pending[node.output.0] = pending;
    }

    /// Whether the codes of a value are what the host feeds.
    fn feeds(&self, id: ValueId) -> bool {
        let name = Some(&self.network.value(id).name);
        let mut inputs = self.dataflow.inputs.iter();
        inputs.any(|input| self.dataflow.stream(input.stream).value.as_ref() == name)
    }

    /// Name of the node that makes a value.
    fn maker(&self, id: ValueId) -> Option<&str> {
        let mut nodes = self.network.nodes.iter();
        nodes
            .find(|node| node.output == id)
            .map(|node| node.name.as_str())
    }
}
