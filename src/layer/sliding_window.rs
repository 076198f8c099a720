//! Sliding window: the pixels that a convolution multiplies at each place, one place after the other.
//! Must not know weights.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Port, Range, Schedule, Sliding, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// At each place of the window the elements that it sees: position by position, row by row of the kernel,
/// channel fastest. With several `groups` the channels of a group are a pixel of their own, so that a place
/// is `groups` pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlidingWindow {
    /// The picture and the window.
    pub sliding: Sliding,
    /// Groups of consecutive channels; they divide the channels.
    pub groups: usize,
    /// Type of the input.
    pub input: DataType,
    /// Type of the output: the input's, or one that holds the padding too.
    pub output: DataType,
    /// Value of the padding.
    pub pad: i64,
    /// Elements of an input word: a divisor of the channels, or whole pixels of which a row has whole words.
    pub pe: usize,
    /// Elements of an output word: a divisor of a group's channels, or whole positions that divide the kernel.
    pub simd: usize,
}

impl SlidingWindow {
    /// Channels of a group.
    pub fn group_channels(&self) -> usize {
        self.sliding.channels / self.groups
    }

    /// Whole multiples of `unit` that divide `whole` units, and divisors of `unit`.
    fn words(unit: usize, whole: usize) -> Range {
        let divisors = (1..unit).filter(|d| unit.is_multiple_of(*d));
        let multiples = (1..=whole).filter(|n| whole.is_multiple_of(*n));
        Range::OneOf(divisors.chain(multiples.map(|n| n * unit)).collect())
    }
}

impl Hardware for SlidingWindow {
    fn kind(&self) -> &'static str {
        "sliding_window"
    }

    fn input(&self) -> Port {
        let together = (self.pe / self.sliding.channels).max(1);
        Port {
            element: self.input,
            pixels: self.sliding.pixels() / together,
            channels: self.sliding.channels * together,
            per_word: self.pe,
        }
    }

    fn output(&self) -> Port {
        Port {
            element: self.output,
            pixels: self.sliding.places() * self.groups,
            channels: self.sliding.positions() * self.group_channels(),
            per_word: self.simd,
        }
    }

    fn schedule(&self) -> Schedule {
        let (sliding, channels) = (self.sliding, self.sliding.channels);
        Schedule {
            latency: Schedule::WINDOW,
            form: Form::Window {
                sliding,
                row_words: sliding.picture[1] * channels / self.pe,
                words: sliding.positions() * channels / self.simd,
                steps: 1,
            },
        }
    }

    fn cycles(&self) -> u64 {
        let row = self.sliding.picture[1] * self.sliding.channels / self.pe;
        let per_place = self.sliding.positions() * self.sliding.channels / self.simd;
        self.sliding.cycles(row, per_place)
    }

    fn limits(&self) -> Limits {
        let columns = self.sliding.picture[1];
        Limits {
            pe: Some(Self::words(self.sliding.channels, columns)),
            simd: Some(Self::words(self.group_channels(), self.sliding.positions())),
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    fn luts(&self) -> u64 {
        let words = (self.sliding.rows_kept() * self.sliding.picture[1] * self.sliding.channels)
            .div_ceil(self.pe) as u64;
        let memory = (words * self.input().word_bits()).div_ceil(64);
        memory + 2 * self.output().word_bits() + 64
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("a sliding window was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let (channels, group) = (self.sliding.channels, self.group_channels());
        let mut output = Vec::with_capacity(self.output().elements());
        for place in self.sliding.reads() {
            let place: Vec<Option<usize>> = place.collect();
            for first in (0..channels).step_by(group) {
                for pixel in &place {
                    match pixel {
                        Some(pixel) => {
                            let at = pixel * channels + first;
                            output.extend_from_slice(&input[at..at + group]);
                        }
                        None => output.extend(std::iter::repeat_n(self.pad, group)),
                    }
                }
            }
        }
        Ok(output)
    }
}
