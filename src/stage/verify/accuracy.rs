//! Accuracy: how many of the user's labelled inputs the integer network gets right.
//! Must not know streams.

use serde::{Deserialize, Serialize};

use crate::data::{Arrays, Values};
use crate::error::{Error, Result};
use crate::tensor::{Tensor, first_largest};

/// Right answers among the samples that were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Samples whose class is the label.
    pub right: usize,
    /// Samples.
    pub total: usize,
}

/// One label per sample, if the archive has labels.
///
/// # Errors
/// A user error where they are not as many integers as there are samples.
pub(super) fn labels(arrays: &mut Arrays, samples: usize) -> Result<Option<Vec<i64>>> {
    let Some(array) = arrays.labels()? else {
        return Ok(None);
    };
    match array.values {
        Values::Integer(labels) if labels.len() == samples => Ok(Some(labels)),
        Values::Integer(labels) => Err(Error::user(format!(
            "there are {} labels for {samples} samples",
            labels.len()
        ))
        .help("`y` holds one integer per sample of `x`")),
        Values::Real(_) => {
            Err(Error::user("the labels `y` are real numbers").help("store them as integers"))
        }
    }
}

/// Counts the samples whose answer is their label. The answer is the index of the largest output, the
/// first of equals, or the output itself where it is a single number.
pub(super) fn count(outputs: &[Vec<Tensor<f64>>], labels: &[i64]) -> Accuracy {
    let answers = outputs
        .iter()
        .filter_map(|tensors| Some(answer(tensors.first()?.data())));
    let right = answers
        .zip(labels)
        .filter(|(answer, label)| answer == *label)
        .count();
    Accuracy {
        right,
        total: outputs.len(),
    }
}

/// The class that the real outputs of one sample stand for.
fn answer(values: &[f64]) -> i64 {
    match values {
        [label] => *label as i64,
        _ => first_largest(values) as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_counts() {
        let tensor = |data: Vec<f64>| vec![Tensor::new(vec![data.len()], data).expect("a vector")];
        let outputs = [
            tensor(vec![0.0, 2.0, 2.0]),
            tensor(vec![3.0]),
            tensor(vec![-1.0, -2.0]),
        ];
        assert_eq!(count(&outputs, &[1, 3, 1]), Accuracy { right: 2, total: 3 });
    }
}
