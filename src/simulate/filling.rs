//! `Filling`: the engine that takes the words of one pixel into one of two banks while the other one is read.
//! Must not know who reads.

use super::clock::Clock;
use super::machine::{Batch, Ports};

/// The engine, and its two banks.
pub(super) struct Filling {
    pixels: usize,
    words: usize,
    /// By bank, the cycles from which its words are there, and the one from which it can be filled again.
    arrived: [Vec<u64>; 2],
    over: [u64; 2],
    /// Pixels that are taken and that are read to their end, since the beginning; words of the next one.
    taken: usize,
    read: usize,
    word: usize,
    pub(super) clock: Clock,
}

impl Filling {
    /// So many pixels of a frame, and words of a pixel.
    pub(super) fn new(pixels: usize, words: usize) -> Self {
        Filling {
            pixels,
            words,
            arrived: [vec![0; words], vec![0; words]],
            over: [0; 2],
            taken: 0,
            read: 0,
            word: 0,
            clock: Clock::default(),
        }
    }

    /// Whether the bank for the next pixel is free.
    pub(super) fn has_bank(&self) -> bool {
        self.taken < self.read + 2
    }

    /// Takes words, as many as there are and have a place; whether there was one.
    pub(super) fn take(&mut self, ports: &mut Ports) -> bool {
        if !self.has_bank() {
            return false;
        }
        let mut batch = Batch {
            steps: self.words - self.word,
            reads: 1,
            writes: false,
            silent: 0,
            delay: 0,
        };
        batch.steps = ports.possible(batch);
        if batch.steps == 0 {
            return false;
        }
        let bank = self.taken % 2;
        if self.word == 0 {
            self.clock.hold(self.over[bank]);
        }
        let cycles = ports.run(&mut self.clock, batch);
        let arrived = &mut self.arrived[bank][self.word..];
        let pairs = arrived.iter_mut().zip(cycles);
        pairs.for_each(|(arrived, cycle)| *arrived = cycle + 1);
        self.word += batch.steps;
        if self.word == self.words {
            self.word = 0;
            self.taken += 1;
            if self.taken.is_multiple_of(self.pixels) {
                self.clock.turn();
            }
        }
        true
    }

    /// Words of the pixel that is read that have arrived.
    pub(super) fn there(&self) -> usize {
        match self.taken - self.read {
            0 => self.word,
            _ => self.words,
        }
    }

    /// The cycle from which a word of the pixel that is read is there, which has arrived.
    pub(super) fn since(&self, word: usize) -> u64 {
        self.arrived[self.read % 2][word]
    }

    /// The pixel that is read is over from `cycle` on. How many are, since the beginning.
    pub(super) fn release(&mut self, cycle: u64) -> usize {
        self.over[self.read % 2] = cycle;
        self.read += 1;
        self.read
    }
}
