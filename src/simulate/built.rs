//! `Built`: the machines of a part, and what stands for the rest of the network.
//! Must not know what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::end::{Sink, Source, Timetable};
use super::fifo::Fifo;
use super::machine::Machine;
use super::network::Unit;
use super::part::{Around, Known, Plan, START};
use super::watch::Watch;

/// Words between a part and an end that never lets it wait: no number that shows.
const BUFFER: usize = 512;

/// A part that is being built.
pub(super) struct Built<'a> {
    plan: &'a Plan,
    known: &'a [Known],
    around: Around,
    pub(super) units: Vec<Unit>,
    pub(super) fifos: Vec<Fifo>,
    pub(super) fifo_of: BTreeMap<usize, usize>,
    /// Units that stand for nodes of the rest.
    pub(super) ends: Vec<(usize, usize)>,
}

impl<'a> Built<'a> {
    pub(super) fn new(plan: &'a Plan, known: &'a [Known], around: Around) -> Self {
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

    pub(super) fn node(&mut self, node: usize) {
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
    pub(super) fn join(&mut self, stream: usize, part: &BTreeSet<usize>) {
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
