//! The contract between layers, literally: registers, counters of free places, pipelines and FIFOs, cycle by cycle.
//! Must not know how simulation by words works.

use std::collections::VecDeque;

use finnp::dataflow::{Dataflow, Node};
use finnp::layer::{FIFO_LATENCY, Form, Phase, Schedule, Sliding};

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

/// Registers of a layer.
enum State {
    Steps {
        phases: Vec<Phase>,
        at: usize,
        done: usize,
    },
    Banks {
        words: usize,
        folds: usize,
        steps: usize,
        in_order: bool,
        taken: usize,
        word: usize,
        made: usize,
        step: usize,
    },
    Window(Box<Walk>),
}

/// A window as the library's sources have it.
struct Walk {
    sliding: Sliding,
    row_words: usize,
    steps: usize,
    word: usize,
    /// Complete rows, counted from the first that the present row of places looks at.
    held: i64,
    place: [usize; 2],
    step: usize,
    needed: i64,
    released: i64,
    needed_words: usize,
    passed_words: usize,
}

impl Walk {
    fn begin(&mut self) {
        let (window, [height, width]) = (&self.sliding.window, self.sliding.picture);
        let (height, width) = (height as i64, width as i64);
        let top = (self.place[0] * window.stride[0]) as i64 - window.pads[0] as i64;
        let last = self.place[0] + 1 == self.sliding.output()[0];
        let first = top.clamp(0, height);
        let next = match last {
            true => height,
            false => (top + window.stride[0] as i64).clamp(0, height),
        };
        self.needed = (top + window.span()[0] as i64).clamp(0, height) - first;
        self.released = next - first;
        let left = (self.place[1] * window.stride[1]) as i64 - window.pads[1] as i64;
        let words = self.row_words as i64;
        let end = (left + window.span()[1] as i64) * words;
        self.needed_words = (end + width - 1).div_euclid(width).clamp(0, words) as usize;
        self.passed_words = (left * words).div_euclid(width).clamp(0, words) as usize;
    }

    fn ready(&self) -> bool {
        let begun =
            self.held + 1 == self.needed && self.needed > 0 && self.word >= self.needed_words;
        self.held >= self.needed || begun
    }

    fn room(&self) -> bool {
        let ring = self.sliding.rows_kept() as i64;
        let passed = self.held == ring && self.released > 0 && self.word < self.passed_words;
        self.held < ring || passed
    }

    fn next(&mut self) {
        self.step += 1;
        if self.step < self.steps {
            return;
        }
        self.step = 0;
        self.place[1] += 1;
        if self.place[1] == self.sliding.output()[1] {
            self.held -= self.released;
            self.place = [(self.place[0] + 1) % self.sliding.output()[0], 0];
        }
        self.begin();
    }

    fn fill(&mut self) {
        self.word += 1;
        if self.word == self.row_words {
            self.word = 0;
            self.held += 1;
        }
    }
}

impl State {
    fn new(schedule: &Schedule) -> Self {
        match &schedule.form {
            Form::Steps { phases, repeats } => State::Steps {
                phases: phases.repeat(*repeats),
                at: 0,
                done: 0,
            },
            Form::Banks {
                words,
                folds,
                steps,
                in_order,
                ..
            } => State::Banks {
                words: *words,
                folds: *folds,
                steps: *steps,
                in_order: *in_order,
                taken: 0,
                word: 0,
                made: 0,
                step: 0,
            },
            Form::Window {
                sliding,
                row_words,
                words,
                steps,
            } => {
                let mut walk = Walk {
                    sliding: *sliding,
                    row_words: *row_words,
                    steps: words * steps,
                    word: 0,
                    held: 0,
                    place: [0; 2],
                    step: 0,
                    needed: 0,
                    released: 0,
                    needed_words: 0,
                    passed_words: 0,
                };
                walk.begin();
                State::Window(Box::new(walk))
            }
        }
    }

    /// One cycle; whether a step was made.
    fn cycle(&mut self, node: &Node, each: usize, valid: &[bool], wires: &mut [Wire]) -> bool {
        let room = |wires: &[Wire]| node.outputs.iter().all(|id| wires[id.0].free > 0);
        let has_room = room(wires);
        let make = |wires: &mut [Wire]| {
            for id in &node.outputs {
                wires[id.0].reserve = true;
            }
        };
        match self {
            State::Steps { phases, at, done } => {
                while phases[*at].steps == 0 {
                    *at = (*at + 1) % phases.len();
                }
                let phase = phases[*at];
                let reads = |input: usize| phase.reads >> input & 1 == 1;
                let there = (0..node.inputs.len()).all(|input| !reads(input) || valid[input]);
                if !there || phase.writes && !has_room {
                    return false;
                }
                for (input, id) in node.inputs.iter().enumerate() {
                    wires[id.0].read |= reads(input);
                }
                if phase.writes {
                    make(wires);
                }
                *done += 1;
                if *done == phase.steps {
                    (*at, *done) = ((*at + 1) % phases.len(), 0);
                }
                true
            }
            State::Banks {
                words,
                folds,
                steps,
                in_order,
                taken,
                word,
                made,
                step,
            } => {
                let takes = *taken < *made + 2 && valid[0];
                let there = *taken > *made || *in_order && *step < *word;
                let makes_word = (*step + 1).is_multiple_of(*steps);
                let makes = there && (has_room || !makes_word);
                if takes {
                    wires[node.inputs[0].0].read = true;
                    *word += 1;
                    if word == words {
                        (*word, *taken) = (0, *taken + 1);
                    }
                }
                if makes {
                    if makes_word {
                        make(wires);
                    }
                    *step += 1;
                    if *step == *folds * *steps {
                        (*step, *made) = (0, *made + 1);
                    }
                }
                takes || makes
            }
            State::Window(walk) => {
                let makes_word = (walk.step + 1).is_multiple_of(each);
                let makes = walk.ready() && (has_room || !makes_word);
                let takes = walk.room() && valid[0];
                if takes {
                    wires[node.inputs[0].0].read = true;
                    walk.fill();
                }
                if makes {
                    if makes_word {
                        make(wires);
                    }
                    walk.next();
                }
                takes || makes
            }
        }
    }
}

/// By stream: the cycles in which words were made and taken, and the most that were reserved.
pub(crate) struct Seen {
    pub(crate) made: Vec<Vec<u64>>,
    pub(crate) taken: Vec<Vec<u64>>,
    pub(crate) peaks: Vec<usize>,
}

/// Runs until nothing moves any more.
pub(crate) fn cycles(dataflow: &Dataflow, frames: usize, period: u64) -> Seen {
    let mut wires: Vec<Wire> = dataflow
        .streams
        .iter()
        .map(|s| Wire::new(s.depth, 1))
        .collect();
    let mut layers = Vec::new();
    for node in &dataflow.nodes {
        let schedule = node.layer.hardware().schedule();
        for id in &node.outputs {
            wires[id.0] = Wire::new(dataflow.stream(*id).depth, schedule.latency);
        }
        let each = match schedule.form {
            Form::Window { steps, .. } => steps,
            _ => 1,
        };
        layers.push((State::new(&schedule), each));
    }
    let mut inputs = vec![None; wires.len()];
    for input in &dataflow.inputs {
        let reader = dataflow.consumers(input.stream).next().unwrap();
        let slot = reader
            .inputs
            .iter()
            .position(|id| *id == input.stream)
            .unwrap();
        inputs[input.stream.0] = Some(reader.layer.hardware().inputs()[slot].words());
    }
    let (mut cycle, mut still) = (0, 0);
    while still <= period + 4 {
        wires.iter_mut().for_each(Wire::begin);
        let mut moved = false;
        for (node, (state, each)) in dataflow.nodes.iter().zip(&mut layers) {
            let valid = node.inputs.iter().map(|id| match inputs[id.0] {
                None => wires[id.0].readable > 0,
                Some(words) => {
                    let sent = wires[id.0].taken.len();
                    sent < words * frames && (sent / words) as u64 * period <= cycle
                }
            });
            let valid: Vec<bool> = valid.collect();
            moved |= state.cycle(node, *each, &valid, &mut wires);
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
        made: wires
            .iter_mut()
            .map(|wire| std::mem::take(&mut wire.made))
            .collect(),
        taken: wires
            .iter_mut()
            .map(|wire| std::mem::take(&mut wire.taken))
            .collect(),
    }
}
