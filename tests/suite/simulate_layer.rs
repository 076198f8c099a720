//! A layer's registers, cycle by cycle, as its schedule has them.
//! Must not know streams.

use finnp::layer::{Form, Phase, Schedule, Sliding};

/// Registers of a layer.
pub(crate) enum State {
    Steps {
        phases: Vec<Phase>,
        at: usize,
        done: usize,
    },
    Banks(Banks),
    Blocks(Blocks),
    Window(Box<Walk>),
}

/// Two banks.
pub(crate) struct Banks {
    words: usize,
    folds: usize,
    steps: usize,
    in_order: bool,
    taken: usize,
    word: usize,
    made: usize,
    step: usize,
}

/// Two banks of words and two of sums.
pub(crate) struct Blocks {
    words: usize,
    blocks: usize,
    steps: usize,
    results: usize,
    taken: usize,
    word: usize,
    added: usize,
    step: usize,
    complete: usize,
    result: usize,
}

/// A window as the library's sources have it.
pub(crate) struct Walk {
    sliding: Sliding,
    row_words: usize,
    steps: usize,
    word: usize,
    /// Complete rows, counted from the first that the present row of places looks at.
    held: i64,
    place: [usize; 2],
    step: usize,
    needed: i64,
    released: i64,
    needed_words: usize,
    passed_words: usize,
}

impl Walk {
    fn begin(&mut self) {
        let (window, [height, width]) = (&self.sliding.window, self.sliding.picture);
        let (height, width) = (height as i64, width as i64);
        let top = (self.place[0] * window.stride[0]) as i64 - window.pads[0] as i64;
        let last = self.place[0] + 1 == self.sliding.output()[0];
        let first = top.clamp(0, height);
        let next = match last {
            true => height,
            false => (top + window.stride[0] as i64).clamp(0, height),
        };
        self.needed = (top + window.span()[0] as i64).clamp(0, height) - first;
        self.released = next - first;
        let left = (self.place[1] * window.stride[1]) as i64 - window.pads[1] as i64;
        let words = self.row_words as i64;
        let end = (left + window.span()[1] as i64) * words;
        self.needed_words = (end + width - 1).div_euclid(width).clamp(0, words) as usize;
        self.passed_words = (left * words).div_euclid(width).clamp(0, words) as usize;
    }

    fn ready(&self) -> bool {
        let begun =
            self.held + 1 == self.needed && self.needed > 0 && self.word >= self.needed_words;
        self.held >= self.needed || begun
    }

    fn room(&self) -> bool {
        let ring = self.sliding.rows_kept() as i64;
        let passed = self.held == ring && self.released > 0 && self.word < self.passed_words;
        self.held < ring || passed
    }

    fn next(&mut self) {
        self.step += 1;
        if self.step < self.steps {
            return;
        }
        self.step = 0;
        self.place[1] += 1;
        if self.place[1] == self.sliding.output()[1] {
            self.held -= self.released;
            self.place = [(self.place[0] + 1) % self.sliding.output()[0], 0];
        }
        self.begin();
    }

    fn fill(&mut self) {
        self.word += 1;
        if self.word == self.row_words {
            self.word = 0;
            self.held += 1;
        }
    }
}

impl State {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        match &schedule.form {
            Form::Steps { phases, repeats } => State::Steps {
                phases: phases.repeat(*repeats),
                at: 0,
                done: 0,
            },
            Form::Banks {
                words,
                folds,
                steps,
                in_order,
                ..
            } => State::Banks(Banks {
                words: *words,
                folds: *folds,
                steps: *steps,
                in_order: *in_order,
                taken: 0,
                word: 0,
                made: 0,
                step: 0,
            }),
            Form::Blocks { .. } => State::Blocks(Blocks::new(&schedule.form)),
            Form::Window {
                sliding,
                row_words,
                words,
                steps,
            } => {
                let mut walk = Walk {
                    sliding: *sliding,
                    row_words: *row_words,
                    steps: words * steps,
                    word: 0,
                    held: 0,
                    place: [0; 2],
                    step: 0,
                    needed: 0,
                    released: 0,
                    needed_words: 0,
                    passed_words: 0,
                };
                walk.begin();
                State::Window(Box::new(walk))
            }
        }
    }

    /// One cycle of a layer whose places of a window take so many steps for each word: of which inputs it takes a word,
    /// as bits, whether it makes one, and whether it made a step.
    pub(crate) fn cycle(&mut self, each: usize, valid: &[bool], room: bool) -> (u64, bool, bool) {
        match self {
            State::Steps { phases, at, done } => {
                while phases[*at].steps == 0 {
                    *at = (*at + 1) % phases.len();
                }
                let phase = phases[*at];
                let there = |input: usize| phase.reads >> input & 1 == 0 || valid[input];
                if !(0..valid.len()).all(there) || phase.writes && !room {
                    return (0, false, false);
                }
                *done += 1;
                if *done == phase.steps {
                    (*at, *done) = ((*at + 1) % phases.len(), 0);
                }
                (phase.reads, phase.writes, true)
            }
            State::Banks(banks) => banks.cycle(valid[0], room),
            State::Blocks(blocks) => blocks.cycle(valid[0], room),
            State::Window(walk) => {
                let makes_word = (walk.step + 1).is_multiple_of(each);
                let makes = walk.ready() && (room || !makes_word);
                let takes = walk.room() && valid[0];
                if takes {
                    walk.fill();
                }
                if makes {
                    walk.next();
                }
                (u64::from(takes), makes && makes_word, takes || makes)
            }
        }
    }
}

impl Banks {
    fn cycle(&mut self, valid: bool, room: bool) -> (u64, bool, bool) {
        let takes = self.taken < self.made + 2 && valid;
        let there = self.taken > self.made || self.in_order && self.step < self.word;
        let makes_word = (self.step + 1).is_multiple_of(self.steps);
        let makes = there && (room || !makes_word);
        if takes {
            self.word += 1;
            if self.word == self.words {
                (self.word, self.taken) = (0, self.taken + 1);
            }
        }
        if makes {
            self.step += 1;
            if self.step == self.folds * self.steps {
                (self.step, self.made) = (0, self.made + 1);
            }
        }
        (u64::from(takes), makes && makes_word, takes || makes)
    }
}

impl Blocks {
    fn new(form: &Form) -> Self {
        let Form::Blocks {
            words,
            blocks,
            steps,
            results,
            ..
        } = form
        else {
            panic!("{form:?}")
        };
        Blocks {
            words: *words,
            blocks: *blocks,
            steps: *steps,
            results: *results,
            taken: 0,
            word: 0,
            added: 0,
            step: 0,
            complete: 0,
            result: 0,
        }
    }

    fn cycle(&mut self, valid: bool, room: bool) -> (u64, bool, bool) {
        let takes = self.taken < self.added + 2 && valid;
        let begins = self.step.is_multiple_of(self.steps);
        let adds = self.taken > self.added && !(begins && self.complete == 2);
        let makes = self.complete > 0 && room;
        if takes {
            self.word += 1;
            if self.word == self.words {
                (self.word, self.taken) = (0, self.taken + 1);
            }
        }
        if adds {
            self.step += 1;
            self.complete += usize::from(self.step.is_multiple_of(self.steps));
            if self.step == self.blocks * self.steps {
                (self.step, self.added) = (0, self.added + 1);
            }
        }
        if makes {
            self.result += 1;
            if self.result == self.results {
                (self.result, self.complete) = (0, self.complete - 1);
            }
        }
        (u64::from(takes), makes, takes || adds || makes)
    }
}
