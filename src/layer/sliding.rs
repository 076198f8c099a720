//! `Sliding`: a window on a stream of pixels, as all layers have it that see more than one pixel at once.
//! Must not know what is made of the pixels.

use serde::{Deserialize, Serialize};

use crate::tensor::Window;

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

    /// Cycles from one frame to the next where frames follow without a gap: `read` words arrive for a row of
    /// the picture, one per cycle at most while there is room, and `written` steps are made for a row of
    /// places, one per cycle at most once the rows that they look at have arrived.
    pub fn cycles(&self, read: usize, written: usize) -> u64 {
        let [rows, _] = self.output();
        (self.picture[0] * read).max(rows * written) as u64
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
