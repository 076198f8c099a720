//! Tensors on their grids: a scale for each, or for several together, and factors of their channels.
//! Must not know weights beyond their size.

use super::batch::Batch;
use super::equal::{by_channel, compromise};
use super::plain::is_product;
use super::report::{OfTensor, decibels};
use super::scale::Range;
use super::shape::Shape;
use super::student::Student;
use crate::error::Result;
use crate::network::{Binary, Node, Op, Quant, Rounding, ValueId};
use crate::tensor::Tensor;

/// Elements of a tensor from which its scale is found.
const OF_TENSOR: usize = 1 << 18;
/// Samples from which scales are found that several tensors share.
const FIRST: usize = 32;

/// The grid of a tensor, and some of its numbers, each of a weight of its own.
type Member = (Range, Vec<(f32, f32)>);

impl Student<'_> {
    /// Finds the scales that several tensors share, on the first samples of the float network.
    pub(super) fn share(&mut self, input: ValueId, read: &Batch) -> Result<()> {
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
        let mut found: Vec<Vec<Member>> = vec![Vec::new(); values.len()];
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
            *shared = together(members);
        }
        Ok(())
    }

    /// The grid of a tensor, and whether it has numbers below 0.
    fn range(&self, id: ValueId, x: &Batch) -> (Range, bool) {
        let signed = x.frames.iter().flatten().any(|x| *x < 0.0);
        let bits = self.wants.bits[id.0].unwrap_or(1);
        (Range::of(signed, bits), signed)
    }

    /// Puts a quantiser behind a node, whose output is `x`, and gives what it makes of it.
    pub(super) fn quantise(&mut self, node: &Node, bits: u32, x: Batch) -> Result<Batch> {
        let id = node.output;
        let value = self.plain.network.value(id);
        let (range, signed) = self.range(id, &x);
        let factors = match self.shared[self.wants.class[id.0]] {
            None => self.equalised(id, &x, range)?,
            Some(_) => None,
        };
        let (last, read) = match &factors {
            Some(factors) => self.divided(node, x, factors)?,
            None => (id, x),
        };
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

    /// Divides the channels of what a node makes by factors.
    fn divided(&mut self, node: &Node, x: Batch, factors: &[f64]) -> Result<(ValueId, Batch)> {
        let value = self.plain.network.value(node.output);
        let channels = factors.len();
        let plane = match value.shape.len() {
            0..=2 => 1,
            _ => value.shape.iter().product::<usize>() / channels.max(1),
        };
        let inverse: Vec<f32> = factors.iter().map(|f| (1.0 / f) as f32).collect();
        let read = x.each(|frame| {
            let values = frame.iter().enumerate();
            values
                .map(|(at, x)| x * inverse[at / plane % channels])
                .collect()
        });
        let mut along = vec![1; value.shape.len()];
        along[1] = channels;
        let name = format!("{}.equalise", node.name);
        let constant = Tensor::new(along, inverse)?;
        let constant = self.draft.constant(name.clone(), constant);
        let named = format!("{}.equalised", value.name);
        let output = self.draft.fresh(named, value.shape.clone());
        let op = (name, "Mul", Op::Binary(Binary::Mul));
        self.draft.add(op, vec![node.output, constant], output);
        Ok((output, read))
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
}

/// Some of the numbers of a tensor, all of the same weight.
fn numbers(x: &Batch) -> Vec<(f32, f32)> {
    let some = x.some(OF_TENSOR).into_iter();
    some.map(|(frame, at)| (x.frames[frame][at], 1.0)).collect()
}

/// The scale with the least error on numbers of several tensors, each on a grid of its own; `None` of none.
fn together(members: &[Member]) -> Option<f64> {
    let scales = members.iter().map(|(range, list)| range.best(list));
    let (low, high) = scales.fold((f64::INFINITY, 0.0f64), |(low, high), scale| {
        (low.min(scale), high.max(scale))
    });
    let lost = |scale: f64| -> f64 {
        let each = members.iter().map(|(range, list)| range.error(list, scale));
        each.sum()
    };
    let tried = (0..=16).map(|step| low * (high / low).powf(f64::from(step) / 16.0));
    let best = tried.min_by(|a, b| lost(*a).total_cmp(&lost(*b)));
    best.filter(|scale| scale.is_finite())
}
