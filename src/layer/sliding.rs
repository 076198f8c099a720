//! `Sliding`: a window on a stream of pixels, as all layers have it that see more than one pixel at once.
//! Must not know what is made of the pixels.

use serde::{Deserialize, Serialize};

use super::Port;
use crate::tensor::{DataType, Window};

/// A picture that arrives pixel by pixel, channel fastest, and the window on it. The layer keeps as many rows
/// as the window spans and as many more as it moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sliding {
    /// Rows and columns of the picture.
    pub picture: [usize; 2],
    /// Channels of a pixel.
    pub channels: usize,
    /// The window; it fits the picture.
    pub window: Window,
}

impl Sliding {
    /// Rows and columns of places.
    pub fn output(&self) -> [usize; 2] {
        self.window.output(self.picture).unwrap_or([0; 2])
    }

    /// Pixels of the picture.
    pub fn pixels(&self) -> usize {
        self.picture[0] * self.picture[1]
    }

    /// Places of the window.
    pub fn places(&self) -> usize {
        self.output()[0] * self.output()[1]
    }

    /// Positions of the kernel.
    pub fn positions(&self) -> usize {
        self.window.positions()
    }

    /// The stream of the picture, where `pe` channels arrive at once.
    pub(super) fn read(&self, element: DataType, pe: usize) -> Port {
        Port {
            element,
            pixels: self.pixels(),
            channels: self.channels,
            per_word: pe,
        }
    }

    /// The stream of what is made of each channel at each place, where `pe` channels leave at once.
    pub(super) fn written(&self, element: DataType, pe: usize) -> Port {
        Port {
            pixels: self.places(),
            ..self.read(element, pe)
        }
    }

    /// Rows that are kept at once.
    pub fn rows_kept(&self) -> usize {
        self.window.span()[0] + self.window.stride[0]
    }

    /// For each place, row by row, the pixel that each position reads; `None` in the padding.
    pub fn reads(&self) -> impl Iterator<Item = impl Iterator<Item = Option<usize>>> {
        let sliding = *self;
        let [rows, columns] = sliding.output();
        let places = (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]));
        places.map(move |place| {
            (0..sliding.positions()).map(move |at| {
                let [row, column] = sliding.window.reads(sliding.picture, place, at)?;
                Some(row * sliding.picture[1] + column)
            })
        })
    }

    /// Cycles from one frame to the next where frames follow without a gap and words are always there: a row of
    /// the picture is `read` words, of which one arrives per cycle while there is room, and a place is `steps`
    /// steps, of which one is made per cycle once all that the place looks at has arrived.
    ///
    /// A word has room among as many rows as are kept, counted from the first row that the present row of places
    /// looks at; and one row later, where no later place looks at that first row, up to the column at which the
    /// window is.
    pub fn cycles(&self, read: usize, steps: usize) -> u64 {
        let pace = Pace::new(self, read as i64, steps as i64);
        // What arrives early in the first frame shortens the second; from there on frames are alike.
        let (_, early) = pace.frame(0);
        pace.frame(early).0.unsigned_abs()
    }

    /// The same on a picture with fewer rows, so that about `pixels` pixels leave, one row at least.
    #[must_use]
    pub fn reduced(&self, pixels: usize) -> Self {
        let [rows, columns] = self.output();
        let wanted = pixels.div_ceil(columns.max(1)).clamp(1, rows.max(1));
        let [above, _, below, _] = self.window.pads;
        let needed = (wanted - 1) * self.window.stride[0] + self.window.span()[0];
        let height = needed.saturating_sub(above + below).max(1);
        Sliding {
            picture: [height.min(self.picture[0]), self.picture[1]],
            ..*self
        }
    }
}

/// What decides how long a frame takes: all in words of input and cycles.
struct Pace<'a> {
    sliding: &'a Sliding,
    /// Words of a row of the picture.
    read: i64,
    /// Steps of a row of places.
    row: i64,
    /// Cycles that a row of places takes from the arrival of the last of its rows, column 0, if that row arrives
    /// without a pause.
    after: i64,
    /// Words of the first of its rows that can be replaced while a row of places is made, as if their number
    /// were one for each cycle and not bounded by the row.
    replaced: i64,
}

impl<'a> Pace<'a> {
    fn new(sliding: &'a Sliding, read: i64, steps: i64) -> Self {
        let (window, [_, columns]) = (&sliding.window, sliding.output());
        let width = sliding.picture[1] as i64;
        let (left, span) = (window.pads[1] as i64, window.span()[1] as i64);
        let (mut after, mut replaced) = (0, i64::MAX);
        for column in 0..columns {
            let first = (column * window.stride[1]) as i64 - left;
            let [passed, needed] = [first, first + span].map(|column| column.clamp(0, width));
            let left_over = (columns - column) as i64;
            // Words may hold several pixels.
            let needed = (needed * read + width - 1) / width;
            after = after.max(needed + steps * left_over);
            replaced = replaced.min(passed * read / width + steps * (left_over - 1));
        }
        Pace {
            sliding,
            read,
            row: columns as i64 * steps,
            after,
            replaced,
        }
    }

    /// Cycles of a frame of which so many words arrived before it began, and the words of the next that arrive
    /// before it ends.
    fn frame(&self, early: i64) -> (i64, i64) {
        let (window, [rows, _]) = (&self.sliding.window, self.sliding.output());
        let height = self.sliding.picture[0] as i64;
        let (stride, span) = (window.stride[0] as i64, window.span()[0] as i64);
        let kept = self.sliding.rows_kept() as i64;
        let (mut cycles, mut words) = (0, early);
        for row in 0..rows {
            let top = (row as i64) * stride - window.pads[0] as i64;
            let [first, end] = [top, top + span].map(|row| row.clamp(0, height));
            let next = match row + 1 < rows {
                true => (top + stride).clamp(0, height),
                false => height,
            };
            let whole = match first < end {
                true => (end - 1) * self.read - words + self.after,
                false => first * self.read - words + self.row,
            };
            let taken = self.row.max(whole);
            let replaced = if next > first { self.replaced } else { 0 };
            cycles += taken;
            words = (words + taken).min((first + kept) * self.read + replaced);
        }
        // Rows below the last place are read to their end.
        let left_over = (height * self.read - words).max(0);
        (cycles + left_over, words + left_over - height * self.read)
    }
}
