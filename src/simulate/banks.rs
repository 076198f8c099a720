//! `Banks`: a layer that takes one pixel while it works on another.
//! Must not know the network.

use super::clock::Clock;
use super::machine::{Batch, Ports};

/// Two engines and two banks.
pub(super) struct Banks {
    pixels: usize,
    words: usize,
    folds: usize,
    steps: usize,
    in_order: bool,
    delay: u64,
    /// By bank, the cycles from which its words are there, and the one from which it can be filled again.
    arrived: [Vec<u64>; 2],
    over: [u64; 2],
    /// Pixels whose last step is made, and pixels that are taken, since the beginning; words of the next one.
    made: usize,
    taken: usize,
    word: usize,
    /// Words of the present pixel that are made, and of the first one, where steps wait for words, its steps.
    fold: usize,
    step: usize,
    pub(super) taker: Clock,
    pub(super) maker: Clock,
}

impl Banks {
    pub(super) fn new(
        [pixels, words, folds, steps]: [usize; 4],
        in_order: bool,
        delay: u64,
    ) -> Self {
        Banks {
            pixels,
            words,
            folds,
            steps,
            in_order,
            delay,
            arrived: [vec![0; words], vec![0; words]],
            over: [0; 2],
            made: 0,
            taken: 0,
            word: 0,
            fold: 0,
            step: 0,
            taker: Clock::default(),
            maker: Clock::default(),
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.take(ports) | self.make(ports) {
            moved = true;
        }
        moved
    }

    /// Whether the bank for the next pixel is free.
    fn has_bank(&self) -> bool {
        self.taken < self.made + 2
    }

    fn take(&mut self, ports: &mut Ports) -> bool {
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
            self.taker.hold(self.over[bank]);
        }
        let cycles = ports.run(&mut self.taker, batch);
        let arrived = &mut self.arrived[bank][self.word..];
        let pairs = arrived.iter_mut().zip(cycles);
        pairs.for_each(|(arrived, cycle)| *arrived = cycle + 1);
        self.word += batch.steps;
        if self.word == self.words {
            self.word = 0;
            self.taken += 1;
            if self.taken.is_multiple_of(self.pixels) {
                self.taker.turn();
            }
        }
        true
    }

    /// Words of the present pixel that have arrived.
    fn there(&self) -> usize {
        match self.taken - self.made {
            0 => self.word,
            _ => self.words,
        }
    }

    /// The cycle from which the word that a step of the first fold waits for is there.
    fn ready(&self, step: usize) -> u64 {
        let last = self.words - 1;
        let word = if self.in_order { step.min(last) } else { last };
        self.arrived[self.made % 2][word]
    }

    /// Makes the steps of the first fold that make no word, as far as may be; whether there was one.
    fn wait(&mut self) -> bool {
        let (there, last) = (self.there(), self.steps - 1);
        let end = match self.in_order {
            _ if there == self.words => last,
            true => there.min(last),
            false => 0,
        };
        if self.fold > 0 || self.step >= end {
            return false;
        }
        for step in self.step..end {
            let ready = self.ready(step);
            self.maker.hold(ready);
            self.maker.skip(1);
        }
        self.step = end;
        true
    }

    fn make(&mut self, ports: &mut Ports) -> bool {
        let waited = self.wait();
        if !self.may_make() {
            return waited;
        }
        let first = self.fold == 0;
        let mut batch = Batch {
            steps: if first { 1 } else { self.folds - self.fold },
            reads: 0,
            writes: true,
            silent: if first { 0 } else { self.steps as u64 - 1 },
            delay: self.delay,
        };
        batch.steps = ports.possible(batch);
        if batch.steps == 0 {
            return waited;
        }
        let bank = self.made % 2;
        if first {
            let ready = self.ready(self.step);
            self.maker.hold(ready);
        }
        ports.run(&mut self.maker, batch);
        self.fold += batch.steps;
        if self.fold == self.folds {
            (self.fold, self.step) = (0, 0);
            self.over[bank] = self.maker.next;
            self.made += 1;
            if self.made.is_multiple_of(self.pixels) {
                self.maker.turn();
            }
        }
        true
    }

    /// Whether all is there for the next step that makes a word.
    fn may_make(&self) -> bool {
        self.fold > 0 || self.step == self.steps - 1 && self.there() == self.words
    }

    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        ports.lacking(u64::from(self.has_bank()), self.may_make())
    }
}
