//! `Window`: a layer that sees several rows of a picture at once, which it keeps in a ring.
//! Must not know the network.

use std::collections::VecDeque;

use super::clock::Clock;
use super::machine::{Batch, Ports};
use crate::layer::Sliding;

/// A row of places.
struct Row {
    /// The first row of the picture that it looks at, and the end of these.
    first: usize,
    end: usize,
    /// The first one that the next row of places looks at.
    next: usize,
}

/// A column of places.
struct Column {
    /// Words of the last row that are looked at here, and of the first row those to the left of it.
    needed: usize,
    passed: usize,
}

/// When a row of places gives rows of the picture back, counted from the beginning of the first frame.
struct Left {
    /// The first one that it looks at, and the end of those that are free after it.
    first: usize,
    next: usize,
    /// Cycles from which the window is at each of its columns, as far as known.
    entered: Vec<u64>,
    /// The cycle from which the row of places is over, once known.
    over: Option<u64>,
}

/// Two engines and a ring.
pub(super) struct Window {
    rows: Vec<Row>,
    columns: Vec<Column>,
    height: usize,
    ring: usize,
    row_words: usize,
    words: usize,
    steps: u64,
    delay: u64,
    /// Where the next word goes: its row, counted from the first frame on, its place in it, and the first column
    /// of places that leaves it behind.
    row: usize,
    word: usize,
    column: usize,
    /// Cycles from which words are there, and how many have arrived.
    arrived: Vec<u64>,
    taken: usize,
    left: VecDeque<Left>,
    spare: Vec<Vec<u64>>,
    /// Where the window is: frame, row and column of places; words that are made there.
    frame: usize,
    place: [usize; 2],
    made: usize,
    /// Whether all that the place looks at is known to be there.
    ready: bool,
    pub(super) taker: Clock,
    pub(super) maker: Clock,
}

impl Window {
    pub(super) fn new(
        sliding: &Sliding,
        [row_words, words, steps]: [usize; 3],
        delay: u64,
    ) -> Self {
        let (window, [height, width]) = (&sliding.window, sliding.picture);
        let [rows, columns] = sliding.output();
        let inside = |at: usize, before: usize, size: usize| at.saturating_sub(before).min(size);
        let row = |row: usize| {
            let top = row * window.stride[0];
            let at = |row| inside(row, window.pads[0], height);
            Row {
                first: at(top),
                end: at(top + window.span()[0]),
                next: match row + 1 < rows {
                    true => at(top + window.stride[0]),
                    false => height,
                },
            }
        };
        let column = |column: usize| {
            let left = column * window.stride[1];
            let at = |column| inside(column, window.pads[1], width) * row_words;
            Column {
                needed: at(left + window.span()[1]).div_ceil(width.max(1)),
                passed: at(left) / width.max(1),
            }
        };
        let ring = sliding.rows_kept();
        let mut made = Window {
            rows: (0..rows).map(row).collect(),
            columns: (0..columns).map(column).collect(),
            height,
            ring,
            row_words,
            words,
            steps: steps as u64,
            delay,
            row: 0,
            word: 0,
            column: 0,
            arrived: vec![0; (ring + 2) * row_words],
            taken: 0,
            left: VecDeque::new(),
            spare: Vec::new(),
            frame: 0,
            place: [0; 2],
            made: 0,
            ready: false,
            taker: Clock::default(),
            maker: Clock::default(),
        };
        made.enter();
        made
    }

    pub(super) fn advance(&mut self, ports: &mut Ports) -> bool {
        let mut moved = false;
        while self.take(ports) | self.make(ports) {
            moved = true;
        }
        moved
    }

    /// The cycle from which there is room for the next word and for how many after it, if that is known.
    fn room(&mut self) -> Option<(u64, usize)> {
        let rest = self.row_words - self.word;
        if self.row < self.ring {
            return Some((0, rest));
        }
        let before = self.row - self.ring;
        while self.left.front().is_some_and(|left| left.next <= before) {
            let left = self.left.pop_front();
            self.spare.extend(left.map(|left| left.entered));
        }
        let left = self.left.front()?;
        if left.first == before {
            let columns = &self.columns[self.column..];
            let passed = columns
                .iter()
                .take_while(|column| column.passed <= self.word);
            self.column += passed.count();
            if let Some(column) = self.columns.get(self.column) {
                let entered = left.entered.get(self.column)?;
                return Some((*entered, column.passed.min(self.row_words) - self.word));
            }
        }
        Some((left.over?, rest))
    }

    fn take(&mut self, ports: &mut Ports) -> bool {
        let waiting = ports.waiting();
        if waiting == 0 {
            return false;
        }
        let Some((room, words)) = self.room() else {
            return false;
        };
        let mut batch = Batch {
            steps: words,
            reads: 1,
            writes: false,
            silent: 0,
            delay: 0,
        };
        batch.steps = ports.possible(batch);
        self.taker.hold(room);
        let cycles = ports.run(&mut self.taker, batch);
        let at = self.taken % self.arrived.len();
        // A row is whole within the ring.
        let pairs = self.arrived[at..].iter_mut().zip(cycles);
        pairs.for_each(|(arrived, cycle)| *arrived = cycle + 1);
        self.taken += batch.steps;
        self.word += batch.steps;
        if self.word == self.row_words {
            (self.word, self.column) = (0, 0);
            self.row += 1;
            if self.row.is_multiple_of(self.height) {
                self.taker.turn();
            }
        }
        true
    }

    /// Words that must have arrived before the present place is seen.
    fn needed(&self) -> usize {
        let [row, column] = self.place;
        let (row, before) = (&self.rows[row], self.frame * self.height);
        match row.first < row.end {
            true => (before + row.end - 1) * self.row_words + self.columns[column].needed,
            false => (before + row.first) * self.row_words,
        }
    }

    fn make(&mut self, ports: &mut Ports) -> bool {
        let ready = self.ready;
        if !ready {
            let needed = self.needed();
            if self.taken < needed {
                return false;
            }
            if needed > 0 {
                let arrived = self.arrived[(needed - 1) % self.arrived.len()];
                self.maker.hold(arrived);
            }
            self.ready = true;
        }
        let mut batch = Batch {
            steps: self.words - self.made,
            reads: 0,
            writes: true,
            silent: self.steps - 1,
            delay: self.delay,
        };
        batch.steps = ports.possible(batch);
        if batch.steps == 0 {
            return !ready;
        }
        ports.run(&mut self.maker, batch);
        self.made += batch.steps;
        if self.made == self.words {
            self.leave();
        }
        true
    }

    /// The window is at the present place.
    fn enter(&mut self) {
        let [row, column] = self.place;
        let (row, before) = (&self.rows[row], self.frame * self.height);
        if row.first == row.next {
            return;
        }
        if column == 0 {
            let mut entered = self.spare.pop().unwrap_or_default();
            entered.clear();
            self.left.push_back(Left {
                first: before + row.first,
                next: before + row.next,
                entered,
                over: None,
            });
        }
        if let Some(left) = self.left.back_mut() {
            left.entered.push(self.maker.next);
        }
    }

    /// The last step of the present place is made.
    fn leave(&mut self) {
        (self.made, self.ready) = (0, false);
        let [row, column] = self.place;
        if column + 1 < self.columns.len() {
            self.place = [row, column + 1];
            self.enter();
            return;
        }
        let frees = self.rows[row].first < self.rows[row].next;
        if let Some(left) = self.left.back_mut().filter(|_| frees) {
            left.over = Some(self.maker.next);
        }
        self.place = [row + 1, 0];
        if row + 1 == self.rows.len() {
            self.place = [0; 2];
            self.frame += 1;
            self.maker.turn();
        }
        self.enter();
    }

    /// Whether there is room for the next word, as far as that is known.
    fn has_room(&self) -> bool {
        if self.row < self.ring {
            return true;
        }
        let before = self.row - self.ring;
        let Some(left) = self.left.iter().find(|left| left.next > before) else {
            return false;
        };
        let mut columns = self.columns.iter().zip(&left.entered);
        let passed = columns.any(|(column, _)| column.passed > self.word);
        left.over.is_some() || left.first == before && passed
    }

    pub(super) fn lacks(&self, ports: &Ports) -> (u64, bool) {
        let ready = self.ready || self.taken >= self.needed();
        ports.lacking(u64::from(self.has_room()), ready)
    }
}
