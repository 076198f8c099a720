//! `Fifo`: the words between two machines, as the cycles in which they come and go.
//! Must not know who writes or reads them.

use super::watch::Watch;

/// A ring of places. What happens at them is told in order, but a writer may be ahead of a reader, or behind: each
/// goes on as soon as it knows the cycle that it has to wait for.
pub(super) struct Fifo {
    /// Of a word that waits, the first cycle in which it can be read; of a free place, the first one in which it can
    /// be reserved.
    places: Vec<u64>,
    /// The next place that is read, and the next one that is written.
    head: usize,
    tail: usize,
    waiting: usize,
    watch: Option<Box<Watch>>,
}

impl Fifo {
    /// An empty one with room for `depth` words.
    pub(super) fn new(depth: usize) -> Self {
        Fifo {
            places: vec![0; depth],
            head: 0,
            tail: 0,
            waiting: 0,
            watch: None,
        }
    }

    /// Writes down what happens from now on.
    pub(super) fn watched(mut self, watch: Watch) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// What was written down.
    pub(super) fn seen(&mut self) -> Option<Box<Watch>> {
        self.watch.take()
    }

    /// Words whose cycle is known and that are not read.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Places of which it is known when they can be reserved.
    pub(super) fn free(&self) -> usize {
        self.places.len() - self.waiting
    }

    /// Each cycle, or if that is later the one in which the next word, and the ones after it, can be read.
    pub(super) fn arrivals(&self, cycles: &mut [u64]) {
        later(cycles, &self.places, self.head);
    }

    /// Each cycle, or if that is later the one in which the next place, and the ones after it, can be reserved.
    pub(super) fn rooms(&self, cycles: &mut [u64]) {
        later(cycles, &self.places, self.tail);
    }

    /// Reads words in these cycles.
    pub(super) fn read(&mut self, cycles: &[u64]) {
        self.head = put(&mut self.places, self.head, cycles, 1);
        self.waiting -= cycles.len();
        if let Some(watch) = &mut self.watch {
            watch.read(cycles);
        }
    }

    /// Reserves places in these cycles for words that can be read so many cycles later.
    pub(super) fn write(&mut self, cycles: &[u64], delay: u64) {
        self.tail = put(&mut self.places, self.tail, cycles, delay);
        self.waiting += cycles.len();
        if let Some(watch) = &mut self.watch {
            watch.made(cycles);
        }
    }

    /// The cycle from which the next word can be read, and the one from which the next place can be reserved.
    pub(super) fn arrival(&self) -> u64 {
        self.places[self.head]
    }

    /// See [`Fifo::arrival`].
    pub(super) fn room(&self) -> u64 {
        self.places[self.tail]
    }

    /// Reads one word.
    pub(super) fn read_one(&mut self, cycle: u64) {
        self.places[self.head] = cycle + 1;
        self.head = self.after(self.head);
        self.waiting -= 1;
        if let Some(watch) = &mut self.watch {
            watch.read(&[cycle]);
        }
    }

    /// Reserves one place.
    pub(super) fn write_one(&mut self, cycle: u64, delay: u64) {
        self.places[self.tail] = cycle + delay;
        self.tail = self.after(self.tail);
        self.waiting += 1;
        if let Some(watch) = &mut self.watch {
            watch.made(&[cycle]);
        }
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.places.len() {
            0
        } else {
            at + 1
        }
    }

    /// Takes so many words away as if there were always room.
    pub(super) fn discard(&mut self, count: usize) {
        for _ in 0..count {
            self.places[self.head] = 0;
            self.head = (self.head + 1) % self.places.len();
        }
        self.waiting -= count;
    }
}

fn later(cycles: &mut [u64], places: &[u64], at: usize) {
    let (first, second) = cycles.split_at_mut(cycles.len().min(places.len() - at));
    let pairs = first.iter_mut().zip(&places[at..]);
    pairs.for_each(|(cycle, place)| *cycle = (*cycle).max(*place));
    let pairs = second.iter_mut().zip(places);
    pairs.for_each(|(cycle, place)| *cycle = (*cycle).max(*place));
}

/// Puts what happens into the places, `delay` later; the place behind the last one.
fn put(places: &mut [u64], at: usize, cycles: &[u64], delay: u64) -> usize {
    let (first, second) = cycles.split_at(cycles.len().min(places.len() - at));
    let pairs = first.iter().zip(&mut places[at..]);
    pairs.for_each(|(cycle, place)| *place = cycle + delay);
    let pairs = second.iter().zip(places.iter_mut());
    pairs.for_each(|(cycle, place)| *place = cycle + delay);
    match second.len() {
        0 if at + first.len() == places.len() => 0,
        0 => at + first.len(),
        wrapped => wrapped,
    }
}
