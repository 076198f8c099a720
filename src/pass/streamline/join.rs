//! Joins: sums of two streams, and streams side by side.
//! Must not know quantisers.

use super::flow::{Flow, channel_axis};
use super::product::on_grid;
use super::{Builder, Meaning, missing_input};
use crate::dataflow::{Node as LayerNode, Order, Tail};
use crate::error::{Error, Result};
use crate::layer::{Add, Concat, Layer, Part, Tensors};
use crate::network::{Binary, Coding, Node, Op, ValueId};
use crate::tensor::DataType;

/// Inputs of a concatenation, the type of its output and the ranges of its channels.
type Parts = (Vec<Part>, DataType, Vec<(i64, i64)>);

impl Builder<'_> {
    /// A node that reads more than one value that depends on the input.
    ///
    /// # Errors
    /// A user error where the values cannot be joined as integers.
    pub(super) fn join(&mut self, node: &Node) -> Result<Meaning> {
        let sign = match node.op {
            Op::Binary(Binary::Add) => Some(1.0),
            Op::Binary(Binary::Sub) => Some(-1.0),
            Op::Concat { .. } => None,
            Op::MatMul
            | Op::Conv { .. }
            | Op::ConvTranspose { .. }
            | Op::Binary(Binary::Mul | Binary::Div) => {
                return Err(Error::user("it multiplies or divides two activations").help(
                    "attention, gates and other products of activations are not supported: one operand must be a constant",
                ));
            }
            _ => {
                return Err(Error::user("it reads more than one activation")
                    .help("branches can be joined by Add, Sub and Concat"));
            }
        };
        let mut flows = Vec::with_capacity(node.inputs.len());
        for id in &node.inputs {
            flows.push(self.branch(*id)?);
        }
        let flow = match (node.op, sign, <[Flow; 2]>::try_from(flows)) {
            (_, Some(sign), Ok([a, b])) => self.sum(node, a, b, sign)?,
            (Op::Concat { axis }, None, Ok([a, b])) => self.side_by_side(node, vec![a, b], axis)?,
            (Op::Concat { axis }, None, Err(flows)) => self.side_by_side(node, flows, axis)?,
            _ => return Err(Error::user("its operands are not supported")),
        };
        Ok(Meaning::Flow(flow))
    }

    /// The flow of one operand.
    fn branch(&mut self, id: ValueId) -> Result<Flow> {
        let name = &self.network.value(id).name;
        if self.real.is_constant(id) {
            return Err(Error::user(format!("its operand `{name}` is a constant"))
                .help("constants beside activations are not supported"));
        }
        let flow = match self.read(id)? {
            Meaning::Flow(flow) => self.settled(flow)?,
            Meaning::Unspecified => return Err(missing_input(name)),
            Meaning::Host(..) | Meaning::Forked(_) => {
                return Err(Error::user(format!(
                    "its operand `{name}` is left to the host"
                )));
            }
        };
        on_grid(&flow).map_err(|error| error.within(format!("operand `{name}`")))?;
        Ok(flow)
    }

    fn sum(&mut self, node: &Node, a: Flow, b: Flow, sign: f64) -> Result<Flow> {
        let shape = &self.network.value(node.output).shape;
        if &a.shape != shape || &b.shape != shape {
            return Err(Error::user(format!(
                "it adds tensors of shapes {:?} and {:?}",
                a.shape, b.shape
            ))
            .help("both branches need the same shape: broadcasting one of them is not supported"));
        }
        let (a, b) = together(a, b)?;
        let (coding, gains) = on_grid(&a)?.sum(on_grid(&b)?, sign).ok_or_else(|| {
            let per_channel = [&a, &b].iter().any(|flow| {
                let coding = flow.affine.as_ref();
                coding.is_some_and(|coding| coding.scale.channels().is_some())
            });
            Error::user(format!(
                "the scales of its operands, {} and {}, have no common unit of reasonable size{}",
                scale_of(&a),
                scale_of(&b),
                if per_channel { " that is the same in all channels" } else { "" },
            ))
            .help("give both branches quantisers with the same scale, or with scales whose ratio is a power of two, the same one in all channels")
        })?;
        let ranges = [self.ranges_of(&a), self.ranges_of(&b)];
        let count = ranges[0].len().max(ranges[1].len());
        let sums: Option<Vec<(i64, i64)>> = (0..count)
            .map(|channel| {
                let ends = [0, 1]
                    .map(|side| times(ranges[side][channel % ranges[side].len()], gains[side]));
                let (low, high) = (ends[0].0 + ends[1].0, ends[0].1 + ends[1].1);
                let limit = 1i128 << 53;
                (low > -limit && high < limit).then_some((low as i64, high as i64))
            })
            .collect();
        let sums = sums.ok_or_else(|| Error::user("its sums need more than 53 bits"))?;
        let output = spanning(&sums)?;
        let elements = [a.stream, b.stream].map(|stream| self.dataflow.stream(stream).element);
        let layer = Layer::Add(Add {
            inputs: elements,
            gains,
            channels: a.channels,
            pixels: a.pixels,
            output,
            pe: 1,
        });
        let other = b.stream;
        let flow = Flow {
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            ..a
        };
        let flow = self.append(node, layer, Tensors::default(), flow, output, sums);
        self.read_too(other)?;
        Ok(flow)
    }

    /// The layer that was added last reads another stream, too.
    fn read_too(&mut self, stream: crate::dataflow::StreamId) -> Result<()> {
        let last: &mut LayerNode = self
            .dataflow
            .nodes
            .last_mut()
            .ok_or_else(|| Error::bug("no layer was added"))?;
        last.inputs.push(stream);
        Ok(())
    }

    fn side_by_side(&mut self, node: &Node, flows: Vec<Flow>, axis: usize) -> Result<Flow> {
        let shape = &self.network.value(node.output).shape;
        let refused = || {
            Error::user(format!("it puts tensors side by side along axis {axis} of {shape:?}"))
                .help("concatenation along the channels is supported: axis 1 of pictures, the last axis of vectors")
        };
        let flows = flows
            .into_iter()
            .map(|flow| along(flow, axis))
            .collect::<Option<Vec<Flow>>>()
            .ok_or_else(refused)?;
        let (first, channels) = (&flows[0], flows.iter().map(|flow| flow.channels).sum());
        if flows.iter().any(|flow| flow.pixels != first.pixels) {
            return Err(refused());
        }
        let codings: Vec<(&Coding, usize)> = flows
            .iter()
            .map(|flow| Ok((on_grid(flow)?, flow.channels)))
            .collect::<Result<_>>()?;
        let (coding, gains) = Coding::side_by_side(&codings);
        let (inputs, output, ranges) = self.parts(&flows, &gains)?;
        let layer = Layer::Concat(Concat {
            inputs,
            pixels: first.pixels,
            output,
            pe: 1,
        });
        let others: Vec<_> = flows.iter().skip(1).map(|flow| flow.stream).collect();
        let order = match axis {
            1 if shape.len() > 2 => Order::channels_first(channels, first.pixels),
            _ => Order::RowMajor,
        };
        let flow = Flow {
            shape: shape.clone(),
            order,
            channels,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            ..first.clone()
        };
        let flow = self.append(node, layer, Tensors::default(), flow, output, ranges);
        for stream in others {
            self.read_too(stream)?;
        }
        Ok(flow)
    }

    /// What is put side by side, with these gains: the inputs, the type of the output and the ranges of its channels.
    fn parts(&self, flows: &[Flow], gains: &[i64]) -> Result<Parts> {
        let mut ranges = Vec::new();
        let mut inputs = Vec::with_capacity(flows.len());
        for (flow, gain) in flows.iter().zip(gains) {
            let own = self.ranges_of(flow);
            let ends = (0..flow.channels).map(|channel| {
                let (low, high) = times(own[channel % own.len()], *gain);
                Some((i64::try_from(low).ok()?, i64::try_from(high).ok()?))
            });
            let ends: Option<Vec<(i64, i64)>> = ends.collect();
            ranges.extend(ends.ok_or_else(|| Error::user("its integers need more than 63 bits"))?);
            inputs.push(Part {
                element: self.dataflow.stream(flow.stream).element,
                channels: flow.channels,
                gain: *gain,
            });
        }
        let alike = |part: &Part| part.element == inputs[0].element && part.gain == 1;
        let output = match inputs.iter().all(alike) {
            true => inputs[0].element,
            false => spanning(&ranges)?,
        };
        Ok((inputs, output, ranges))
    }
}

/// Both in the same order and in pixels of the same size.
fn together(a: Flow, b: Flow) -> Result<(Flow, Flow)> {
    let (a, b) = match a.order == b.order {
        true => (a, b),
        false => {
            let channels = a.shape.get(1).copied().unwrap_or(1);
            match (a.clone().pictured(channels), b.clone().pictured(channels)) {
                (Some(a), Some(b)) => (a, b),
                _ => {
                    return Err(Error::user(
                        "the elements of its operands arrive in different orders",
                    )
                    .help("reshape or transpose both branches in the same way"));
                }
            }
        }
    };
    if a.channels == b.channels {
        return Ok((a, b));
    }
    let (first, second) = (a.channels, b.channels);
    Ok(match (a.tail.channels(), b.tail.channels()) {
        (None, _) => (a.grouped(second), b),
        (_, None) => (a, b.grouped(first)),
        _ => (a.one_pixel(), b.one_pixel()),
    })
}

/// The flow with the elements along `axis` as its channels.
fn along(flow: Flow, axis: usize) -> Option<Flow> {
    let channels = *flow.shape.get(axis)?;
    if axis == 1 && flow.shape.len() > 2 {
        return flow.pictured(channels);
    }
    let (own, _) = channel_axis(&flow.shape, flow.order);
    let last = flow.shape[axis + 1..].iter().all(|length| *length == 1);
    match (flow.order, flow.channels == channels, flow.tail.channels()) {
        (Order::RowMajor, true, _) if own == axis || last => Some(flow),
        (Order::RowMajor, false, None) if last => Some(flow.grouped(channels)),
        _ => None,
    }
}

fn times((low, high): (i64, i64), gain: i64) -> (i128, i128) {
    let (a, b) = (
        i128::from(low) * i128::from(gain),
        i128::from(high) * i128::from(gain),
    );
    (a.min(b), a.max(b))
}

/// The type of all these ranges.
fn spanning(ranges: &[(i64, i64)]) -> Result<DataType> {
    let low = ranges.iter().map(|range| range.0).min().unwrap_or(0);
    let high = ranges.iter().map(|range| range.1).max().unwrap_or(0);
    DataType::spanning(low, high).ok_or_else(|| Error::user("its integers need more than 63 bits"))
}

fn scale_of(flow: &Flow) -> String {
    match flow.affine.as_ref().map(|coding| &coding.scale) {
        Some(scale) => match scale.uniform() {
            Some(scale) => scale.to_string(),
            None => format!("{} and others", scale.at(0)),
        },
        None => "none".into(),
    }
}
