//! `Stored`: a constant tensor in little memory. Large networks have tens of millions of weights, of a few bits each.
//! Must not know operators.

use std::borrow::Cow;

use super::known::{Code, Known};
use crate::network::Coding;
use crate::tensor::Tensor;

/// Tensors of fewer elements are kept as they are.
const SMALL: usize = 1 << 12;

/// A constant.
pub(super) enum Stored {
    /// As it is used.
    Whole(Known),
    /// Integers that all fit 8 bits, and what they stand for.
    Narrow(Tensor<i8>, Coding, usize),
    /// Numbers of the file.
    Single(Tensor<f32>),
}

impl Stored {
    /// Keeps `known`.
    pub(super) fn new(known: Known) -> Self {
        if known.real.len() < SMALL {
            return Stored::Whole(known);
        }
        let single = |value: &f64| f64::from(*value as f32) == *value;
        match &known.code {
            Some(code) if is_made_of(&known, code) => {
                let narrow = |value: &i64| i8::try_from(*value).is_ok();
                match code.integers.data().iter().all(narrow) {
                    true => {
                        let integers = code.integers.map(|value| *value as i8);
                        Stored::Narrow(integers, code.coding.clone(), code.axis)
                    }
                    false => Stored::Whole(known),
                }
            }
            None if known.real.data().iter().all(single) => {
                Stored::Single(known.real.map(|value| *value as f32))
            }
            _ => Stored::Whole(known),
        }
    }

    /// The constant as it is used.
    pub(super) fn known(&self) -> Cow<'_, Known> {
        match self {
            Stored::Whole(known) => Cow::Borrowed(known),
            Stored::Narrow(integers, coding, axis) => Cow::Owned(Known::coded(Code {
                integers: integers.map(|value| i64::from(*value)),
                coding: coding.clone(),
                axis: *axis,
            })),
            Stored::Single(tensor) => Cow::Owned(single(tensor)),
        }
    }
}

/// Numbers of the file as they are used.
pub(super) fn single(tensor: &Tensor<f32>) -> Known {
    Known::real(tensor.map(|value| f64::from(*value)))
}

/// Whether the real numbers are those of the integers, bit for bit.
fn is_made_of(known: &Known, code: &Code) -> bool {
    let again = code.real();
    let pairs = again.data().iter().zip(known.real.data());
    pairs.into_iter().all(|(a, b)| a.to_bits() == b.to_bits())
}
