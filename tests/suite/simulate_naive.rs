//! The contract between layers, literally: registers, counters of free places, pipelines and FIFOs, cycle by cycle.
//! Must not know how simulation by words works.

use std::collections::VecDeque;

use finnp::dataflow::{Dataflow, Node};
use finnp::layer::{FIFO_LATENCY, Form};

use super::simulate_layer::State;

/// A stream's pipeline and FIFO.
struct Wire {
    free: usize,
    /// What is on its way: one place per cycle.
    pipe: VecDeque<bool>,
    length: usize,
    readable: usize,
    /// In this cycle.
    reserve: bool,
    read: bool,
    depth: usize,
    made: Vec<u64>,
    taken: Vec<u64>,
    peak: usize,
}

impl Wire {
    fn new(depth: usize, latency: u64) -> Self {
        Wire {
            free: depth,
            pipe: VecDeque::new(),
            length: (latency + FIFO_LATENCY) as usize,
            readable: 0,
            reserve: false,
            read: false,
            depth,
            made: Vec::new(),
            taken: Vec::new(),
            peak: 0,
        }
    }

    fn begin(&mut self) {
        if self.pipe.len() == self.length && self.pipe.pop_front() == Some(true) {
            self.readable += 1;
        }
    }

    /// The clock's edge; whether anything happens or is under way.
    fn end(&mut self, cycle: u64) -> bool {
        if self.reserve {
            assert!(self.free > 0);
            self.made.push(cycle);
            self.peak = self.peak.max(self.depth - self.free + 1);
        }
        if self.read {
            assert!(self.readable > 0);
            self.taken.push(cycle);
            self.readable -= 1;
        }
        self.free = self.free + usize::from(self.read) - usize::from(self.reserve);
        self.pipe.push_back(self.reserve);
        let moved = self.reserve || self.read || self.pipe.contains(&true);
        (self.reserve, self.read) = (false, false);
        moved
    }
}

/// By stream: the cycles in which words were made and taken, and the most that were reserved.
pub(crate) struct Seen {
    pub(crate) made: Vec<Vec<u64>>,
    pub(crate) taken: Vec<Vec<u64>>,
    pub(crate) peaks: Vec<usize>,
}

/// A layer in its place, with the steps that a word takes at a place of its window.
struct Placed<'a> {
    node: &'a Node,
    state: State,
    each: usize,
}

impl Placed<'_> {
    /// One cycle; whether a step was made.
    fn cycle(&mut self, valid: &[bool], wires: &mut [Wire]) -> bool {
        let outputs = &self.node.outputs;
        let room = outputs.iter().all(|id| wires[id.0].free > 0);
        let (takes, makes, moved) = self.state.cycle(self.each, valid, room);
        for (input, id) in self.node.inputs.iter().enumerate() {
            wires[id.0].read |= takes >> input & 1 == 1;
        }
        for id in outputs {
            wires[id.0].reserve = makes;
        }
        moved
    }
}

/// The layers, and the streams behind them.
fn built(dataflow: &Dataflow) -> (Vec<Placed<'_>>, Vec<Wire>) {
    let streams = dataflow.streams.iter();
    let mut wires: Vec<Wire> = streams.map(|stream| Wire::new(stream.depth, 1)).collect();
    let mut layers = Vec::new();
    for node in &dataflow.nodes {
        let schedule = node.layer.hardware().schedule();
        for id in &node.outputs {
            wires[id.0] = Wire::new(dataflow.stream(*id).depth, schedule.latency);
        }
        layers.push(Placed {
            node,
            state: State::new(&schedule),
            each: match schedule.form {
                Form::Window { steps, .. } => steps,
                _ => 1,
            },
        });
    }
    (layers, wires)
}

/// By stream, words of a frame where the host writes it.
fn inputs(dataflow: &Dataflow) -> Vec<Option<usize>> {
    let mut inputs = vec![None; dataflow.streams.len()];
    for input in &dataflow.inputs {
        let reader = dataflow.consumers(input.stream).next().unwrap();
        let slot = reader.inputs.iter().position(|id| *id == input.stream);
        inputs[input.stream.0] = Some(reader.layer.hardware().inputs()[slot.unwrap()].words());
    }
    inputs
}

/// Runs until nothing moves any more.
pub(crate) fn cycles(dataflow: &Dataflow, frames: usize, period: u64) -> Seen {
    let (mut layers, mut wires) = built(dataflow);
    let inputs = inputs(dataflow);
    let (mut cycle, mut still) = (0, 0);
    while still <= period + 4 {
        wires.iter_mut().for_each(Wire::begin);
        let mut moved = false;
        for layer in &mut layers {
            let valid = layer.node.inputs.iter().map(|id| match inputs[id.0] {
                None => wires[id.0].readable > 0,
                Some(words) => {
                    let sent = wires[id.0].taken.len();
                    sent < words * frames && (sent / words) as u64 * period <= cycle
                }
            });
            let valid: Vec<bool> = valid.collect();
            moved |= layer.cycle(&valid, &mut wires);
        }
        for output in &dataflow.outputs {
            let wire = &mut wires[output.stream.0];
            wire.read = wire.readable > 0;
        }
        for (wire, input) in wires.iter_mut().zip(&inputs) {
            if input.is_none() {
                moved |= wire.end(cycle);
            } else if wire.read {
                wire.taken.push(cycle);
                wire.read = false;
            }
        }
        cycle += 1;
        still = if moved { 0 } else { still + 1 };
    }
    Seen {
        peaks: wires.iter().map(|wire| wire.peak).collect(),
        made: wires.iter().map(|wire| wire.made.clone()).collect(),
        taken: wires.iter().map(|wire| wire.taken.clone()).collect(),
    }
}
