//! `Plan`: a chain of prepared layers, and the memory in which a frame passes through them.
//! Must not know how a layer is computed.

use pulp::Arch;

use super::kernel::{Kernel, prepare};
use super::reach::Reach;
use crate::dataflow::{Dataflow, Node, Order, Stream, StreamId};
use crate::error::Result;

/// All layers between the input and the output of a dataflow that has one of each.
#[derive(Debug)]
pub(in crate::reference) struct Plan<'a> {
    arch: Arch,
    order: Order,
    steps: Vec<Step<'a>>,
}

/// One or several layers.
#[derive(Debug)]
enum Step<'a> {
    /// A prepared one, the elements of its output.
    Fast(Kernel, usize),
    /// One that runs as it is defined.
    Exact(&'a Node),
}

/// Memory for one frame, which is used again for the next one. A stream's place is free once it is read.
#[derive(Debug, Default)]
pub(in crate::reference) struct Arena {
    from: Vec<f32>,
    to: Vec<f32>,
    scratch: Vec<f32>,
}

/// A stream in passing: elements in the arena, or integers.
enum Frame {
    Floats(usize),
    Integers(Vec<i64>),
}

impl<'a> Plan<'a> {
    /// Prepares the layers of `dataflow`; `None` where these are no chain whose ends and sizes fit.
    pub(in crate::reference) fn new(dataflow: &'a Dataflow) -> Option<Self> {
        let ([input], [output]) = (&dataflow.inputs[..], &dataflow.outputs[..]) else {
            return None;
        };
        let elements = |id: StreamId| {
            let stream = dataflow.streams.get(id.0)?;
            Some(stream.pixels * stream.channels)
        };
        let stream = dataflow.stream(input.stream);
        let mut plan = Plan {
            arch: Arch::new(),
            order: stream.order,
            steps: Vec::new(),
        };
        let mut reach = Reach::new(stream.element.min(), stream.element.max());
        let mut at = input.stream;
        for node in &dataflow.nodes {
            let ([from], [to]) = (&node.inputs[..], &node.outputs[..]) else {
                return None;
            };
            let hardware = node.layer.hardware();
            let (read, written) = (hardware.input().elements(), hardware.output().elements());
            if *from != at || elements(*from) != Some(read) || elements(*to) != Some(written) {
                return None;
            }
            reach = plan.push(node, reach, written);
            at = *to;
        }
        (at == output.stream && is_whole(stream)).then_some(plan)
    }

    /// Adds a layer to whose input `reach` belongs; returns that of its output.
    fn push(&mut self, node: &'a Node, reach: Reach, written: usize) -> Reach {
        let (reach, kernel) = prepare(self.arch, &node.layer, &node.tensors, reach);
        let step = match kernel {
            Some(Kernel::Same) => return reach,
            Some(Kernel::Product(mut product)) => {
                match self.steps.pop() {
                    Some(Step::Fast(Kernel::Gather(gather), size)) => {
                        if let Err(gather) = product.behind(gather) {
                            self.steps.push(Step::Fast(Kernel::Gather(gather), size));
                        }
                    }
                    before => self.steps.extend(before),
                }
                Step::Fast(Kernel::Product(product), written)
            }
            Some(kernel) => Step::Fast(kernel, written),
            None => Step::Exact(node),
        };
        self.steps.push(step);
        reach
    }

    /// Which layers are prepared, window and product as one.
    #[cfg(test)]
    pub(super) fn fast(&self) -> Vec<bool> {
        let fast = |step: &Step| matches!(step, Step::Fast(..));
        self.steps.iter().map(fast).collect()
    }

    /// The output, in stream order, for one frame in row-major order of the network's input; the frame fits the
    /// input's stream.
    ///
    /// # Errors
    /// Those of the layers.
    pub(in crate::reference) fn run(&self, arena: &mut Arena, frame: &[i64]) -> Result<Vec<i64>> {
        let mut frame = match self.steps.first() {
            Some(Step::Fast(..)) => {
                enter(self.order, frame, room(&mut arena.from, frame.len()));
                Frame::Floats(frame.len())
            }
            _ => Frame::Integers(self.order.to_stream(frame)),
        };
        for step in &self.steps {
            frame = match step {
                Step::Fast(kernel, written) => {
                    let read = arena.floats(frame);
                    let scratch = room(&mut arena.scratch, kernel.scratch());
                    let output = room(&mut arena.to, *written);
                    kernel.run(self.arch, &arena.from[..read], output, scratch);
                    std::mem::swap(&mut arena.from, &mut arena.to);
                    Frame::Floats(*written)
                }
                Step::Exact(node) => {
                    let input = arena.integers(frame);
                    let result = node.layer.hardware().run(&node.tensors, &input);
                    let place =
                        |error: crate::error::Error| error.within(format!("layer `{}`", node.name));
                    Frame::Integers(result.map_err(place)?)
                }
            };
        }
        Ok(arena.integers(frame))
    }
}

/// Whether the elements of a stream have their places in a tensor.
fn is_whole(stream: &Stream) -> bool {
    match stream.order {
        Order::RowMajor => true,
        Order::ChannelsFirst { channels, pixels } => {
            channels * pixels == stream.pixels * stream.channels
        }
    }
}

/// A tensor's elements in stream order.
fn enter(order: Order, tensor: &[i64], stream: &mut [f32]) {
    match order {
        Order::RowMajor => {
            let pairs = stream.iter_mut().zip(tensor);
            pairs.for_each(|(to, from)| *to = *from as f32);
        }
        Order::ChannelsFirst { channels, pixels } => {
            for (channel, plane) in tensor.chunks_exact(pixels).enumerate() {
                let places = stream[channel..].iter_mut().step_by(channels);
                places.zip(plane).for_each(|(to, from)| *to = *from as f32);
            }
        }
    }
}

/// The first `length` elements of a buffer that never shrinks.
fn room(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

impl Arena {
    /// Puts a frame in place; returns its elements.
    fn floats(&mut self, frame: Frame) -> usize {
        match frame {
            Frame::Floats(elements) => elements,
            Frame::Integers(integers) => {
                let floats = room(&mut self.from, integers.len());
                let pairs = floats.iter_mut().zip(&integers);
                pairs.for_each(|(to, from)| *to = *from as f32);
                integers.len()
            }
        }
    }

    /// A frame as integers.
    fn integers(&self, frame: Frame) -> Vec<i64> {
        match frame {
            Frame::Floats(elements) => self.from[..elements].iter().map(|x| *x as i64).collect(),
            Frame::Integers(integers) => integers,
        }
    }
}
