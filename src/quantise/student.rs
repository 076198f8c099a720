//! `Student`: the float network and what becomes of it, walked node by node on all samples.
//! Must not know how scales and levels are found.

use super::Wishes;
use super::batch::{self, Batch};
use super::draft::Draft;
use super::plain::{Plain, ends, is_product};
use super::report::{OfLayer, Report, decibels};
use super::scale::Range;
use super::shape::Shape;
use super::want::Wants;
use super::weigh::{Weighed, weigh};
use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, ValueId};
use crate::tensor::Tensor;

/// Both networks on the way.
pub(super) struct Student<'a> {
    pub(super) plain: &'a Plain,
    pub(super) wants: Wants,
    pub(super) draft: Draft,
    /// By node, bits of its weights.
    pub(super) weights: Vec<u32>,
    /// By value of the float network: what it is there.
    then: Vec<Option<Batch>>,
    /// By value: what its readers read in the quantised one.
    now: Vec<Option<Batch>>,
    /// By value: what its readers read.
    pub(super) ids: Vec<ValueId>,
    /// By value: what its channels were divided by.
    pub(super) factors: Vec<Option<Vec<f64>>>,
    /// By class of values that share a scale, that scale.
    pub(super) shared: Vec<Option<f64>>,
    /// By value, how many readers have not come yet.
    left: Vec<usize>,
    /// What became of it.
    pub(super) report: Report,
}

impl<'a> Student<'a> {
    pub(super) fn new(plain: &'a Plain, wishes: &Wishes<'_>) -> Self {
        let network = &plain.network;
        let count = network.values.len();
        let nodes = network.nodes.iter().zip(ends(network));
        Student {
            weights: nodes
                .map(|(node, ends)| wishes.bits(&node.name, ends)[0])
                .collect(),
            wants: Wants::new(network, wishes),
            draft: Draft::new(network),
            then: vec![None; count],
            now: vec![None; count],
            ids: (0..count).map(ValueId).collect(),
            factors: vec![None; count],
            shared: vec![None; count],
            left: network.readers(),
            report: Report::default(),
            plain,
        }
    }

    /// Begins with what arrives.
    pub(super) fn feed(&mut self, input: ValueId, read: Batch) -> Result<()> {
        self.share(input, &read)?;
        self.then[input.0] = Some(read.clone());
        self.now[input.0] = Some(read);
        Ok(())
    }

    /// The quantised network.
    pub(super) fn finish(self) -> (Network, Report) {
        (self.draft.finish(), self.report)
    }

    /// What a node of the float network makes.
    pub(super) fn float(&self, at: usize, values: &[Option<Batch>]) -> Result<Batch> {
        let network = &self.plain.network;
        let node = &network.nodes[at];
        let operands: Vec<Option<&Batch>> =
            node.inputs.iter().map(|id| values[id.0].as_ref()).collect();
        if !is_product(node.op) {
            return batch::node(network, node, &operands);
        }
        let weights = self.plain.weights(node)?.data();
        self.product(node, operands[0], weights, self.plain.bias[at].as_deref())
    }

    /// What a product with these weights makes.
    fn product(
        &self,
        node: &Node,
        x: Option<&Batch>,
        weights: &[f32],
        bias: Option<&[f64]>,
    ) -> Result<Batch> {
        let network = &self.plain.network;
        let x = x.ok_or_else(|| Error::bug(format!("`{}` reads nothing", node.name)))?;
        if let Some(shape) = Shape::new(network, node)? {
            let bias: Option<Vec<f32>> = bias.map(|bias| bias.iter().map(|b| *b as f32).collect());
            return Ok(batch::product(&shape, x, weights, bias.as_deref()));
        }
        let mut own = Network {
            values: network.values.clone(),
            ..Network::default()
        };
        let shape = network.value(node.inputs[1]).shape.clone();
        own.values[node.inputs[1].0].constant = Some(Tensor::new(shape, weights.to_vec())?);
        let made = batch::node(&own, node, &[Some(x), None])?;
        Ok(match bias {
            None => made,
            Some(bias) => {
                let bias: Vec<f32> = bias.iter().map(|b| *b as f32).collect();
                let rows = bias.len().max(1);
                made.each(|frame| {
                    let plane = (frame.len() / rows).max(1);
                    let values = frame.iter().enumerate();
                    values.map(|(at, x)| x + bias[at / plane % rows]).collect()
                })
            }
        })
    }

    /// Passes a node in both networks.
    pub(super) fn pass(&mut self, at: usize) -> Result<()> {
        let plain = self.plain;
        let node = &plain.network.nodes[at];
        let then = self.float(at, &self.then)?;
        let now = match is_product(node.op) {
            true => self.learn(at, &then)?,
            false => {
                let operands: Vec<Option<&Batch>> = node
                    .inputs
                    .iter()
                    .map(|id| self.now[id.0].as_ref())
                    .collect();
                let made = batch::node(&plain.network, node, &operands)?;
                let inputs = node.inputs.iter().map(|id| self.ids[id.0]).collect();
                self.draft.keep(node, inputs, node.output);
                made
            }
        };
        for id in &node.inputs {
            self.left[id.0] = self.left[id.0].saturating_sub(1);
            if self.left[id.0] == 0 {
                (self.then[id.0], self.now[id.0]) = (None, None);
            }
        }
        let now = match self.wants.bits[node.output.0] {
            Some(bits) => self.quantise(node, bits, now)?,
            None => now,
        };
        self.then[node.output.0] = Some(then);
        self.now[node.output.0] = Some(now);
        Ok(())
    }

    /// Gives a product levels for its weights, and a bias; returns what it then makes.
    fn learn(&mut self, at: usize, then: &Batch) -> Result<Batch> {
        let plain = self.plain;
        let node = &plain.network.nodes[at];
        let about = |error: Error| error.within(format!("node `{}` ({})", node.name, node.onnx));
        let bits = self.weights[at];
        let tensor = plain.weights(node)?;
        let read = self.now[node.inputs[0].0].as_ref();
        let read = read.ok_or_else(|| Error::bug(format!("`{}` reads nothing", node.name)))?;
        let weights: Vec<f64> = tensor.data().iter().map(|w| f64::from(*w)).collect();
        let shape = Shape::new(&plain.network, node).map_err(about)?;
        let (found, rows) = match &shape {
            Some(shape) => {
                let factors = self.factors[node.inputs[0].0].as_deref();
                let weights = multiplied(shape, weights, factors);
                let found = weigh(shape, &weights, bits, (read, then)).map_err(about)?;
                (found, shape.all_rows())
            }
            None => (
                alone(&weights, bits),
                plain.network.value(node.output).shape[1],
            ),
        };
        let row_of = |at: usize| match &shape {
            None => 0,
            Some(shape) if shape.sliding.is_some() => at / shape.columns,
            Some(shape) => at % shape.rows,
        };
        let real = found.real(row_of);
        let sums = self.product(node, Some(read), &real, None)?;
        let plane = match node.op {
            Op::MatMul => 1,
            _ => sums.frames.first().map_or(1, Vec::len) / rows.max(1),
        };
        let bias = means(&sums, then, (rows, plane));
        self.emit(node, tensor.shape(), (real, &found.scales, bits), &bias)?;
        let made = sums.each(|frame| {
            let values = frame.iter().enumerate();
            values.map(|(at, x)| x + bias[at / plane % rows]).collect()
        });
        self.report.layers.push(OfLayer {
            name: node.name.clone(),
            weights: bits,
            snr_db: decibels(then.distance(&made)),
        });
        Ok(made)
    }
}

/// By row, by how much `wanted` is above `sums` on average; a row has `plane` elements side by side.
fn means(sums: &Batch, wanted: &Batch, (rows, plane): (usize, usize)) -> Vec<f32> {
    let mut found = vec![0.0f64; rows];
    let mut count = 0;
    for (sums, wanted) in sums.frames.iter().zip(&wanted.frames) {
        for (at, (sum, wanted)) in sums.iter().zip(wanted).enumerate() {
            found[at / plane % rows] += f64::from(*wanted) - f64::from(*sum);
        }
        count += sums.len() / rows.max(1);
    }
    found
        .iter()
        .map(|sum| (sum / count.max(1) as f64) as f32)
        .collect()
}

/// Weights, in the order of the file's tensor, times the factors of the channels that they read.
fn multiplied(shape: &Shape, mut weights: Vec<f64>, factors: Option<&[f64]>) -> Vec<f64> {
    let Some(factors) = factors else {
        return weights;
    };
    for row in 0..shape.all_rows() {
        let first = row / shape.rows * (shape.columns / shape.positions());
        for column in 0..shape.columns {
            let channel = first + column / shape.positions();
            weights[shape.weight(row, column)] *= factors[channel];
        }
    }
    weights
}

/// Weights on one grid, each rounded by itself.
fn alone(weights: &[f64], bits: u32) -> Weighed {
    let range = Range::narrow(bits);
    let list: Vec<(f32, f32)> = weights.iter().map(|w| (*w as f32, 1.0)).collect();
    let scale = range.best(&list) as f32;
    let level = |w: &f64| range.nearest(w / f64::from(scale)) as i32;
    Weighed {
        levels: weights.iter().map(level).collect(),
        scales: vec![scale],
    }
}
