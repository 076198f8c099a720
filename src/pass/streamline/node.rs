//! What each operator of a network does to a flow.
//! Must not know how a flow is stored.

use super::flow::{Flow, channel_axis};
use super::staircase::{Staircase, staircase};
use super::{Builder, Grid, Meaning};
use crate::dataflow::{Node as LayerNode, Order, Step, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Activation, LabelSelect, Layer, Mvau, Tensors, Threshold};
use crate::network::{Binary, Coding, MultiThreshold, Node, Op, Quant, Quantiser, Rounding, Unary};
use crate::reference::{Known, bit_width, check_scale, integer_zero_point};
use crate::tensor::{DataType, PerChannel, Tensor};

/// Most thresholds of one channel.
const MOST_LEVELS: i64 = (1 << 16) - 1;

/// A quantiser per channel and what its codes stand for.
struct Quantisers {
    each: Vec<Quantiser>,
    coding: Coding,
}

impl Builder<'_> {
    /// The meaning of the node's output.
    pub(super) fn node(&mut self, node: &Node) -> Result<Meaning> {
        let position = node
            .inputs
            .iter()
            .position(|id| self.real.constant(*id).is_none())
            .ok_or_else(|| Error::bug("a constant node was not folded"))?;
        let source = node.inputs[position];
        if let Some(other) = node
            .inputs
            .iter()
            .skip(position + 1)
            .find(|id| self.real.constant(**id).is_none())
        {
            let name = &self.network.value(*other).name;
            return Err(Error::user(format!("its operand `{name}` is not a constant"))
                .help("layers that join two branches, and products of two activations, are not supported yet"));
        }
        match self.meanings[source.0].take() {
            Some(Meaning::Flow(flow)) => self.on_flow(node, position, flow),
            Some(Meaning::Unspecified) => self.on_unspecified(node, source),
            Some(Meaning::Host(flow, host)) => match (node.op, &host[..]) {
                (Op::ArgMax { axis }, [Op::Softmax { axis: along, .. }]) if axis == *along => {
                    Ok(self.arg_max(flow, axis))
                }
                (Op::Unary(Unary::Identity) | Op::Reshape, _) => Ok(Meaning::Host(flow, host)),
                _ => Err(
                    Error::user("it follows an operator that is left to the host")
                        .help("only an arg-max may follow a softmax, and nothing an arg-max"),
                ),
            },
            None => Err(Error::bug("it reads a value without a meaning")),
        }
    }

    fn on_flow(&mut self, node: &Node, position: usize, flow: Flow) -> Result<Meaning> {
        let shape = &self.network.value(node.output).shape;
        let constants: Vec<&Known> = node
            .inputs
            .iter()
            .filter_map(|id| self.real.constant(*id))
            .collect();
        let flow = match (node.op, &constants[..]) {
            (Op::Quant(quant), [scale, zero, bits]) => {
                let (flow, quantisers) = quant_of(flow, quant, [scale, zero, bits])?;
                self.quantise(node, flow, quantisers)?
            }
            (Op::BipolarQuant, [scale]) => {
                let mut flow = flow;
                check_scale(&scale.real)?;
                let coding = Coding::scaled(flow.per_channel(&scale.real)?);
                self.quantise(
                    node,
                    flow,
                    Quantisers {
                        each: vec![Quantiser::Bipolar],
                        coding,
                    },
                )?
            }
            (
                Op::MultiThreshold {
                    quantiser,
                    channels_last,
                },
                [thresholds],
            ) => {
                let (flow, quantisers) =
                    multi_threshold_of(flow, quantiser, channels_last, thresholds)?;
                self.quantise(node, flow, quantisers)?
            }
            (Op::Unary(Unary::Identity), []) => flow,
            (Op::Unary(op), []) => flow.push(Step::Unary(op), None),
            (Op::Binary(op), [constant]) => binary(flow, op, constant, position == 0, shape)?,
            (Op::BatchNorm { epsilon }, parameters) if parameters.len() == 4 => {
                batch_norm(flow, parameters, epsilon)?
            }
            (Op::MatMul, [weights]) if position == 0 => self.product(node, flow, weights)?,
            (Op::MatMul, _) => {
                return Err(Error::user(
                    "the weights are its first operand, not its second",
                ));
            }
            (Op::Reshape, []) => flow.reshaped(shape),
            (Op::Transpose, []) => transposed(flow, &node.permutation, shape)?,
            (Op::Softmax { .. }, []) => return Ok(Meaning::Host(flow, vec![node.op])),
            (Op::ArgMax { axis }, []) => return Ok(self.arg_max(flow, axis)),
            _ => return Err(Error::user("its operands are not supported")),
        };
        Ok(Meaning::Flow(flow))
    }

    /// The first operator on an input that the manifest does not describe: a quantiser describes it.
    fn on_unspecified(&mut self, node: &Node, source: crate::network::ValueId) -> Result<Meaning> {
        let fed = self.network.inputs[0];
        let grid = match node.op {
            Op::Unary(Unary::Identity) | Op::Reshape => return Ok(Meaning::Unspecified),
            Op::Quant(quant) if quant.rounding == Rounding::HalfEven => {
                let constant = |i: usize| self.real.constant(node.inputs[i]);
                match (constant(1), constant(2), constant(3)) {
                    (Some(scale), Some(zero), Some(bits)) => quant_grid(quant, scale, zero, bits)?,
                    _ => None,
                }
            }
            Op::BipolarQuant => self.real.constant(node.inputs[1]).and_then(bipolar_grid),
            _ => None,
        };
        match grid {
            Some((grid, quantiser)) => {
                let flow = self.input_flow(fed, node.output, &grid, Some(quantiser))?;
                Ok(Meaning::Flow(flow))
            }
            None => Err(missing_input(&self.network.value(source).name)),
        }
    }

    /// Ends the tail of `flow` at a quantiser: a new stream of its codes.
    fn quantise(&mut self, node: &Node, flow: Flow, quantisers: Quantisers) -> Result<Flow> {
        check_levels(&quantisers.each)?;
        let ranges = self.ranges_of(&flow);
        let alike =
            flow.tail.channels().is_none() && quantisers.each.len() == 1 && ranges.len() == 1;
        let rows = if alike { 1 } else { flow.channels };
        let stairs = (0..rows)
            .map(|channel| {
                let quantiser = &quantisers.each[channel % quantisers.each.len()];
                staircase(
                    &flow.tail,
                    quantiser,
                    channel,
                    ranges[channel % ranges.len()],
                )
            })
            .collect::<Result<Vec<Staircase>>>()?;
        let (base, high, step) = quantisers.each[0].codes();
        let output = type_of_codes(base, high, step)?;
        let input = self.dataflow.stream(flow.stream).element;
        let activation = Activation {
            output,
            levels: ((high - base) / step) as usize,
            base,
            step,
            threshold: signed_spanning(
                stairs.iter().flat_map(|s| s.thresholds.iter().copied()),
                input,
            )?,
            rows,
        };
        let tensors = threshold_tensors(&stairs, activation.levels)?;
        let layer = Layer::Threshold(Threshold {
            channels: flow.channels,
            pixels: flow.pixels,
            input,
            activation,
            pe: 1,
        });
        let codes = stairs.iter().map(|s| s.codes).collect();
        let next = Flow {
            tail: crate::dataflow::Tail::new(quantisers.coding.clone()),
            affine: Some(quantisers.coding),
            ..flow
        };
        Ok(self.append(node, layer, tensors, next, output, codes))
    }

    /// Adds a layer that reads `flow.stream` and writes a new stream of the elements of `flow`.
    fn append(
        &mut self,
        node: &Node,
        layer: Layer,
        tensors: Tensors,
        mut flow: Flow,
        element: DataType,
        ranges: Vec<(i64, i64)>,
    ) -> Flow {
        let input = flow.stream;
        let value = self.network.value(node.output).name.clone();
        flow.stream = self.add_stream(element, &flow, Some(value), ranges);
        self.dataflow.nodes.push(LayerNode {
            name: node.name.clone(),
            layer,
            tensors,
            inputs: vec![input],
            outputs: vec![flow.stream],
        });
        flow
    }

    /// Ranges of the flow's integers: one for all channels, or one each in its present grouping.
    fn ranges_of(&self, flow: &Flow) -> Vec<(i64, i64)> {
        let ranges = &self.ranges[flow.stream.0];
        match ranges.iter().all(|range| *range == ranges[0]) {
            true => vec![ranges[0]],
            // The grouping may have changed: a channel then holds elements of several old ones.
            false => {
                let mut united = vec![(i64::MAX, i64::MIN); flow.channels];
                for position in 0..flow.pixels * flow.channels {
                    let (low, high) = ranges[position % ranges.len()];
                    let channel = &mut united[position % flow.channels];
                    *channel = (channel.0.min(low), channel.1.max(high));
                }
                united
            }
        }
    }

    /// Matrix product with constant integer weights `[k, rows]`: exact accumulators.
    fn product(&mut self, node: &Node, flow: Flow, weights: &Known) -> Result<Flow> {
        let code = weights.code.as_ref().ok_or_else(|| {
            Error::user("its weights are real numbers on no integer grid")
                .help("quantise the weights with a Quant or BipolarQuant node")
        })?;
        let [depth, rows] = *weights.real.shape() else {
            return Err(Error::user(format!(
                "its weights have shape {:?}",
                weights.real.shape()
            )));
        };
        let flow = match flow.channels == depth && flow.order == Order::RowMajor {
            true => flow,
            false => flow.one_pixel(),
        };
        if flow.channels != depth {
            return Err(Error::user(format!("it contracts {depth} of {} elements", flow.channels))
                .help("flatten the tensor first; products over an inner axis of an image are not supported"));
        }
        let affine = flow.affine.as_ref().ok_or_else(|| {
            Error::user("its input is a real number on no integer grid")
                .help("put a quantiser between this node and the non-linear operator before it")
        })?;
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
        let depth = flow.channels;
        let columns = self.ranges_of(&flow);
        let ranges = matrix
            .chunks_exact(depth)
            .map(|row| accumulator_range(row, &columns))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::user("its accumulators need more than 63 bits"))?;
        let ends = ranges.iter().flat_map(|range| [range.0, range.1]);
        let accumulator = signed_spanning(ends, DataType::Int(1))?;
        let layer = Layer::Mvau(Mvau {
            rows,
            columns: depth,
            pixels: flow.pixels,
            input: self.dataflow.stream(flow.stream).element,
            weight: type_of_weights(&matrix)?,
            accumulator,
            activation: None,
            pe: 1,
            simd: 1,
        });
        let tensors = Tensors {
            weights: Some(Tensor::new(vec![rows, depth], matrix)?),
            ..Tensors::default()
        };
        let shape = self.network.value(node.output).shape.clone();
        flow = Flow {
            shape,
            order: Order::RowMajor,
            channels: rows,
            tail: crate::dataflow::Tail::new(coding.clone()),
            affine: Some(coding),
            ..flow
        };
        Ok(self.append(node, layer, tensors, flow, accumulator, ranges))
    }

    /// An arg-max at the end: in integers where the scales allow, else by the host.
    fn arg_max(&mut self, flow: Flow, axis: usize) -> Meaning {
        match self.label(flow.clone(), Some(axis)) {
            Ok(label) => Meaning::Flow(label),
            Err(_) => Meaning::Host(flow, vec![Op::ArgMax { axis }]),
        }
    }

    /// Whether `flow` already is an index of classes.
    pub(super) fn is_label(&self, flow: &Flow) -> bool {
        matches!(
            self.dataflow.producer(flow.stream).map(|node| &node.layer),
            Some(Layer::LabelSelect(_))
        )
    }

    /// Ends with the index of the largest channel, decided in integers.
    pub(super) fn label(&mut self, mut flow: Flow, axis: Option<usize>) -> Result<Flow> {
        let affine = flow.affine.clone();
        let affine = affine.as_ref();
        let scale = affine.and_then(|coding| coding.scale.uniform());
        let bias = affine.and_then(|coding| coding.bias.uniform());
        if !(scale.is_some_and(|scale| scale > 0.0) && bias.is_some()) {
            return Err(Error::user("the classes have different scales or offsets, so integers cannot be compared")
                .help("leave the arg-max to the host: remove it from the model, and `labels` from the manifest"));
        }
        let (along, classes) = channel_axis(&flow.shape);
        if axis.is_some_and(|axis| axis != along) || !flow.is_grouped() {
            return Err(Error::user("it does not run along the channels"));
        }
        flow.pixels = flow.pixels * flow.channels / classes.max(1);
        flow.channels = classes;
        let input = self.dataflow.stream(flow.stream).element;
        if !affine.is_some_and(|coding| tells_apart(coding, input)) {
            return Err(Error::user(
                "the real values of the classes are so close that neighbouring integers are equal",
            ));
        }
        let last = flow.channels as i64 - 1;
        let output = DataType::spanning(0, last).ok_or_else(|| Error::bug("too many classes"))?;
        let layer = Layer::LabelSelect(LabelSelect {
            input,
            channels: flow.channels,
            pixels: flow.pixels,
            output,
            pe: 1,
        });
        let coding = Coding::scaled(PerChannel::Same(1.0));
        let stream = StreamId(self.dataflow.streams.len());
        let mut next = Flow::begin(stream, &[flow.pixels, 1], coding);
        next.order = Order::RowMajor;
        self.add_stream(output, &next, None, vec![(0, last)]);
        self.dataflow.nodes.push(LayerNode {
            name: "label".into(),
            layer,
            tensors: Tensors::default(),
            inputs: vec![flow.stream],
            outputs: vec![stream],
        });
        Ok(next)
    }
}

/// The error that asks for an `[input]` section.
fn missing_input(name: &str) -> Error {
    Error::user(format!("the network computes with the real numbers of its input `{name}` directly"))
        .help("say what arrives, for example for pixels divided by 255:\n[input]\ntype = \"uint8\"\nscale = 0.00392156862745098")
}

/// The grid that a quantiser at the input defines; none if its channels differ.
fn quant_grid(
    quant: Quant,
    scale: &Known,
    zero: &Known,
    bits: &Known,
) -> Result<Option<(Grid, Quantiser)>> {
    check_scale(&scale.real)?;
    let zero_point = integer_zero_point(&zero.real)?;
    let bits = bit_width(&bits.real)?;
    let Some(scale) = PerChannel::from_values(scale.real.data().to_vec()).uniform() else {
        return Ok(None);
    };
    let quantiser = Quantiser::Quant {
        quant,
        scale,
        zero_point,
        bits,
    };
    let (low, high, step) = quantiser.codes();
    if step == 2 && zero_point != 0 {
        return Err(Error::user(
            "it has one bit, a sign and a zero-point other than 0",
        ));
    }
    let grid = Grid {
        element: type_of_codes(low, high, step)?,
        coding: Coding::scaled(PerChannel::Same(scale)),
    };
    Ok(Some((grid, quantiser)))
}

fn bipolar_grid(scale: &Known) -> Option<(Grid, Quantiser)> {
    let scale = PerChannel::from_values(scale.real.data().to_vec()).uniform()?;
    let grid = Grid {
        element: DataType::Bipolar,
        coding: Coding::scaled(PerChannel::Same(scale)),
    };
    Some((grid, Quantiser::Bipolar))
}

fn quant_of(
    mut flow: Flow,
    quant: Quant,
    [scale, zero, bits]: [&Known; 3],
) -> Result<(Flow, Quantisers)> {
    check_scale(&scale.real)?;
    let zero_point = integer_zero_point(&zero.real)?;
    let bits = bit_width(&bits.real)?;
    let scales = flow.per_channel(&scale.real)?;
    let each = (0..scales.channels().unwrap_or(1))
        .map(|channel| Quantiser::Quant {
            quant,
            scale: scales.at(channel),
            zero_point,
            bits,
        })
        .collect();
    Ok((
        flow,
        Quantisers {
            each,
            coding: Coding::scaled(scales),
        },
    ))
}

fn multi_threshold_of(
    mut flow: Flow,
    quantiser: MultiThreshold,
    channels_last: bool,
    thresholds: &Known,
) -> Result<(Flow, Quantisers)> {
    let [rows, steps] = *thresholds.real.shape() else {
        return Err(Error::user("its thresholds are not a matrix"));
    };
    let given = match channels_last {
        true => flow.shape.len().saturating_sub(1),
        false => 1.min(flow.shape.len().saturating_sub(1)),
    };
    if rows != 1 && flow.shape.get(given) != Some(&rows) {
        return Err(Error::user(format!(
            "{rows} rows of thresholds do not fit a tensor of shape {:?}",
            flow.shape
        )));
    }
    if !(quantiser.out_scale.is_finite() && quantiser.out_scale > 0.0) {
        return Err(Error::user(format!(
            "out_scale {} is not a positive number",
            quantiser.out_scale
        )));
    }
    let (base, step, scale, bias) = quantiser.grid(steps);
    let list: Vec<&[f64]> = thresholds.real.data().chunks_exact(steps.max(1)).collect();
    let of_row = |row: usize| Quantiser::MultiThreshold {
        thresholds: list[row].to_vec(),
        base,
        step,
    };
    let along_channels = flow.is_grouped() && channel_axis(&flow.shape) == (given, flow.channels);
    let each = match rows == 1 || along_channels {
        true => (0..list.len()).map(of_row).collect(),
        false => {
            flow = flow.one_pixel();
            let inner: usize = flow.shape[given + 1..].iter().product();
            let elements = 0..flow.channels;
            elements
                .map(|position| of_row(flow.order.index(position) / inner % rows))
                .collect()
        }
    };
    let coding = Coding {
        scale: PerChannel::Same(scale),
        bias: PerChannel::Same(bias),
    };
    Ok((flow, Quantisers { each, coding }))
}

fn binary(
    mut flow: Flow,
    op: Binary,
    constant: &Known,
    varies_first: bool,
    shape: &[usize],
) -> Result<Flow> {
    if flow.shape != shape {
        let elements: usize = shape.iter().product();
        if elements != flow.shape.iter().product::<usize>() {
            return Err(Error::user("its constant widens the tensor"));
        }
        flow = flow.reshaped(shape);
    }
    let constant = flow.per_channel(&constant.real)?;
    let affine = flow
        .affine
        .as_ref()
        .and_then(|coding| coding.through(op, &constant, varies_first));
    Ok(flow.push(
        Step::Binary {
            op,
            constant,
            varies_first,
        },
        affine,
    ))
}

fn batch_norm(mut flow: Flow, parameters: &[&Known], epsilon: f64) -> Result<Flow> {
    let rank = flow.shape.len();
    if rank < 2 {
        return Err(Error::user("its input has no channel axis"));
    }
    let mut laid_out = Vec::new();
    for parameter in parameters {
        let mut shape = vec![1; rank];
        shape[1] = parameter.real.len();
        laid_out.push(flow.per_channel(&parameter.real.clone().reshaped(shape)?)?);
    }
    let parameters =
        <[PerChannel; 4]>::try_from(laid_out).map_err(|_| Error::bug("four parameters"))?;
    Ok(flow.push(
        Step::BatchNorm {
            parameters,
            epsilon,
        },
        None,
    ))
}

fn transposed(flow: Flow, permutation: &[usize], shape: &[usize]) -> Result<Flow> {
    let long: Vec<usize> = permutation
        .iter()
        .copied()
        .filter(|&axis| flow.shape[axis] != 1)
        .collect();
    match long.is_sorted() {
        true => Ok(flow.reshaped(shape)),
        false => Err(Error::user(format!(
            "it moves axes {permutation:?} of a tensor of shape {:?}",
            flow.shape
        ))
        .help("transposing activations is not supported, except along axes of length 1")),
    }
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

/// Whether neighbouring integers of `element` stand for different real numbers, with room to spare.
fn tells_apart(coding: &Coding, element: DataType) -> bool {
    let most = [element.min(), element.max()].map(|end| coding.real(end, 0).abs());
    let largest = most[0].max(most[1]).max(coding.bias.at(0).abs());
    coding.scale.at(0) > largest * f64::EPSILON * 16.0
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

/// Refuses quantisers that thresholds cannot stand for.
fn check_levels(quantisers: &[Quantiser]) -> Result<()> {
    let (low, high, step) = match quantisers {
        [first, ..] => first.codes(),
        [] => return Err(Error::user("it has no thresholds")),
    };
    match (high - low) / step {
        0 => Err(Error::user("all its results are the same")),
        1..=MOST_LEVELS => Ok(()),
        levels => Err(Error::user(format!("it has {} levels", levels + 1))
            .help("activations of at most 16 bits are supported")),
    }
}

fn type_of_codes(low: i64, high: i64, step: i64) -> Result<DataType> {
    match (low, high, step) {
        (-1, 1, 2) => Ok(DataType::Bipolar),
        (-1, 1, 1) => Ok(DataType::Ternary),
        _ => DataType::spanning(low, high)
            .ok_or_else(|| Error::user("its codes need more than 63 bits")),
    }
}

/// Narrowest type of a weight matrix, by the values that it really has.
fn type_of_weights(matrix: &[i32]) -> Result<DataType> {
    let low = matrix.iter().min().copied().unwrap_or(0);
    let high = matrix.iter().max().copied().unwrap_or(0);
    match (low, high, matrix.contains(&0)) {
        (-1, 1, false) => Ok(DataType::Bipolar),
        (-1, 1, true) => Ok(DataType::Ternary),
        _ => DataType::spanning(i64::from(low.min(-1)), i64::from(high))
            .ok_or_else(|| Error::bug("weights wider than 63 bits")),
    }
}

/// Two's complement type of all `values`, at least as wide as `least`.
fn signed_spanning(values: impl Iterator<Item = i64>, least: DataType) -> Result<DataType> {
    let (low, high) = values.fold((least.min().min(-1), least.max()), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    DataType::spanning(low, high)
        .ok_or_else(|| Error::user("its accumulators need more than 63 bits"))
}

fn threshold_tensors(stairs: &[Staircase], levels: usize) -> Result<Tensors> {
    let values = stairs
        .iter()
        .flat_map(|s| s.thresholds.iter().copied())
        .collect();
    let flip = stairs.iter().map(|s| i32::from(s.flip)).collect();
    Ok(Tensors {
        weights: None,
        thresholds: Some(Tensor::new(vec![stairs.len(), levels], values)?),
        flip: Some(Tensor::new(vec![stairs.len()], flip)?),
    })
}
