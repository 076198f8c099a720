//! `Student`: the float network and what becomes of it, walked node by node on all samples.
//! Must not know how scales and levels are found.

use super::Wishes;
use super::batch::{self, Batch};
use super::draft::Draft;
use super::equal::{by_channel, compromise};
use super::plain::{Plain, ends, is_product};
use super::report::{OfLayer, OfTensor, Report, decibels};
use super::scale::Range;
use super::shape::Shape;
use super::want::Wants;
use super::weigh::{Weighed, weigh};
use crate::error::{Error, Result};
use crate::network::{Binary, Network, Node, Op, Quant, Rounding, ValueId};
use crate::tensor::Tensor;

/// Elements of a tensor from which its scale is found.
const OF_TENSOR: usize = 1 << 18;
/// Samples from which scales are found that several tensors share.
const FIRST: usize = 32;

/// Both networks on the way.
pub(super) struct Student<'a> {
    plain: &'a Plain,
    wants: Wants,
    draft: Draft,
    /// By node, bits of its weights.
    weights: Vec<u32>,
    /// By value of the float network: what it is there.
    then: Vec<Option<Batch>>,
    /// By value: what its readers read in the quantised one.
    now: Vec<Option<Batch>>,
    /// By value: what its readers read.
    ids: Vec<ValueId>,
    /// By value: what its channels were divided by.
    factors: Vec<Option<Vec<f64>>>,
    /// By class of values that share a scale, that scale.
    shared: Vec<Option<f64>>,
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

    /// Finds the scales that several tensors share, on the first samples of the float network.
    fn share(&mut self, input: ValueId, read: &Batch) -> Result<()> {
        let network = &self.plain.network;
        let all = (0..network.values.len()).map(ValueId);
        let members: Vec<ValueId> = all
            .filter(|id| self.wants.bits[id.0].is_some() && self.wants.alike(*id).len() > 1)
            .collect();
        if members.is_empty() {
            return Ok(());
        }
        let mut values: Vec<Option<Batch>> = vec![None; network.values.len()];
        values[input.0] = Some(Batch {
            frames: read.frames.iter().take(FIRST).cloned().collect(),
        });
        let mut found: Vec<Vec<(Range, Vec<(f32, f32)>)>> = vec![Vec::new(); values.len()];
        let mut left = network.readers();
        for at in 0..network.nodes.len() {
            let made = self.float(at, &values)?;
            let node = &network.nodes[at];
            for id in &node.inputs {
                left[id.0] -= 1;
                if left[id.0] == 0 {
                    values[id.0] = None;
                }
            }
            if members.contains(&node.output) {
                let (range, _) = self.range(node.output, &made);
                found[self.wants.class[node.output.0]].push((range, numbers(&made)));
            }
            values[node.output.0] = Some(made);
        }
        for (shared, members) in self.shared.iter_mut().zip(&found) {
            let scales: Vec<f64> = members
                .iter()
                .map(|(range, list)| range.best(list))
                .collect();
            let lost = |scale: f64| -> f64 {
                members
                    .iter()
                    .map(|(range, list)| range.error(list, scale))
                    .sum()
            };
            let (low, high) = scales
                .iter()
                .fold((f64::INFINITY, 0.0f64), |(low, high), s| {
                    (low.min(*s), high.max(*s))
                });
            let tried = (0..=16).map(|step| low * (high / low).powf(f64::from(step) / 16.0));
            *shared = tried
                .min_by(|a, b| lost(*a).total_cmp(&lost(*b)))
                .filter(|s| s.is_finite());
        }
        Ok(())
    }

    /// What a node of the float network makes.
    fn float(&self, at: usize, values: &[Option<Batch>]) -> Result<Batch> {
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

    /// The grid of a tensor, and whether it has numbers below 0.
    fn range(&self, id: ValueId, x: &Batch) -> (Range, bool) {
        let signed = x.frames.iter().flatten().any(|x| *x < 0.0);
        let bits = self.wants.bits[id.0].unwrap_or(1);
        (Range::of(signed, bits), signed)
    }

    /// Puts a quantiser behind a node, whose output is `x`, and gives what it makes of it.
    fn quantise(&mut self, node: &Node, bits: u32, x: Batch) -> Result<Batch> {
        let id = node.output;
        let value = self.plain.network.value(id);
        let (range, signed) = self.range(id, &x);
        let factors = match self.shared[self.wants.class[id.0]] {
            None => self.equalised(id, &x, range)?,
            Some(_) => None,
        };
        let mut last = id;
        let mut read = x;
        if let Some(factors) = &factors {
            let channels = factors.len();
            let plane = value.shape.iter().product::<usize>() / channels.max(1);
            let plane = if value.shape.len() > 2 { plane } else { 1 };
            let inverse: Vec<f32> = factors.iter().map(|f| (1.0 / f) as f32).collect();
            read = read.each(|frame| {
                let values = frame.iter().enumerate();
                values
                    .map(|(at, x)| x * inverse[at / plane % channels])
                    .collect()
            });
            let mut along = vec![1; value.shape.len()];
            along[1] = channels;
            let name = format!("{}.equalise", node.name);
            let constant = self
                .draft
                .constant(name.clone(), Tensor::new(along, inverse)?);
            last = self
                .draft
                .fresh(format!("{}.equalised", value.name), value.shape.clone());
            let op = (name, "Mul", Op::Binary(Binary::Mul));
            self.draft.add(op, vec![id, constant], last);
        }
        let scale = match self.shared[self.wants.class[id.0]] {
            Some(scale) => scale,
            None => range.best(&numbers(&read)),
        } as f32;
        let inputs = vec![
            last,
            self.draft
                .constant(format!("{}.scale", value.name), Tensor::scalar(scale)),
            self.draft
                .constant(format!("{}.zero_point", value.name), Tensor::scalar(0.0)),
            self.draft
                .constant(format!("{}.bits", value.name), Tensor::scalar(bits as f32)),
        ];
        let quant = Quant {
            signed,
            narrow: false,
            rounding: Rounding::HalfEven,
        };
        let output = self
            .draft
            .fresh(format!("{}.quantised", value.name), value.shape.clone());
        let op = (format!("{}.quantise", node.name), "Quant", Op::Quant(quant));
        self.draft.add(op, inputs, output);
        self.ids[id.0] = output;
        let scale = f64::from(scale);
        let made = read.each(|frame| {
            let levels = frame
                .iter()
                .map(|x| quant.level(f64::from(*x), scale, 0.0, bits));
            levels.map(|level| (scale * level as f64) as f32).collect()
        });
        self.report.tensors.push(OfTensor {
            name: value.name.clone(),
            bits,
            signed,
            scale,
            equalised: factors.is_some(),
            snr_db: decibels(read.distance(&made)),
        });
        self.factors[id.0] = factors;
        Ok(made)
    }

    /// What the channels of a tensor are divided by, if all that read it take that.
    fn equalised(&self, id: ValueId, x: &Batch, range: Range) -> Result<Option<Vec<f64>>> {
        let network = &self.plain.network;
        if network.outputs.contains(&id) {
            return Ok(None);
        }
        let mut shapes = Vec::new();
        for at in &self.wants.readers[id.0] {
            let node = &network.nodes[*at];
            match is_product(node.op).then(|| Shape::new(network, node)) {
                Some(shape) => shapes.extend(shape?.map(|shape| (*at, shape))),
                None => return Ok(None),
            }
        }
        if shapes.len() != self.wants.readers[id.0].len() {
            return Ok(None);
        }
        let value = network.value(id);
        if shapes.iter().all(|(_, shape)| shape.is_depthwise()) && value.shape.len() > 2 {
            return Ok(Some(by_channel(x, value.shape[1], range)));
        }
        match &shapes[..] {
            [(at, shape)] if shape.groups == 1 && shape.positions() == 1 => {
                let matrix = shape.sliding.is_none();
                if matrix && (value.shape.len() != 2 || shape.places != 1) {
                    return Ok(None);
                }
                let weights = self.plain.weights(&network.nodes[*at])?;
                let weights: Vec<f64> = weights.data().iter().map(|w| f64::from(*w)).collect();
                let grid = Range::narrow(self.weights[*at]);
                let factors = compromise((shape, x), &weights, [range, grid]);
                Ok(factors.iter().any(|f| *f != 1.0).then_some(factors))
            }
            _ => Ok(None),
        }
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
        let mut weights: Vec<f64> = tensor.data().iter().map(|w| f64::from(*w)).collect();
        let shape = Shape::new(&plain.network, node).map_err(about)?;
        let (found, rows) = match &shape {
            Some(shape) => {
                if let Some(factors) = &self.factors[node.inputs[0].0] {
                    for row in 0..shape.all_rows() {
                        let first = row / shape.rows * (shape.columns / shape.positions());
                        for column in 0..shape.columns {
                            let channel = first + column / shape.positions();
                            weights[shape.weight(row, column)] *= factors[channel];
                        }
                    }
                }
                let found = weigh(shape, &weights, bits, (read, then)).map_err(about)?;
                (found, shape.all_rows())
            }
            None => {
                let range = Range::narrow(bits);
                let list: Vec<(f32, f32)> = weights.iter().map(|w| (*w as f32, 1.0)).collect();
                let scale = range.best(&list) as f32;
                let level = |w: &f64| range.nearest(w / f64::from(scale)) as i32;
                let levels = weights.iter().map(level).collect();
                let rows = plain.network.value(node.output).shape[1];
                (
                    Weighed {
                        levels,
                        scales: vec![scale],
                    },
                    rows,
                )
            }
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

    /// Adds a product, the quantiser of its weights, and its bias.
    fn emit(
        &mut self,
        node: &Node,
        shape: &[usize],
        (real, scales, bits): (Vec<f32>, &[f32], u32),
        bias: &[f32],
    ) -> Result<()> {
        let named = |what: &str| format!("{}.{what}", node.name);
        let draft = &mut self.draft;
        let mut along = vec![1; shape.len()];
        match node.op {
            Op::MatMul => along[1] = scales.len(),
            _ => along[0] = scales.len(),
        }
        let weights = draft.constant(named("weights"), Tensor::new(shape.to_vec(), real)?);
        let scale = draft.constant(named("weights.scale"), Tensor::new(along, scales.to_vec())?);
        let (op, onnx, mut inputs) = match bits {
            1 => (Op::BipolarQuant, "BipolarQuant", vec![weights, scale]),
            _ => (Op::Quant(WEIGHTS), "Quant", vec![weights, scale]),
        };
        if bits > 1 {
            inputs.push(draft.constant(named("weights.zero_point"), Tensor::scalar(0.0)));
            inputs.push(draft.constant(named("weights.bits"), Tensor::scalar(bits as f32)));
        }
        let quantised = draft.fresh(named("weights.quantised"), shape.to_vec());
        draft.add((named("weights.quantise"), onnx, op), inputs, quantised);
        let output = self.plain.network.value(node.output);
        let sums = draft.fresh(named("sums"), output.shape.clone());
        draft.keep(node, vec![self.ids[node.inputs[0].0], quantised], sums);
        let mut along = vec![1; output.shape.len()];
        let axis = match node.op {
            Op::MatMul => along.len() - 1,
            _ => 1,
        };
        along[axis] = bias.len();
        let bias = draft.constant(named("bias"), Tensor::new(along, bias.to_vec())?);
        let op = (named("add_bias"), "Add", Op::Binary(Binary::Add));
        draft.add(op, vec![sums, bias], node.output);
        Ok(())
    }
}

/// What weights are quantised with.
const WEIGHTS: Quant = Quant {
    signed: true,
    narrow: true,
    rounding: Rounding::HalfEven,
};

/// Some of the numbers of a tensor, all of the same weight.
fn numbers(x: &Batch) -> Vec<(f32, f32)> {
    let some = x.some(OF_TENSOR).into_iter();
    some.map(|(frame, at)| (x.frames[frame][at], 1.0)).collect()
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
