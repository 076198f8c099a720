//! What stands at the ends of a network, or of a part of one.
//! Must not know the network.

use std::sync::Arc;

use super::clock::Clock;
use super::machine::{Batch, Ports};

/// Cycles of the words of a frame, which are the same in every frame, so many cycles later.
#[derive(Clone)]
pub(super) struct Timetable {
    /// By word of a frame, from the frame's beginning on; some may be made before it.
    pub(super) cycles: Arc<[i64]>,
    /// The beginning of the first frame.
    pub(super) start: u64,
    /// From frame to frame.
    pub(super) period: u64,
}

impl Timetable {
    fn cycle(&self, frame: usize, word: usize) -> u64 {
        let begin = self.start + frame as u64 * self.period;
        begin.saturating_add_signed(self.cycles[word])
    }
}

/// What offers words.
pub(super) struct Source {
    words: usize,
    start: u64,
    period: u64,
    timetable: Option<Timetable>,
    delay: u64,
    /// Frames that it offers in all, those that it has offered, and words of the next one.
    pub(super) frames: usize,
    frame: usize,
    word: usize,
    /// Whether its timetable could not be kept for lack of room.
    pub(super) late: bool,
}

impl Source {
    /// Offers a frame of so many words every `period` cycles from cycle `start` on, all of its words at once.
    pub(super) fn offered(words: usize, start: u64, period: u64) -> Self {
        Source {
            words,
            start,
            period,
            timetable: None,
            delay: 0,
            frames: 0,
            frame: 0,
            word: 0,
            late: false,
        }
    }

    /// Makes words in these cycles, which can be read so many cycles later.
    pub(super) fn kept(timetable: Timetable, delay: u64) -> Self {
        Source {
            timetable: Some(timetable.clone()),
            delay,
            ..Source::offered(timetable.cycles.len(), timetable.start, timetable.period)
        }
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.frame < self.frames {
            let begin = self.start + self.frame as u64 * self.period;
            let steps = (self.words - self.word).min(ports.free());
            if steps == 0 {
                break;
            }
            let (late, timetable) = (&mut self.late, self.timetable.as_ref());
            let (frame, word) = (self.frame, self.word);
            ports.offer(steps, self.delay, |at, room| match timetable {
                None => begin,
                Some(timetable) => {
                    let cycle = timetable.cycle(frame, word + at);
                    *late |= room > cycle;
                    cycle
                }
            });
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
    way: Way,
    frame: usize,
    word: usize,
    pub(super) clock: Clock,
    /// Whether a word came too late for its timetable.
    pub(super) late: bool,
}

enum Way {
    /// One word per cycle, as soon as it is there.
    Soon,
    /// There is always room.
    Open,
    /// In these cycles.
    Kept(Timetable),
}

impl Sink {
    fn new(words: usize, way: Way) -> Self {
        Sink {
            words,
            way,
            frame: 0,
            word: 0,
            clock: Clock::default(),
            late: false,
        }
    }

    /// Takes a word per cycle.
    pub(super) fn soon(words: usize) -> Self {
        Sink::new(words, Way::Soon)
    }

    /// Never lets anything wait.
    pub(super) fn open(words: usize) -> Self {
        Sink::new(words, Way::Open)
    }

    /// Takes words in these cycles.
    pub(super) fn kept(timetable: Timetable) -> Self {
        Sink::new(timetable.cycles.len(), Way::Kept(timetable))
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
            match &self.way {
                Way::Soon => {
                    ports.run(&mut self.clock, Batch { steps, ..batch });
                }
                Way::Open => ports.discard(steps),
                Way::Kept(timetable) => {
                    let (late, frame, word) = (&mut self.late, self.frame, self.word);
                    ports.collect(steps, |at, arrival| {
                        let cycle = timetable.cycle(frame, word + at);
                        *late |= arrival > cycle;
                        cycle
                    });
                }
            }
            moved = true;
            self.word += steps;
            if self.word == self.words {
                (self.word, self.frame) = (0, self.frame + 1);
                self.clock.turn();
            }
        }
    }
}
