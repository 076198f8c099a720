//! Pools on known tensors: the largest element and the mean of what a window reads.
//! Must not know nodes.

use super::known::{Code, Known};
use crate::error::{Error, Result};
use crate::network::{Coding, picture};
use crate::tensor::{PerChannel, Tensor, Window};

/// Channels of a picture, and for every place of a window in row-major order the positions in a channel that
/// it reads, row by row.
struct Places {
    channels: usize,
    area: usize,
    reads: Vec<Vec<usize>>,
}

impl Places {
    /// # Errors
    /// A user error where the window does not make pictures of `shape` of those of `from`.
    fn new(from: &[usize], window: &Window, shape: &[usize]) -> Result<Self> {
        let odd = || Error::user(format!("a pool of {from:?} does not make {shape:?}"));
        let (channels, size) = picture(from).ok_or_else(odd)?;
        let places = window.output(size).ok_or_else(odd)?;
        if picture(shape) != Some((channels, places)) {
            return Err(odd());
        }
        let read = |place: usize| {
            let place = [place / places[1], place % places[1]];
            let positions = (0..window.positions()).filter_map(|at| window.reads(size, place, at));
            positions
                .map(|[row, column]| row * size[1] + column)
                .collect()
        };
        Ok(Places {
            channels,
            area: size[0] * size[1],
            reads: (0..places[0] * places[1]).map(read).collect(),
        })
    }

    /// `f` of a channel and its elements at every place, in row-major order of the result.
    fn each<T: Copy, U>(
        &self,
        data: &[T],
        mut f: impl FnMut(usize, &mut dyn Iterator<Item = T>) -> U,
    ) -> Vec<U> {
        let mut result = Vec::with_capacity(self.channels * self.reads.len());
        for channel in 0..self.channels {
            let plane = &data[channel * self.area..(channel + 1) * self.area];
            for reads in &self.reads {
                result.push(f(
                    channel,
                    &mut reads.iter().map(|&position| plane[position]),
                ));
            }
        }
        result
    }
}

/// The code of a picture whose coding differs by channel at most.
fn by_channel(x: &Known) -> Option<&Code> {
    let code = x.code.as_ref()?;
    (code.axis == 1 || code.coding.channels().is_none()).then_some(code)
}

fn values(values: &PerChannel) -> &[f64] {
    match values {
        PerChannel::Same(value) => std::slice::from_ref(value),
        PerChannel::Each(values) => values,
    }
}

/// The largest element at every place; padding never is. Integers stay where no scale is negative.
///
/// # Errors
/// A user error where shapes do not fit, or a place reads padding only.
pub(super) fn max_pool(x: &Known, window: &Window, shape: &[usize]) -> Result<Known> {
    let places = Places::new(x.real.shape(), window, shape)?;
    if places.reads.iter().any(Vec::is_empty) {
        return Err(Error::user("some of its places read padding only"));
    }
    // Where a scale is 0 all integers stand for the same number, the largest too.
    let never_falls = |code: &&Code| values(&code.coding.scale).iter().all(|scale| *scale >= 0.0);
    if let Some(code) = by_channel(x).filter(never_falls) {
        let integers = places.each(code.integers.data(), |_, read| read.max().unwrap_or(0));
        return Ok(Known::coded(Code {
            integers: Tensor::new(shape.to_vec(), integers)?,
            coding: code.coding.clone(),
            axis: 1,
        }));
    }
    let real = places.each(x.real.data(), |_, read| {
        read.fold(f64::NEG_INFINITY, f64::max)
    });
    Ok(Known::real(Tensor::new(shape.to_vec(), real)?))
}

/// The mean at every place. Where every place counts equally many elements, the integers are sums and their scale
/// is the input's by the count; else the real elements are summed row by row and divided.
///
/// # Errors
/// A user error where shapes do not fit, or a place counts no element.
pub(super) fn average_pool(
    x: &Known,
    window: &Window,
    count_padding: bool,
    shape: &[usize],
) -> Result<Known> {
    let places = Places::new(x.real.shape(), window, shape)?;
    let counts: Vec<usize> = places
        .reads
        .iter()
        .map(|reads| {
            if count_padding {
                window.positions()
            } else {
                reads.len()
            }
        })
        .collect();
    if counts.contains(&0) {
        return Err(Error::user("some of its places read padding only"));
    }
    if let Some(known) = exact_average(x, &places, &counts, shape)? {
        return Ok(known);
    }
    let mut place = 0;
    let real = places.each(x.real.data(), |_, read| {
        let count = counts[place % counts.len()];
        place += 1;
        read.fold(0.0, |sum, value| sum + value) / count as f64
    });
    Ok(Known::real(Tensor::new(shape.to_vec(), real)?))
}

fn exact_average(
    x: &Known,
    places: &Places,
    counts: &[usize],
    shape: &[usize],
) -> Result<Option<Known>> {
    let (Some(code), Some(&count)) = (by_channel(x), counts.first()) else {
        return Ok(None);
    };
    if counts.iter().any(|other| *other != count) {
        return Ok(None);
    }
    // Padding that counts is an integer too.
    let padded = places.reads.iter().any(|reads| reads.len() < count);
    let mut zeros = vec![0; places.channels];
    if padded {
        for (channel, zero) in zeros.iter_mut().enumerate() {
            match code.coding.zero(channel) {
                Some(integer) => *zero = integer,
                None => return Ok(None),
            }
        }
    }
    let mut large = false;
    let integers = places.each(code.integers.data(), |channel, read| {
        let (mut sum, mut seen) = (0i128, 0);
        for integer in read {
            sum += i128::from(integer);
            seen += 1;
        }
        sum += i128::from(zeros[channel]) * (count - seen) as i128;
        i64::try_from(sum).unwrap_or_else(|_| {
            large = true;
            0
        })
    });
    if large {
        return Ok(None);
    }
    Ok(Some(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers)?,
        coding: Coding {
            scale: code.coding.scale.map(|scale| scale / count as f64),
            bias: code.coding.bias.clone(),
        },
        axis: 1,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(scale: f64, bias: f64) -> Known {
        Known::coded(Code {
            integers: Tensor::new(vec![1, 1, 2, 2], vec![1, -2, 3, 5]).expect("fits"),
            coding: Coding {
                scale: PerChannel::Same(scale),
                bias: PerChannel::Same(bias),
            },
            axis: 1,
        })
    }

    fn integers(known: &Known) -> Option<&[i64]> {
        known.code.as_ref().map(|code| code.integers.data())
    }

    #[test]
    fn the_largest_integer_is_the_largest_where_no_scale_is_negative() {
        let window = Window::dense([1, 2]);
        let pool = |scale| max_pool(&coded(scale, 1.0), &window, &[1, 1, 2, 1]).expect("fits");
        assert_eq!(integers(&pool(0.5)), Some(&[1, 5][..]));
        assert_eq!(pool(0.5).real.data(), [1.5, 3.5]);
        assert_eq!(integers(&pool(0.0)), Some(&[1, 5][..]));
        assert_eq!(pool(0.0).real.data(), [1.0, 1.0]);
        assert_eq!(integers(&pool(-0.5)), None);
        assert_eq!(pool(-0.5).real.data(), [2.0, -0.5]);
    }

    #[test]
    fn means_are_sums_where_all_count_alike() {
        let window = Window {
            pads: [0, 0, 1, 0],
            ..Window::dense([2, 2])
        };
        let pool = |bias, counts| {
            average_pool(&coded(0.5, bias), &window, counts, &[1, 1, 2, 1]).expect("fits")
        };
        // Padding is 0, which with a bias of 1 is the integer -2.
        assert_eq!(integers(&pool(0.0, true)), Some(&[7, 8][..]));
        assert_eq!(integers(&pool(1.0, true)), Some(&[7, 4][..]));
        assert_eq!(pool(1.0, true).real.data(), [1.875, 1.5]);
        assert_eq!(integers(&pool(0.25, true)), None);
        assert_eq!(integers(&pool(0.0, false)), None);
        assert_eq!(pool(0.0, false).real.data(), [0.875, 2.0]);
    }
}
