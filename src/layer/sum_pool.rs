//! Sum-pool: the sum of the elements that a window sees, channel by channel; an average is a sum with another
//! scale.
//! Must not know scales.

use serde::{Deserialize, Serialize};

use super::{Hardware, Limits, Parallelism, Port, Schedule, Sliding, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Sum of each channel at each place. Windows that lie side by side, such as one over the whole picture, are
/// added up as the pixels arrive, one word per cycle; others take PE channels and SIMD positions per cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumPool {
    /// The picture and the window.
    pub sliding: Sliding,
    /// Type of the input.
    pub input: DataType,
    /// Value of the padding; it need not be of the input's type.
    pub pad: i64,
    /// Type that holds every sum: the output's.
    pub accumulator: DataType,
    /// Channels per cycle; divide the channels.
    pub pe: usize,
    /// Positions per cycle; 1 where windows lie side by side.
    pub simd: usize,
}

impl Hardware for SumPool {
    fn kind(&self) -> &'static str {
        "sum_pool"
    }

    fn input(&self) -> Port {
        self.sliding.read(self.input, self.pe)
    }

    fn output(&self) -> Port {
        self.sliding.written(self.accumulator, self.pe)
    }

    fn schedule(&self) -> Schedule {
        self.sliding.pool_schedule(self.pe, self.simd)
    }

    fn cycles(&self) -> u64 {
        self.sliding.pool_cycles(self.pe, self.simd)
    }

    fn limits(&self) -> Limits {
        self.sliding.pool_limits()
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    fn luts(&self) -> u64 {
        let lanes = (self.pe * self.simd) as u64;
        let memory = self.sliding.pool_words(self.pe) * self.output().word_bits();
        lanes * u64::from(self.accumulator.bits()) + memory.div_ceil(64)
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("a sum-pool was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let channels = self.sliding.channels;
        let mut output = Vec::with_capacity(self.output().elements());
        for place in self.sliding.reads() {
            let mut sums = vec![0; channels];
            for pixel in place {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum += pixel.map_or(self.pad, |pixel| input[pixel * channels + channel]);
                }
            }
            output.extend(sums);
        }
        Ok(output)
    }
}
