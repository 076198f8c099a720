//! `Port`: the shape of a stream where it enters or leaves a layer.
//! Must not know which layer.

use serde::{Deserialize, Serialize};

use crate::tensor::DataType;

/// A stream of words: a frame is `pixels` pixels of `channels` elements, channel fastest; each word
/// holds `per_word` elements of one pixel, element 0 in the lowest bits. Where `per_word` does not
/// divide `channels` the last word of each pixel ends in padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Type of one element.
    pub element: DataType,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Elements in a pixel.
    pub channels: usize,
    /// Elements in a word.
    pub per_word: usize,
}

impl Port {
    /// Elements in a frame, padding not counted.
    pub fn elements(&self) -> usize {
        self.pixels * self.channels
    }

    /// Words in a pixel.
    pub fn words_per_pixel(&self) -> usize {
        self.channels.div_ceil(self.per_word)
    }

    /// Words in a frame.
    pub fn words(&self) -> usize {
        self.pixels * self.words_per_pixel()
    }

    /// Bits in a word.
    pub fn word_bits(&self) -> u64 {
        self.per_word as u64 * u64::from(self.element.bits())
    }

    /// Whether every word is full.
    pub fn is_full(&self) -> bool {
        self.channels.is_multiple_of(self.per_word)
    }
}
