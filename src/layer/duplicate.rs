//! Duplicate: a stream for several readers.
//! Must not know who they are.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Schedule, Tensors};
use crate::error::Result;
use crate::tensor::DataType;

/// Every word goes to all outputs, PE channels per cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Type of input and outputs.
    pub element: DataType,
    /// Channels of a pixel.
    pub channels: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Outputs, 2 at least.
    pub copies: usize,
    /// Channels per cycle.
    pub pe: usize,
}

impl Hardware for Duplicate {
    fn kind(&self) -> &'static str {
        "duplicate"
    }

    fn input(&self) -> Port {
        Port {
            element: self.element,
            pixels: self.pixels,
            channels: self.channels,
            per_word: self.pe,
        }
    }

    fn output(&self) -> Port {
        self.input()
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 1,
            form: Form::Steps {
                phases: vec![Phase::of_first(self.input().words(), true)],
                repeats: 1,
            },
        }
    }

    fn copies(&self) -> usize {
        self.copies
    }

    fn limits(&self) -> Limits {
        Limits::channels(self.channels)
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism::channels(self.pe)
    }

    fn luts(&self) -> u64 {
        self.copies as u64 * 2
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        Ok(input.to_vec())
    }
}
