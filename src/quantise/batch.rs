//! `Batch`: one tensor of many samples, and products on it.
//! Must not know quantisers.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::shape::{Shape, Slide};
use crate::error::Result;
use crate::network::{Network, Node, Op, ValueId};
use crate::reference::{Known, evaluate};
use crate::tensor::Tensor;

/// A tensor of the network, sample by sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// By sample, the elements in row-major order.
    pub(super) frames: Vec<Vec<f32>>,
}

impl Batch {
    /// Every frame through `f`, on all cores.
    pub(super) fn each(&self, f: impl Fn(&[f32]) -> Vec<f32> + Sync) -> Batch {
        let frames = self.frames.par_iter().map(|frame| f(frame));
        Batch {
            frames: frames.collect(),
        }
    }

    /// About `most` frames and elements, spread evenly and unevenly enough that no column is always met.
    pub(super) fn some(&self, most: usize) -> Vec<(usize, usize)> {
        let length = self.frames.first().map_or(0, Vec::len);
        spread(self.frames.len(), length, most)
    }

    /// Squares of the distances from another batch, and of this one's own elements from their mean.
    pub(super) fn distance(&self, other: &Batch) -> [f64; 2] {
        let pairs = self.frames.par_iter().zip(&other.frames);
        let parts: Vec<[f64; 4]> = pairs
            .map(|(own, other)| {
                let mut sums = [own.len() as f64, 0.0, 0.0, 0.0];
                for (a, b) in own.iter().zip(other) {
                    let (a, b) = (f64::from(*a), f64::from(*b));
                    sums[1] += a;
                    sums[2] += a * a;
                    sums[3] += (a - b) * (a - b);
                }
                sums
            })
            .collect();
        let sum = |at: usize| parts.iter().map(|part| part[at]).sum::<f64>();
        let (count, all, squares) = (sum(0).max(1.0), sum(1), sum(2));
        [sum(3), squares - all * all / count]
    }
}

/// About `most` pairs of a frame and a place in it.
pub(super) fn spread(frames: usize, places: usize, most: usize) -> Vec<(usize, usize)> {
    let all = frames * places;
    let count = most.min(all);
    let mut state = 1u64;
    let mut jitter = |span: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % span.max(1)
    };
    let start = |at: usize| (at as u128 * all as u128 / count.max(1) as u128) as usize;
    let chosen = (0..count).map(|at| start(at) + jitter(start(at + 1) - start(at)));
    chosen.map(|at| (at / places, at % places)).collect()
}

/// What a node that is no product makes of batches; operands without one are constants.
///
/// # Errors
/// Those of the operator.
pub(super) fn node(network: &Network, node: &Node, operands: &[Option<&Batch>]) -> Result<Batch> {
    let shape = &network.value(node.output).shape;
    let count = operands
        .iter()
        .flatten()
        .map(|batch| batch.frames.len())
        .max();
    if let (Op::Unary(op), [Some(x)]) = (node.op, operands) {
        return Ok(x.each(|frame| {
            let values = frame.iter().map(|x| op.apply(f64::from(*x)) as f32);
            values.collect()
        }));
    }
    if let (Op::Reshape, [Some(x)]) = (node.op, operands) {
        return Ok((*x).clone());
    }
    let real = |id: ValueId, batch: Option<&Batch>, at: usize| -> Result<Known> {
        let value = network.value(id);
        let tensor = match (&value.constant, batch) {
            (_, Some(batch)) => Tensor::new(value.shape.clone(), batch.frames[at].clone())?,
            (Some(constant), None) => constant.clone(),
            (None, None) => Tensor::new(value.shape.clone(), Vec::new())?,
        };
        Ok(Known::real(tensor.map(|number| f64::from(*number))))
    };
    let frames = (0..count.unwrap_or(0)).into_par_iter().map(|at| {
        let inputs = node.inputs.iter().zip(operands);
        let inputs: Result<Vec<Known>> = inputs.map(|(id, batch)| real(*id, *batch, at)).collect();
        let inputs = inputs?;
        let inputs: Vec<&Known> = inputs.iter().collect();
        let output = evaluate(node, &inputs, shape)?;
        Ok(output.real.data().iter().map(|x| *x as f32).collect())
    });
    Ok(Batch {
        frames: frames.collect::<Result<Vec<Vec<f32>>>>()?,
    })
}

/// What a product makes of a batch, with `weights` in the order of the file's tensor and a bias for each row.
pub(super) fn product(shape: &Shape, x: &Batch, weights: &[f32], bias: Option<&[f32]>) -> Batch {
    x.each(|frame| {
        let mut result = vec![0.0; shape.all_rows() * shape.places];
        match &shape.sliding {
            None => {
                let left = MatRef::from_row_major_slice(frame, shape.places, shape.columns);
                let right = MatRef::from_row_major_slice(weights, shape.columns, shape.rows);
                let to = MatMut::from_row_major_slice_mut(&mut result, shape.places, shape.rows);
                matmul(to, Accum::Replace, left, right, 1.0, Par::Seq);
            }
            Some(slide) if shape.is_depthwise() => {
                depthwise(shape, slide, frame, weights, &mut result);
            }
            Some(slide) => convolve(shape, slide, frame, weights, &mut result),
        }
        if let Some(bias) = bias {
            for (row, bias) in bias.iter().enumerate() {
                for place in 0..shape.places {
                    result[shape.result(row, place)] += bias;
                }
            }
        }
        result
    })
}

/// Every channel by itself.
fn depthwise(shape: &Shape, slide: &Slide, frame: &[f32], weights: &[f32], result: &mut [f32]) {
    let plane = slide.picture[0] * slide.picture[1];
    let positions = slide.window.positions();
    for (row, to) in result.chunks_exact_mut(shape.places.max(1)).enumerate() {
        let channel = row / shape.rows;
        let from = &frame[channel * plane..(channel + 1) * plane];
        for position in 0..positions {
            let weight = weights[row * positions + position];
            add_shifted(slide, position, from, |place, x| to[place] += weight * x);
        }
    }
}

/// Calls `f` with every place of a channel and what it reads at a position of the kernel, but for the padding.
fn add_shifted(slide: &Slide, position: usize, from: &[f32], mut f: impl FnMut(usize, f32)) {
    let window = &slide.window;
    let shift = [
        position / window.kernel[1] * window.dilation[0],
        position % window.kernel[1] * window.dilation[1],
    ];
    // Places whose reading is no padding: pad <= place * stride + shift < pad + length.
    let inside = |axis: usize| {
        let (pad, stride) = (window.pads[axis], window.stride[axis]);
        let low = pad.saturating_sub(shift[axis]).div_ceil(stride);
        let end = (pad + slide.picture[axis]).saturating_sub(shift[axis]);
        (low, end.div_ceil(stride).min(slide.output[axis]))
    };
    let (rows, columns) = (inside(0), inside(1));
    for row in rows.0..rows.1 {
        let y = row * window.stride[0] + shift[0] - window.pads[0];
        let line = &from[y * slide.picture[1]..(y + 1) * slide.picture[1]];
        for column in columns.0..columns.1 {
            let x = column * window.stride[1] + shift[1] - window.pads[1];
            f(row * slide.output[1] + column, line[x]);
        }
    }
}

/// Group by group, a product with what all places read.
fn convolve(shape: &Shape, slide: &Slide, frame: &[f32], weights: &[f32], result: &mut [f32]) {
    let plane = slide.picture[0] * slide.picture[1];
    let positions = slide.window.positions();
    let depth = shape.columns / positions;
    let mut laid = Vec::new();
    for group in 0..shape.groups {
        let from = &frame[group * depth * plane..(group + 1) * depth * plane];
        let patches: &[f32] = match slide.window.is_identity() {
            true => from,
            false => {
                laid.clear();
                laid.resize(shape.columns * shape.places, 0.0);
                for (column, to) in laid.chunks_exact_mut(shape.places).enumerate() {
                    let channel = column / positions;
                    let from = &from[channel * plane..(channel + 1) * plane];
                    add_shifted(slide, column % positions, from, |place, x| to[place] = x);
                }
                &laid
            }
        };
        let block = shape.rows * shape.columns;
        let left = &weights[group * block..(group + 1) * block];
        let left = MatRef::from_row_major_slice(left, shape.rows, shape.columns);
        let right = MatRef::from_row_major_slice(patches, shape.columns, shape.places);
        let block = shape.rows * shape.places;
        let to = &mut result[group * block..(group + 1) * block];
        let to = MatMut::from_row_major_slice_mut(to, shape.rows, shape.places);
        matmul(to, Accum::Replace, left, right, 1.0, Par::Seq);
    }
}
