//! Upsample: a picture with more pixels, each repeated, or moved apart with a constant between them.
//! Must not know which network operator asked for it.

use serde::{Deserialize, Serialize};

use super::{Form, Hardware, Limits, Parallelism, Phase, Port, Range, Schedule, Tensors};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Pixel `(r, c)` of the picture comes out at rows `r * factor[0] ..` and columns `c * factor[1] ..`, PE channels
/// per cycle. Without `fill` all of these pixels are it, and the output has `factor` times as many rows and columns.
/// With `fill` the first of them is, and the others are constant; there are none behind the last row and column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsample {
    /// Rows and columns of the picture that arrives.
    pub picture: [usize; 2],
    /// Channels of a pixel.
    pub channels: usize,
    /// Rows and columns for each that arrives.
    pub factor: [usize; 2],
    /// The constant between pixels.
    pub fill: Option<i64>,
    /// Type of the input.
    pub input: DataType,
    /// Type of the output: the input's, or one that holds the constant too.
    pub output: DataType,
    /// Channels per cycle; divide the channels.
    pub pe: usize,
}

impl Upsample {
    /// Rows and columns that leave.
    pub fn size(&self) -> [usize; 2] {
        let along = |axis: usize| match self.fill {
            None => self.picture[axis] * self.factor[axis],
            Some(_) => self.picture[axis].saturating_sub(1) * self.factor[axis] + 1,
        };
        [along(0), along(1)]
    }

    /// The same on a picture with fewer rows, so that about `pixels` pixels leave.
    #[must_use]
    pub fn reduced(&self, pixels: usize) -> Self {
        let row = self.size()[1] * self.factor[0];
        let rows = pixels.div_ceil(row.max(1)).max(1);
        Upsample {
            picture: [rows.min(self.picture[0]), self.picture[1]],
            ..self.clone()
        }
    }
}

impl Hardware for Upsample {
    fn kind(&self) -> &'static str {
        "upsample"
    }

    fn input(&self) -> Port {
        Port {
            element: self.input,
            pixels: self.picture[0] * self.picture[1],
            channels: self.channels,
            per_word: self.pe,
        }
    }

    fn output(&self) -> Port {
        let [rows, columns] = self.size();
        Port {
            element: self.output,
            pixels: rows * columns,
            ..self.input()
        }
    }

    /// A word is taken where its pixel is made for the first time.
    fn schedule(&self) -> Schedule {
        let ([rows, columns], [down, right]) = (self.size(), self.factor);
        let words = self.channels / self.pe;
        let mut phases = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let reads = row % down == 0 && column % right == 0;
                phases.push(Phase {
                    steps: words,
                    reads: u64::from(reads),
                    writes: true,
                });
            }
        }
        Schedule {
            latency: 2,
            form: Form::Steps { phases, repeats: 1 },
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            pe: Some(Range::divisors(self.channels)),
            simd: None,
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism::channels(self.pe)
    }

    fn luts(&self) -> u64 {
        // A row of the picture is kept where rows are repeated.
        let kept = match (self.fill, self.factor) {
            (None, [rows, _]) if rows > 1 => (self.picture[1] * self.channels) as u64,
            _ => self.pe as u64,
        };
        (kept * u64::from(self.input.bits())).div_ceil(64) + self.output().word_bits()
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("an upsampling was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let [rows, columns] = self.size();
        let mut output = Vec::with_capacity(self.output().elements());
        for row in 0..rows {
            for column in 0..columns {
                let [down, right] = self.factor;
                let (above, left) = (row / down, column / right);
                let pixel = (above * self.picture[1] + left) * self.channels;
                let moved = row % down > 0 || column % right > 0;
                match self.fill.filter(|_| moved) {
                    Some(fill) => output.extend(std::iter::repeat_n(fill, self.channels)),
                    None => output.extend(&input[pixel..pixel + self.channels]),
                }
            }
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upsample(fill: Option<i64>) -> Upsample {
        Upsample {
            picture: [2, 2],
            channels: 1,
            factor: [2, 3],
            fill,
            input: DataType::Uint(4),
            output: DataType::Uint(4),
            pe: 1,
        }
    }

    #[test]
    fn pixels_are_repeated() {
        let layer = upsample(None);
        let found = layer.run(&Tensors::default(), &[1, 2, 3, 4]).expect("runs");
        let (above, below) = ([1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]);
        assert_eq!(found, [above, above, below, below].concat());
        assert_eq!(layer.cycles(), 24);
        assert_eq!(layer.reduced(3).picture, [1, 2]);
    }

    #[test]
    fn pixels_are_moved_apart() {
        let found = upsample(Some(9)).run(&Tensors::default(), &[1, 2, 3, 4]);
        let found = found.expect("runs");
        assert_eq!(found, [1, 9, 9, 2, 9, 9, 9, 9, 3, 9, 9, 4]);
    }
}
