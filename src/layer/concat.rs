//! Concat: the channels of several streams side by side, each stream times an integer.
//! Must not know scales.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Range, Schedule, Tensors};
use crate::error::{Error, Result};
use crate::tensor::{DataType, greatest_divisor};

/// A pixel of the output is a pixel of each input, one after the other, PE channels per cycle. Gains make integers
/// of different scales integers of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concat {
    /// The inputs in their order.
    pub inputs: Vec<Part>,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Type that holds every element.
    pub output: DataType,
    /// Channels per cycle; divide the channels of every input.
    pub pe: usize,
}

/// One input of a [`Concat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Type of its elements.
    pub element: DataType,
    /// Its channels.
    pub channels: usize,
    /// What it is multiplied by; never 0.
    pub gain: i64,
}

impl Concat {
    fn channels(&self) -> usize {
        self.inputs.iter().map(|part| part.channels).sum()
    }

    fn port(&self, element: DataType, channels: usize) -> Port {
        Port {
            element,
            pixels: self.pixels,
            channels,
            per_word: self.pe,
        }
    }
}

impl Hardware for Concat {
    fn kind(&self) -> &'static str {
        "concat"
    }

    fn input(&self) -> Port {
        let first = &self.inputs[0];
        self.port(first.element, first.channels)
    }

    fn inputs(&self) -> Vec<Port> {
        let port = |part: &Part| self.port(part.element, part.channels);
        self.inputs.iter().map(port).collect()
    }

    fn output(&self) -> Port {
        self.port(self.output, self.channels())
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 2,
            form: Form::Steps {
                phases: self
                    .inputs()
                    .iter()
                    .enumerate()
                    .map(|(input, port)| Phase {
                        steps: port.words_per_pixel(),
                        reads: 1 << input,
                        writes: true,
                    })
                    .collect(),
                repeats: self.pixels,
            },
        }
    }

    fn limits(&self) -> Limits {
        let channels = self.inputs.iter().map(|part| part.channels as u64);
        let common = channels.fold(0, greatest_divisor) as usize;
        Limits {
            pe: Some(Range::divisors(common)),
            simd: None,
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism::channels(self.pe)
    }

    fn luts(&self) -> u64 {
        // A multiplexer of the words.
        self.output().word_bits() * (self.inputs.len() as u64).div_ceil(4)
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        self.join(tensors, &[input])
    }

    fn join(&self, _: &Tensors, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let fed: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
        let wanted: Vec<usize> = self.inputs().iter().map(Port::elements).collect();
        if fed != wanted {
            let what = format!("a concatenation was fed {fed:?} elements, not {wanted:?}");
            return Err(Error::bug(what));
        }
        let mut output = Vec::with_capacity(self.output().elements());
        for pixel in 0..self.pixels {
            for (part, input) in self.inputs.iter().zip(inputs) {
                let channels = &input[pixel * part.channels..(pixel + 1) * part.channels];
                output.extend(channels.iter().map(|x| part.gain * x));
            }
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_lie_side_by_side_in_every_pixel() {
        let part = |channels, gain| Part {
            element: DataType::Int(4),
            channels,
            gain,
        };
        let concat = Concat {
            inputs: vec![part(2, 1), part(4, 2)],
            pixels: 2,
            output: DataType::Int(5),
            pe: 2,
        };
        let inputs: [&[i64]; 2] = [&[1, 2, 3, 4], &[1, 1, 1, 1, -8, 5, 6, 7]];
        let found = concat.join(&Tensors::default(), &inputs).expect("runs");
        assert_eq!(found, [1, 2, 2, 2, 2, 2, 3, 4, -16, 10, 12, 14]);
        assert_eq!(concat.limits().pe, Some(Range::OneOf(vec![1, 2])));
        assert_eq!(concat.cycles(), 6);
    }
}
