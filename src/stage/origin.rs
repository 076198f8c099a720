//! `Explanation`: how a model became integers, layer by layer, or everything that keeps it from that.
//! Must not know how either is found out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::streamline::grid;
use crate::backend::hls;
use crate::dataflow::{Dataflow, Node};
use crate::error::Error;
use crate::error::Result;
use crate::layer::Layer;
use crate::manifest::Manifest;
use crate::network::{self, Coding, Network, ValueId};
use crate::pass::{self, Derived, Origin};
use crate::qonnx;
use crate::tensor::PerChannel;

/// What becomes of a model.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    /// Nodes of the file.
    pub nodes: usize,
    /// What blocks, equal reasons together, in the order of the file.
    pub blocked: Vec<Block>,
    /// Names of nodes that depend on what blocks.
    pub unreached: Vec<String>,
    /// Integers that the host feeds, and what they stand for.
    pub inputs: Vec<End>,
    /// Nodes that became the grid of the inputs.
    pub grid: Vec<Part>,
    /// Layers in order.
    pub layers: Vec<Derivation>,
    /// Nodes that only name or arrange elements.
    pub folded: Vec<Part>,
    /// Nodes whose work is left to the host.
    pub host: Vec<Part>,
    /// Integers that the host reads, and what they stand for in front of its own work.
    pub outputs: Vec<End>,
}

/// Nodes that are refused for one reason.
#[derive(Debug, Serialize)]
pub struct Block {
    /// Operator in the file; empty where no single node is to blame.
    pub operator: String,
    /// Why it is refused.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Names of the nodes.
    pub nodes: Vec<String>,
}

/// A node of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Operator in the file.
    pub operator: String,
    /// Its stable name.
    pub node: String,
}

/// An end of the integer network.
#[derive(Debug, Serialize)]
pub struct End {
    /// Name in the file.
    pub name: String,
    /// Type of the integers.
    pub element: String,
    /// What they stand for.
    pub scale: Scale,
}

/// What integers stand for: `scale * integer + bias`, least and greatest over the channels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scale {
    /// Real value of one step.
    pub scale: [f64; 2],
    /// Real value of integer 0.
    pub bias: [f64; 2],
}

/// Where a layer comes from.
#[derive(Debug, Serialize)]
pub struct Derivation {
    /// Its stable name.
    pub layer: String,
    /// Its kind.
    pub kind: String,
    /// Rows or channels that leave it.
    pub rows: usize,
    /// Columns or channels that it reads.
    pub columns: usize,
    /// Nodes on the way of the data, in order; none for a layer that only connects others.
    pub from: Vec<Part>,
    /// Nodes that make its constants.
    pub constants: Vec<Part>,
    /// Type of what it reads.
    pub input: String,
    /// Type of its weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Type of its sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulator: Option<String>,
    /// Type of what it writes.
    pub output: String,
    /// Thresholds of each channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<usize>,
    /// What the integers that leave it stand for, where that is a scale and an offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
}

impl Scale {
    fn of(coding: &Coding) -> Self {
        let ends = |values: &PerChannel| {
            let count = values.channels().unwrap_or(1);
            let each = || (0..count).map(|channel| values.at(channel));
            let least = each().fold(f64::INFINITY, f64::min);
            [least, each().fold(f64::NEG_INFINITY, f64::max)]
        };
        Scale {
            scale: ends(&coding.scale),
            bias: ends(&coding.bias),
        }
    }
}

/// Explains a model in the bytes of its file, with what the manifest says of its input and output.
///
/// # Errors
/// A user error for bytes that are no model.
pub fn explanation(model: &[u8], manifest: &Manifest) -> Result<Explanation> {
    let read = qonnx::survey(model)?;
    let mut explanation = Explanation {
        nodes: read.nodes,
        ..Explanation::default()
    };
    let partial = !read.blocked.is_empty();
    for blocked in read.blocked {
        explanation.block(&blocked.operator, &blocked.node, &blocked.error);
    }
    explanation.unreached = read.unreached;
    let Some(network) = read.network else {
        return Ok(explanation);
    };
    let grid = manifest.input.grid.as_ref().map(grid);
    match pass::survey(&network, grid.as_ref(), manifest.output.labels, partial) {
        Err(error) => explanation.block("", "", &error),
        Ok(survey) => {
            for refusal in survey.refused {
                explanation.block(&refusal.operator, &refusal.node, &refusal.error);
            }
            let unreached = of_file(&network, &read.made, &survey.unreached);
            // The rest of a node whose first part blocks is no other node.
            let blocks = |name: &String| {
                explanation
                    .blocked
                    .iter()
                    .any(|one| one.nodes.contains(name))
            };
            let others: Vec<String> = unreached.into_iter().filter(|name| !blocks(name)).collect();
            explanation.unreached.extend(others);
            if let Some(derived) = survey.derived {
                if let Err(error) = hls::Ends::streams(&derived.dataflow) {
                    explanation.block("", "", &error);
                }
                explanation.derived(&network, &derived);
            }
        }
    }
    Ok(explanation)
}

impl Explanation {
    /// How many nodes block.
    pub fn blocking(&self) -> usize {
        self.blocked
            .iter()
            .map(|block| block.nodes.len().max(1))
            .sum()
    }

    fn block(&mut self, operator: &str, node: &str, error: &Error) {
        let same = |block: &&mut Block| {
            block.operator == operator
                && block.reason == error.message()
                && block.remedy.as_deref() == error.remedy()
        };
        let named = Some(node.to_owned()).filter(|node| !node.is_empty());
        match self.blocked.iter_mut().find(same) {
            Some(block) => block.nodes.extend(named),
            None => self.blocked.push(Block {
                operator: operator.to_owned(),
                reason: error.message().to_owned(),
                remedy: error.remedy().map(str::to_owned),
                nodes: named.into_iter().collect(),
            }),
        }
    }

    fn derived(&mut self, network: &Network, derived: &Derived) {
        let dataflow = &derived.dataflow;
        let part = |id: &ValueId| part(network, *id);
        let parts = |ids: &[ValueId]| ids.iter().filter_map(part).collect();
        let pairs = dataflow.nodes.iter().zip(&derived.origins);
        self.layers = pairs
            .map(|(node, origin)| derivation(node, origin, &parts))
            .collect();
        self.grid = parts(&derived.grid);
        self.folded = parts(&derived.folded);
        self.host = parts(&derived.host);
        self.ends(dataflow);
    }

    fn ends(&mut self, dataflow: &Dataflow) {
        let element = |stream| dataflow.stream(stream).element.to_string();
        let inputs = dataflow.inputs.iter().map(|input| End {
            name: input.name.clone(),
            element: element(input.stream),
            scale: Scale::of(&input.coding),
        });
        self.inputs = inputs.collect();
        let outputs = dataflow.outputs.iter().map(|output| End {
            name: output.name.clone(),
            element: element(output.stream),
            scale: Scale::of(&output.tail.coding),
        });
        self.outputs = outputs.collect();
    }
}

/// Of nodes of the network, told by their names, those of the file: a reader may make several of one, of which the
/// last makes what the file calls so and the first has the name.
fn of_file(network: &Network, made: &BTreeSet<String>, names: &[String]) -> Vec<String> {
    let all: BTreeMap<&str, &network::Node> = network
        .nodes
        .iter()
        .map(|node| (node.name.as_str(), node))
        .collect();
    let is_last = |node: &network::Node| made.contains(&network.value(node.output).name);
    let lasts = names
        .iter()
        .filter_map(|name| all.get(name.as_str()))
        .filter(|node| is_last(node));
    let named = lasts.map(|node| {
        let head = node
            .name
            .rsplit_once('.')
            .and_then(|(head, _)| all.get(head));
        match head {
            Some(head) if head.onnx == node.onnx && !is_last(head) => head.name.clone(),
            _ => node.name.clone(),
        }
    });
    named.collect()
}

fn part(network: &Network, id: ValueId) -> Option<Part> {
    let node = network.nodes.iter().find(|node| node.output == id)?;
    Some(Part {
        operator: node.onnx.clone(),
        node: node.name.clone(),
    })
}

fn derivation(node: &Node, origin: &Origin, parts: &dyn Fn(&[ValueId]) -> Vec<Part>) -> Derivation {
    let hardware = node.layer.hardware();
    let (input, output) = (hardware.input(), hardware.output());
    let (columns, weight, accumulator) = match &node.layer {
        Layer::Mvau(layer) => (layer.columns, Some(layer.weight), Some(layer.accumulator)),
        Layer::MvauBcr(layer) => (layer.columns, Some(layer.weight), Some(layer.accumulator)),
        Layer::MvauRc(layer) => (layer.columns, Some(layer.weight), Some(layer.accumulator)),
        Layer::Vvau(layer) => {
            let positions = layer.sliding.positions();
            (positions, Some(layer.weight), Some(layer.accumulator))
        }
        Layer::SumPool(layer) => (input.channels, None, Some(layer.accumulator)),
        _ => (input.channels, None, None),
    };
    let activation = node.layer.activation();
    Derivation {
        layer: node.name.clone(),
        kind: hardware.kind().to_owned(),
        rows: output.channels,
        columns,
        from: parts(&origin.nodes),
        constants: parts(&origin.constants),
        input: input.element.to_string(),
        weight: weight.map(|weight| weight.to_string()),
        accumulator: accumulator.map(|accumulator| accumulator.to_string()),
        output: output.element.to_string(),
        thresholds: activation.map(|activation| activation.levels),
        scale: origin.coding.as_ref().map(Scale::of),
    }
}
