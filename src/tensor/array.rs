//! `Tensor`: a dense row-major array of any element.
//! Must not know what the axes mean.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Dense array, last axis fastest. The number of elements always equals the product of the shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tensor<T> {
    shape: Vec<usize>,
    data: Vec<T>,
}

impl<T> Tensor<T> {
    /// An array of the given shape and elements.
    ///
    /// # Errors
    /// A bug if the number of elements is not the product of the shape.
    pub fn new(shape: Vec<usize>, data: Vec<T>) -> Result<Self> {
        if element_count(&shape) != Some(data.len()) {
            return Err(Error::bug(format!(
                "a tensor of shape {shape:?} was given {} elements",
                data.len()
            )));
        }
        Ok(Tensor { shape, data })
    }

    /// A single element of shape `[]`.
    pub fn scalar(value: T) -> Self {
        Tensor {
            shape: Vec::new(),
            data: vec![value],
        }
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements, last axis fastest.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The elements alone.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// A bug if the shapes differ in their number of elements.
    pub fn reshaped(self, shape: Vec<usize>) -> Result<Self> {
        Tensor::new(shape, self.data)
    }

    /// Every element through `f`.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Tensor<U> {
        Tensor {
            shape: self.shape.clone(),
            data: self.data.iter().map(f).collect(),
        }
    }
}

impl<T: Clone> Tensor<T> {
    /// Axes in the order of `permutation`: axis i of the result is axis `permutation[i]` of this.
    ///
    /// # Errors
    /// A bug if `permutation` is not a permutation of the axes.
    pub fn transposed(&self, permutation: &[usize]) -> Result<Self> {
        let mut sorted = permutation.to_vec();
        sorted.sort_unstable();
        if sorted.iter().copied().ne(0..self.shape.len()) {
            return Err(Error::bug(format!(
                "{permutation:?} does not permute {} axes",
                self.shape.len()
            )));
        }
        let strides = strides(&self.shape);
        let shape: Vec<usize> = permutation.iter().map(|&axis| self.shape[axis]).collect();
        let steps: Vec<usize> = permutation.iter().map(|&axis| strides[axis]).collect();
        let data = positions(&shape, &steps)
            .map(|position| self.data[position].clone())
            .collect();
        Tensor::new(shape, data)
    }

    /// Repeats this array to `shape` by the broadcasting rules of NumPy and ONNX;
    /// `None` where they do not fit.
    pub fn broadcast(&self, shape: &[usize]) -> Option<Self> {
        let missing = shape.len().checked_sub(self.shape.len())?;
        let own = strides(&self.shape);
        let mut steps = vec![0; shape.len()];
        for (axis, &length) in self.shape.iter().enumerate() {
            match (length, shape[missing + axis]) {
                (1, _) => {}
                (have, want) if have == want => steps[missing + axis] = own[axis],
                _ => return None,
            }
        }
        let data = positions(shape, &steps)
            .map(|position| self.data[position].clone())
            .collect();
        Tensor::new(shape.to_vec(), data).ok()
    }
}

/// Number of elements of a shape; `None` where it does not fit a `usize`.
fn element_count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |count, &length| count.checked_mul(length))
}

/// Row-major strides in elements.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Source positions of all elements of `shape` in row-major order, each axis advancing by its step.
fn positions<'a>(shape: &'a [usize], steps: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let count = element_count(shape).unwrap_or(0);
    let mut index = vec![0; shape.len()];
    let mut position = 0;
    (0..count).map(move |_| {
        let current = position;
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            position += steps[axis];
            if index[axis] < shape[axis] {
                break;
            }
            position -= steps[axis] * shape[axis];
            index[axis] = 0;
        }
        current
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Tensor<usize> {
        let count = shape.iter().product();
        Tensor::new(shape.to_vec(), (0..count).collect()).expect("shape fits")
    }

    #[test]
    fn transpose_moves_axes() {
        let tensor = counted(&[2, 3]).transposed(&[1, 0]).expect("a permutation");
        assert_eq!(tensor.shape(), [3, 2]);
        assert_eq!(tensor.data(), [0, 3, 1, 4, 2, 5]);
        let there = counted(&[2, 3, 4]).transposed(&[2, 0, 1]).expect("fits");
        let back = there.transposed(&[1, 2, 0]).expect("fits");
        assert_eq!(back, counted(&[2, 3, 4]));
        assert!(counted(&[2, 3]).transposed(&[0, 0]).is_err());
    }

    #[test]
    fn broadcast_follows_numpy() {
        let row = counted(&[3]).broadcast(&[2, 3]).expect("fits");
        assert_eq!(row.data(), [0, 1, 2, 0, 1, 2]);
        let column = counted(&[2, 1]).broadcast(&[2, 3]).expect("fits");
        assert_eq!(column.data(), [0, 0, 0, 1, 1, 1]);
        assert!(counted(&[2]).broadcast(&[2, 3]).is_none());
        assert!(counted(&[2, 3]).broadcast(&[3]).is_none());
    }
}
