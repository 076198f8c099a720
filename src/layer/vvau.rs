//! Vector-vector-threshold unit: a depthwise convolution with the window in front of it.
//! Must not know graphs.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::{Form, Hardware, Limits, Parallelism, Port, Range, Schedule, Sliding, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// `y[c] = activation(sum over positions of w[c][position] x[position][c])` at each place: PE channels and SIMD
/// positions of the kernel per cycle. Positions are padded up to a multiple of SIMD with products of 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vvau {
    /// The picture and the window.
    pub sliding: Sliding,
    /// Type of the input.
    pub input: DataType,
    /// Value of the padding; it need not be of the input's type.
    pub pad: i64,
    /// Type of the weights, `[channels, positions]`.
    pub weight: DataType,
    /// Type that holds every accumulator.
    pub accumulator: DataType,
    /// What follows the product; without it the accumulators are the result.
    pub activation: Option<Activation>,
    /// Channels per cycle; divide the channels.
    pub pe: usize,
    /// Positions per cycle.
    pub simd: usize,
}

impl Vvau {
    /// Steps that one group of channels takes at a place.
    pub fn steps(&self) -> usize {
        self.sliding.positions().div_ceil(self.simd)
    }
}

impl Hardware for Vvau {
    fn kind(&self) -> &'static str {
        "vvau"
    }

    fn input(&self) -> Port {
        self.sliding.read(self.input, self.pe)
    }

    fn output(&self) -> Port {
        let element = Activation::leaving(self.activation.as_ref(), self.accumulator);
        self.sliding.written(element, self.pe)
    }

    fn schedule(&self) -> Schedule {
        let groups = self.sliding.channels / self.pe;
        Schedule {
            // Weights are asked for so that they come with what the window sees.
            latency: Schedule::WINDOW - 2 + Schedule::sum(self.simd, self.activation.as_ref()),
            form: Form::Window {
                sliding: self.sliding,
                row_words: self.sliding.picture[1] * groups,
                words: groups,
                steps: self.steps(),
            },
        }
    }

    fn cycles(&self) -> u64 {
        let groups = self.sliding.channels / self.pe;
        let row = self.sliding.picture[1] * groups;
        self.sliding.cycles(row, groups * self.steps())
    }

    fn limits(&self) -> Limits {
        Limits {
            pe: Some(Range::divisors(self.sliding.channels)),
            simd: Some(Range::UpTo(self.sliding.positions())),
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    fn luts(&self) -> u64 {
        let product = u64::from(self.input.bits() * self.weight.bits());
        let adder = u64::from(self.input.bits() + self.weight.bits());
        let lanes = (self.pe * self.simd) as u64;
        let activation = self.activation.as_ref();
        let activation = activation.map_or(0, |a| a.luts(self.accumulator));
        let words =
            self.sliding.rows_kept() * self.sliding.picture[1] * self.sliding.channels / self.pe;
        let reads = self.sliding.window.kernel[1].min(self.simd) as u64;
        let memory = reads * (words as u64 * self.input().word_bits()).div_ceil(64);
        lanes * (product + adder)
            + self.pe as u64 * (activation + u64::from(self.accumulator.bits()))
            + memory
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            return Err(Error::bug(format!(
                "a VVAU was fed {} elements",
                input.len()
            )));
        }
        let (channels, positions) = (self.sliding.channels, self.sliding.positions());
        let weights = tensors.weights(&[channels, positions])?;
        let mut output = Vec::with_capacity(self.output().elements());
        for place in self.sliding.reads() {
            let mut sums = vec![0; channels];
            for (position, pixel) in place.enumerate() {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    let x = pixel.map_or(self.pad, |pixel| input[pixel * channels + channel]);
                    *sum += i64::from(weights[channel * positions + position]) * x;
                }
            }
            output.extend(sums);
        }
        if let Some(activation) = &self.activation {
            activation.run(tensors, &mut output)?;
        }
        Ok(output)
    }
}
