//! `Watch`: what is written down of a FIFO.
//! Must not know its places.

use std::collections::VecDeque;

/// What happened at a FIFO.
#[derive(Default)]
pub(super) struct Watch {
    /// Cycles in which places were reserved, and in which their words were read, of the last words of each.
    pub(super) made: Log,
    pub(super) read: Log,
    /// The most places that were taken at once.
    pub(super) peak: usize,
    taken: usize,
    count: bool,
    /// Not yet counted.
    made_next: VecDeque<u64>,
    read_next: VecDeque<u64>,
}

impl Watch {
    /// Keeps the cycles of the last `words` words and counts places if wanted.
    pub(super) fn new(words: usize, count: bool) -> Self {
        Watch {
            made: Log::new(words),
            read: Log::new(words),
            count,
            ..Watch::default()
        }
    }

    pub(super) fn made(&mut self, cycles: &[u64]) {
        self.made.push(cycles);
        if self.count {
            self.made_next.extend(cycles);
            self.merge(false);
        }
    }

    pub(super) fn read(&mut self, cycles: &[u64]) {
        self.read.push(cycles);
        if self.count {
            self.read_next.extend(cycles);
            self.merge(false);
        }
    }

    /// Counts in the order of cycles, as far as both sides are known, or to the end.
    pub(super) fn merge(&mut self, to_the_end: bool) {
        while let Some(made) = self.made_next.front() {
            match self.read_next.front() {
                // A place is free in the cycle after the read.
                Some(read) if read < made => {
                    self.read_next.pop_front();
                    self.taken -= 1;
                }
                None if !to_the_end => return,
                _ => {
                    self.made_next.pop_front();
                    self.taken += 1;
                    self.peak = self.peak.max(self.taken);
                }
            }
        }
    }
}

/// The last entries of a list.
#[derive(Default)]
pub(super) struct Log {
    entries: Vec<u64>,
    at: usize,
    most: usize,
}

impl Log {
    fn new(most: usize) -> Self {
        Log {
            entries: Vec::new(),
            at: 0,
            most,
        }
    }

    fn push(&mut self, cycles: &[u64]) {
        if self.most == 0 {
            return;
        }
        for cycle in cycles {
            match self.entries.len() < self.most {
                true => self.entries.push(*cycle),
                false => self.entries[self.at] = *cycle,
            }
            self.at = if self.at + 1 == self.most {
                0
            } else {
                self.at + 1
            };
        }
    }

    /// The entries, oldest first.
    pub(super) fn in_order(mut self) -> Vec<u64> {
        if self.entries.len() == self.most {
            self.entries.rotate_left(self.at);
        }
        self.entries
    }
}
