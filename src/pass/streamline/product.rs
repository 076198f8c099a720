//! Matrix products with constant integer weights: exact accumulators.
//! Must not know quantisers of activations.

use super::flow::Flow;
use super::quantiser::signed_spanning;
use super::{Builder, Place, Product};
use crate::dataflow::{Order, Tail};
use crate::error::{Error, Result};
use crate::layer::{Layer, Mvau, Tensors};
use crate::network::{Coding, Node};
use crate::reference::{Code, Known};
use crate::tensor::{DataType, PerChannel, Tensor};

impl Builder<'_> {
    /// Matrix product with constant integer weights `[k, rows]`: exact accumulators.
    pub(super) fn product(&mut self, node: &Node, flow: Flow, weights: &Known) -> Result<Flow> {
        let code = integer_weights(weights)?;
        let [depth, rows] = *weights.real.shape() else {
            return Err(Error::user(format!(
                "its weights have shape {:?}",
                weights.real.shape()
            )));
        };
        let rows_of_depth = flow.order == Order::RowMajor && flow.shape.last() == Some(&depth);
        let flow = match (flow.order, flow.tail.channels()) {
            (Order::RowMajor, _) if flow.channels == depth => flow,
            (_, None) if rows_of_depth => flow.grouped(depth),
            _ => flow.one_pixel(),
        };
        if flow.channels != depth {
            return Err(Error::user(format!("it contracts {depth} of {} elements", flow.channels))
                .help("flatten the tensor first; products over an inner axis of an image are not supported"));
        }
        let affine = on_grid(&flow)?;
        if code.coding.scale.channels().is_some() && code.axis != 1
            || code.coding.bias.uniform() != Some(0.0)
        {
            return Err(
                Error::user("its weight scales differ along the contracted axis")
                    .help("give the weights one scale, or one per output channel"),
            );
        }
        // Column j of the layer is element j of the stream, wherever the tensor has it.
        let matrix = (0..rows)
            .flat_map(|row| (0..depth).map(move |column| (row, column)))
            .map(|(row, column)| {
                i32::try_from(code.integers.data()[flow.order.index(column) * rows + row])
            })
            .collect::<std::result::Result<Vec<i32>, _>>()
            .map_err(|_| Error::user("its weights need more than 32 bits"))?;
        // The bias is summed in the tensor's own order, as the reference does.
        let biases: Vec<f64> = (0..rows)
            .map(|row| {
                let tensor_order = in_tensor_order(affine, flow.order);
                tensor_order.weighted_bias((0..depth).map(|k| code.integers.data()[k * rows + row]))
            })
            .collect();
        let coding = affine.product(&code.coding.scale, &biases).ok_or_else(|| {
            Error::user("the channels of its input have different scales")
                .help("activation quantisers need one scale for all channels that a layer adds up")
        })?;
        self.products.push(Product {
            name: node.name.clone(),
            weights: node.inputs[1],
            place: Place::Matrix {
                order: flow.order,
                rows,
            },
            coding: coding.clone(),
        });
        self.append_product(node, flow, matrix, rows, coding)
    }

    fn append_product(
        &mut self,
        node: &Node,
        mut flow: Flow,
        matrix: Vec<i32>,
        rows: usize,
        coding: Coding,
    ) -> Result<Flow> {
        let columns = self.ranges_of(&flow);
        let rows_of = matrix.chunks_exact(flow.channels);
        let sums = accumulators(rows_of.map(|row| (row, &columns[..])))?;
        let pixels = flow.pixels;
        flow = Flow {
            shape: self.network.value(node.output).shape.clone(),
            order: Order::RowMajor,
            channels: rows,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            ..flow
        };
        self.append_mvau(node, flow, (matrix, rows), (pixels, 1), sums)
    }

    /// Adds a unit for `matrix`, which has so many rows for all groups together. It reads `flow.stream` in so many
    /// pixels, those of all groups, and writes a stream of the elements of `flow`.
    pub(super) fn append_mvau(
        &mut self,
        node: &Node,
        flow: Flow,
        (matrix, rows): (Vec<i32>, usize),
        (pixels, groups): (usize, usize),
        (ranges, accumulator): (Vec<(i64, i64)>, DataType),
    ) -> Result<Flow> {
        let columns = matrix.len() / rows;
        let layer = Layer::Mvau(Mvau {
            rows: rows / groups,
            columns,
            pixels,
            groups,
            input: self.dataflow.stream(flow.stream).element,
            weight: type_of_weights(&matrix)?,
            accumulator,
            activation: None,
            pe: 1,
            simd: 1,
            multiplier: crate::layer::Multiplier::Lut,
        });
        let tensors = Tensors {
            weights: Some(Tensor::new(vec![rows, columns], matrix)?),
            ..Tensors::default()
        };
        Ok(self.append(node, layer, tensors, flow, accumulator, ranges))
    }
}

/// The integers of constant weights.
///
/// # Errors
/// A user error where they have none.
pub(super) fn integer_weights(weights: &Known) -> Result<&Code> {
    weights.code.as_ref().ok_or_else(|| {
        Error::user("its weights are real numbers on no integer grid")
            .help("quantise the weights with a Quant or BipolarQuant node")
    })
}

/// What the integers of the flow stand for, as numbers that can be multiplied.
///
/// # Errors
/// A user error where they are no multiples of one number.
pub(super) fn on_grid(flow: &Flow) -> Result<&Coding> {
    flow.affine.as_ref().ok_or_else(|| {
        Error::user("its input is a real number on no integer grid")
            .help("put a quantiser between this node and the non-linear operator before it")
    })
}

/// Range of each row's accumulator, from its weights and the ranges of what they are multiplied by, and the type
/// that holds them all.
///
/// # Errors
/// A user error where no type is wide enough.
pub(super) fn accumulators<'a>(
    rows: impl Iterator<Item = (&'a [i32], &'a [(i64, i64)])>,
) -> Result<(Vec<(i64, i64)>, DataType)> {
    let ranges = rows
        .map(|(row, columns)| accumulator_range(row, columns))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::user("its accumulators need more than 63 bits"))?;
    let ends = ranges.iter().flat_map(|range| [range.0, range.1]);
    let accumulator = signed_spanning(ends, DataType::Int(1))?;
    Ok((ranges, accumulator))
}

/// The coding with its channels, which are stream positions, in the tensor's order.
fn in_tensor_order(coding: &Coding, order: Order) -> Coding {
    let gather = |values: &PerChannel| match values.channels() {
        Some(count) => values.gather((0..count).map(|index| order.position(index))),
        None => values.clone(),
    };
    Coding {
        scale: gather(&coding.scale),
        bias: gather(&coding.bias),
    }
}

/// Smallest and largest value of one accumulator; `None` where they do not fit 63 bits.
fn accumulator_range(row: &[i32], columns: &[(i64, i64)]) -> Option<(i64, i64)> {
    let (low, high) =
        row.iter()
            .enumerate()
            .fold((0i128, 0i128), |(low, high), (column, weight)| {
                let (from, to) = columns[column % columns.len()];
                let weight = i128::from(*weight);
                let ends = (weight * i128::from(from), weight * i128::from(to));
                (low + ends.0.min(ends.1), high + ends.0.max(ends.1))
            });
    let limit = 1i128 << 61;
    (low >= -limit && high <= limit).then_some((low as i64, high as i64))
}

/// Narrowest type of a weight matrix, by the values that it really has.
pub(super) fn type_of_weights(matrix: &[i32]) -> Result<DataType> {
    let low = matrix.iter().min().copied().unwrap_or(0);
    let high = matrix.iter().max().copied().unwrap_or(0);
    match (low, high, matrix.contains(&0)) {
        (-1, 1, false) => Ok(DataType::Bipolar),
        (-1, 1, true) => Ok(DataType::Ternary),
        _ => DataType::spanning(i64::from(low.min(-1)), i64::from(high))
            .ok_or_else(|| Error::bug("weights wider than 63 bits")),
    }
}
