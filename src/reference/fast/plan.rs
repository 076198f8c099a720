//! `Plan`: prepared layers in their order, and where each of their frames lies in memory.
//! Must not know how a layer is computed.

use pulp::Arch;

use super::arena::{Arena, places};
use super::kernel::{Kernel, prepare};
use super::reach::Reach;
use crate::dataflow::{Dataflow, Node, Order, Stream, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Add, Layer};

/// All layers between the input and the output of a dataflow that has one of each.
#[derive(Debug)]
pub(in crate::reference) struct Plan<'a> {
    arch: Arch,
    order: Order,
    steps: Vec<Step<'a>>,
    /// Frame in which the result is.
    last: usize,
    /// By frame, its place in the arena.
    places: Vec<usize>,
}

/// One or several layers, which make a frame of other frames. Frame 0 is the input; those behind it are numbered
/// in the order in which they are made.
#[derive(Debug)]
pub(super) struct Step<'a> {
    work: Work<'a>,
    /// Frames that are read.
    pub(super) from: Vec<usize>,
    /// The frame that is made.
    pub(super) to: usize,
    /// Its elements.
    written: usize,
}

#[derive(Debug)]
enum Work<'a> {
    /// A prepared layer.
    Fast(Kernel),
    /// A sum of two frames, each times a number.
    Sum([f32; 2]),
    /// A layer that runs as it is defined.
    Exact(&'a Node),
}

/// By stream, its frame and what is proved of its elements.
type Frames = Vec<Option<(usize, Reach)>>;

impl<'a> Plan<'a> {
    /// Prepares the layers of `dataflow`; `None` where it has several inputs or outputs, or sizes do not fit.
    pub(in crate::reference) fn new(dataflow: &'a Dataflow) -> Option<Self> {
        let ([input], [output]) = (&dataflow.inputs[..], &dataflow.outputs[..]) else {
            return None;
        };
        let stream = dataflow.stream(input.stream);
        let mut plan = Plan {
            arch: Arch::new(),
            order: stream.order,
            steps: Vec::new(),
            last: 0,
            places: Vec::new(),
        };
        let mut frames: Frames = vec![None; dataflow.streams.len()];
        let reach = Reach::new(stream.element.min(), stream.element.max());
        *frames.get_mut(input.stream.0)? = Some((0, reach));
        let mut made = 0;
        for node in &dataflow.nodes {
            if !fits(dataflow, node) {
                return None;
            }
            let read = node.inputs.iter().map(|id| *frames.get(id.0)?);
            let read = read.collect::<Option<Vec<(usize, Reach)>>>()?;
            let written = plan.push(node, &read, &mut made);
            for id in &node.outputs {
                frames[id.0] = Some(written);
            }
        }
        plan.last = frames[output.stream.0]?.0;
        plan.places = places(&plan.steps, plan.last, made + 1);
        is_whole(stream).then_some(plan)
    }

    /// Adds a layer that reads these frames; its frame, and what is proved of it.
    fn push(
        &mut self,
        node: &'a Node,
        read: &[(usize, Reach)],
        made: &mut usize,
    ) -> (usize, Reach) {
        let mut from: Vec<usize> = read.iter().map(|(frame, _)| *frame).collect();
        let written = node.layer.hardware().output().elements();
        let (reach, work) = match (&node.layer, read) {
            (Layer::Add(add), &[(_, a), (_, b)]) => sum(add, [a, b], node),
            (layer, &[(frame, reach)]) => match prepare(self.arch, layer, &node.tensors, reach) {
                (reach, Some(Kernel::Same)) => return (frame, reach),
                (reach, Some(Kernel::Product(mut product))) => {
                    if let Some(window) = self.window_before(frame) {
                        match product.behind(window.0) {
                            Ok(()) => from = window.1.from,
                            Err(gather) => self.steps.push(Step {
                                work: Work::Fast(Kernel::Gather(gather)),
                                ..window.1
                            }),
                        }
                    }
                    (reach, Work::Fast(Kernel::Product(product)))
                }
                (reach, Some(kernel)) => (reach, Work::Fast(kernel)),
                (reach, None) => (reach, Work::Exact(node)),
            },
            _ => {
                let element = node.layer.hardware().output().element;
                (Reach::new(element.min(), element.max()), Work::Exact(node))
            }
        };
        *made += 1;
        self.steps.push(Step {
            work,
            from,
            to: *made,
            written,
        });
        (*made, reach)
    }

    /// Takes the sliding window back that was added last, if it made `frame`: it, and the step that it was, which
    /// does nothing now.
    fn window_before(&mut self, frame: usize) -> Option<(super::gather::Gather, Step<'a>)> {
        let last = self.steps.pop()?;
        match last.work {
            Work::Fast(Kernel::Gather(gather)) if last.to == frame => {
                let work = Work::Sum([0.0; 2]);
                Some((gather, Step { work, ..last }))
            }
            work => {
                self.steps.push(Step { work, ..last });
                None
            }
        }
    }

    /// Which layers are prepared, window and product as one.
    #[cfg(test)]
    pub(super) fn fast(&self) -> Vec<bool> {
        let fast = |step: &Step| !matches!(step.work, Work::Exact(_));
        self.steps.iter().map(fast).collect()
    }

    /// The output, in stream order, for one frame in row-major order of the network's input; the frame fits the
    /// input's stream.
    ///
    /// # Errors
    /// Those of the layers.
    pub(in crate::reference) fn run(&self, arena: &mut Arena, frame: &[i64]) -> Result<Vec<i64>> {
        if self.steps.is_empty() {
            return Ok(self.order.to_stream(frame));
        }
        arena.open(self.places.iter().max().map_or(0, |place| place + 1));
        match self
            .steps
            .iter()
            .any(|step| step.from.contains(&0) && step.is_fast())
        {
            true => enter(
                self.order,
                frame,
                arena.written(self.places[0], frame.len()),
            ),
            false => arena.keep(self.places[0], self.order.to_stream(frame)),
        }
        for step in &self.steps {
            self.step(arena, step)?;
        }
        Ok(arena.integers(self.places[self.last]))
    }

    fn step(&self, arena: &mut Arena, step: &Step<'_>) -> Result<()> {
        let to = self.places[step.to];
        match &step.work {
            Work::Fast(kernel) => {
                let from = self.places[step.from[0]];
                arena.through(
                    from,
                    (to, step.written),
                    kernel.scratch(),
                    |input, output, scratch| {
                        kernel.run(self.arch, input, output, scratch);
                    },
                );
            }
            Work::Sum([first, second]) => {
                let [a, b] = [0, 1].map(|side| self.places[step.from[side]]);
                arena.both([a, b], (to, step.written), |a, b, sums| {
                    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                        *sum = first * a + second * b;
                    }
                });
            }
            Work::Exact(node) => {
                let read = step
                    .from
                    .iter()
                    .map(|frame| arena.integers(self.places[*frame]));
                let read: Vec<Vec<i64>> = read.collect();
                let read: Vec<&[i64]> = read.iter().map(|frame| &frame[..]).collect();
                let result = node.layer.hardware().join(&node.tensors, &read);
                let place = |error: Error| error.within(format!("layer `{}`", node.name));
                arena.keep(to, result.map_err(place)?);
            }
        }
        Ok(())
    }
}

impl Step<'_> {
    fn is_fast(&self) -> bool {
        !matches!(self.work, Work::Exact(_))
    }
}

/// Whether the streams of a node have the sizes of its ports.
fn fits(dataflow: &Dataflow, node: &Node) -> bool {
    let hardware = node.layer.hardware();
    let elements = |id: &StreamId| {
        let stream = dataflow.streams.get(id.0)?;
        Some(stream.pixels * stream.channels)
    };
    let ports = hardware.inputs();
    let read = node.inputs.iter().zip(&ports);
    let written = hardware.output().elements();
    node.inputs.len() == ports.len()
        && read
            .into_iter()
            .all(|(id, port)| elements(id) == Some(port.elements()))
        && node.outputs.iter().all(|id| elements(id) == Some(written))
}

/// What is proved of a sum, and how it is made.
fn sum<'a>(add: &Add, read: [Reach; 2], node: &'a Node) -> (Reach, Work<'a>) {
    let sides = [0, 1].map(|side| read[side].times(add.gains[side]));
    let reach = sides[0].plus(sides[1]);
    let exact = read
        .iter()
        .chain(&sides)
        .chain([&reach])
        .all(|reach| reach.is_exact());
    match exact {
        true => (reach, Work::Sum(add.gains.map(|gain| gain as f32))),
        false => (reach, Work::Exact(node)),
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
