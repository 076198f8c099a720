//! Add: the sum of two streams, element by element, each times an integer.
//! Must not know scales.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Schedule, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// `y = gain[0] * a + gain[1] * b`, PE channels per cycle. Gains make integers of two scales integers of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// Types of the two inputs.
    pub inputs: [DataType; 2],
    /// What each input is multiplied by; never 0.
    pub gains: [i64; 2],
    /// Channels of both inputs and of the output.
    pub channels: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Type that holds every sum.
    pub output: DataType,
    /// Channels per cycle.
    pub pe: usize,
}

impl Add {
    fn port(&self, element: DataType) -> Port {
        Port {
            element,
            pixels: self.pixels,
            channels: self.channels,
            per_word: self.pe,
        }
    }
}

impl Hardware for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn input(&self) -> Port {
        self.port(self.inputs[0])
    }

    fn inputs(&self) -> Vec<Port> {
        self.inputs.map(|element| self.port(element)).to_vec()
    }

    fn output(&self) -> Port {
        self.port(self.output)
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 2,
            form: Form::Steps {
                phases: vec![Phase {
                    steps: self.output().words(),
                    reads: 0b11,
                    writes: true,
                }],
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
        // A gain that is no power of two is one adder for each bit that is set, at most.
        let adders = |gain: &i64| u64::from(gain.unsigned_abs().count_ones());
        let adders: u64 = self.gains.iter().map(adders).sum();
        self.pe as u64 * u64::from(self.output.bits()) * (adders - 1)
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        self.join(tensors, &[input])
    }

    fn join(&self, _: &Tensors, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let elements = self.output().elements();
        match *inputs {
            [a, b] if a.len() == elements && b.len() == elements => {
                let [first, second] = self.gains;
                let pairs = a.iter().zip(b);
                Ok(pairs.map(|(a, b)| first * a + second * b).collect())
            }
            _ => {
                let fed: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
                Err(Error::bug(format!("an addition was fed {fed:?} elements")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_gain() {
        let add = Add {
            inputs: [DataType::Uint(2), DataType::Int(3)],
            gains: [4, -1],
            channels: 2,
            pixels: 1,
            output: DataType::Int(6),
            pe: 1,
        };
        let run = |inputs: &[&[i64]]| add.join(&Tensors::default(), inputs);
        assert_eq!(run(&[&[3, 0], &[-4, 3]]).expect("runs"), [16, -3]);
        assert!(run(&[&[3, 0], &[-4]]).is_err());
        assert!(add.run(&Tensors::default(), &[3, 0]).is_err());
    }
}
