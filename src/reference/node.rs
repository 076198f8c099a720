//! One operator of a `Network` on known tensors, in f64 and with exact integer accumulators.
//! Must not know the graph around it.

use super::convolution::convolution;
use super::join::{concat, sum};
use super::known::{Code, Known, inner_length};
use super::linear;
use super::pool::{average_pool, max_pool};
use super::upsample::{transposed_convolution, upsampled};
use crate::error::{Error, Result};
use crate::network::{
    Binary, Bipolar, Coding, MultiThreshold, Node, Op, Quant, Trunc, Unary, batch_norm,
};
use crate::tensor::{PerChannel, Tensor, first_largest};

/// Evaluates `node` on its inputs; `shape` is the shape of its output.
///
/// # Errors
/// A user error where the operands do not fit the operator.
pub fn evaluate(node: &Node, inputs: &[&Known], shape: &[usize]) -> Result<Known> {
    let result = match (node.op, inputs) {
        (Op::Quant(quant), [x, scale, zero_point, bits]) => {
            quantised(x, &quant, scale, zero_point, bits)
        }
        (Op::BipolarQuant, [x, scale]) => bipolar(x, scale),
        (
            Op::MultiThreshold {
                quantiser,
                channels_last,
            },
            [x, thresholds],
        ) => multi_threshold(x, thresholds, quantiser, channels_last),
        (Op::Trunc(trunc), [x, operands @ ..]) => truncated(x, &trunc, operands),
        (Op::QuantizeLinear(linear), [x, scale, zero]) => linear::quantised(x, linear, scale, zero),
        (Op::DequantizeLinear(linear), [x, scale, zero, fine @ ..]) => {
            linear::dequantised(x, linear, scale, zero, fine)
        }
        (Op::Conv { window, group }, [x, weights]) => {
            convolution(x, weights, &window, group, shape)
        }
        (Op::ConvTranspose { window, group }, [x, weights]) => {
            transposed_convolution(x, weights, (&window, group), shape)
        }
        (Op::Concat { axis }, parts) => concat(parts, axis, shape),
        (Op::Upsample { factor }, [x]) => upsampled(x, factor, shape),
        (Op::MaxPool(window), [x]) => max_pool(x, &window, shape),
        (
            Op::AveragePool {
                window,
                count_padding,
            },
            [x],
        ) => average_pool(x, &window, count_padding, shape),
        (Op::Unary(Unary::Identity), [x]) => Ok((*x).clone()),
        (Op::Unary(op), [x]) => Ok(Known::real(x.real.map(|v| op.apply(*v)))),
        (Op::Binary(op), [a, b]) => binary(op, a, b, shape),
        (Op::BatchNorm { epsilon }, [x, parameters @ ..]) if parameters.len() == 4 => {
            normalised(x, parameters, epsilon)
        }
        (Op::MatMul, [a, b]) => product(a, b, shape),
        (Op::Reshape, [x]) => (*x).clone().reshaped(shape),
        (Op::Transpose, [x]) => transposed(x, &node.permutation),
        (Op::Softmax { axis, log }, [x]) => softmax(x, axis, log),
        (Op::ArgMax { axis }, [x]) => arg_max(x, axis, shape),
        (_, inputs) => Err(Error::user(format!("{} inputs do not fit", inputs.len()))),
    };
    result.map_err(|error| error.within(format!("node `{}` ({})", node.name, node.onnx)))
}

fn broadcast(tensor: &Tensor<f64>, shape: &[usize]) -> Result<Tensor<f64>> {
    tensor.broadcast(shape).ok_or_else(|| {
        Error::user(format!(
            "shape {:?} does not broadcast to {shape:?}",
            tensor.shape()
        ))
    })
}

/// The one axis along which `tensor`, aligned to `rank` axes, varies, and its values.
pub fn along_one_axis(tensor: &Tensor<f64>, rank: usize) -> Option<(usize, PerChannel)> {
    let missing = rank.checked_sub(tensor.shape().len())?;
    let mut long = (0..tensor.shape().len()).filter(|&axis| tensor.shape()[axis] != 1);
    let axis = long.next().map_or(0, |axis| axis + missing);
    match long.next() {
        Some(_) => match PerChannel::from_values(tensor.data().to_vec()) {
            PerChannel::Same(value) => Some((0, PerChannel::Same(value))),
            PerChannel::Each(_) => None,
        },
        None => Some((axis, PerChannel::from_values(tensor.data().to_vec()))),
    }
}

fn quantised(x: &Known, quant: &Quant, scale: &Known, zero: &Known, bits: &Known) -> Result<Known> {
    let shape = x.real.shape();
    let (axis, scales) = along_one_axis(&scale.real, shape.len())
        .ok_or_else(|| Error::user("the scale varies along more than one axis"))?;
    check_scale(&scale.real)?;
    let zero_point = integer_zero_point(&zero.real)?;
    let bits = bit_width(&bits.real)?;
    let spread = broadcast(&scale.real, shape)?;
    let levels = x.real.data().iter().zip(spread.data());
    let integers = levels
        .map(|(x, scale)| quant.level(*x, *scale, zero_point as f64, bits) - zero_point)
        .collect();
    Ok(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers)?,
        coding: Coding::scaled(scales),
        axis,
    }))
}

/// Refuses scales that are not positive finite numbers.
pub fn check_scale(scale: &Tensor<f64>) -> Result<()> {
    match scale.data().iter().find(|s| !(s.is_finite() && **s > 0.0)) {
        None => Ok(()),
        Some(bad) => Err(Error::user(format!(
            "scale {bad} is not a positive finite number"
        ))),
    }
}

/// The one zero-point of a quantiser.
pub fn integer_zero_point(zero: &Tensor<f64>) -> Result<i64> {
    match PerChannel::from_values(zero.data().to_vec()) {
        PerChannel::Same(value) if value.fract() == 0.0 && value.abs() < 2f64.powi(31) => {
            Ok(value as i64)
        }
        PerChannel::Same(value) => {
            Err(Error::user(format!("zero-point {value} is not an integer")))
        }
        PerChannel::Each(_) => Err(Error::user(
            "zero-points that differ per channel are not supported",
        )),
    }
}

/// The one bit width of a quantiser, 1 to 32.
pub fn bit_width(bits: &Tensor<f64>) -> Result<u32> {
    match PerChannel::from_values(bits.data().to_vec()) {
        PerChannel::Same(value) if value.fract() == 0.0 && (1.0..=32.0).contains(&value) => {
            Ok(value as u32)
        }
        PerChannel::Same(value) => Err(Error::user(format!(
            "bit width {value} is not an integer from 1 to 32"
        ))),
        PerChannel::Each(_) => Err(Error::user(
            "bit widths that differ per channel are not supported",
        )),
    }
}

fn bipolar(x: &Known, scale: &Known) -> Result<Known> {
    check_scale(&scale.real)?;
    let (axis, scales) = along_one_axis(&scale.real, x.real.shape().len())
        .ok_or_else(|| Error::user("the scale varies along more than one axis"))?;
    Ok(Known::coded(Code {
        integers: x.real.map(|v| Bipolar::level(*v)),
        coding: Coding::scaled(scales),
        axis,
    }))
}

/// Operands that differ along one axis give every channel of it a quantiser of its own.
fn truncated(x: &Known, trunc: &Trunc, operands: &[&Known]) -> Result<Known> {
    let shape = x.real.shape();
    let mut axis = 1.min(shape.len().saturating_sub(1));
    let mut varying = None;
    let mut values = Vec::new();
    for operand in operands {
        let (along, value) = along_one_axis(&operand.real, shape.len())
            .ok_or_else(|| Error::user("an operand varies along more than one axis"))?;
        if let Some(channels) = value.channels() {
            if shape.get(along) != Some(&channels) || varying.is_some_and(|axis| axis != along) {
                return Err(Error::user("its operands do not vary along one axis of x"));
            }
            (axis, varying) = (along, Some(along));
        }
        values.push(value);
    }
    let channels = varying.map_or(1, |axis| shape[axis]);
    let resolved = (0..channels).map(|channel| {
        let operands: Vec<f64> = values.iter().map(|value| value.at(channel)).collect();
        trunc.resolve(&operands).map_err(Error::user)
    });
    let (quantisers, steps): (Vec<_>, Vec<f64>) =
        resolved.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let inner = inner_length(shape, axis);
    let mut position = 0;
    let integers = x.real.map(|value| {
        let channel = position / inner % channels;
        position += 1;
        quantisers[channel].code(*value)
    });
    Ok(Known::coded(Code {
        integers,
        coding: Coding::scaled(PerChannel::from_values(steps)),
        axis,
    }))
}

fn multi_threshold(
    x: &Known,
    thresholds: &Known,
    quantiser: MultiThreshold,
    last: bool,
) -> Result<Known> {
    let shape = x.real.shape();
    let axis = if last {
        shape.len().saturating_sub(1)
    } else {
        1.min(shape.len().saturating_sub(1))
    };
    let [rows, steps] = *thresholds.real.shape() else {
        return Err(Error::user("the thresholds are not a matrix"));
    };
    if rows != 1 && shape.get(axis) != Some(&rows) {
        return Err(Error::user(format!(
            "{rows} rows of thresholds for a tensor of shape {shape:?}"
        )));
    }
    let inner = inner_length(shape, axis);
    let (base, step, scale, bias) = quantiser.grid(steps);
    let mut position = 0;
    let integers = x.real.map(|value| {
        let row = position / inner % rows;
        position += 1;
        let row = &thresholds.real.data()[row * steps..(row + 1) * steps];
        base + step * MultiThreshold::level(*value, row)
    });
    Ok(Known::coded(Code {
        integers,
        coding: Coding {
            scale: PerChannel::Same(scale),
            bias: PerChannel::Same(bias),
        },
        axis,
    }))
}

fn binary(op: Binary, a: &Known, b: &Known, shape: &[usize]) -> Result<Known> {
    let (left, right) = (broadcast(&a.real, shape)?, broadcast(&b.real, shape)?);
    let pairs = left.data().iter().zip(right.data());
    let real = Tensor::new(
        shape.to_vec(),
        pairs.map(|(a, b)| op.apply(*a, *b)).collect(),
    )?;
    let code = match (&a.code, &b.code) {
        (Some(_), Some(_)) if op == Binary::Add => sum(a, b, 1.0)?,
        (Some(_), Some(_)) if op == Binary::Sub => sum(a, b, -1.0)?,
        (Some(_), None) if a.real.len() == real.len() => {
            coded_through(op, a, &b.real, shape, true)?
        }
        (None, Some(_)) if b.real.len() == real.len() => {
            coded_through(op, b, &a.real, shape, false)?
        }
        _ => None,
    };
    Ok(match code {
        // The real number behind a sum of integers is one definition.
        Some(code) if a.code.is_some() && b.code.is_some() => Known::coded(code),
        code => Known { real, code },
    })
}

/// Evaluates `node` on operands that do not depend on the network's inputs. Weights times a mask of zeros and
/// ones stay integers of their own coding, some of them 0. (In a stream no integer can be left out, so
/// that there a mask is a scale of 0.)
///
/// # Errors
/// As [`evaluate`].
pub(super) fn evaluate_constant(node: &Node, inputs: &[&Known], shape: &[usize]) -> Result<Known> {
    if let (Op::Binary(Binary::Mul), &[a, b]) = (node.op, inputs) {
        for (x, mask) in [(b, a), (a, b)] {
            if let Some(code) = masked(x, &mask.real, shape)? {
                return Ok(Known::coded(code));
            }
        }
    }
    evaluate(node, inputs, shape)
}

/// The integers of `x` where `mask` is 1, else 0; none unless `mask` holds nothing but 0 and 1, and integer 0
/// stands for real 0.
fn masked(x: &Known, mask: &Tensor<f64>, shape: &[usize]) -> Result<Option<Code>> {
    let elements: usize = shape.iter().product();
    let zeros_and_ones = mask.data().iter().all(|&kept| kept == 0.0 || kept == 1.0);
    if !zeros_and_ones || x.real.len() != elements {
        return Ok(None);
    }
    let code = x.clone().reshaped(shape)?.code;
    let Some(code) = code.filter(|code| code.coding.bias.uniform() == Some(0.0)) else {
        return Ok(None);
    };
    let mask = broadcast(mask, shape)?;
    let pairs = code.integers.data().iter().zip(mask.data());
    let kept = pairs.map(|(integer, &kept)| if kept == 0.0 { 0 } else { *integer });
    Ok(Some(Code {
        integers: Tensor::new(shape.to_vec(), kept.collect())?,
        ..code
    }))
}

/// The grid of `op(x, constant)`, of shape `shape`, if it is still one.
fn coded_through(
    op: Binary,
    x: &Known,
    constant: &Tensor<f64>,
    shape: &[usize],
    varies_first: bool,
) -> Result<Option<Code>> {
    let Some(code) = x.clone().reshaped(shape)?.code else {
        return Ok(None);
    };
    let (code, constant) = match along_one_axis(constant, shape.len()) {
        Some((_, same)) if same.channels().is_none() => (code, same),
        Some((axis, each)) if code.coding.channels().is_none() => (Code { axis, ..code }, each),
        Some((axis, each)) if axis == code.axis => (code, each),
        _ => {
            let each = broadcast(constant, shape)?.into_data();
            (code.spread(), PerChannel::from_values(each))
        }
    };
    let coding = code.coding.through(op, &constant, varies_first);
    Ok(coding.map(|coding| Code { coding, ..code }))
}

fn normalised(x: &Known, parameters: &[&Known], epsilon: f64) -> Result<Known> {
    let shape = x.real.shape();
    let axis = 1.min(shape.len().saturating_sub(1));
    let channels = shape.get(axis).copied().unwrap_or(1);
    if parameters.iter().any(|p| p.real.len() != channels) {
        return Err(Error::user(format!(
            "its parameters are not vectors of {channels} channels"
        )));
    }
    let inner = inner_length(shape, axis);
    let mut position = 0;
    Ok(Known::real(x.real.map(|value| {
        let channel = position / inner % channels;
        position += 1;
        batch_norm(
            *value,
            [0, 1, 2, 3].map(|i| parameters[i].real.data()[channel]),
            epsilon,
        )
    })))
}

/// Matrix product of `a` `[.., n, k]` and `b` `[k, m]`.
fn product(a: &Known, b: &Known, shape: &[usize]) -> Result<Known> {
    let (Some(&depth), [rows, columns]) = (a.real.shape().last(), b.real.shape()) else {
        return Err(Error::user("the second operand is not a matrix"));
    };
    let (rows, columns) = (*rows, *columns);
    if depth != rows {
        return Err(Error::user(format!(
            "{:?} and {:?} cannot be multiplied",
            a.real.shape(),
            b.real.shape()
        )));
    }
    if let Some(known) = exact_product(a, b, shape)? {
        return Ok(known);
    }
    let real = contract(a.real.data(), b.real.data(), depth, columns);
    Ok(Known::real(Tensor::new(shape.to_vec(), real)?))
}

/// The product by integer accumulators, where both operands are on grids that allow it.
fn exact_product(a: &Known, b: &Known, shape: &[usize]) -> Result<Option<Known>> {
    let (Some(left), Some(right)) = (&a.code, &b.code) else {
        return Ok(None);
    };
    let per_column = right.coding.scale.channels().is_none() || right.axis == 1;
    if !per_column || right.coding.bias.uniform() != Some(0.0) {
        return Ok(None);
    }
    let (depth, columns) = (b.real.shape()[0], b.real.shape()[1]);
    let spread_along_depth = left.axis + 1 == a.real.shape().len();
    if left.coding.channels().is_some() && !spread_along_depth {
        return Ok(None);
    }
    let weights = right.integers.data();
    let biases: Vec<f64> = match left.coding.bias.uniform() {
        Some(0.0) => Vec::new(),
        _ => (0..columns)
            .map(|c| {
                left.coding
                    .weighted_bias((0..depth).map(|d| weights[d * columns + c]))
            })
            .collect(),
    };
    let Some(coding) = left.coding.product(&right.coding.scale, &biases) else {
        return Ok(None);
    };
    let integers = contract(left.integers.data(), weights, depth, columns);
    Ok(Some(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers)?,
        coding,
        axis: shape.len().saturating_sub(1),
    })))
}

/// `[n, depth] x [depth, columns]`, summed in the order of `depth`.
fn contract<T>(a: &[T], b: &[T], depth: usize, columns: usize) -> Vec<T>
where
    T: Copy + Default + std::ops::Mul<Output = T> + std::ops::AddAssign,
{
    let mut result = vec![T::default(); a.len() / depth.max(1) * columns];
    if columns == 0 {
        return result;
    }
    for (row, out) in a
        .chunks_exact(depth.max(1))
        .zip(result.chunks_exact_mut(columns))
    {
        for (x, line) in row.iter().zip(b.chunks_exact(columns)) {
            for (sum, weight) in out.iter_mut().zip(line) {
                *sum += *x * *weight;
            }
        }
    }
    result
}

fn transposed(x: &Known, permutation: &[usize]) -> Result<Known> {
    let code = match &x.code {
        Some(code) => {
            let moved = permutation.iter().position(|&axis| axis == code.axis);
            let coding = match moved {
                Some(_) => code.coding.clone(),
                // Every element is a channel, and moves.
                None => {
                    let places = (0..x.real.len()).collect();
                    let places = Tensor::new(x.real.shape().to_vec(), places)?;
                    let order = places.transposed(permutation)?.into_data();
                    Coding {
                        scale: code.coding.scale.gather(order.iter().copied()),
                        bias: code.coding.bias.gather(order.iter().copied()),
                    }
                }
            };
            Some(Code {
                integers: code.integers.transposed(permutation)?,
                coding,
                axis: moved.unwrap_or(permutation.len()),
            })
        }
        None => None,
    };
    Ok(Known {
        real: x.real.transposed(permutation)?,
        code,
    })
}

/// Positions of the elements of each line along `axis`.
fn lines(shape: &[usize], axis: usize) -> impl Iterator<Item = Vec<usize>> {
    let length = shape[axis];
    let inner = inner_length(shape, axis);
    let outer: usize = shape[..axis].iter().product();
    (0..outer * inner).map(move |line| {
        let start = line / inner * inner * length + line % inner;
        (0..length).map(|i| start + i * inner).collect()
    })
}

fn softmax(x: &Known, axis: usize, log: bool) -> Result<Known> {
    let mut data = x.real.data().to_vec();
    for line in lines(x.real.shape(), axis) {
        let largest = line
            .iter()
            .map(|&i| data[i])
            .fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = line.iter().map(|&i| (data[i] - largest).exp()).sum();
        for i in line {
            let shifted = data[i] - largest;
            data[i] = if log {
                shifted - sum.ln()
            } else {
                shifted.exp() / sum
            };
        }
    }
    Ok(Known::real(Tensor::new(x.real.shape().to_vec(), data)?))
}

fn arg_max(x: &Known, axis: usize, shape: &[usize]) -> Result<Known> {
    let data = x.real.data();
    let indices = lines(x.real.shape(), axis)
        .map(|line| first_largest(line.iter().map(|&position| data[position])) as i64)
        .collect();
    Ok(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), indices)?,
        coding: Coding::scaled(PerChannel::Same(1.0)),
        axis: 0,
    }))
}
