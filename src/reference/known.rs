//! `Known`: a tensor of real numbers together with the integers that it is coded by.
//! Must not know operators.

use crate::error::Result;
use crate::network::Coding;
use crate::tensor::Tensor;

/// Integers behind a tensor of real numbers.
#[derive(Debug, Clone)]
pub struct Code {
    /// The integers, in the tensor's shape.
    pub integers: Tensor<i64>,
    /// What they stand for.
    pub coding: Coding,
    /// The axis whose index is the coding's channel; any where the coding has only one channel. The rank
    /// of the tensor stands for "every element is a channel", in row-major order.
    pub axis: usize,
}

impl Code {
    /// The real numbers that the integers stand for.
    pub fn real(&self) -> Tensor<f64> {
        let inner = inner_length(self.integers.shape(), self.axis);
        let channels = self.coding.channels().unwrap_or(1);
        let mut position = 0;
        self.integers.map(|integer| {
            let channel = position / inner % channels;
            position += 1;
            self.coding.real(*integer, channel)
        })
    }

    /// The same integers under a coding with a channel for every element.
    #[must_use]
    pub fn spread(self) -> Self {
        let elements = 0..self.integers.len();
        let coding = Coding {
            scale: self
                .coding
                .scale
                .gather(elements.clone().map(|p| self.channel(p))),
            bias: self.coding.bias.gather(elements.map(|p| self.channel(p))),
        };
        let axis = element_axis(self.integers.shape());
        Code {
            integers: self.integers,
            coding,
            axis,
        }
    }

    /// Channel of the element at row-major `position`.
    pub fn channel(&self, position: usize) -> usize {
        let channels = self.coding.channels().unwrap_or(1);
        position / inner_length(self.integers.shape(), self.axis) % channels
    }
}

/// Distance between elements that differ by one along `axis`, in a row-major tensor.
pub(crate) fn inner_length(shape: &[usize], axis: usize) -> usize {
    shape.iter().skip(axis + 1).product()
}

/// A tensor whose real values are known and, where it is on an integer grid, its integers.
#[derive(Debug, Clone)]
pub struct Known {
    /// The real numbers.
    pub real: Tensor<f64>,
    /// The grid, if there is one.
    pub code: Option<Code>,
}

impl Known {
    /// Real numbers on no grid, such as an initializer.
    pub fn real(real: Tensor<f64>) -> Self {
        Known { real, code: None }
    }

    /// A tensor given by its integers.
    pub fn coded(code: Code) -> Self {
        Known {
            real: code.real(),
            code: Some(code),
        }
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// A bug if the number of elements differs.
    pub fn reshaped(self, shape: &[usize]) -> Result<Self> {
        let code = match self.code {
            Some(code) => {
                let (code, axis) = match axis_after_reshape(&code, shape) {
                    Some(axis) => (code, axis),
                    None => (code.spread(), element_axis(shape)),
                };
                Some(Code {
                    integers: code.integers.reshaped(shape.to_vec())?,
                    coding: code.coding,
                    axis,
                })
            }
            None => None,
        };
        Ok(Known {
            real: self.real.reshaped(shape.to_vec())?,
            code,
        })
    }
}

/// The one axis that enumerates all elements, else the rank: no axis does.
fn element_axis(shape: &[usize]) -> usize {
    let mut long = (0..shape.len()).filter(|&axis| shape[axis] != 1);
    match (long.next(), long.next()) {
        (Some(axis), None) => axis,
        (None, _) => 0,
        _ => shape.len(),
    }
}

/// The axis of `shape` that enumerates the channels as the code's axis did.
fn axis_after_reshape(code: &Code, shape: &[usize]) -> Option<usize> {
    let Some(channels) = code.coding.channels() else {
        return Some(0);
    };
    let inner = inner_length(code.integers.shape(), code.axis);
    (0..shape.len()).find(|&axis| shape[axis] == channels && inner_length(shape, axis) == inner)
}
