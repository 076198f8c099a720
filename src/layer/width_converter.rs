//! Width converter: regroups the elements of each pixel into words of another size.
//! Must not know its neighbours.

use serde::{Deserialize, Serialize};

use super::{Hardware, Parallelism, Port, Tensors};
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

    fn cycles(&self) -> u64 {
        self.input().words().max(self.output().words()) as u64
    }

    fn limits(&self) -> Parallelism {
        Parallelism::default()
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism::default()
    }

    fn luts(&self) -> u64 {
        self.input().word_bits() + self.output().word_bits()
    }

    fn run(&self, _: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        Ok(input.to_vec())
    }
}
