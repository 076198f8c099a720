//! The matrix products of a network as pruning sees them: scores, and the channels on both sides.
//! Must not know patterns.

use crate::dataflow::{Channels, Dataflow, Node, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Layer, Mvau};
use crate::network::{Network, ValueId};
use crate::pass::{Place, Product};
use crate::reference::Real;

use super::magnitude;

/// One matrix product.
pub(super) struct Matrix {
    /// Stable name of the layer.
    pub(super) name: String,
    /// Tensor of its weights, and where they lie in it.
    pub(super) weights: ValueId,
    pub(super) place: Place,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// `[rows, columns]`: what each weight is worth.
    pub(super) scores: Vec<f64>,
    /// `[rows, columns]`: whether each weight is not 0.
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

    /// By channel, of `channels` in a pixel, whether any row that stays reads it; one of them at least.
    pub(super) fn reads(&self, channels: usize, stays: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut read = vec![false; channels];
        for (row, used) in self.used.chunks_exact(self.columns).enumerate() {
            if stays(row) {
                let columns = used.iter().enumerate();
                columns.for_each(|(column, used)| read[column % channels] |= used);
            }
        }
        if !read.contains(&true) {
            read[0] = true;
        }
        read
    }

    /// Scores for rows and columns in another order, or for some of them.
    pub(super) fn gathered(&self, rows: &[usize], columns: &[usize]) -> Vec<f64> {
        self.ordered(&self.scores, rows, columns)
    }

    /// The same of other scores, `[rows, columns]`.
    pub(super) fn ordered(&self, scores: &[f64], rows: &[usize], columns: &[usize]) -> Vec<f64> {
        let mut gathered = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            let scores = &scores[row * self.columns..(row + 1) * self.columns];
            gathered.extend(columns.iter().map(|column| scores[*column]));
        }
        gathered
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

impl Chain {
    /// Rows of a layer, those of its old order, whose channels are in these orders.
    pub(super) fn rows(&self, matrix: &Matrix, orders: &[Vec<usize>]) -> Vec<usize> {
        match self.classes[matrix.output].fixed {
            true => (0..matrix.rows).collect(),
            false => orders[matrix.output].clone(),
        }
    }

    /// Columns of a layer, those of its old order, whose channels are in these orders.
    pub(super) fn columns(&self, matrix: &Matrix, orders: &[Vec<usize>]) -> Vec<usize> {
        let class = &self.classes[matrix.input];
        if class.fixed {
            return (0..matrix.columns).collect();
        }
        let channels = Channels {
            order: orders[matrix.input].clone(),
            of: class.channels,
        };
        channels.repeated(matrix.columns / class.channels).order
    }
}

impl Chain {
    /// Channels of a pixel that a layer reads, those of its columns that stand for one position.
    pub(super) fn channels(&self, matrix: &Matrix, orders: &[Vec<usize>]) -> usize {
        let class = &self.classes[matrix.input];
        match (class.fixed, matrix.place) {
            (true, Place::Kernel { channels, .. } | Place::Mirrored { channels, .. }) => channels,
            (true, Place::Matrix { .. }) => matrix.columns,
            (false, _) => orders[matrix.input].len(),
        }
    }
}

/// Reads the chain off the dense integer network, whose products came from `products`.
///
/// # Errors
/// A bug where network and dataflow do not belong together.
pub(super) fn chain(network: &Network, dataflow: &Dataflow, products: &[Product]) -> Result<Chain> {
    let real = Real::new(network)?;
    let (mut classes, class_of) = classes(dataflow);
    let mut matrices = Vec::new();
    for node in &dataflow.nodes {
        let mvau = match &node.layer {
            Layer::Mvau(mvau) if mvau.groups == 1 => mvau,
            _ => continue,
        };
        let product = products.iter().find(|product| product.name == node.name);
        let product =
            product.ok_or_else(|| Error::bug(format!("`{}` is no product", node.name)))?;
        let (input, output) = (class_of[node.inputs[0].0], class_of[node.outputs[0].0]);
        classes[input].fixed |= !mvau.columns.is_multiple_of(classes[input].channels);
        classes[output].fixed |= classes[output].channels != mvau.rows;
        let scores = magnitude::scores(network, &real, product.weights)?;
        matrices.push(matrix(node, mvau, product, &scores, (input, output))?);
    }
    Ok(Chain { classes, matrices })
}

/// The matrix of a layer; `by_tensor` has the scores in the order of the tensor of its weights.
fn matrix(
    node: &Node,
    mvau: &Mvau,
    product: &Product,
    by_tensor: &[f64],
    (input, output): (usize, usize),
) -> Result<Matrix> {
    let (rows, columns) = (mvau.rows, mvau.columns);
    let mut scores = Vec::with_capacity(by_tensor.len());
    for row in 0..rows {
        scores.extend((0..columns).map(|column| by_tensor[product.place.index(row, column)]));
    }
    let weights = node.tensors.weights(&[rows, columns])?;
    Ok(Matrix {
        name: node.name.clone(),
        weights: product.weights,
        place: product.place,
        rows,
        columns,
        scores,
        used: weights.iter().map(|w| *w != 0).collect(),
        bits: mvau.weight.bits(),
        input,
        output,
    })
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
    let grouped = dataflow
        .nodes
        .iter()
        .filter(|node| match &node.layer {
            Layer::Mvau(mvau) => mvau.groups > 1,
            // Or what one pixel is to the layer before is several to the window.
            Layer::SlidingWindow(window) => {
                let read = dataflow.stream(node.inputs[0]).channels;
                window.groups > 1 || window.sliding.channels != read
            }
            _ => false,
        })
        .flat_map(|node| node.inputs.iter().chain(&node.outputs).copied());
    inputs.chain(outputs).chain(labels).chain(grouped).collect()
}

/// By stream, whether it is what a sliding window sees of another: its channels are those of that one, once for
/// every position.
fn seen(dataflow: &Dataflow) -> Vec<bool> {
    let mut seen = vec![false; dataflow.streams.len()];
    let windows = dataflow
        .nodes
        .iter()
        .filter(|node| matches!(node.layer, Layer::SlidingWindow(_)));
    windows
        .flat_map(|node| &node.outputs)
        .for_each(|id| seen[id.0] = true);
    seen
}

/// All classes, and by stream the number of its class.
fn classes(dataflow: &Dataflow) -> (Vec<Class>, Vec<usize>) {
    let roots = roots(dataflow);
    let seen = seen(dataflow);
    let mut classes: Vec<Class> = Vec::new();
    let mut class_of: Vec<usize> = Vec::with_capacity(roots.len());
    for ((stream, root), seen) in dataflow.streams.iter().zip(&roots).zip(seen) {
        let class = match class_of.get(*root) {
            Some(class) => *class,
            None => {
                classes.push(Class {
                    channels: stream.channels,
                    fixed: false,
                    tensors: Vec::new(),
                });
                classes.len() - 1
            }
        };
        class_of.push(class);
        if seen {
            continue;
        }
        classes[class].fixed |=
            classes[class].channels != stream.channels || stream.value.is_none();
        classes[class].tensors.extend(stream.value.clone());
    }
    for end in ends(dataflow) {
        classes[class_of[end.0]].fixed = true;
    }
    (classes, class_of)
}

/// By stream, the first stream of its class: layers other than products keep channels in their places.
fn roots(dataflow: &Dataflow) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..dataflow.streams.len()).collect();
    fn root(parent: &[usize], mut at: usize) -> usize {
        while parent[at] != at {
            at = parent[at];
        }
        at
    }
    for node in &dataflow.nodes {
        if matches!(
            node.layer,
            Layer::Mvau(_) | Layer::MvauBcr(_) | Layer::MvauRc(_)
        ) {
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
