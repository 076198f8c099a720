//! `Steps`: a layer with one engine.
//! Must not know the network.

use super::clock::Clock;
use super::machine::{Batch, Ports};
use crate::layer::Phase;

/// The engine on its way through its phases.
pub(super) struct Steps {
    phases: Vec<Phase>,
    repeats: u64,
    delay: u64,
    /// Repeats of the present frame that are over, the phase, and its steps that are over.
    repeat: u64,
    phase: usize,
    done: usize,
    pub(super) clock: Clock,
}

impl Steps {
    pub(super) fn new(phases: &[Phase], repeats: u64, delay: u64) -> Self {
        let waits = |phase: &Phase| phase.reads != 0 || phase.writes;
        let mut phases = phases.to_vec();
        phases.retain(|phase| phase.steps > 0);
        if !phases.iter().any(waits) {
            // Nothing would ever stop it.
            phases.clear();
        }
        Steps {
            phases,
            repeats,
            delay,
            repeat: 0,
            phase: 0,
            done: 0,
            clock: Clock::default(),
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while let Some(phase) = self.phases.get(self.phase).copied() {
            let left = phase.steps - self.done;
            let waits = phase.reads != 0 || phase.writes;
            let mut batch = Batch {
                steps: left,
                reads: phase.reads,
                writes: phase.writes,
                silent: 0,
                delay: self.delay,
            };
            if waits {
                batch.steps = ports.possible(batch);
                if batch.steps == 0 {
                    break;
                }
                ports.run(&mut self.clock, batch);
            } else {
                self.clock.skip(left as u64);
            }
            moved = true;
            self.done += batch.steps;
            if self.done == phase.steps {
                self.next_phase();
            }
        }
        moved
    }

    fn next_phase(&mut self) {
        (self.done, self.phase) = (0, self.phase + 1);
        if self.phase == self.phases.len() {
            (self.phase, self.repeat) = (0, self.repeat + 1);
            if self.repeat == self.repeats {
                self.repeat = 0;
                self.clock.turn();
            }
        }
    }

    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        match self.phases.get(self.phase) {
            Some(phase) => ports.lacking(phase.reads, phase.writes),
            None => (0, false),
        }
    }
}
