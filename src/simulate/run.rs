//! What a network does with frames, from the cycle in which its reset ends.
//! Must not know the machines.

use super::clock::Turn;
use super::end::{Sink, Source};
use super::fifo::Fifo;
use super::machine::Machine;
use super::network::{ALIKE, Network, Unit};
use super::told::{Activity, Busy, Cause, Load, Run, Span, Usage, Wait};
use super::watch::Watch;
use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::Port;

/// Words of an input that are offered at once: no number that shows outside.
const OFFERED: usize = 256;

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
        // A layer that makes words of padding alone may have begun a frame that nobody asked for.
        fifos[id] = Fifo::new(depth).watched(Watch::new(all + words, true));
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
            usage
                .taken
                .truncate(ends.words[output.stream.0] * network.frames());
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
