//! What stands at the ends of a network, or of a part of one.
//! Must not know the network.

use super::clock::Clock;
use super::machine::{Batch, Ports};

/// What offers words.
pub(super) struct Source {
    words: usize,
    period: u64,
    /// Frames that it offers in all, those that it has offered, and words of the next one.
    pub(super) frames: usize,
    frame: usize,
    word: usize,
}

impl Source {
    /// Offers a frame of so many words every `period` cycles, all of its words at once.
    pub(super) fn offered(words: usize, period: u64) -> Self {
        Source {
            words,
            period,
            frames: 0,
            frame: 0,
            word: 0,
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.frame < self.frames {
            let begin = self.frame as u64 * self.period;
            let steps = (self.words - self.word).min(ports.free());
            if steps == 0 {
                break;
            }
            ports.offer(steps, 0, |_, _| begin);
            moved = true;
            self.word += steps;
            if self.word == self.words {
                (self.word, self.frame) = (0, self.frame + 1);
            }
        }
        moved
    }
}

/// What takes words.
pub(super) struct Sink {
    words: usize,
    word: usize,
    pub(super) clock: Clock,
}

impl Sink {
    /// Takes a word per cycle.
    pub(super) fn soon(words: usize) -> Self {
        Sink {
            words,
            word: 0,
            clock: Clock::default(),
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        loop {
            let batch = Batch {
                steps: self.words - self.word,
                reads: 1,
                writes: false,
                silent: 0,
                delay: 0,
            };
            let steps = ports.possible(batch);
            if steps == 0 {
                return moved;
            }
            ports.run(&mut self.clock, Batch { steps, ..batch });
            moved = true;
            self.word += steps;
            if self.word == self.words {
                self.word = 0;
                self.clock.turn();
            }
        }
    }
}
