//! `Walk`: a dataflow layer by layer over many frames at once, so that a layer can be changed when all that it reads is
//! known.
//! Must not know why layers change.

use rayon::prelude::*;

use super::fast::{Arena, Plan};
use super::integer::Integers;
use crate::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use crate::error::{Error, Result};
use crate::layer::{Layer, SlidingWindow};
use crate::network::Coding;
use crate::tensor::PerChannel;

/// Frames of all streams that are written and not yet read.
pub struct Walk {
    /// By stream.
    held: Vec<Option<Held>>,
}

/// Frames of one stream, one behind the other, each in stream order.
pub struct Held {
    /// Elements of a frame.
    pub elements: usize,
    /// `[frames, elements]`.
    pub values: Vec<i32>,
}

/// What a matrix product reads: `columns` elements at each of `places`.
pub struct Seen<'a> {
    held: &'a Held,
    window: Option<(&'a SlidingWindow, Vec<Option<usize>>)>,
    /// Elements of a place.
    pub columns: usize,
    /// Places of a frame.
    pub places: usize,
}

impl Held {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.values.len() / self.elements.max(1)
    }

    /// The elements of one frame.
    pub fn frame(&self, frame: usize) -> &[i32] {
        &self.values[frame * self.elements..(frame + 1) * self.elements]
    }
}

impl Seen<'_> {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.held.frames()
    }

    /// Writes the `columns` elements at one place of one frame.
    pub fn place(&self, frame: usize, place: usize, into: &mut [f32]) {
        let values = self.held.frame(frame);
        let Some((window, reads)) = &self.window else {
            let pixel = &values[place * self.columns..(place + 1) * self.columns];
            into.iter_mut()
                .zip(pixel)
                .for_each(|(to, x)| *to = *x as f32);
            return;
        };
        let (channels, positions) = (window.sliding.channels, window.sliding.positions());
        let reads = &reads[place * positions..(place + 1) * positions];
        for (to, pixel) in into.chunks_exact_mut(channels).zip(reads) {
            match pixel {
                Some(pixel) => {
                    let from = &values[pixel * channels..(pixel + 1) * channels];
                    to.iter_mut().zip(from).for_each(|(to, x)| *to = *x as f32);
                }
                None => to.fill(window.pad as f32),
            }
        }
    }
}

impl Walk {
    /// Before the first layer of `dataflow`, which has one input; `frames` in row-major order of the network's tensor.
    ///
    /// # Errors
    /// A user error where there are several inputs, a bug where a frame does not fit.
    pub fn new(dataflow: &Dataflow, frames: &[Vec<i64>]) -> Result<Self> {
        let integers = Integers::new(dataflow);
        let streamed = frames.par_iter().map(|frame| integers.streamed(frame));
        let streamed: Vec<Vec<Vec<i64>>> = streamed.collect::<Result<_>>()?;
        let mut held: Vec<Option<Held>> = dataflow.streams.iter().map(|_| None).collect();
        if let [input] = &dataflow.inputs[..] {
            let values = streamed.into_iter().flatten().map(narrow);
            held[input.stream.0] = Some(joined(values.collect::<Result<_>>()?));
        }
        Ok(Walk { held })
    }

    /// What the matrix product `node` reads, all of it written.
    pub fn seen<'a>(&'a self, dataflow: &'a Dataflow, node: &Node) -> Option<Seen<'a>> {
        let Layer::Mvau(mvau) = &node.layer else {
            return None;
        };
        let before = window_before(dataflow, node);
        let read = before.map_or(node.inputs[0], |(window, _)| window.inputs[0]);
        let reads = |window: &SlidingWindow| window.sliding.reads().flatten().collect();
        Some(Seen {
            held: self.held[read.0].as_ref()?,
            window: before.map(|(_, window)| (window, reads(window))),
            columns: mvau.columns,
            places: mvau.pixels,
        })
    }

    /// Passes all frames through the layer at `at` as it is in `dataflow` now, and forgets what it has read. A sliding
    /// window before a matrix product is passed together with that.
    ///
    /// # Errors
    /// A bug where what it reads is not there, or does not fit.
    pub fn pass(&mut self, dataflow: &Dataflow, at: usize) -> Result<()> {
        let node = &dataflow.nodes[at];
        if waits(dataflow, node) {
            return Ok(());
        }
        let before = window_before(dataflow, node).map(|(window, _)| window);
        let first = before.unwrap_or(node);
        let missing = || Error::bug(format!("`{}` reads what is not written", node.name));
        let read = first.inputs.iter().map(|id| self.held[id.0].take());
        let read = read.collect::<Option<Vec<Held>>>().ok_or_else(missing)?;
        let nodes: Vec<&Node> = before.into_iter().chain([node]).collect();
        let written = passed(dataflow, &nodes, &read)?;
        let (last, others) = node.outputs.split_last().ok_or_else(missing)?;
        for id in others {
            self.held[id.0] = Some(Held {
                elements: written.elements,
                values: written.values.clone(),
            });
        }
        self.held[last.0] = Some(written);
        Ok(())
    }

    /// Frames of a stream that is written and not yet read.
    pub fn held(&self, stream: StreamId) -> Option<&Held> {
        self.held[stream.0].as_ref()
    }
}

/// Whether the layer is a window that is passed together with the product behind it.
fn waits(dataflow: &Dataflow, node: &Node) -> bool {
    let mut readers = node.outputs.iter().flat_map(|id| dataflow.consumers(*id));
    let is_product = |reader: &Node| matches!(&reader.layer, Layer::Mvau(mvau) if mvau.groups == 1);
    matches!(node.layer, Layer::SlidingWindow(_)) && readers.all(is_product)
}

/// The window that is passed together with a product.
fn window_before<'a>(dataflow: &'a Dataflow, node: &Node) -> Option<(&'a Node, &'a SlidingWindow)> {
    let before = dataflow.producer(*node.inputs.first()?)?;
    match &before.layer {
        Layer::SlidingWindow(window) if waits(dataflow, before) => Some((before, window)),
        _ => None,
    }
}

fn narrow(frame: Vec<i64>) -> Result<Vec<i32>> {
    let narrow = frame.into_iter().map(i32::try_from);
    let narrow = narrow.collect::<std::result::Result<Vec<i32>, _>>();
    narrow.map_err(|_| Error::user("its streams need more than 32 bits"))
}

fn joined(frames: Vec<Vec<i32>>) -> Held {
    Held {
        elements: frames.first().map_or(0, Vec::len),
        values: frames.concat(),
    }
}

/// What `nodes`, one behind the other, make of frames.
fn passed(dataflow: &Dataflow, nodes: &[&Node], read: &[Held]) -> Result<Held> {
    let count = read.first().map_or(0, Held::frames);
    let mut part = part(dataflow, nodes);
    // What layers have become may write more than their streams were made for.
    for (input, held) in part.inputs.iter().zip(read) {
        let ends = [held.values.iter().min(), held.values.iter().max()];
        let ends = ends.into_iter().flatten().map(|end| i64::from(*end));
        let stream = &mut part.streams[input.stream.0];
        stream.element = stream.element.widened(ends);
    }
    let wide = |held: &Held, frame: usize| -> Vec<i64> {
        held.frame(frame).iter().map(|x| i64::from(*x)).collect()
    };
    let plan = if read.len() == 1 {
        Plan::new(&part)
    } else {
        None
    };
    let frames: Result<Vec<Vec<i32>>> = match &plan {
        Some(plan) => (0..count)
            .into_par_iter()
            .map_init(Arena::default, |arena, frame| {
                narrow(plan.run(arena, &wide(&read[0], frame))?)
            })
            .collect(),
        None => (0..count)
            .into_par_iter()
            .map(|frame| {
                let inputs: Vec<Vec<i64>> = read.iter().map(|held| wide(held, frame)).collect();
                let mut outputs = Integers::new(&part).run(&inputs, |_, _| ())?;
                narrow(std::mem::take(&mut outputs[0]))
            })
            .collect(),
    };
    Ok(joined(frames?))
}

/// Some nodes as a dataflow of their own; copies of what the last one writes are left out.
fn part(dataflow: &Dataflow, nodes: &[&Node]) -> Dataflow {
    let mut part = Dataflow::default();
    let mut stream = |id: &StreamId| {
        part.add_stream(Stream {
            order: Order::RowMajor,
            ..dataflow.stream(*id).clone()
        })
    };
    let mut read: Vec<StreamId> = nodes[0].inputs.iter().map(&mut stream).collect();
    let inputs = read.clone();
    let mut made = Vec::new();
    for node in nodes {
        let written = vec![stream(&node.outputs[0])];
        made.push(Node {
            inputs: std::mem::replace(&mut read, written.clone()),
            outputs: written,
            ..(*node).clone()
        });
    }
    part.nodes = made;
    let coding = || Coding::scaled(PerChannel::Same(1.0));
    let named = inputs.into_iter().map(|stream| Input {
        name: format!("in_{}", stream.0),
        stream,
        shape: Vec::new(),
        coding: coding(),
        quantiser: None,
    });
    part.inputs = named.collect();
    part.outputs.push(Output {
        name: "out".to_owned(),
        stream: read[0],
        shape: Vec::new(),
        order: Order::RowMajor,
        tail: Tail::new(coding()),
        host: Vec::new(),
        host_shape: Vec::new(),
    });
    part
}
