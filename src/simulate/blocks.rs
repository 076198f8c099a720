//! `Blocks`: a layer that takes one pixel and makes words of one block of sums while it works on others.
//! Must not know the network.

use super::clock::Clock;
use super::filling::Filling;
use super::machine::{Batch, Ports};

/// Three engines, two banks of words and two banks of sums.
pub(super) struct Blocks {
    pixels: usize,
    words: usize,
    blocks: usize,
    steps: usize,
    results: usize,
    delay: u64,
    pub(super) taker: Filling,
    /// By bank of sums, the cycle from which they are complete, and the one from which it can be added to again.
    complete: [u64; 2],
    left: [u64; 2],
    /// Blocks of the present pixel that are added up.
    block: usize,
    /// Blocks that are complete and that have left, since the beginning; words of the present one that are made.
    completed: usize,
    made: usize,
    result: usize,
    adder: Clock,
    pub(super) maker: Clock,
}

impl Blocks {
    pub(super) fn new([pixels, words, blocks, steps, results]: [usize; 5], delay: u64) -> Self {
        Blocks {
            pixels,
            words,
            blocks,
            steps,
            results,
            delay,
            taker: Filling::new(pixels, words),
            complete: [0; 2],
            left: [0; 2],
            block: 0,
            completed: 0,
            made: 0,
            result: 0,
            adder: Clock::default(),
            maker: Clock::default(),
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.taker.take(ports) | self.add() | self.make(ports) {
            moved = true;
        }
        moved
    }

    /// Adds up a block, if its pixel is there and a bank for its sums; whether there was one.
    fn add(&mut self) -> bool {
        if self.taker.there() < self.words || self.completed == self.made + 2 {
            return false;
        }
        let sums = self.completed % 2;
        let arrived = self.taker.since(self.words - 1);
        self.adder.hold(arrived.max(self.left[sums]));
        self.adder.skip(self.steps as u64);
        self.complete[sums] = self.adder.next;
        self.completed += 1;
        self.block += 1;
        if self.block == self.blocks {
            self.block = 0;
            self.taker.release(self.adder.next);
        }
        true
    }

    /// Whether there is a word to make.
    fn may_make(&self) -> bool {
        self.completed > self.made
    }

    fn make(&mut self, ports: &mut Ports) -> bool {
        if !self.may_make() {
            return false;
        }
        let mut batch = Batch {
            steps: self.results - self.result,
            reads: 0,
            writes: true,
            silent: 0,
            delay: self.delay,
        };
        batch.steps = ports.possible(batch);
        if batch.steps == 0 {
            return false;
        }
        let sums = self.made % 2;
        if self.result == 0 {
            self.maker.hold(self.complete[sums]);
        }
        ports.run(&mut self.maker, batch);
        self.result += batch.steps;
        if self.result == self.results {
            self.result = 0;
            self.left[sums] = self.maker.next;
            self.made += 1;
            if self.made.is_multiple_of(self.pixels * self.blocks) {
                self.maker.turn();
            }
        }
        true
    }

    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        ports.lacking(u64::from(self.taker.has_bank()), self.may_make())
    }
}
