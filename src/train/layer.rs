//! The table of layers: which step each kind of hardware layer is in training.
//! Must not know how steps compute.

use std::collections::BTreeMap;

use super::Start;
use super::depthwise::Depthwise;
use super::grouped::Grouped;
use super::join::{SideBySide, Sum};
use super::model::{Model, Placed};
use super::norm::Norm;
use super::pool::{Of, Pool};
use super::product::Product;
use super::staircase::Staircase;
use super::step::Step;
use super::taps::Taps;
use super::upsample::Larger;
use super::weights::Weights;
use super::window::Runs;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::layer::{Activation, Layer, Mvau, Threshold, Vvau};
use crate::tensor::DataType;

/// A dataflow that becomes a model, node by node.
struct Builder<'a> {
    model: Model,
    starts: &'a BTreeMap<String, Start>,
    /// By stream, the value that it carries.
    values: Vec<Option<usize>>,
    /// Windows that wait for a product: the value that one makes, it, and the value that it reads.
    windows: BTreeMap<usize, (Runs, usize)>,
    /// Sums of trained products: the value, and its weights.
    sums: BTreeMap<usize, usize>,
    /// Names of starts that found their layer.
    found: usize,
}

/// The model of `dataflow`, which is fused, has one input and one output and no layer that is pruned already. What
/// has no start stays as it is. An index of the largest output is left out: the result is what it chooses from.
///
/// # Errors
/// A user error for several inputs or outputs, a bug where starts and layers do not belong together.
pub(super) fn model(dataflow: &Dataflow, starts: &BTreeMap<String, Start>) -> Result<Model> {
    let ([input], [output]) = (&dataflow.inputs[..], &dataflow.outputs[..]) else {
        return Err(
            Error::user("only networks with one input and one output can be trained")
                .help("leave out the section of the manifest that trains"),
        );
    };
    let mut builder = Builder {
        model: Model::default(),
        starts,
        values: vec![None; dataflow.streams.len()],
        windows: BTreeMap::new(),
        sums: BTreeMap::new(),
        found: 0,
    };
    let stream = dataflow.stream(input.stream);
    let first = builder.value(stream.pixels * stream.channels, false);
    builder.values[input.stream.0] = Some(first);
    for node in &dataflow.nodes {
        let made = builder
            .node(node)
            .map_err(|error| error.within(format!("layer `{}`", node.name)))?;
        node.outputs
            .iter()
            .for_each(|id| builder.values[id.0] = Some(made));
    }
    if builder.found != starts.len() {
        return Err(Error::bug("a start belongs to no layer that can learn"));
    }
    let last = builder.values[output.stream.0];
    builder.model.output = last.ok_or_else(|| Error::bug("nothing makes the output"))?;
    builder.model.channels = match dataflow.producer(output.stream).map(|node| &node.layer) {
        Some(Layer::LabelSelect(select)) => select.channels,
        _ => dataflow.stream(output.stream).channels,
    };
    Ok(builder.model)
}

impl Builder<'_> {
    fn value(&mut self, elements: usize, wanted: bool) -> usize {
        self.model.elements.push(elements);
        self.model.wanted.push(wanted);
        self.model.elements.len() - 1
    }

    /// Adds a step; the value that it makes.
    fn push(
        &mut self,
        step: impl Step + 'static,
        from: Vec<usize>,
        elements: usize,
        learns: bool,
    ) -> usize {
        let wanted = learns || from.iter().any(|at| self.model.wanted[*at]);
        let to = self.value(elements, wanted);
        self.model.steps.push(Placed {
            step: Box::new(step),
            from,
            to,
        });
        to
    }

    /// Adds the steps of a node; the value that it writes.
    fn node(&mut self, node: &Node) -> Result<usize> {
        let from = node.inputs.iter().map(|id| self.values[id.0]);
        let from: Option<Vec<usize>> = from.collect();
        let from = from.ok_or_else(|| Error::bug("reads what nothing makes"))?;
        let written = node.layer.hardware().output().elements();
        if !matches!(node.layer, Layer::Mvau(_)) {
            from.iter().for_each(|at| self.shown(*at));
        }
        Ok(match &node.layer {
            Layer::Mvau(mvau) => self.mvau(node, mvau, from[0])?,
            Layer::Vvau(vvau) => self.vvau(node, vvau, from[0])?,
            Layer::Threshold(threshold) => self.threshold(node, threshold, from[0])?,
            Layer::SlidingWindow(window) => {
                // Who reads it decides what it becomes.
                let to = self.value(written, self.model.wanted[from[0]]);
                self.windows.insert(to, (Runs::new(window), from[0]));
                to
            }
            Layer::MaxPool(pool) => {
                let least = pool.input.min() as f32;
                let pool = Pool::new(Taps::new(&pool.sliding), Of::Largest, least);
                self.push(pool, from, written, false)
            }
            Layer::SumPool(pool) => {
                let of = Of::Sum(pool.pad as f32);
                let pool = Pool::new(Taps::new(&pool.sliding), of, 0.0);
                self.push(pool, from, written, false)
            }
            Layer::Add(add) => {
                let gains = add.gains.map(|gain| gain as f32);
                self.push(Sum { gains }, from, written, false)
            }
            Layer::Concat(concat) => {
                let parts = concat.inputs.iter();
                let inputs = parts
                    .map(|part| (part.channels, part.gain as f32))
                    .collect();
                self.push(SideBySide { inputs }, from, written, false)
            }
            Layer::Upsample(upsample) => self.push(Larger::new(upsample), from, written, false),
            Layer::Duplicate(_) | Layer::WidthConverter(_) | Layer::LabelSelect(_) => from[0],
            Layer::MvauBcr(_) | Layer::MvauRc(_) => {
                return Err(Error::bug("is pruned already and cannot be trained"));
            }
        })
    }

    /// A window that something other than one product reads becomes a step.
    fn shown(&mut self, value: usize) {
        if let Some((runs, from)) = self.windows.remove(&value) {
            self.model.steps.push(Placed {
                step: Box::new(runs),
                from: vec![from],
                to: value,
            });
        }
    }

    /// The weights of a layer, trained where it has a start, with a normalisation where `normed`.
    fn weights(
        &mut self,
        node: &Node,
        [rows, columns]: [usize; 2],
        grid: DataType,
        normed: bool,
    ) -> Result<(usize, Option<usize>)> {
        let stored = node.tensors.weights(&[rows, columns])?;
        let mut weights = Weights::fixed(&node.name, columns, grid, stored);
        let mut norm = None;
        if let Some(start) = self.starts.get(&node.name) {
            weights = weights.trained(start)?;
            self.found += 1;
            if normed {
                norm = Some(self.norm(start, rows)?);
            }
        }
        weights.norm = norm;
        self.model.parts.weights.push(weights);
        Ok((self.model.parts.weights.len() - 1, norm))
    }

    fn norm(&mut self, start: &Start, rows: usize) -> Result<usize> {
        let line = |given: &[f64], usual: f64| match given.len() {
            0 => Ok(vec![usual; rows]),
            length if length == rows => Ok(given.to_vec()),
            length => Err(Error::bug(format!("{rows} rows have {length} lines"))),
        };
        let (gain, offset) = (line(&start.gain, 1.0)?, line(&start.offset, 0.0)?);
        if gain.iter().any(|gain| !(*gain > 0.0 && gain.is_finite())) {
            return Err(Error::bug("a gain is not above 0"));
        }
        self.model.parts.norms.push(Norm::new(gain, offset));
        Ok(self.model.parts.norms.len() - 1)
    }

    fn mvau(&mut self, node: &Node, mvau: &Mvau, from: usize) -> Result<usize> {
        let (rows, columns) = (mvau.rows, mvau.columns);
        let elements = mvau.pixels * rows;
        if mvau.groups > 1 {
            self.shown(from);
            let weights = node.tensors.weights(&[mvau.groups * rows, columns])?;
            let step = Grouped::new(weights, rows, columns);
            let sums = self.push(step, vec![from], elements, false);
            return self.activated(
                node,
                mvau.activation.as_ref(),
                sums,
                mvau.groups * rows,
                None,
            );
        }
        let normed = mvau.activation.is_some();
        // Streams have one reader: a window in front belongs to this product alone.
        let (window, from) = match self.windows.remove(&from) {
            Some((runs, read)) => {
                // Nobody sees it as a whole.
                self.model.elements[from] = 0;
                (Some(runs), read)
            }
            None => (None, from),
        };
        let (weights, norm) = self.weights(node, [rows, columns], mvau.weight, normed)?;
        let learns = self.model.parts.weights[weights].trained;
        let step = Product::new(weights, window);
        let sums = self.push(step, vec![from], elements, learns);
        if learns && !normed {
            self.sums.insert(sums, weights);
        }
        self.activated(node, mvau.activation.as_ref(), sums, rows, norm)
    }

    fn vvau(&mut self, node: &Node, vvau: &Vvau, from: usize) -> Result<usize> {
        let taps = Taps::new(&vvau.sliding);
        let (channels, positions) = (taps.channels, taps.positions);
        let normed = vvau.activation.is_some();
        let (weights, norm) = self.weights(node, [channels, positions], vvau.weight, normed)?;
        let learns = self.model.parts.weights[weights].trained;
        let elements = taps.written;
        let step = Depthwise::new(weights, taps, vvau.pad as f32);
        let sums = self.push(step, vec![from], elements, learns);
        if learns && !normed {
            self.sums.insert(sums, weights);
        }
        self.activated(node, vvau.activation.as_ref(), sums, channels, norm)
    }

    /// The activation of sums, if there is one.
    fn activated(
        &mut self,
        node: &Node,
        activation: Option<&Activation>,
        sums: usize,
        channels: usize,
        norm: Option<usize>,
    ) -> Result<usize> {
        let Some(activation) = activation else {
            return Ok(sums);
        };
        let step = Staircase::new(activation, &node.tensors, channels, norm)?;
        let elements = self.model.elements[sums];
        Ok(self.push(step, vec![sums], elements, false))
    }

    /// Thresholds alone; right behind the sums of a trained product they are as good as its own.
    fn threshold(&mut self, node: &Node, threshold: &Threshold, from: usize) -> Result<usize> {
        let rows = threshold.activation.rows;
        let mut channels = threshold.channels.max(rows);
        let mut norm = None;
        if let Some(weights) = self.sums.get(&from).copied() {
            let own = self.model.parts.weights[weights].rows;
            if rows == 1 || rows == own {
                let start = &self.starts[&self.model.parts.weights[weights].name];
                norm = Some(self.norm(start, own)?);
                self.model.parts.weights[weights].norm = norm;
                channels = own;
            }
        }
        self.activated(node, Some(&threshold.activation), from, channels, norm)
    }
}
