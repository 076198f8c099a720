//! `Network`: machines and the FIFOs between them, each going on as soon as it can.
//! Must not know where they come from.

use std::collections::VecDeque;

use super::fifo::Fifo;
use super::machine::{Machine, Ports, Scratch};

/// Frames that must be alike, one after the other, before they are said to go on like that.
pub(super) const ALIKE: usize = 3;

/// A machine in its place.
pub(super) struct Unit {
    pub(super) machine: Machine,
    /// FIFOs that it reads, and that it writes.
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
}

/// Machines and the FIFOs between them. No machine knows the cycle: it goes on until it does not know when a word, or
/// a place, is there, and then others are asked. In which order they are asked changes nothing.
pub(super) struct Network {
    pub(super) units: Vec<Unit>,
    pub(super) fifos: Vec<Fifo>,
    /// By FIFO, who writes and who reads it.
    writer: Vec<usize>,
    reader: Vec<usize>,
    queue: VecDeque<usize>,
    queued: Vec<bool>,
    /// Who may have waited for the unit that goes on.
    waiting: Vec<usize>,
    scratch: Scratch,
    frames: usize,
}

impl Network {
    /// Every FIFO is written by one of the units and read by one.
    pub(super) fn new(units: Vec<Unit>, fifos: Vec<Fifo>) -> Self {
        let (mut writer, mut reader) = (vec![0; fifos.len()], vec![0; fifos.len()]);
        for (at, unit) in units.iter().enumerate() {
            unit.outputs.iter().for_each(|fifo| writer[*fifo] = at);
            unit.inputs.iter().for_each(|fifo| reader[*fifo] = at);
        }
        Network {
            queued: vec![false; units.len()],
            units,
            fifos,
            writer,
            reader,
            queue: VecDeque::new(),
            waiting: Vec::new(),
            scratch: Scratch::new(),
            frames: 0,
        }
    }

    /// Frames that are offered.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// Goes on until so many frames are over, or nothing moves any more.
    pub(super) fn run(&mut self, frames: usize) {
        self.frames = frames;
        for unit in &mut self.units {
            if let Machine::Source(source) = &mut unit.machine {
                source.frames = frames;
            }
        }
        self.queue.clear();
        self.queue.extend(0..self.units.len());
        self.queued.fill(true);
        while let Some(at) = self.queue.pop_front() {
            self.queued[at] = false;
            let unit = &mut self.units[at];
            // Only who lacked a word, or room, has waited for this unit.
            self.waiting.clear();
            let full = unit
                .inputs
                .iter()
                .filter(|fifo| self.fifos[**fifo].free() == 0);
            self.waiting.extend(full.map(|fifo| self.writer[*fifo]));
            let empty = unit
                .outputs
                .iter()
                .filter(|fifo| self.fifos[**fifo].waiting() == 0);
            self.waiting.extend(empty.map(|fifo| self.reader[*fifo]));
            let mut ports = Ports {
                fifos: &mut self.fifos,
                inputs: &unit.inputs,
                outputs: &unit.outputs,
                scratch: &mut self.scratch,
            };
            if !unit.machine.advance(&mut ports) {
                continue;
            }
            for next in self.waiting.drain(..) {
                if !self.queued[next] {
                    self.queued[next] = true;
                    self.queue.push_back(next);
                }
            }
        }
    }

    /// Whether every engine has made all steps of all frames.
    pub(super) fn is_over(&self) -> bool {
        self.units.iter().all(|unit| unit.is_over(self.frames))
    }

    /// Whether each of the last `times` frames was, everywhere, the one before it, `period` cycles later.
    pub(super) fn repeats(&self, period: u64, times: usize) -> bool {
        let clocks = self.units.iter().flat_map(|unit| unit.machine.clocks());
        clocks.flatten().all(|clock| clock.repeats(period, times))
    }

    /// Cycles from frame to frame, if the last frames are alike everywhere.
    pub(super) fn steady(&self) -> Option<u64> {
        let period = self.last_interval()?;
        self.repeats(period, ALIKE).then_some(period)
    }

    /// Cycles between the ends of the last two frames of the first unit.
    pub(super) fn last_interval(&self) -> Option<u64> {
        let last = self.units.first()?.machine.clocks();
        let last = last.into_iter().flatten().next_back()?;
        match &last.turns[..] {
            [.., before, turn] => Some(turn.last - before.last),
            _ => None,
        }
    }

    /// Whether somewhere each of the last `times` frames was later than `period` cycles after the one before it, and
    /// all by the same number of cycles.
    pub(super) fn lags(&self, period: u64, times: usize) -> bool {
        let clocks = self.units.iter().flat_map(|unit| unit.machine.clocks());
        clocks.flatten().any(|clock| clock.lags(period, times))
    }

    /// What the unit lacks, where it stands still.
    pub(super) fn lacks(&mut self, at: usize) -> (u64, bool) {
        let unit = &self.units[at];
        let ports = Ports {
            fifos: &mut self.fifos,
            inputs: &unit.inputs,
            outputs: &unit.outputs,
            scratch: &mut self.scratch,
        };
        unit.machine.lacks(&ports)
    }
}

impl Unit {
    /// Whether all steps of so many frames are made.
    pub(super) fn is_over(&self, frames: usize) -> bool {
        let mut clocks = self.machine.clocks().into_iter().flatten();
        clocks.all(|clock| clock.turns.len() >= frames)
    }

    /// Whether it is an end that could not keep its timetable.
    pub(super) fn is_late(&self) -> bool {
        match &self.machine {
            Machine::Source(source) => source.late,
            Machine::Sink(sink) => sink.late,
            Machine::Steps(_) | Machine::Banks(_) | Machine::Blocks(_) | Machine::Window(_) => {
                false
            }
        }
    }
}
