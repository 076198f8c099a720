//! Operators that join tensors: sums of two, and any number side by side, with exact integers where both are on
//! grids of one unit.
//! Must not know nodes.

use super::known::{Code, Known, inner_length};
use crate::error::{Error, Result};
use crate::network::Coding;
use crate::tensor::Tensor;

/// The integers of `a + sign * b`, where both have some and the same shape.
pub(super) fn sum(a: &Known, b: &Known, sign: f64) -> Result<Option<Code>> {
    let (Some(left), Some(right)) = (&a.code, &b.code) else {
        return Ok(None);
    };
    if a.real.shape() != b.real.shape() {
        return Ok(None);
    }
    let (left, right) = alike(left, right);
    let Some((coding, [first, second])) = left.coding.sum(&right.coding, sign) else {
        return Ok(None);
    };
    let axis = match left.coding.channels() {
        Some(_) => left.axis,
        None => right.axis,
    };
    let pairs = left.integers.data().iter().zip(right.integers.data());
    // What wraps around has no place in any stream.
    let sums = pairs.map(|(a, b)| first.wrapping_mul(*a).wrapping_add(second.wrapping_mul(*b)));
    Ok(Some(Code {
        integers: Tensor::new(a.real.shape().to_vec(), sums.collect())?,
        coding,
        axis,
    }))
}

/// Both with their channels along the same axis.
fn alike(left: &Code, right: &Code) -> (Code, Code) {
    let differ = left.coding.channels().is_some() && right.coding.channels().is_some();
    match differ && left.axis != right.axis {
        true => (left.clone().spread(), right.clone().spread()),
        false => (left.clone(), right.clone()),
    }
}

/// The tensors side by side along `axis`; `shape` is that of the result.
///
/// # Errors
/// A user error where they do not fit.
pub(super) fn concat(parts: &[&Known], axis: usize, shape: &[usize]) -> Result<Known> {
    let lengths: Vec<usize> = parts
        .iter()
        .filter_map(|part| part.real.shape().get(axis).copied())
        .collect();
    let fits = |part: &&Known| {
        let own = part.real.shape();
        own.len() == shape.len() && (0..own.len()).all(|at| at == axis || own[at] == shape[at])
    };
    if !parts.iter().all(fits) || shape.get(axis) != Some(&lengths.iter().sum()) {
        let shapes: Vec<&[usize]> = parts.iter().map(|part| part.real.shape()).collect();
        return Err(Error::user(format!(
            "tensors of shapes {shapes:?} side by side along axis {axis} do not make {shape:?}"
        )));
    }
    let inner = inner_length(shape, axis);
    let along = |code: &Code| code.coding.channels().is_none() || code.axis == axis;
    let codes: Option<Vec<&Code>> = parts.iter().map(|part| part.code.as_ref()).collect();
    let Some(codes) = codes.filter(|codes| codes.iter().all(|code| along(code))) else {
        let real = parts.iter().map(|part| (part.real.data(), 1.0));
        let real = interleaved(real.zip(&lengths), inner, |x, _: f64| x);
        return Ok(Known::real(Tensor::new(shape.to_vec(), real)?));
    };
    let codings: Vec<(&Coding, usize)> = codes
        .iter()
        .zip(&lengths)
        .map(|(code, length)| (&code.coding, *length))
        .collect();
    let (coding, gains) = Coding::side_by_side(&codings);
    let integers = codes.iter().map(|code| code.integers.data()).zip(gains);
    let integers = interleaved(integers.zip(&lengths), inner, |x: i64, gain: i64| {
        gain.wrapping_mul(x)
    });
    Ok(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers)?,
        coding,
        axis,
    }))
}

/// Rows of each part in turn, as many as it has along the axis, of `inner` elements each.
fn interleaved<'a, T: Copy + 'a, F: Copy>(
    parts: impl Iterator<Item = ((&'a [T], F), &'a usize)>,
    inner: usize,
    each: impl Fn(T, F) -> T,
) -> Vec<T> {
    let mut parts: Vec<_> = parts
        .map(|((data, factor), length)| (data.chunks_exact((length * inner).max(1)), factor))
        .collect();
    let mut result = Vec::new();
    loop {
        let before = result.len();
        for (chunks, factor) in &mut parts {
            if let Some(chunk) = chunks.next() {
                result.extend(chunk.iter().map(|x| each(*x, *factor)));
            }
        }
        if result.len() == before {
            return result;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::PerChannel;

    fn coded(shape: &[usize], integers: Vec<i64>, scale: PerChannel) -> Known {
        Known::coded(Code {
            integers: Tensor::new(shape.to_vec(), integers).expect("fits"),
            coding: Coding::scaled(scale),
            axis: 1,
        })
    }

    #[test]
    fn sums_have_a_common_unit() {
        let a = coded(&[1, 2, 1], vec![3, -1], PerChannel::Each(vec![0.5, 2.0]));
        let b = coded(&[1, 2, 1], vec![1, 1], PerChannel::Each(vec![1.0, 4.0]));
        let code = sum(&a, &b, -1.0).expect("fits").expect("has a unit");
        assert_eq!(code.integers.data(), [1, -3]);
        assert_eq!(code.real().data(), [0.5, -6.0]);
        let c = coded(&[1, 2, 1], vec![1, 1], PerChannel::Same(0.1));
        assert!(sum(&a, &c, 1.0).expect("fits").is_none());
    }

    #[test]
    fn tensors_stand_side_by_side() {
        let a = coded(&[1, 1, 2], vec![1, 2], PerChannel::Same(0.5));
        let b = coded(&[1, 2, 2], vec![1, 1, -1, 3], PerChannel::Same(1.0));
        let both = concat(&[&a, &b], 1, &[1, 3, 2]).expect("fits");
        assert_eq!(both.real.data(), [0.5, 1.0, 1.0, 1.0, -1.0, 3.0]);
        let code = both.code.expect("has one");
        assert_eq!(code.integers.data(), [1, 2, 2, 2, -2, 6]);
        let real = Known::real(b.real.clone());
        let last = concat(&[&real, &b], 2, &[1, 2, 4]).expect("fits");
        assert_eq!(last.real.data(), [1.0, 1.0, 1.0, 1.0, -1.0, 3.0, -1.0, 3.0]);
        assert!(last.code.is_none() && concat(&[&a, &b], 2, &[1, 2, 4]).is_err());
    }
}
