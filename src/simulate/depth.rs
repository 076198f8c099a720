//! Depth: FIFOs that let the network be as fast as with endless ones, and none of which can lose a word.
//! Must not know the machines.

use std::collections::{BTreeMap, BTreeSet};

use super::part::{Around, Known, Plan, Verdict};
use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};

/// Words between what is used and what is needed at least where the latter is tried first.
const NEAR: usize = 16;

/// Words below what is used, a power of two, after which it is tried.
const FAR: usize = 64;

/// By stream, words that its FIFO must hold: with these the interval between frames is that of endless FIFOs, and
/// with one word less in any of them it is longer, or nothing moves any more. Inputs of the network have no FIFO;
/// their streams keep the depth that they have.
///
/// Nodes are added one by one in their order, each with endless FIFOs before it; these are then made as shallow as
/// the nodes so far allow. With one word less these nodes alone would be too slow, so the network would be.
///
/// # Errors
/// A bug where the graph's laws do not hold, or a layer alone is not as fast as it says.
pub fn depths(dataflow: &Dataflow) -> Result<Vec<usize>> {
    dataflow.verify("depths")?;
    let mut plan = Plan::new(dataflow);
    plan.period = slowest(dataflow, &plan)?;
    let mut search = Search {
        known: vec![Known::default(); dataflow.streams.len()],
        pairs: BTreeMap::new(),
        plan,
    };
    for (node, layer) in dataflow.nodes.iter().enumerate() {
        search.add(node, &layer.name)?;
    }
    for output in &dataflow.outputs {
        search.leave(output.stream);
    }
    let found = search.known.iter().zip(&dataflow.streams);
    Ok(found
        .map(|(known, stream)| known.depth.unwrap_or(stream.depth))
        .collect())
}

/// Cycles from frame to frame of the slowest layer.
fn slowest(dataflow: &Dataflow, plan: &Plan) -> Result<u64> {
    let mut slowest = 1;
    for (at, node) in dataflow.nodes.iter().enumerate() {
        if plan.kinds[at] == at {
            let alone = plan.alone(at).ok_or_else(|| stuck(&node.name))?;
            slowest = slowest.max(alone);
        }
    }
    Ok(slowest)
}

fn stuck(name: &str) -> Error {
    Error::bug(format!("`{name}` does not come through a frame alone"))
}

/// The nodes so far.
struct Search {
    plan: Plan,
    /// By stream.
    known: Vec<Known>,
    /// By kinds of writer and reader, and the reader's input: the words between them at least.
    pairs: BTreeMap<(usize, Option<usize>, usize), usize>,
}

impl Search {
    /// Adds a node, and makes what it reads as shallow as it may be.
    fn add(&mut self, node: usize, name: &str) -> Result<()> {
        let part = BTreeSet::from([node]);
        match self.plan.attempt(&part, &self.known, Around::Endless) {
            Verdict::Alike(news) => self.learn(news),
            Verdict::Slows(_) | Verdict::Fails => return Err(stuck(name)),
        }
        let inputs = self.plan.inputs[node].clone();
        let inner = inputs
            .into_iter()
            .filter(|stream| self.plan.writer[*stream].is_some());
        let mut inner: Vec<usize> = inner.collect();
        for stream in &inner {
            self.known[*stream].depth = Some(self.peak(*stream));
        }
        // Where branches meet, the one that waits longest first.
        inner.sort_by_key(|stream| (std::cmp::Reverse(self.known[*stream].depth), *stream));
        inner.into_iter().for_each(|stream| self.minimise(stream));
        Ok(())
    }

    /// Lets the host read a stream, and makes it as shallow as it may be.
    fn leave(&mut self, stream: StreamId) {
        let Some(node) = self.plan.writer[stream.0] else {
            return;
        };
        let delay = self.plan.delay(node) as i64;
        let known = &mut self.known[stream.0];
        known.taken = known.made.iter().map(|cycle| cycle + delay).collect();
        self.known[stream.0].depth = Some(self.peak(stream.0));
        self.minimise(stream.0);
    }

    fn learn(&mut self, news: BTreeMap<usize, Known>) {
        for (stream, known) in news {
            self.known[stream] = known;
        }
    }

    /// The most words that are reserved at once if nothing waits for room.
    fn peak(&self, stream: usize) -> usize {
        let known = &self.known[stream];
        let (words, period) = (known.made.len() as i64, self.plan.period as i64);
        let taken = |word: i64| {
            let (frame, word) = (word.div_euclid(words), word.rem_euclid(words));
            known.taken[word as usize] + frame * period
        };
        let (mut next, mut peak) = (0, 1);
        for (word, made) in known.made.iter().enumerate() {
            while taken(next - 1) >= *made {
                next -= 1;
            }
            while taken(next) < *made {
                next += 1;
            }
            peak = peak.max(word as i64 + 1 - next);
        }
        peak as usize
    }

    /// Makes a stream as shallow as it may be; its present depth is enough.
    fn minimise(&mut self, stream: usize) {
        let Some(mut high) = self.known[stream].depth else {
            return;
        };
        let mut low = self.pair(stream, high);
        let ends = [self.plan.writer[stream], self.plan.reader[stream]];
        let mut part = ends.into_iter().flatten().collect();
        // Most need no more than their two ends do. Where branches meet, most need nearly all that they use.
        let (mut tried, mut less) = match high.saturating_sub(low) <= NEAR {
            true => (low, usize::MAX),
            false => (high - 1, 2),
        };
        while low < high {
            match self.fits(&mut part, stream, tried) {
                Some(news) => {
                    self.learn(news);
                    high = self.peak(stream).min(tried);
                }
                None => {
                    low = tried + 1;
                    less = usize::MAX;
                }
            }
            tried = match less {
                // Far from both ends the lower one is asked once.
                FAR => low,
                _ => high.saturating_sub(less).max(low + (high - low) / 2),
            };
            less = less.saturating_mul(2);
        }
        self.known[stream].depth = Some(high);
    }

    /// Whether so many words are enough: then what is new of the streams around. Grows the part that was looked at.
    fn fits(
        &self,
        part: &mut BTreeSet<usize>,
        stream: usize,
        depth: usize,
    ) -> Option<BTreeMap<usize, Known>> {
        let mut known = self.known.clone();
        known[stream].depth = Some(depth);
        loop {
            match self.plan.attempt(part, &known, Around::Network) {
                Verdict::Alike(news) => return Some(news),
                Verdict::Slows(nodes) => self.grow(part, nodes, &known),
                Verdict::Fails => return None,
            }
        }
    }

    /// Adds nodes to a part, and the more around them the larger it is: of a long way back only few steps are tried.
    fn grow(&self, part: &mut BTreeSet<usize>, nodes: BTreeSet<usize>, known: &[Known]) {
        let (plan, rounds) = (&self.plan, part.len() / 3);
        let mut edge = nodes;
        part.extend(&edge);
        for _ in 0..rounds {
            let joined = |stream: &&usize| known[**stream].depth.is_some();
            let mut next = BTreeSet::new();
            for node in &edge {
                let before = plan.inputs[*node].iter().filter(joined);
                next.extend(before.filter_map(|stream| plan.writer[*stream]));
                let behind = plan.outputs[*node].iter().filter(joined);
                next.extend(behind.filter_map(|stream| plan.reader[*stream]));
            }
            next.retain(|node| !part.contains(node));
            part.extend(&next);
            edge = next;
        }
    }

    /// Words that the stream needs between its two ends, if nothing else ever keeps them waiting; `enough` are.
    fn pair(&mut self, stream: usize, enough: usize) -> usize {
        let plan = &self.plan;
        let (Some(writer), reader) = (plan.writer[stream], plan.reader[stream]) else {
            return 1;
        };
        let slot = reader.map_or(0, |reader| {
            let inputs = &plan.inputs[reader];
            inputs
                .iter()
                .position(|input| *input == stream)
                .unwrap_or(0)
        });
        let key = (
            plan.kinds[writer],
            reader.map(|reader| plan.kinds[reader]),
            slot,
        );
        if let Some(known) = self.pairs.get(&key) {
            return *known;
        }
        let part = [Some(writer), reader].into_iter().flatten().collect();
        let mut known = vec![Known::default(); plan.words.len()];
        let mut fits = |depth| {
            known[stream].depth = Some(depth);
            matches!(
                plan.attempt(&part, &known, Around::Nothing),
                Verdict::Alike(_)
            )
        };
        let (mut low, mut high) = (1, 1);
        while high < enough && !fits(high) {
            (low, high) = (high + 1, (2 * high).min(enough));
        }
        while low < high {
            let tried = low + (high - low) / 2;
            match fits(tried) {
                true => high = tried,
                false => low = tried + 1,
            }
        }
        self.pairs.insert(key, high);
        high
    }
}
