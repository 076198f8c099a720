//! The matrix products of a network as pruning sees them: scores, and the channels on both sides.
//! Must not know patterns.

use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::network::Network;
use crate::pass::Product;
use crate::reference::Real;

use super::magnitude;

/// One matrix product.
pub(super) struct Matrix {
    /// Stable name of the layer.
    pub(super) name: String,
    /// By row of that tensor, `[columns, rows]`, the column of the layer.
    pub(super) column_of: Vec<usize>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// `[rows, columns]`: what each weight is worth.
    pub(super) scores: Vec<f64>,
    /// By column, whether any of its weights is not 0.
    pub(super) used: Vec<bool>,
    /// Bits of a weight.
    pub(super) bits: u32,
    /// Class of the channels that it reads; they repeat along its columns.
    pub(super) input: usize,
    /// Class of the channels that it writes.
    pub(super) output: usize,
}

impl Matrix {
    /// Sum of all scores.
    pub(super) fn total(&self) -> f64 {
        self.scores.iter().sum()
    }

    /// Scores and columns for rows and columns in another order, or for some of them.
    pub(super) fn gathered(&self, rows: &[usize], columns: &[usize]) -> Vec<f64> {
        let row = |row: &usize| &self.scores[row * self.columns..(row + 1) * self.columns];
        rows.iter()
            .flat_map(|r| columns.iter().map(move |c| row(r)[*c]))
            .collect()
    }
}

/// Streams whose channels move together.
pub(super) struct Class {
    /// Channels.
    pub(super) channels: usize,
    /// Whether channels can neither move nor be left out: the host or a label depends on their places.
    pub(super) fixed: bool,
    /// Tensors that the streams carry.
    pub(super) tensors: Vec<String>,
}

/// Classes of channels and the products between them, in the order of the layers.
pub(super) struct Chain {
    pub(super) classes: Vec<Class>,
    pub(super) matrices: Vec<Matrix>,
}

/// Reads the chain off the dense integer network, whose products came from `products`.
///
/// # Errors
/// A bug where network and dataflow do not belong together.
pub(super) fn chain(network: &Network, dataflow: &Dataflow, products: &[Product]) -> Result<Chain> {
    let real = Real::new(network)?;
    let class_of = classes(dataflow);
    let mut chain = Chain {
        classes: Vec::new(),
        matrices: Vec::new(),
    };
    let mut numbers = std::collections::BTreeMap::new();
    for (stream, root) in class_of.iter().enumerate() {
        let count = numbers.len();
        let class = *numbers.entry(*root).or_insert(count);
        let stream = dataflow.stream(StreamId(stream));
        if class == chain.classes.len() {
            chain.classes.push(Class {
                channels: stream.channels,
                fixed: false,
                tensors: Vec::new(),
            });
        }
        let known = &mut chain.classes[class];
        known.fixed |= known.channels != stream.channels || stream.value.is_none();
        known.tensors.extend(stream.value.clone());
    }
    let class = |stream: StreamId| numbers[&class_of[stream.0]];
    for end in ends(dataflow) {
        chain.classes[class(end)].fixed = true;
    }
    for node in &dataflow.nodes {
        let Layer::Mvau(mvau) = &node.layer else {
            continue;
        };
        let product = products.iter().find(|product| product.name == node.name);
        let product =
            product.ok_or_else(|| Error::bug(format!("`{}` is no product", node.name)))?;
        let (input, output) = (class(node.inputs[0]), class(node.outputs[0]));
        for (side, channels) in [(input, mvau.columns), (output, mvau.rows)] {
            let known = &mut chain.classes[side];
            known.fixed |= !channels.is_multiple_of(known.channels);
        }
        chain.classes[output].fixed |= chain.classes[output].channels != mvau.rows;
        let column_of: Vec<usize> = (0..mvau.columns)
            .map(|k| product.order.position(k))
            .collect();
        let by_tensor = magnitude::scores(network, &real, product.weights)?;
        let mut scores = vec![0.0; by_tensor.len()];
        for (k, column) in column_of.iter().enumerate() {
            for row in 0..mvau.rows {
                scores[row * mvau.columns + column] = by_tensor[k * mvau.rows + row];
            }
        }
        let weights = node.tensors.weights(&[mvau.rows, mvau.columns])?;
        let used = (0..mvau.columns)
            .map(|column| {
                weights
                    .iter()
                    .skip(column)
                    .step_by(mvau.columns)
                    .any(|w| *w != 0)
            })
            .collect();
        chain.matrices.push(Matrix {
            name: node.name.clone(),
            column_of,
            rows: mvau.rows,
            columns: mvau.columns,
            scores,
            used,
            bits: mvau.weight.bits(),
            input,
            output,
        });
    }
    Ok(chain)
}

/// Streams whose channels have a place that something outside relies on.
fn ends(dataflow: &Dataflow) -> Vec<StreamId> {
    let inputs = dataflow.inputs.iter().map(|input| input.stream);
    let outputs = dataflow.outputs.iter().map(|output| output.stream);
    let labels = dataflow
        .nodes
        .iter()
        .filter(|node| matches!(node.layer, Layer::LabelSelect(_)))
        .flat_map(|node| node.inputs.iter().chain(&node.outputs).copied());
    inputs.chain(outputs).chain(labels).collect()
}

/// By stream, the first stream of its class: layers other than products keep channels in their places.
fn classes(dataflow: &Dataflow) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..dataflow.streams.len()).collect();
    fn root(parent: &[usize], mut at: usize) -> usize {
        while parent[at] != at {
            at = parent[at];
        }
        at
    }
    for node in &dataflow.nodes {
        if matches!(node.layer, Layer::Mvau(_) | Layer::MvauBcr(_)) {
            continue;
        }
        let streams: Vec<usize> = node
            .inputs
            .iter()
            .chain(&node.outputs)
            .map(|s| s.0)
            .collect();
        for pair in streams.windows(2) {
            let (a, b) = (root(&parent, pair[0]), root(&parent, pair[1]));
            let (first, second) = (a.min(b), a.max(b));
            parent[second] = first;
        }
    }
    (0..parent.len()).map(|at| root(&parent, at)).collect()
}
