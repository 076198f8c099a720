//! `Banks`: a layer that takes one pixel while it works on another.
//! Must not know the network.

use super::clock::Clock;
use super::filling::Filling;
use super::machine::{Batch, Ports};

/// Two engines and two banks.
pub(super) struct Banks {
    pixels: usize,
    words: usize,
    folds: usize,
    steps: usize,
    in_order: bool,
    delay: u64,
    pub(super) taker: Filling,
    /// Words of the present pixel that are made, and of the first one, where steps wait for words, its steps.
    fold: usize,
    step: usize,
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
            taker: Filling::new(pixels, words),
            fold: 0,
            step: 0,
            maker: Clock::default(),
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.taker.take(ports) | self.make(ports) {
            moved = true;
        }
        moved
    }

    /// The cycle from which the word that a step of the first fold waits for is there.
    fn ready(&self, step: usize) -> u64 {
        let last = self.words - 1;
        let word = if self.in_order { step.min(last) } else { last };
        self.taker.since(word)
    }

    /// Makes the steps of the first fold that make no word, as far as may be; whether there was one.
    fn wait(&mut self) -> bool {
        let (there, last) = (self.taker.there(), self.steps - 1);
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
        if first {
            let ready = self.ready(self.step);
            self.maker.hold(ready);
        }
        ports.run(&mut self.maker, batch);
        self.fold += batch.steps;
        if self.fold == self.folds {
            (self.fold, self.step) = (0, 0);
            let made = self.taker.release(self.maker.next);
            if made.is_multiple_of(self.pixels) {
                self.maker.turn();
            }
        }
        true
    }

    /// Whether all is there for the next step that makes a word.
    fn may_make(&self) -> bool {
        self.fold > 0 || self.step == self.steps - 1 && self.taker.there() == self.words
    }

    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        ports.lacking(u64::from(self.taker.has_bank()), self.may_make())
    }
}
