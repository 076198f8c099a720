//! What each operator of a network does to a flow.
//! Must not know how a flow is stored.

use super::convolution::Kernels;
use super::flow::Flow;
use super::quantiser::{
    Quantisers, bipolar_grid, linear_grid_of, linear_of, multi_threshold_of, quant_grid, quant_of,
};
use super::{Builder, Meaning, missing_input};
use crate::dataflow::{Node as LayerNode, Order, Step};
use crate::error::{Error, Result};
use crate::layer::{Layer, Tensors};
use crate::network::{Binary, Coding, Node, Op, Quantiser, Rounding, Unary};
use crate::reference::{Known, check_scale};
use crate::tensor::{DataType, PerChannel};

impl Builder<'_> {
    /// The meaning of the node's output.
    pub(super) fn node(&mut self, node: &Node) -> Result<Meaning> {
        let runtime = |id: &crate::network::ValueId| !self.real.is_constant(*id);
        let position = node.inputs.iter().position(runtime);
        let position = position.ok_or_else(|| Error::bug("a constant node was not folded"))?;
        let joins = matches!(node.op, Op::Concat { .. });
        if joins && node.inputs.len() > 1 || node.inputs.iter().filter(|id| runtime(id)).count() > 1
        {
            return self.join(node);
        }
        let source = node.inputs[position];
        match self.read(source)? {
            Meaning::Flow(flow) => self.on_flow(node, position, flow),
            Meaning::Unspecified => self.on_unspecified(node, source),
            Meaning::Host(flow, host) => match (node.op, &host[..]) {
                (Op::ArgMax { axis }, [Op::Softmax { axis: along, .. }]) if axis == *along => {
                    let shape = &self.network.value(node.output).shape;
                    Ok(self.arg_max(flow, axis, shape))
                }
                (Op::Unary(Unary::Identity), _) => Ok(Meaning::Host(flow, host)),
                _ => Err(
                    Error::user("it follows an operator that is left to the host")
                        .help("only an arg-max may follow a softmax, and nothing an arg-max: leave a softmax at the end out of the quantisation (`nodes_to_exclude`)"),
                ),
            },
            Meaning::Forked(_) => Err(Error::bug("it reads all ends of a fork")),
        }
    }

    fn on_flow(&mut self, node: &Node, position: usize, flow: Flow) -> Result<Meaning> {
        let shape = &self.network.value(node.output).shape;
        let real = self.real;
        let held: Vec<_> = node
            .inputs
            .iter()
            .filter_map(|id| real.constant(*id))
            .collect();
        let constants: Vec<&Known> = held.iter().map(|known| &**known).collect();
        // Whatever is not the same for all pixels comes after a pool that waits.
        let flow = match waits(&flow, node.op, &constants) {
            true => flow,
            false => self.settled(flow)?,
        };
        let flow = match (node.op, &constants[..]) {
            (op, operands) if op.is_quantiser() => {
                let (flow, quantisers) = self.quantisers(op, flow, operands)?;
                self.quantise(node, flow, quantisers)?
            }
            (Op::Conv { window, group }, [weights]) if position == 0 => {
                self.convolution(node, flow, (window, group), (weights, Kernels::Plain))?
            }
            (Op::ConvTranspose { window, group }, [weights]) if position == 0 => {
                self.transposed_convolution(node, flow, (window, group), weights)?
            }
            (Op::Conv { .. } | Op::ConvTranspose { .. }, _) => {
                return Err(Error::user("its weights are no constants"));
            }
            (Op::Upsample { factor }, []) => self.upsample(node, flow, factor)?,
            (Op::Concat { .. }, []) => flow.reshaped(shape),
            (Op::MaxPool(window), []) => self.max_pool(node, flow, window)?,
            (
                Op::AveragePool {
                    window,
                    count_padding,
                },
                [],
            ) => self.average_pool(node, flow, window, count_padding)?,
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
            (Op::ArgMax { axis }, []) => return Ok(self.arg_max(flow, axis, shape)),
            _ => return Err(Error::user("its operands are not supported")),
        };
        Ok(Meaning::Flow(flow))
    }

    /// What a quantiser with these operands does to the channels of the flow.
    fn quantisers(
        &self,
        op: Op,
        mut flow: Flow,
        operands: &[&Known],
    ) -> Result<(Flow, Quantisers)> {
        match (op, operands) {
            (Op::Quant(quant), [scale, zero, bits]) => quant_of(flow, quant, [scale, zero, bits]),
            (Op::BipolarQuant, [scale]) => {
                check_scale(&scale.real)?;
                let coding = Coding::scaled(flow.per_channel(&scale.real)?);
                let each = vec![Quantiser::Bipolar];
                Ok((flow, Quantisers { each, coding }))
            }
            (
                Op::MultiThreshold {
                    quantiser,
                    channels_last,
                },
                [thresholds],
            ) => multi_threshold_of(flow, quantiser, channels_last, thresholds),
            (Op::QuantizeLinear(linear), [scale, zero]) => linear_of(flow, linear, [scale, zero]),
            (Op::Trunc(trunc), operands) => {
                let quantisers = self.trunc(&flow, trunc, operands)?;
                Ok((flow, quantisers))
            }
            _ => Err(Error::user("its operands are not supported")),
        }
    }

    /// The first operator on an input that the manifest does not describe: a quantiser describes it.
    fn on_unspecified(&mut self, node: &Node, source: crate::network::ValueId) -> Result<Meaning> {
        let fed = self.network.inputs[0];
        let grid = match node.op {
            Op::Unary(Unary::Identity) | Op::Reshape => return Ok(Meaning::Unspecified),
            Op::Quant(quant) if quant.rounding == Rounding::HalfEven => {
                let constant = |i: usize| self.real.constant(node.inputs[i]);
                match (constant(1), constant(2), constant(3)) {
                    (Some(scale), Some(zero), Some(bits)) => {
                        quant_grid(quant, &scale, &zero, &bits)?
                    }
                    _ => None,
                }
            }
            Op::BipolarQuant => {
                let scale = self.real.constant(node.inputs[1]);
                scale.and_then(|scale| bipolar_grid(&scale))
            }
            Op::QuantizeLinear(linear) => {
                let constant = |i: usize| self.real.constant(node.inputs[i]);
                let shape = &self.network.value(source).shape;
                match (constant(1), constant(2)) {
                    (Some(scale), Some(zero)) => linear_grid_of(linear, shape, [&scale, &zero])?,
                    _ => None,
                }
            }
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

    /// Adds a layer that reads `flow.stream` and writes a new stream of the elements of `flow`.
    pub(super) fn append(
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
}

/// Whether a pool that waits in `flow` may go on waiting behind this operator.
fn waits(flow: &Flow, op: Op, constants: &[&Known]) -> bool {
    match (op, constants) {
        (Op::Unary(_) | Op::BatchNorm { .. } | Op::Trunc(_), _) => true,
        (Op::Binary(_), [constant]) => flow.laid_out(&constant.real).is_some(),
        (Op::Quant(_) | Op::BipolarQuant, [scale, ..]) => flow.laid_out(&scale.real).is_some(),
        (Op::QuantizeLinear(linear), [scale, zero]) => [scale, zero]
            .into_iter()
            .all(|operand| operand.real.len() == 1 || linear.axis == 1 && flow.shape.len() > 2),
        (Op::MultiThreshold { channels_last, .. }, [thresholds]) => {
            let rows = thresholds.real.shape().first();
            rows == Some(&1) || !channels_last && flow.shape.len() > 2
        }
        _ => false,
    }
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
    let step = Step::Binary {
        op,
        constant,
        varies_first,
    };
    let affine = flow.affine.as_ref().and_then(|coding| step.through(coding));
    Ok(flow.push(step, affine))
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

/// Moves axes, which costs nothing where elements stay in their places: axes of length 1, and channels that move
/// behind the plane or in front of it.
fn transposed(mut flow: Flow, permutation: &[usize], shape: &[usize]) -> Result<Flow> {
    let long: Vec<usize> = permutation
        .iter()
        .copied()
        .filter(|&axis| flow.shape[axis] != 1)
        .collect();
    if long.is_sorted() {
        return Ok(flow.reshaped(shape));
    }
    let (channels, pixels) = (flow.channels, flow.pixels);
    let order = match (flow.order, permutation) {
        (Order::ChannelsFirst { channels: c, .. }, [0, middle @ .., 1])
            if middle.is_sorted() && c == channels =>
        {
            Some(Order::RowMajor)
        }
        (Order::RowMajor, [0, last, middle @ ..])
            if middle.is_sorted()
                && shape.get(1) == Some(&channels)
                && *last + 1 == shape.len() =>
        {
            Some(Order::channels_first(channels, pixels))
        }
        _ => None,
    };
    match order {
        Some(order) => {
            flow.order = order;
            flow.shape = shape.to_vec();
            Ok(flow)
        }
        None => Err(Error::user(format!(
            "it moves axes {permutation:?} of a tensor of shape {:?}",
            flow.shape
        ))
        .help("transposing activations is supported where channels move to the last axis or back to axis 1, or axes have length 1")),
    }
}
