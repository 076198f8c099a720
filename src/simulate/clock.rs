//! `Clock`: when an engine makes its steps, and what it waits for.
//! Must not know what the steps are.

/// Steps of one engine, frame by frame.
#[derive(Default)]
pub(super) struct Clock {
    /// The earliest cycle of the next step.
    pub(super) next: u64,
    /// Frames that are over.
    pub(super) turns: Vec<Turn>,
    turn: Turn,
    begun: bool,
}

/// What an engine did in a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Cycle of the first and of the last step.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Cycles in which it waited for what it takes, for the layer's other engine, and for room behind the layer.
    pub(super) starved: u64,
    pub(super) held: u64,
    pub(super) blocked: u64,
    /// Steps that take words, and steps that make one.
    pub(super) taken: u64,
    pub(super) made: u64,
    /// Sum of the cycles of all steps that take or make words, and their number.
    pub(super) sum: u64,
    pub(super) events: u64,
}

impl Clock {
    /// Steps that wait for nothing.
    pub(super) fn skip(&mut self, steps: u64) {
        if steps > 0 {
            self.begin();
            self.next += steps;
        }
    }

    /// The next step waits for the layer's other engine.
    pub(super) fn hold(&mut self, until: u64) {
        if until > self.next {
            self.turn.held += until - self.next;
            self.next = until;
        }
    }

    fn begin(&mut self) {
        if !self.begun {
            (self.turn.first, self.begun) = (self.next, true);
        }
    }

    /// Steps, each `silent` steps after the one before it that counts. Entries of `cycles` say when there is what
    /// they take, and then when they are made; `rooms` when there is room, if they make words.
    pub(super) fn run(&mut self, cycles: &mut [u64], rooms: &[u64], silent: u64) {
        let turn = &mut self.turn;
        let mut next = self.next;
        match rooms.is_empty() {
            true => {
                for cycle in cycles.iter_mut() {
                    next += silent;
                    let at = next.max(*cycle);
                    turn.starved += at - next;
                    turn.sum = turn.sum.wrapping_add(at);
                    *cycle = at;
                    next = at + 1;
                }
            }
            false => {
                for (cycle, room) in cycles.iter_mut().zip(rooms) {
                    next += silent;
                    let ready = next.max(*cycle);
                    let at = ready.max(*room);
                    turn.starved += ready - next;
                    turn.blocked += at - ready;
                    turn.sum = turn.sum.wrapping_add(at);
                    *cycle = at;
                    next = at + 1;
                }
            }
        }
        turn.events += cycles.len() as u64;
        if !self.begun && !cycles.is_empty() {
            self.begun = true;
            turn.first = if silent == 0 { cycles[0] } else { self.next };
        }
        self.next = next;
    }

    /// One step of those.
    pub(super) fn step(&mut self, ready: u64, room: u64, silent: u64) -> u64 {
        let turn = &mut self.turn;
        let next = self.next + silent;
        let ready = next.max(ready);
        let at = ready.max(room);
        turn.starved += ready - next;
        turn.blocked += at - ready;
        turn.sum = turn.sum.wrapping_add(at);
        turn.events += 1;
        if !self.begun {
            self.begun = true;
            turn.first = if silent == 0 { at } else { self.next };
        }
        self.next = at + 1;
        at
    }

    /// Says what the steps were that have just been made.
    pub(super) fn count(&mut self, steps: usize, taken: bool, made: bool) {
        self.turn.taken += if taken { steps as u64 } else { 0 };
        self.turn.made += if made { steps as u64 } else { 0 };
    }

    /// Whether the last frame was the one before it, so many cycles later, and this `times` times in a row.
    pub(super) fn repeats(&self, period: u64, times: usize) -> bool {
        self.turns.len() > times
            && self.turns.windows(2).rev().take(times).all(|pair| {
                let later = pair[0].events.wrapping_mul(period);
                pair[1].sum == pair[0].sum.wrapping_add(later) && pair[1].events == pair[0].events
            })
    }

    /// Whether each of the last `times` frames was later than `period` cycles after the one before it, and all by the
    /// same number of cycles.
    pub(super) fn lags(&self, period: u64, times: usize) -> bool {
        let mut gaps = self.turns.windows(2).rev().take(times);
        let gap = |pair: &[Turn]| pair[1].last.saturating_sub(pair[0].last);
        self.turns.len() > times
            && gaps
                .next()
                .map(gap)
                .is_some_and(|last| last > period && gaps.all(|pair| gap(pair) == last))
    }

    /// A frame is over.
    pub(super) fn turn(&mut self) {
        self.turn.last = self.next.saturating_sub(1);
        self.turns.push(self.turn);
        self.turn = Turn::default();
        self.begun = false;
    }
}
