//! Max-pool: the largest element that a window sees, channel by channel.
//! Must not know graphs.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Range, Schedule, Sliding, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Largest element of each channel at each place; padding is smaller than any element. Windows that lie side
/// by side are compared as the pixels arrive, one word per cycle; others take PE channels and SIMD positions of
/// the kernel per cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPool {
    /// The picture and the window.
    pub sliding: Sliding,
    /// Type of input and output.
    pub input: DataType,
    /// Channels per cycle; divide the channels.
    pub pe: usize,
    /// Positions per cycle; 1 where windows lie side by side.
    pub simd: usize,
}

impl Hardware for MaxPool {
    fn kind(&self) -> &'static str {
        "max_pool"
    }

    fn input(&self) -> Port {
        self.sliding.read(self.input, self.pe)
    }

    fn output(&self) -> Port {
        self.sliding.written(self.input, self.pe)
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
        let memory = self.sliding.pool_words(self.pe) * self.input().word_bits();
        lanes * 2 * u64::from(self.input.bits()) + memory.div_ceil(64)
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("a max-pool was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let channels = self.sliding.channels;
        let mut output = Vec::with_capacity(self.output().elements());
        for place in self.sliding.reads() {
            let mut largest = vec![self.input.min(); channels];
            for pixel in place.flatten() {
                let pixel = &input[pixel * channels..(pixel + 1) * channels];
                let pairs = largest.iter_mut().zip(pixel);
                pairs.for_each(|(largest, x)| *largest = (*largest).max(*x));
            }
            output.extend(largest);
        }
        Ok(output)
    }
}

impl Sliding {
    /// Cycles of a pool of PE channels and SIMD positions per cycle.
    pub(super) fn pool_cycles(&self, pe: usize, simd: usize) -> u64 {
        let groups = self.channels / pe;
        if self.window.is_disjoint() {
            return (self.pixels() * groups) as u64;
        }
        let steps = self.positions().div_ceil(simd);
        self.cycles(self.picture[1] * groups, groups * steps)
    }

    /// The steps of a pool of PE channels and SIMD positions per cycle.
    pub(super) fn pool_schedule(&self, pe: usize, simd: usize) -> Schedule {
        let groups = self.channels / pe;
        if !self.window.is_disjoint() {
            return Schedule {
                latency: Schedule::WINDOW + Schedule::tree(simd) + 1,
                form: Form::Window {
                    sliding: *self,
                    row_words: self.picture[1] * groups,
                    words: groups,
                    steps: self.positions().div_ceil(simd),
                },
            };
        }
        // A result is complete when the last pixel of its window arrives.
        let mut last = vec![false; self.pixels()];
        for place in self.reads() {
            if let Some(pixel) = place.flatten().max() {
                last[pixel] = true;
            }
        }
        let mut phases: Vec<Phase> = Vec::new();
        for writes in last {
            match phases.last_mut() {
                Some(phase) if phase.writes == writes => phase.steps += groups,
                _ => phases.push(Phase::of_first(groups, writes)),
            }
        }
        Schedule {
            latency: 3,
            form: Form::Steps { phases, repeats: 1 },
        }
    }

    /// Parallelism that a pool may have.
    pub(super) fn pool_limits(&self) -> Limits {
        let positions = match self.window.is_disjoint() {
            true => 1,
            false => self.positions(),
        };
        Limits {
            pe: Some(Range::divisors(self.channels)),
            simd: Some(Range::UpTo(positions)),
        }
    }

    /// Words of PE channels that a pool keeps: the results of a row, or the rows that it looks at.
    pub(super) fn pool_words(&self, pe: usize) -> u64 {
        let pixels = match self.window.is_disjoint() {
            true => self.output()[1],
            false => self.rows_kept() * self.picture[1],
        };
        (pixels * self.channels / pe) as u64
    }
}
