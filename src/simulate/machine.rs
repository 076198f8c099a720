//! `Machine`: a layer at work, or what stands at an end of the network.
//! Must not know the network.

use super::banks::Banks;
use super::blocks::Blocks;
use super::clock::Clock;
use super::end::{Sink, Source};
use super::fifo::Fifo;
use super::steps::Steps;
use super::window::Window;
use crate::layer::{FIFO_LATENCY, Form, Schedule};

/// Words that are handled at once, at most.
const BATCH: usize = 512;

/// Words that are better handled one by one.
const FEW: usize = 8;

/// Any of them.
pub(super) enum Machine {
    Steps(Steps),
    Banks(Banks),
    Blocks(Blocks),
    Window(Window),
    Source(Source),
    Sink(Sink),
}

impl Machine {
    /// The layer of a schedule, at rest.
    pub(super) fn of(schedule: &Schedule) -> Self {
        let delay = schedule.latency + FIFO_LATENCY;
        match &schedule.form {
            Form::Steps { phases, repeats } => {
                Machine::Steps(Steps::new(phases, *repeats as u64, delay))
            }
            Form::Banks {
                pixels,
                words,
                folds,
                steps,
                in_order,
            } => Machine::Banks(Banks::new(
                [*pixels, *words, *folds, *steps],
                *in_order,
                delay,
            )),
            Form::Blocks {
                pixels,
                words,
                blocks,
                steps,
                results,
            } => Machine::Blocks(Blocks::new(
                [*pixels, *words, *blocks, *steps, *results],
                delay,
            )),
            Form::Window {
                sliding,
                row_words,
                words,
                steps,
            } => Machine::Window(Window::new(sliding, [*row_words, *words, *steps], delay)),
        }
    }

    /// Goes on as far as the cycles of words and of free places are known; whether it did anything.
    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        match self {
            Machine::Steps(machine) => machine.advance(ports),
            Machine::Banks(machine) => machine.advance(ports),
            Machine::Blocks(machine) => machine.advance(ports),
            Machine::Window(machine) => machine.advance(ports),
            Machine::Source(machine) => machine.advance(ports),
            Machine::Sink(machine) => machine.advance(ports),
        }
    }

    /// Its engines: what takes words, and what makes them.
    pub(super) fn clocks(&self) -> [Option<&Clock>; 2] {
        match self {
            Machine::Steps(machine) => [None, Some(&machine.clock)],
            Machine::Banks(machine) => [Some(&machine.taker.clock), Some(&machine.maker)],
            Machine::Blocks(machine) => [Some(&machine.taker.clock), Some(&machine.maker)],
            Machine::Window(machine) => [Some(&machine.taker), Some(&machine.maker)],
            Machine::Source(_) => [None, None],
            Machine::Sink(machine) => [Some(&machine.clock), None],
        }
    }

    /// Inputs of which its next step lacks a word, as bits, and whether one lacks room, where it stands still.
    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        match self {
            Machine::Steps(machine) => machine.lacks(ports),
            Machine::Banks(machine) => machine.lacks(ports),
            Machine::Blocks(machine) => machine.lacks(ports),
            Machine::Window(machine) => machine.lacks(ports),
            Machine::Source(_) => (0, ports.free() == 0),
            Machine::Sink(_) => (1, false),
        }
    }
}

/// The FIFOs before and behind a machine.
pub(super) struct Ports<'a> {
    pub(super) fifos: &'a mut [Fifo],
    pub(super) inputs: &'a [usize],
    pub(super) outputs: &'a [usize],
    pub(super) scratch: &'a mut Scratch,
}

/// Room for the cycles of a batch.
pub(super) struct Scratch {
    cycles: Vec<u64>,
    rooms: Vec<u64>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Scratch {
            cycles: vec![0; BATCH],
            rooms: vec![0; BATCH],
        }
    }
}

/// Equal steps that are made at once.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    /// How many; in each of them a word of these inputs is taken and a word made, or not.
    pub(super) steps: usize,
    pub(super) reads: u64,
    pub(super) writes: bool,
    /// Steps before each of them.
    pub(super) silent: u64,
    /// From the step to the cycle in which its word can be read.
    pub(super) delay: u64,
}

impl Ports<'_> {
    /// Places behind the machine that can be reserved now.
    pub(super) fn free(&self) -> usize {
        let free = self.outputs.iter().map(|fifo| self.fifos[*fifo].free());
        free.min().unwrap_or(usize::MAX)
    }

    /// Words of the first input.
    pub(super) fn waiting(&self) -> usize {
        self.inputs
            .first()
            .map_or(0, |fifo| self.fifos[*fifo].waiting())
    }

    fn read(&self, reads: u64) -> impl Iterator<Item = usize> + '_ {
        let inputs = self.inputs.iter().enumerate();
        inputs.filter_map(move |(input, fifo)| (reads >> input & 1 == 1).then_some(*fifo))
    }

    /// How many of so many steps can be made now.
    pub(super) fn possible(&self, batch: Batch) -> usize {
        let mut steps = batch.steps.min(BATCH);
        for fifo in self.read(batch.reads) {
            steps = steps.min(self.fifos[fifo].waiting());
        }
        match batch.writes {
            true => steps.min(self.free()),
            false => steps,
        }
    }

    /// Inputs that lack a word for such a step, and whether room is lacking.
    pub(super) fn lacking(&self, reads: u64, writes: bool) -> (u64, bool) {
        let inputs = self.inputs.iter().enumerate();
        let lacking = inputs
            .filter(|(input, fifo)| reads >> input & 1 == 1 && self.fifos[**fifo].waiting() == 0);
        let lacking = lacking.map(|(input, _)| 1 << input).sum();
        (lacking, writes && self.free() == 0)
    }

    /// Makes these steps, all of which are possible; the cycles in which they are made.
    pub(super) fn run(&mut self, clock: &mut Clock, batch: Batch) -> &[u64] {
        let reads = batch.reads;
        if batch.steps <= FEW {
            return self.run_few(clock, batch);
        }
        let cycles = &mut self.scratch.cycles[..batch.steps];
        cycles.fill(0);
        for (input, fifo) in self.inputs.iter().enumerate() {
            if reads >> input & 1 == 1 {
                self.fifos[*fifo].arrivals(cycles);
            }
        }
        let mut rooms = &mut self.scratch.rooms[..0];
        if batch.writes {
            rooms = &mut self.scratch.rooms[..batch.steps];
            rooms.fill(0);
            for fifo in self.outputs {
                self.fifos[*fifo].rooms(rooms);
            }
        }
        clock.run(cycles, rooms, batch.silent);
        clock.count(batch.steps, reads != 0, batch.writes);
        for (input, fifo) in self.inputs.iter().enumerate() {
            if reads >> input & 1 == 1 {
                self.fifos[*fifo].read(cycles);
            }
        }
        if batch.writes {
            for fifo in self.outputs {
                self.fifos[*fifo].write(cycles, batch.delay);
            }
        }
        cycles
    }

    /// The same, step by step: faster where there are few.
    fn run_few(&mut self, clock: &mut Clock, batch: Batch) -> &[u64] {
        let takes = |input: usize| batch.reads >> input & 1 == 1;
        let outputs = if batch.writes { self.outputs } else { &[] };
        clock.count(batch.steps, batch.reads != 0, batch.writes);
        for step in 0..batch.steps {
            let (mut ready, mut room) = (0, 0);
            for (input, fifo) in self.inputs.iter().enumerate() {
                if takes(input) {
                    ready = self.fifos[*fifo].arrival().max(ready);
                }
            }
            for fifo in outputs {
                room = self.fifos[*fifo].room().max(room);
            }
            let cycle = clock.step(ready, room, batch.silent);
            for (input, fifo) in self.inputs.iter().enumerate() {
                if takes(input) {
                    self.fifos[*fifo].read_one(cycle);
                }
            }
            for fifo in outputs {
                self.fifos[*fifo].write_one(cycle, batch.delay);
            }
            self.scratch.cycles[step] = cycle;
        }
        &self.scratch.cycles[..batch.steps]
    }

    /// Writes so many words, each in the cycle that `when` tells of its number and the cycle from which there is room.
    pub(super) fn offer(
        &mut self,
        words: usize,
        delay: u64,
        mut when: impl FnMut(usize, u64) -> u64,
    ) {
        let Some(fifo) = self.outputs.first() else {
            return;
        };
        let mut at = 0;
        while at < words {
            let cycles = &mut self.scratch.cycles[..BATCH.min(words - at)];
            cycles.fill(0);
            self.fifos[*fifo].rooms(cycles);
            for cycle in cycles.iter_mut() {
                *cycle = when(at, *cycle);
                at += 1;
            }
            self.fifos[*fifo].write(cycles, delay);
        }
    }

    /// Reads so many words, each in the cycle that `when` tells of its number and the cycle from which it is there.
    pub(super) fn collect(&mut self, words: usize, mut when: impl FnMut(usize, u64) -> u64) {
        let Some(fifo) = self.inputs.first() else {
            return;
        };
        let mut at = 0;
        while at < words {
            let cycles = &mut self.scratch.cycles[..BATCH.min(words - at)];
            cycles.fill(0);
            self.fifos[*fifo].arrivals(cycles);
            for cycle in cycles.iter_mut() {
                *cycle = when(at, *cycle);
                at += 1;
            }
            self.fifos[*fifo].read(cycles);
        }
    }

    /// Takes so many words away as if there were always room.
    pub(super) fn discard(&mut self, words: usize) {
        for fifo in self.inputs {
            self.fifos[*fifo].discard(words);
        }
    }
}
