//! `Part`: some neighbouring layers, fed and emptied as the rest of the network does it once frames are alike.
//! Must not know which depths are tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::end::{Sink, Source, Timetable};
use super::fifo::Fifo;
use super::machine::Machine;
use super::network::{Network, Unit};
use super::watch::Watch;
use crate::dataflow::Dataflow;
use crate::layer::{FIFO_LATENCY, Form, Port, Schedule};

/// Words between a part and an end that never lets it wait: no number that shows.
const BUFFER: usize = 512;

/// When the first frame begins: what is made before that has room below it.
const START: u64 = 1 << 40;

/// Frames after which a part that is not yet alike never will be.
const MOST: usize = 64;

/// What does not change while depths are looked for.
pub(super) struct Plan {
    /// By node.
    pub(super) schedules: Vec<Schedule>,
    /// By node, the first one with the same schedule.
    pub(super) kinds: Vec<usize>,
    /// By node, the streams that it reads and writes.
    pub(super) inputs: Vec<Vec<usize>>,
    pub(super) outputs: Vec<Vec<usize>>,
    /// By stream, its words in a frame, and who writes and reads it, if not the host.
    pub(super) words: Vec<usize>,
    pub(super) writer: Vec<Option<usize>>,
    pub(super) reader: Vec<Option<usize>>,
    /// Cycles from frame to frame.
    pub(super) period: u64,
}

/// What is known of a stream.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// Words that its FIFO holds; none while its reader is not looked at.
    pub(super) depth: Option<usize>,
    /// Once frames are alike, the cycles in which its words are made and taken, from the beginning of the frame on.
    pub(super) made: Arc<[i64]>,
    pub(super) taken: Arc<[i64]>,
}

/// How a part is joined to the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// As the rest does it.
    Network,
    /// The same, but FIFOs to layers before it have no end.
    Endless,
    /// All that it reads is there when the frame begins, and there is always room.
    Nothing,
}

/// The FIFO of each stream of a part, and its units that stand for nodes of the rest.
type Joints = (BTreeMap<usize, usize>, Vec<(usize, usize)>);

/// How it went.
pub(super) enum Verdict {
    /// Frames are alike, and the network's period apart: what is new of the streams.
    Alike(BTreeMap<usize, Known>),
    /// They are, but these nodes would have to be slower than they are known to be.
    Slows(BTreeSet<usize>),
    /// They never are.
    Fails,
}

impl Plan {
    pub(super) fn new(dataflow: &Dataflow) -> Self {
        let mut plan = Plan {
            schedules: Vec::new(),
            kinds: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            words: vec![0; dataflow.streams.len()],
            writer: vec![None; dataflow.streams.len()],
            reader: vec![None; dataflow.streams.len()],
            period: 0,
        };
        for (at, node) in dataflow.nodes.iter().enumerate() {
            let hardware = node.layer.hardware();
            let schedule = hardware.schedule();
            let same = plan.schedules.iter().position(|known| *known == schedule);
            plan.kinds.push(same.unwrap_or(at));
            plan.schedules.push(schedule);
            let ports = hardware.inputs();
            for (id, words) in node.inputs.iter().zip(ports.iter().map(Port::words)) {
                plan.words[id.0] = words;
                plan.reader[id.0] = Some(at);
            }
            for id in &node.outputs {
                plan.words[id.0] = hardware.output().words();
                plan.writer[id.0] = Some(at);
            }
            plan.inputs
                .push(node.inputs.iter().map(|id| id.0).collect());
            plan.outputs
                .push(node.outputs.iter().map(|id| id.0).collect());
        }
        plan
    }

    /// Cycles from the step of a node to the one in which its word can be read.
    pub(super) fn delay(&self, node: usize) -> u64 {
        self.schedules[node].latency + FIFO_LATENCY
    }

    /// Frames back that something in the node may have to wait for.
    fn reach(&self, node: usize) -> usize {
        match &self.schedules[node].form {
            Form::Steps { .. } => 1,
            Form::Banks { pixels, .. } => 2_usize.div_ceil((*pixels).max(1)),
            Form::Window { sliding, .. } => {
                (sliding.rows_kept() + 1).div_ceil(sliding.picture[0].max(1))
            }
        }
    }

    /// Cycles from frame to frame of a node alone.
    pub(super) fn alone(&self, node: usize) -> Option<u64> {
        let nothing = vec![Known::default(); self.words.len()];
        let mut network = self
            .build(&BTreeSet::from([node]), &nothing, Around::Nothing)
            .0;
        for frames in 1..=MOST {
            network.run(frames);
            if let Some(period) = network.steady() {
                return Some(period);
            }
        }
        network.last_interval()
    }

    /// The machines of a part, the FIFO of each of its streams, and which units stand for which nodes of the rest.
    fn build(&self, part: &BTreeSet<usize>, known: &[Known], around: Around) -> (Network, Joints) {
        let mut built = Built::new(self, known, around);
        part.iter().for_each(|node| built.node(*node));
        let streams: Vec<usize> = built.fifo_of.keys().copied().collect();
        streams.iter().for_each(|stream| built.join(*stream, part));
        let network = Network::new(built.units, built.fifos);
        (network, (built.fifo_of, built.ends))
    }

    /// Passes frames through the nodes `part`, in FIFOs as deep as `known` says.
    pub(super) fn attempt(
        &self,
        part: &BTreeSet<usize>,
        known: &[Known],
        around: Around,
    ) -> Verdict {
        let (mut network, (fifo_of, ends)) = self.build(part, known, around);
        let mut reach = part.iter().map(|node| self.reach(*node)).max().unwrap_or(1);
        for stream in fifo_of.keys() {
            let depth = known[*stream].depth.unwrap_or(1);
            reach = reach.max(depth.div_ceil(self.words[*stream].max(1)));
        }
        let Some(frames) = alike(&mut network, self.period, reach) else {
            return Verdict::Fails;
        };
        let late = ends
            .iter()
            .filter(|(unit, _)| network.units[*unit].is_late());
        let slows: BTreeSet<usize> = late.map(|(_, node)| *node).collect();
        if !slows.is_empty() {
            return Verdict::Slows(slows);
        }
        let mut news = BTreeMap::new();
        let begin = START + (frames - 1) as u64 * self.period;
        for (stream, fifo) in &fifo_of {
            let Some(watch) = network.fifos[*fifo].seen() else {
                continue;
            };
            let mut new = known[*stream].clone();
            let since = |log: Vec<u64>| {
                let cycles = log.into_iter();
                cycles
                    .map(|cycle| cycle.wrapping_sub(begin) as i64)
                    .collect()
            };
            if self.writer[*stream].is_some_and(|node| part.contains(&node)) {
                new.made = since(watch.made.in_order());
            }
            new.taken = since(watch.read.in_order());
            news.insert(*stream, new);
        }
        Verdict::Alike(news)
    }
}

/// Passes frames until they are alike; how many, or none if they never are.
fn alike(network: &mut Network, period: u64, reach: usize) -> Option<usize> {
    for frames in 1..=MOST {
        network.run(frames);
        if !network.is_over() {
            return None;
        }
        if network.repeats(period, reach) {
            return Some(frames);
        }
        if network.lags(period, reach + 1) {
            return None;
        }
    }
    None
}

/// A part that is being built.
struct Built<'a> {
    plan: &'a Plan,
    known: &'a [Known],
    around: Around,
    units: Vec<Unit>,
    fifos: Vec<Fifo>,
    fifo_of: BTreeMap<usize, usize>,
    /// Units that stand for nodes of the rest.
    ends: Vec<(usize, usize)>,
}

impl<'a> Built<'a> {
    fn new(plan: &'a Plan, known: &'a [Known], around: Around) -> Self {
        Built {
            plan,
            known,
            around,
            units: Vec::new(),
            fifos: Vec::new(),
            fifo_of: BTreeMap::new(),
            ends: Vec::new(),
        }
    }

    fn fifo(&mut self, stream: usize) -> usize {
        *self.fifo_of.entry(stream).or_insert_with(|| {
            self.fifos.push(Fifo::new(0));
            self.fifos.len() - 1
        })
    }

    fn node(&mut self, node: usize) {
        let plan = self.plan;
        let inputs = plan.inputs[node].iter().map(|id| self.fifo(*id)).collect();
        let outputs = plan.outputs[node].iter().map(|id| self.fifo(*id)).collect();
        self.units.push(Unit {
            machine: Machine::of(&plan.schedules[node]),
            inputs,
            outputs,
        });
    }

    /// Gives a stream its FIFO and, where the part ends, its other end.
    fn join(&mut self, stream: usize, part: &BTreeSet<usize>) {
        let inside = |node: Option<usize>| node.is_some_and(|node| part.contains(&node));
        let from = inside(self.plan.writer[stream]);
        let to = inside(self.plan.reader[stream]);
        let (at, words) = (self.fifo_of[&stream], self.plan.words[stream]);
        let mut depth = self.known[stream].depth.unwrap_or(4 * words + BUFFER);
        if !from {
            let (source, strict) = self.source(stream);
            depth = if strict { depth } else { BUFFER };
            self.units.push(Unit {
                machine: Machine::Source(source),
                inputs: Vec::new(),
                outputs: vec![at],
            });
        }
        if !to {
            let (sink, strict) = self.sink(stream);
            depth = if strict { depth } else { BUFFER };
            self.units.push(Unit {
                machine: Machine::Sink(sink),
                inputs: vec![at],
                outputs: Vec::new(),
            });
        }
        let kept = if self.around == Around::Nothing {
            0
        } else {
            words
        };
        self.fifos[at] = Fifo::new(depth).watched(Watch::new(kept, false));
    }

    fn timetable(&self, cycles: &Arc<[i64]>) -> Timetable {
        Timetable {
            cycles: Arc::clone(cycles),
            start: START,
            period: self.plan.period,
        }
    }

    /// What writes a stream into the part, and whether it needs the room that there is.
    fn source(&mut self, stream: usize) -> (Source, bool) {
        let plan = self.plan;
        let strict = self.around == Around::Network;
        match plan.writer[stream] {
            Some(node) if self.around != Around::Nothing => {
                if strict {
                    self.ends.push((self.units.len(), node));
                }
                let timetable = self.timetable(&self.known[stream].made);
                (Source::kept(timetable, plan.delay(node)), strict)
            }
            _ => (
                Source::offered(plan.words[stream], START, plan.period),
                false,
            ),
        }
    }

    /// What reads a stream of the part, and whether its FIFO may be full.
    fn sink(&mut self, stream: usize) -> (Sink, bool) {
        let (plan, known) = (self.plan, &self.known[stream]);
        let words = plan.words[stream];
        match (known.depth, plan.reader[stream]) {
            (Some(_), None) => (Sink::soon(words), true),
            (Some(_), Some(node)) if self.around != Around::Nothing => {
                self.ends.push((self.units.len(), node));
                (Sink::kept(self.timetable(&known.taken)), true)
            }
            _ => (Sink::open(words), false),
        }
    }
}
