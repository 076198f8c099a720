//! `Run`: what a network does with frames, from the cycle in which its reset ends.
//! Must not know the machines.

use super::clock::Turn;
use super::end::{Sink, Source};
use super::fifo::Fifo;
use super::machine::Machine;
use super::network::{ALIKE, Network, Unit};
use super::watch::Watch;
use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::Port;

/// Words of an input that are offered at once: no number that shows outside.
const OFFERED: usize = 256;

/// What is asked of a network.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Frames, at least.
    pub frames: usize,
    /// If more, as many as it takes until they leave evenly, up to this number.
    pub most: usize,
    /// Whether it takes more until they are alike in every step of every layer.
    pub alike: bool,
    /// Cycles from the one in which the first word of a frame is offered to the one for the next frame; 0 where all
    /// words are offered from cycle 0 on.
    pub period: u64,
    /// Whether the steps of all words are written down.
    pub trace: bool,
}

impl Load {
    /// So many frames, offered from cycle 0 on.
    pub fn frames(frames: usize) -> Self {
        Load {
            frames,
            most: frames,
            alike: false,
            period: 0,
            trace: false,
        }
    }

    /// Frames offered from cycle 0 on until they leave evenly, `most` at most.
    pub fn until_steady(most: usize) -> Self {
        Load {
            most,
            ..Load::frames(ALIKE + 1)
        }
    }
}

/// What happened. Cycle 0 is the first one after reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// By output of the network, the cycle in which each word leaves, frame after frame.
    pub outputs: Vec<Vec<u64>>,
    /// By frame that left whole, its first and last word of all outputs.
    pub frames: Vec<Span>,
    /// Cycles from one frame to the next, if the last ones left evenly.
    pub interval: Option<u64>,
    /// Whether these were alike in every step of every layer, so that nothing will ever change: the proof that the
    /// network keeps the pace. Without it layers that are faster than the others still fill FIFOs; where frames are
    /// offered no sooner than they leave, the proof takes few of them.
    pub alike: bool,
    /// By node, what it did.
    pub nodes: Vec<Activity>,
    /// By stream, what passed through it.
    pub streams: Vec<Usage>,
    /// Nodes one of whose engines is all that the interval is made of. None if FIFOs or the source decide.
    pub busy: Vec<Busy>,
    /// If the frames did not come through: all that waits.
    pub deadlock: Vec<Wait>,
}

impl Run {
    /// Cycles until the first frame has left.
    pub fn latency(&self) -> Option<u64> {
        self.frames.first().map(|frame| frame.last + 1)
    }
}

/// From a first to a last cycle, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// What a node did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// By frame, its first and its last step.
    pub frames: Vec<Span>,
    /// Cycles of the last frame in which the engine that makes words waited for some to be taken.
    pub starved: u64,
    /// Cycles of the last frame in which it waited for room.
    pub blocked: u64,
}

/// What passed through a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most words that were reserved at once; 0 for inputs of the network.
    pub peak: usize,
    /// If asked for: the cycle of the step that made each word, and the one of the step that took it.
    pub made: Vec<u64>,
    /// See `made`.
    pub taken: Vec<u64>,
}

/// A node that decides the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// Its index.
    pub node: usize,
    /// Why.
    pub cause: Cause,
}

/// What a node's interval is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Steps, some of which neither take nor make a word.
    Compute,
    /// A word that is taken in every cycle.
    Input,
    /// A word that is made in every cycle.
    Output,
    /// Its two engines, which wait for each other.
    Window,
}

/// A node that waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Name of the node; `None` for who reads or writes the network.
    pub node: Option<String>,
    /// Streams in which it lacks a word.
    pub words: Vec<StreamId>,
    /// Streams in which it lacks room.
    pub room: Vec<StreamId>,
}

/// Passes frames through `dataflow`, its FIFOs as deep as its streams say.
///
/// # Errors
/// A bug where the graph's laws do not hold.
pub fn run(dataflow: &Dataflow, load: &Load) -> Result<Run> {
    dataflow.verify("simulate")?;
    let most = load.frames.max(load.most);
    let ends = Ends::of(dataflow);
    let mut network = network(dataflow, &ends, load, most)?;
    let mut frames = load.frames;
    loop {
        network.run(frames);
        let enough = match load.alike {
            true => network.steady().is_some(),
            false => even(&network).is_some(),
        };
        if !network.is_over() || frames >= most || enough {
            return Ok(told(dataflow, network, &ends, load));
        }
        frames += 1;
    }
}

/// The shapes of a dataflow's streams as their writers, or the host, see them.
struct Ends {
    /// By stream, words of a frame.
    words: Vec<usize>,
}

impl Ends {
    fn of(dataflow: &Dataflow) -> Self {
        let mut words = vec![0; dataflow.streams.len()];
        for node in &dataflow.nodes {
            let hardware = node.layer.hardware();
            let ports = hardware.inputs();
            let inputs = node.inputs.iter().zip(ports.iter().map(Port::words));
            inputs.for_each(|(id, count)| words[id.0] = count);
            let written = hardware.output().words();
            node.outputs.iter().for_each(|id| words[id.0] = written);
        }
        Ends { words }
    }
}

fn network(dataflow: &Dataflow, ends: &Ends, load: &Load, frames: usize) -> Result<Network> {
    let mut fifos = Vec::with_capacity(dataflow.streams.len());
    for (stream, words) in dataflow.streams.iter().zip(&ends.words) {
        if stream.depth == 0 {
            return Err(Error::bug("a stream's FIFO has no place"));
        }
        // More places than words are none that are ever used.
        let all = words.saturating_mul(frames).max(1);
        let watch = Watch::new(if load.trace { all } else { 0 }, true);
        fifos.push(Fifo::new(stream.depth.min(all)).watched(watch));
    }
    let unit = |node: &crate::dataflow::Node| Unit {
        machine: Machine::of(&node.layer.hardware().schedule()),
        inputs: node.inputs.iter().map(|id| id.0).collect(),
        outputs: node.outputs.iter().map(|id| id.0).collect(),
    };
    let mut units: Vec<Unit> = dataflow.nodes.iter().map(unit).collect();
    for input in &dataflow.inputs {
        let (id, watch) = (
            input.stream.0,
            load.trace.then(|| ends.words[input.stream.0]),
        );
        let watch = Watch::new(watch.map_or(0, |words| words * frames), false);
        fifos[id] = Fifo::new(OFFERED).watched(watch);
        units.push(Unit {
            machine: Machine::Source(Source::offered(ends.words[id], 0, load.period)),
            inputs: Vec::new(),
            outputs: vec![id],
        });
    }
    for output in &dataflow.outputs {
        let (id, words) = (output.stream.0, ends.words[output.stream.0]);
        let all = words.saturating_mul(frames).max(1);
        // What leaves is always wanted.
        let depth = dataflow.stream(output.stream).depth.min(all);
        fifos[id] = Fifo::new(depth).watched(Watch::new(all, true));
        units.push(Unit {
            machine: Machine::Sink(Sink::soon(words)),
            inputs: vec![id],
            outputs: Vec::new(),
        });
    }
    Ok(Network::new(units, fifos))
}

/// Cycles from frame to frame, if the last frames left evenly.
fn even(network: &Network) -> Option<u64> {
    let mut found = None;
    for unit in &network.units {
        let Machine::Sink(sink) = &unit.machine else {
            continue;
        };
        for pair in sink.clock.turns.windows(2).rev().take(ALIKE) {
            let gap = pair[1].last - pair[0].last;
            if *found.get_or_insert(gap) != gap {
                return None;
            }
        }
        if sink.clock.turns.len() <= ALIKE {
            return None;
        }
    }
    found
}

/// All that is known after the frames.
fn told(dataflow: &Dataflow, mut network: Network, ends: &Ends, load: &Load) -> Run {
    let (interval, deadlock) = match network.is_over() {
        true => (even(&network), Vec::new()),
        false => (None, waits(dataflow, &mut network)),
    };
    let alike = interval.is_some_and(|interval| network.repeats(interval, ALIKE));
    let units = network.units.iter().take(dataflow.nodes.len());
    let nodes: Vec<Activity> = units.map(activity).collect();
    let busy = interval.map_or_else(Vec::new, |interval| busiest(dataflow, &network, interval));
    let mut streams: Vec<Usage> = network.fifos.iter_mut().map(usage).collect();
    let outputs: Vec<Vec<u64>> = dataflow
        .outputs
        .iter()
        .map(|output| {
            let usage = &mut streams[output.stream.0];
            match load.trace {
                true => usage.taken.clone(),
                false => {
                    usage.made.clear();
                    std::mem::take(&mut usage.taken)
                }
            }
        })
        .collect();
    let words = dataflow
        .outputs
        .iter()
        .map(|output| ends.words[output.stream.0]);
    Run {
        frames: spans(&outputs, &words.collect::<Vec<_>>()),
        outputs,
        interval,
        alike,
        nodes,
        streams,
        busy,
        deadlock,
    }
}

fn usage(fifo: &mut Fifo) -> Usage {
    let Some(mut watch) = fifo.seen() else {
        return Usage::default();
    };
    watch.merge(true);
    Usage {
        peak: watch.peak,
        made: watch.made.in_order(),
        taken: watch.read.in_order(),
    }
}

/// First and last word of each frame that left whole.
fn spans(outputs: &[Vec<u64>], words: &[usize]) -> Vec<Span> {
    let pairs = || outputs.iter().zip(words);
    let frames = pairs().map(|(cycles, words)| cycles.len() / words.max(&1));
    let frame = |frame: usize| Span {
        first: pairs()
            .map(|(cycles, words)| cycles[frame * words])
            .min()
            .unwrap_or(0),
        last: pairs()
            .map(|(cycles, words)| cycles[(frame + 1) * words - 1])
            .max()
            .unwrap_or(0),
    };
    (0..frames.min().unwrap_or(0)).map(frame).collect()
}

fn activity(unit: &Unit) -> Activity {
    let [taker, maker] = unit
        .machine
        .clocks()
        .map(|clock| clock.map(|clock| &clock.turns[..]));
    let maker = maker.unwrap_or_default();
    let frame = |(frame, turn): (usize, &Turn)| Span {
        first: match taker.and_then(|turns| turns.get(frame)) {
            Some(taken) => taken.first.min(turn.first),
            None => turn.first,
        },
        last: match taker.and_then(|turns| turns.get(frame)) {
            Some(taken) => taken.last.max(turn.last),
            None => turn.last,
        },
    };
    Activity {
        frames: maker.iter().enumerate().map(frame).collect(),
        starved: maker.last().map_or(0, |turn| turn.starved + turn.held),
        blocked: maker.last().map_or(0, |turn| turn.blocked),
    }
}

/// The nodes that never wait for others.
fn busiest(dataflow: &Dataflow, network: &Network, interval: u64) -> Vec<Busy> {
    let mut busy = Vec::new();
    for (node, unit) in network.units.iter().take(dataflow.nodes.len()).enumerate() {
        let turns = unit
            .machine
            .clocks()
            .map(|clock| clock?.turns.last().copied());
        let never = |turn: &&Turn| turn.starved + turn.held + turn.blocked == 0;
        let cause = match turns.iter().flatten().find(never) {
            Some(turn) if turn.taken == interval => Some(Cause::Input),
            Some(turn) if turn.made == interval => Some(Cause::Output),
            Some(_) => Some(Cause::Compute),
            None => {
                let alone = turns
                    .iter()
                    .flatten()
                    .all(|turn| turn.starved + turn.blocked == 0);
                alone.then_some(Cause::Window)
            }
        };
        busy.extend(cause.map(|cause| Busy { node, cause }));
    }
    busy
}

/// Who waits for what.
fn waits(dataflow: &Dataflow, network: &mut Network) -> Vec<Wait> {
    let mut waits = Vec::new();
    for at in 0..network.units.len() {
        if network.units[at].is_over(network.frames()) {
            continue;
        }
        let (lacking, room) = network.lacks(at);
        let unit = &network.units[at];
        let words = unit.inputs.iter().enumerate();
        let words = words.filter(|(input, _)| lacking >> input & 1 == 1);
        let full = unit
            .outputs
            .iter()
            .filter(|fifo| room && network.fifos[**fifo].free() == 0);
        waits.push(Wait {
            node: dataflow.nodes.get(at).map(|node| node.name.clone()),
            words: words.map(|(_, id)| StreamId(*id)).collect(),
            room: full.map(|id| StreamId(*id)).collect(),
        });
    }
    waits
}
