//! Width converter: regroups the elements of each pixel into words of another size.
//! Must not know its neighbours.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Phase, Port, Schedule, Tensors};
use crate::error::Result;
use crate::tensor::DataType;

/// Drops the padding of its input's words and pads its own, pixel by pixel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WidthConverter {
    /// Type of the elements.
    pub element: DataType,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Elements in a pixel.
    pub channels: usize,
    /// Elements per input word.
    pub from: usize,
    /// Elements per output word.
    pub to: usize,
}

impl Hardware for WidthConverter {
    fn kind(&self) -> &'static str {
        "width_converter"
    }

    fn input(&self) -> Port {
        Port {
            element: self.element,
            pixels: self.pixels,
            channels: self.channels,
            per_word: self.from,
        }
    }

    fn output(&self) -> Port {
        Port {
            per_word: self.to,
            ..self.input()
        }
    }

    /// A word is taken where the next one to be made lacks elements, and made where it does not.
    fn schedule(&self) -> Schedule {
        let (mut read, mut phases) = (0, Vec::new());
        let has = |read: usize| (read * self.from).min(self.channels);
        for written in 1..=self.output().words_per_pixel() {
            let wanted = (written * self.to).min(self.channels);
            // All but the last of the words that are taken for it.
            while has(read + 1) < wanted {
                read += 1;
                phases.push(Phase::of_first(1, false));
            }
            let reads = u64::from(has(read) < wanted);
            read += reads as usize;
            phases.push(Phase {
                steps: 1,
                reads,
                writes: true,
            });
        }
        Schedule {
            latency: 1,
            form: Form::Steps {
                phases,
                repeats: self.pixels,
            },
        }
    }

    /// A wider output word is written in the cycle in which its last element is read, or, where the
    /// ratio is not integral, up to one cycle later.
    fn cycles(&self) -> u64 {
        let (read, written) = (
            self.input().words_per_pixel(),
            self.output().words_per_pixel(),
        );
        let per_pixel = match self.to <= self.from {
            true => written,
            false => read + written - self.from * (read - 1) / self.to - 1,
        };
        (self.pixels * per_pixel) as u64
    }

    fn luts(&self) -> u64 {
        self.input().word_bits() + self.output().word_bits()
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        Ok(input.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cycle by cycle: a word is read where one is wanted, a word is written where one is complete.
    fn stepped(from: usize, to: usize, channels: usize) -> u64 {
        let (mut read, mut written, mut cycles) = (0, 0, 0);
        while written < channels.div_ceil(to) {
            let wanted = ((written + 1) * to).min(channels);
            if (read * from).min(channels) < wanted {
                read += 1;
            }
            if (read * from).min(channels) >= wanted {
                written += 1;
            }
            cycles += 1;
        }
        cycles
    }

    #[test]
    fn cycles_are_those_of_the_hardware() {
        for from in 1..12 {
            for to in 1..12 {
                for channels in 1..40 {
                    let layer = WidthConverter {
                        element: DataType::Uint(4),
                        pixels: 1,
                        channels,
                        from,
                        to,
                    };
                    let floor = layer.input().words().max(layer.output().words()) as u64;
                    let cycles = layer.cycles();
                    assert!(
                        cycles == floor || cycles == floor + 1,
                        "{from} to {to} of {channels}"
                    );
                    assert!(
                        cycles <= stepped(from, to, channels) + 1,
                        "{from} to {to} of {channels}"
                    );
                }
            }
        }
    }
}
