//! Convolutions on known tensors.
//!
//! Integers are summed exactly, so that their order does not matter and a fast matrix product serves. Real numbers
//! are summed in one order on every machine: channel by channel, then row by row of the kernel.
//! Must not know nodes.

use std::ops::{AddAssign, Mul, Range};

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::known::{Code, Known};
use crate::error::{Error, Result};
use crate::network::picture;
use crate::tensor::{Tensor, Window};

/// Integers up to here are exact in f64, and so are sums whose terms' absolute values stay below.
const EXACT: i128 = 1 << 53;
/// Elements of patches that are laid out at once.
const PATCHES: usize = 1 << 18;
/// Pixels that are summed at once.
const TILE: usize = 32;

/// Evaluates a convolution of x with `weights` `[filters, channels / group, kernel...]`; `shape` is that of the
/// result.
///
/// # Errors
/// A user error where the shapes do not fit.
pub(super) fn convolution(
    x: &Known,
    weights: &Known,
    window: &Window,
    group: usize,
    shape: &[usize],
) -> Result<Known> {
    let frame = Frame::new(x.real.shape(), weights.real.shape(), window, group, shape)?;
    if let Some(known) = exact(&frame, x, weights, shape)? {
        return Ok(known);
    }
    let zeros = vec![0.0; frame.channels];
    let real = frame.convolve(x.real.data(), weights.real.data(), &zeros, |sums| {
        sums.in_order()
    });
    Ok(Known::real(Tensor::new(shape.to_vec(), real)?))
}

/// The convolution by integers, where both operands are on grids that allow it and padding is an integer.
fn exact(frame: &Frame, x: &Known, weights: &Known, shape: &[usize]) -> Result<Option<Known>> {
    let (Some(left), Some(right)) = (&x.code, &weights.code) else {
        return Ok(None);
    };
    let per_filter = right.coding.channels().is_none() || right.axis == 0;
    let per_channel = left.coding.channels().is_none() || left.axis == 1;
    if !per_filter || !per_channel || right.coding.bias.uniform() != Some(0.0) {
        return Ok(None);
    }
    let mut zeros = vec![0; frame.channels];
    if frame.window.is_padded() {
        for (channel, zero) in zeros.iter_mut().enumerate() {
            match left.coding.zero(channel) {
                Some(integer) => *zero = integer,
                None => return Ok(None),
            }
        }
    }
    let weights = right.integers.data();
    let positions = weights.chunks_exact(frame.window.positions());
    let sums: Vec<i64> = positions.map(|list| list.iter().sum()).collect();
    let coding = left
        .coding
        .convolution(&right.coding.scale, &sums, frame.channels, frame.group);
    let Some(coding) = coding else {
        return Ok(None);
    };
    let Some(integers) = frame.integers(left.integers.data(), weights, &zeros) else {
        return Ok(None);
    };
    Ok(Some(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers)?,
        coding,
        axis: 1,
    })))
}

/// Sizes of a convolution.
struct Frame {
    window: Window,
    group: usize,
    channels: usize,
    filters: usize,
    /// Channels of a group.
    depth: usize,
    picture: [usize; 2],
    places: [usize; 2],
}

/// Products of the filters of a group with patches: where the results go.
struct Sums<'a, T> {
    /// `[rows, depth]`.
    weights: &'a [T],
    /// `[depth, pixels]`.
    patches: &'a [T],
    depth: usize,
    pixels: usize,
    /// Row-major with `stride` elements from row to row; results begin at `offset`.
    out: &'a mut [T],
    stride: usize,
    offset: usize,
}

/// What is multiplied and summed.
trait Number: Copy + Default + PartialEq + Mul<Output = Self> + AddAssign {}
impl Number for f64 {}
impl Number for i64 {}

impl<T: Number> Sums<'_, T> {
    /// Every result is summed in the order of `depth`, starting at 0.
    fn in_order(self) {
        let rows = self.weights.chunks_exact(self.depth);
        let lines = self.out.chunks_mut(self.stride);
        for (weights, line) in rows.zip(lines) {
            let line = &mut line[self.offset..self.offset + self.pixels];
            for (tile, results) in line.chunks_mut(TILE).enumerate() {
                let start = tile * TILE;
                let mut sums = [T::default(); TILE];
                for (weight, patch) in weights.iter().zip(self.patches.chunks_exact(self.pixels)) {
                    match patch[start..].first_chunk::<TILE>() {
                        Some(full) => {
                            for (sum, x) in sums.iter_mut().zip(full) {
                                *sum += *weight * *x;
                            }
                        }
                        None => {
                            for (sum, x) in sums.iter_mut().zip(&patch[start..]) {
                                *sum += *weight * *x;
                            }
                        }
                    }
                }
                results.copy_from_slice(&sums[..results.len()]);
            }
        }
    }
}

impl Sums<'_, f64> {
    /// In an order that depends on the machine: for sums that are exact in any order.
    fn in_any_order(self) {
        let rows = self.weights.len() / self.depth;
        let lines = self.out.len() / self.stride;
        let weights = ArrayView2::from_shape((rows, self.depth), self.weights);
        let patches = ArrayView2::from_shape((self.depth, self.pixels), self.patches);
        let out = ArrayViewMut2::from_shape((lines, self.stride), &mut *self.out);
        match (weights, patches, out) {
            (Ok(weights), Ok(patches), Ok(mut out)) => {
                let range = self.offset..self.offset + self.pixels;
                let mut out = out.slice_axis_mut(Axis(1), range.into());
                general_mat_mul(1.0, &weights, &patches, 0.0, &mut out);
            }
            _ => self.in_order(),
        }
    }
}

impl Frame {
    fn new(
        x: &[usize],
        weights: &[usize],
        window: &Window,
        group: usize,
        shape: &[usize],
    ) -> Result<Self> {
        let odd = || {
            Error::user(format!(
                "a convolution of {x:?} with weights {weights:?} does not make {shape:?}"
            ))
        };
        let (channels, size) = picture(x).ok_or_else(odd)?;
        let places = window.output(size).ok_or_else(odd)?;
        let (filters, depth, kernel) = match *weights {
            [filters, depth, columns] => (filters, depth, [1, columns]),
            [filters, depth, rows, columns] => (filters, depth, [rows, columns]),
            _ => return Err(odd()),
        };
        let fits = weights.len() == x.len()
            && kernel == window.kernel
            && group > 0
            && !weights.contains(&0)
            && depth * group == channels
            && filters % group == 0
            && picture(shape) == Some((filters, places));
        match fits {
            true => Ok(Frame {
                window: *window,
                group,
                channels,
                filters,
                depth,
                picture: size,
                places,
            }),
            false => Err(odd()),
        }
    }

    /// Integers of the result; `None` where they do not fit 64 bits.
    fn integers(&self, x: &[i64], weights: &[i64], zeros: &[i64]) -> Option<Vec<i64>> {
        let largest = |list: &[i64]| list.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
        let size = i128::from(largest(x).max(largest(zeros)));
        let filter = self.depth * self.window.positions();
        let heaviest = weights
            .chunks_exact(filter)
            .map(|list| {
                list.iter()
                    .map(|v| i128::from(v.unsigned_abs()))
                    .sum::<i128>()
            })
            .max()?;
        let bound = heaviest.checked_mul(size)?;
        if bound > i128::from(i64::MAX) {
            return None;
        }
        if bound.max(size).max(heaviest) >= EXACT {
            return Some(self.convolve(x, weights, zeros, |sums| sums.in_order()));
        }
        let float = |list: &[i64]| list.iter().map(|v| *v as f64).collect::<Vec<f64>>();
        let sums = self.convolve(&float(x), &float(weights), &float(zeros), |sums| {
            sums.in_any_order()
        });
        Some(sums.into_iter().map(|sum| sum as i64).collect())
    }

    /// The convolution; `zeros` are what padding holds, by channel.
    fn convolve<T: Number>(
        &self,
        x: &[T],
        weights: &[T],
        zeros: &[T],
        multiply: impl Fn(Sums<'_, T>),
    ) -> Vec<T> {
        let area = self.picture[0] * self.picture[1];
        let pixels = self.places[0] * self.places[1];
        let mut out = vec![T::default(); self.filters * pixels];
        if pixels == 0 {
            return out;
        }
        if self.depth == 1 {
            self.depthwise(x, weights, zeros, &mut out);
            return out;
        }
        let depth = self.depth * self.window.positions();
        let filters = self.filters / self.group;
        let rows_at_once = (PATCHES / (depth * self.places[1])).clamp(1, self.places[0]);
        let mut patches = Vec::new();
        for number in 0..self.group {
            let channels = number * self.depth..(number + 1) * self.depth;
            let x = &x[channels.start * area..channels.end * area];
            let weights = &weights[number * filters * depth..][..filters * depth];
            let out = &mut out[number * filters * pixels..][..filters * pixels];
            for start in (0..self.places[0]).step_by(rows_at_once) {
                let rows = start..(start + rows_at_once).min(self.places[0]);
                self.lay_out(x, &zeros[channels.clone()], rows.clone(), &mut patches);
                multiply(Sums {
                    weights,
                    patches: &patches,
                    depth,
                    pixels: rows.len() * self.places[1],
                    out: &mut *out,
                    stride: pixels,
                    offset: start * self.places[1],
                });
            }
        }
        out
    }

    /// Places along `axis` at which position `at` of the kernel reads a pixel, and what it reads at place p:
    /// `p * stride + shift`.
    fn inside(&self, axis: usize, at: usize) -> (Range<usize>, impl Fn(usize) -> usize + use<>) {
        let (stride, pad) = (self.window.stride[axis], self.window.pads[axis]);
        let shift = at * self.window.dilation[axis];
        let places = self.places[axis];
        let first = pad.saturating_sub(shift).div_ceil(stride).min(places);
        let end = (self.picture[axis] + pad)
            .saturating_sub(shift)
            .div_ceil(stride)
            .min(places);
        (first..end.max(first), move |place| {
            place * stride + shift - pad
        })
    }

    /// Patches `[channel, kernel row, kernel column]` by `[row, column]` of the places of some rows.
    fn lay_out<T: Number>(&self, x: &[T], zeros: &[T], rows: Range<usize>, patches: &mut Vec<T>) {
        let [height, width] = self.picture;
        patches.clear();
        for (plane, zero) in x.chunks_exact(height * width).zip(zeros) {
            for at in 0..self.window.positions() {
                let (inside, row_at) = self.inside(0, at / self.window.kernel[1]);
                let (columns, column_at) = self.inside(1, at % self.window.kernel[1]);
                for row in rows.clone() {
                    let start = patches.len();
                    patches.resize(start + self.places[1], *zero);
                    if !inside.contains(&row) || columns.is_empty() {
                        continue;
                    }
                    let line = &plane[row_at(row) * width..][..width];
                    let read = line[column_at(columns.start)..]
                        .iter()
                        .step_by(self.window.stride[1]);
                    let into = &mut patches[start..][columns.clone()];
                    match self.window.stride[1] {
                        1 => into.copy_from_slice(&line[column_at(columns.start)..][..into.len()]),
                        _ => into.iter_mut().zip(read).for_each(|(to, from)| *to = *from),
                    }
                }
            }
        }
    }

    /// Filters that see one channel each.
    fn depthwise<T: Number>(&self, x: &[T], weights: &[T], zeros: &[T], out: &mut [T]) {
        let [height, width] = self.picture;
        let (area, pixels) = (height * width, self.places[0] * self.places[1]);
        let positions = self.window.positions();
        let per_channel = self.filters / self.channels;
        let filters = weights
            .chunks_exact(positions)
            .zip(out.chunks_exact_mut(pixels));
        for (number, (weights, out)) in filters.enumerate() {
            let channel = number / per_channel;
            let plane = &x[channel * area..(channel + 1) * area];
            let zero = zeros[channel];
            for (at, weight) in weights.iter().enumerate() {
                let (inside, row_at) = self.inside(0, at / self.window.kernel[1]);
                let (columns, column_at) = self.inside(1, at % self.window.kernel[1]);
                for (row, sums) in out.chunks_exact_mut(self.places[1]).enumerate() {
                    let columns = match inside.contains(&row) {
                        true => columns.clone(),
                        false => 0..0,
                    };
                    if zero != T::default() {
                        let (before, rest) = sums.split_at_mut(columns.start);
                        let padding = before.iter_mut().chain(&mut rest[columns.len()..]);
                        padding.for_each(|sum| *sum += *weight * zero);
                    }
                    if columns.is_empty() {
                        continue;
                    }
                    let line = &plane[row_at(row) * width..][..width];
                    let read = line[column_at(columns.start)..].iter();
                    let into = sums[columns].iter_mut();
                    match self.window.stride[1] {
                        1 => into.zip(read).for_each(|(sum, x)| *sum += *weight * *x),
                        step => into
                            .zip(read.step_by(step))
                            .for_each(|(sum, x)| *sum += *weight * *x),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Coding;
    use crate::tensor::PerChannel;

    /// Integers 1, 2, ... of this shape.
    fn coded(shape: &[usize], coding: Coding, axis: usize) -> Known {
        let count: usize = shape.iter().product();
        let integers = Tensor::new(shape.to_vec(), (1..=count as i64).collect());
        Known::coded(Code {
            integers: integers.expect("fits"),
            coding,
            axis,
        })
    }

    fn scaled(scales: &[f64]) -> Coding {
        Coding::scaled(PerChannel::from_values(scales.to_vec()))
    }

    /// The result, which equals that on the reals without integers.
    fn run(x: &Known, weights: &Known, window: &Window, group: usize, shape: &[usize]) -> Known {
        let result = convolution(x, weights, window, group, shape).expect("fits");
        let reals = [x, weights].map(|known| Known::real(known.real.clone()));
        let plain = convolution(&reals[0], &reals[1], window, group, shape).expect("fits");
        assert_eq!(plain.real, result.real);
        result
    }

    #[test]
    fn padding_is_an_integer_where_it_can_be() {
        let window = Window {
            pads: [1; 4],
            ..Window::dense([2, 2])
        };
        let weights = coded(&[1, 2, 2, 2], scaled(&[0.5]), 0);
        let biased = |bias| Coding {
            scale: PerChannel::Same(0.5),
            bias: PerChannel::Same(bias),
        };
        for (bias, exact) in [(0.0, true), (1.5, true), (-2.0, true), (0.25, false)] {
            let x = coded(&[1, 2, 2, 2], biased(bias), 1);
            let result = run(&x, &weights, &window, 1, &[1, 1, 3, 3]);
            assert_eq!(result.code.is_some(), exact, "{bias}");
        }
    }

    #[test]
    fn scales_of_channels_pass_where_no_group_mixes_them() {
        let window = Window::dense([1, 2]);
        let x = coded(&[1, 4, 3], scaled(&[0.5, 0.5, 2.0, 2.0]), 1);
        let weights = |depth| coded(&[4, depth, 2], scaled(&[1.0, 2.0, 4.0, 8.0]), 0);
        for (group, scales) in [(2, [0.5, 1.0, 8.0, 16.0]), (4, [0.5, 1.0, 8.0, 16.0])] {
            let result = run(&x, &weights(4 / group), &window, group, &[1, 4, 2]);
            let code = result.code.expect("integers");
            assert_eq!(code.coding.scale, PerChannel::Each(scales.to_vec()));
            assert_eq!(code.axis, 1);
        }
        let mixed = run(&x, &weights(4), &window, 1, &[1, 4, 2]);
        assert!(mixed.code.is_none());
    }

    #[test]
    fn large_integers_are_exact_or_left_out() {
        let window = Window::dense([1, 1]);
        let at = |value: i64| {
            let integers = Tensor::new(vec![1, 2, 1], vec![value, 1]).expect("fits");
            Known::coded(Code {
                integers,
                coding: scaled(&[1.0]),
                axis: 1,
            })
        };
        let weights = |value: i64| {
            let mut known = at(value);
            known.code.as_mut().expect("coded").axis = 0;
            known
        };
        let sum = |x, w| {
            let result = convolution(&at(x), &weights(w), &window, 1, &[1, 1, 1]).expect("fits");
            result.code.map(|code| code.integers.data()[0])
        };
        assert_eq!(sum(3, 5), Some(16));
        assert_eq!(
            sum((1 << 40) + 1, (1 << 20) + 1),
            Some((1 << 60) + (1 << 40) + (1 << 20) + 2)
        );
        assert_eq!(sum(1 << 40, 1 << 40), None);
    }
}
