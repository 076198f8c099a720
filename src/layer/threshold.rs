//! Thresholds alone: a quantiser that follows no matrix product, such as the one at the input.
//! Must not know graphs.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Schedule, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// `y = activation(x)`, PE channels per cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Channels of input and output.
    pub channels: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Type of the input.
    pub input: DataType,
    /// The thresholds.
    pub activation: Activation,
    /// Channels per cycle.
    pub pe: usize,
}

impl Hardware for Threshold {
    fn kind(&self) -> &'static str {
        "threshold"
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
            element: self.activation.output,
            ..self.input()
        }
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 2 + Schedule::THRESHOLDS,
            form: Form::Steps {
                phases: vec![Phase::of_first(self.input().words(), true)],
                repeats: 1,
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
        self.pe as u64 * self.activation.luts(self.input)
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            return Err(Error::bug(format!(
                "a threshold was fed {} elements",
                input.len()
            )));
        }
        let mut output = input.to_vec();
        self.activation.run(tensors, &mut output)?;
        Ok(output)
    }
}
