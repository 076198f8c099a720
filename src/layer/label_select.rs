//! Label select: the index of the largest channel, lowest index first among equals.
//! Must not know class names.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Schedule, Tensors};
use crate::error::Result;
use crate::tensor::{DataType, first_largest};

/// Arg-max over the channels of each pixel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSelect {
    /// Type of the input.
    pub input: DataType,
    /// Channels that compete.
    pub channels: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Type of the index.
    pub output: DataType,
    /// Channels per cycle.
    pub pe: usize,
}

impl Hardware for LabelSelect {
    fn kind(&self) -> &'static str {
        "label_select"
    }

    fn input(&self) -> Port {
        Port {
            element: self.input,
            pixels: self.pixels,
            channels: self.channels,
            per_word: self.pe,
        }
    }

    fn output(&self) -> Port {
        Port {
            element: self.output,
            pixels: self.pixels,
            channels: 1,
            per_word: 1,
        }
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 2 + Schedule::tree(self.pe),
            form: Form::Steps {
                phases: vec![
                    Phase::of_first(self.input().words_per_pixel() - 1, false),
                    Phase::of_first(1, true),
                ],
                repeats: self.pixels,
            },
        }
    }

    fn limits(&self) -> Limits {
        Limits::channels(self.channels)
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism::channels(self.pe)
    }

    fn luts(&self) -> u64 {
        self.pe as u64 * 2 * u64::from(self.input.bits())
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        let pixels = input.chunks_exact(self.channels);
        Ok(pixels.map(|pixel| first_largest(pixel) as i64).collect())
    }
}
