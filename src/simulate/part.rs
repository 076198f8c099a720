//! `Part`: some neighbouring layers, fed and emptied as the rest of the network does it once frames are alike.
//! Must not know which depths are tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::built::Built;
use super::network::Network;
use crate::dataflow::Dataflow;
use crate::layer::{FIFO_LATENCY, Form, Port, Schedule};

/// When the first frame begins: what is made before that has room below it.
pub(super) const START: u64 = 1 << 40;

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
            Form::Banks { pixels, .. } | Form::Blocks { pixels, .. } => {
                2_usize.div_ceil((*pixels).max(1))
            }
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
