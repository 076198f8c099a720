//! `Taps`: which pixel each position of a kernel reads at each place.
//! Must not know what is made of the pixels.

use crate::layer::Sliding;

/// Stands for a position in the padding.
pub(super) const PADDING: usize = usize::MAX;

/// A window on a picture, prepared.
#[derive(Debug, Clone)]
pub(super) struct Taps {
    /// `[places, positions]`: a pixel, or [`PADDING`].
    pixels: Vec<usize>,
    pub(super) positions: usize,
    pub(super) channels: usize,
    /// Elements of a frame that is read.
    pub(super) read: usize,
    /// Elements of a frame of one pixel for each place.
    pub(super) written: usize,
}

impl Taps {
    pub(super) fn new(sliding: &Sliding) -> Self {
        let places = sliding.reads();
        let pixels = places.flat_map(|place| {
            let pixels: Vec<usize> = place.map(|pixel| pixel.unwrap_or(PADDING)).collect();
            pixels
        });
        Taps {
            pixels: pixels.collect(),
            positions: sliding.positions(),
            channels: sliding.channels,
            read: sliding.pixels() * sliding.channels,
            written: sliding.places() * sliding.channels,
        }
    }

    /// For each place, the pixel that each position reads.
    pub(super) fn places(&self) -> impl Iterator<Item = &[usize]> {
        self.pixels.chunks_exact(self.positions)
    }
}
