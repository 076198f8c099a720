//! Convolutions with constant integer weights: a sliding window and a matrix product, or a depthwise unit.
//! Must not know quantisers of activations.

use super::flow::Flow;
use super::product::{accumulators, integer_weights, on_grid, type_of_weights};
use super::{Builder, Place, Product};
use crate::dataflow::{Node as LayerNode, Order, Stream, StreamId, Tail};
use crate::error::{Error, Result};
use crate::layer::{Layer, Sliding, SlidingWindow, Tensors, Vvau};
use crate::network::{Coding, Node, picture};
use crate::reference::Known;
use crate::tensor::{DataType, Tensor, Window};

/// How the kernels lie in the tensor that they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernels {
    /// As a convolution has them.
    Plain,
    /// As a transposed convolution has them.
    Mirrored,
}

/// A convolution in numbers.
struct Shape {
    kernels: Kernels,
    sliding: Sliding,
    group: usize,
    filters: usize,
    per_group: usize,
    /// Integer that is read in the padding.
    pad: i64,
}

impl Builder<'_> {
    /// Convolution with constant integer weights `[filters, channels / group, kernel...]`: exact accumulators.
    pub(super) fn convolution(
        &mut self,
        node: &Node,
        flow: Flow,
        (window, group): (Window, usize),
        (weights, kernels): (&Known, Kernels),
    ) -> Result<Flow> {
        let code = integer_weights(weights)?;
        let (sliding, flow) = slide(flow, window)?;
        let [filters, per_group, ..] = *weights.real.shape() else {
            return Err(Error::user("its weights have no kernel"));
        };
        let affine = on_grid(&flow)?;
        if code.coding.scale.channels().is_some() && code.axis != 0
            || code.coding.bias.uniform() != Some(0.0)
        {
            return Err(
                Error::user("its weight scales differ along the axes that it adds up")
                    .help("give the weights one scale, or one per output channel"),
            );
        }
        let shape = Shape {
            kernels,
            sliding,
            group,
            filters,
            per_group,
            pad: match sliding.window.is_padded() {
                true => padding(affine)?,
                false => 0,
            },
        };
        let integers = code.integers.data();
        let kernels = integers.chunks_exact(sliding.positions());
        let sums: Vec<i64> = kernels.map(|kernel| kernel.iter().sum()).collect();
        let coding = affine.convolution(&code.coding.scale, &sums, sliding.channels, group);
        let coding = coding.ok_or_else(|| {
            Error::user("channels of its input that it adds up have different scales")
                .help("activation quantisers need one scale for all channels that a layer adds up; behind a concatenation of streams whose scales are no small multiples of one number, put one quantiser")
        })?;
        let integers = integers
            .iter()
            .map(|weight| i32::try_from(*weight))
            .collect::<std::result::Result<Vec<i32>, _>>()
            .map_err(|_| Error::user("its weights need more than 32 bits"))?;
        match group > 1 && per_group == 1 && filters == sliding.channels {
            true => self.depthwise(node, flow, &shape, integers, coding),
            false => self.windowed(node, flow, &shape, &integers, coding),
        }
    }

    /// A unit of its own, in which every channel has its own kernel.
    fn depthwise(
        &mut self,
        node: &Node,
        flow: Flow,
        shape: &Shape,
        kernels: Vec<i32>,
        coding: Coding,
    ) -> Result<Flow> {
        let positions = shape.sliding.positions();
        let channels = self.seen(&flow, shape);
        let kernels_of = kernels.chunks_exact(positions).enumerate();
        let (ranges, accumulator) =
            accumulators(kernels_of.map(|(c, kernel)| (kernel, &channels[c..=c])))?;
        let layer = Layer::Vvau(Vvau {
            sliding: shape.sliding,
            input: self.dataflow.stream(flow.stream).element,
            pad: shape.pad,
            weight: type_of_weights(&kernels)?,
            accumulator,
            activation: None,
            pe: 1,
            simd: 1,
        });
        if shape.kernels == Kernels::Plain {
            self.products.push(Product {
                name: node.name.clone(),
                weights: node.inputs[1],
                place: Place::Kernel {
                    channels: 1,
                    positions,
                },
                coding: coding.clone(),
            });
        }
        let tensors = Tensors {
            weights: Some(Tensor::new(vec![shape.filters, positions], kernels)?),
            ..Tensors::default()
        };
        let flow = self.after(node, flow, shape, coding);
        Ok(self.append(node, layer, tensors, flow, accumulator, ranges))
    }

    /// A sliding window where more than one pixel is looked at, and a matrix product of what it sees.
    fn windowed(
        &mut self,
        node: &Node,
        mut flow: Flow,
        shape: &Shape,
        kernels: &[i32],
        coding: Coding,
    ) -> Result<Flow> {
        let positions = shape.sliding.positions();
        let (rows, columns) = (shape.filters / shape.group, shape.per_group * positions);
        let place = Place::Kernel {
            channels: shape.per_group,
            positions,
        };
        let mut matrix: Vec<i32> = Vec::with_capacity(kernels.len());
        for row in 0..shape.filters {
            matrix.extend((0..columns).map(|column| kernels[place.index(row, column)]));
        }
        let channels = self.seen(&flow, shape);
        let of_row = |row: usize| {
            let first = row / rows * shape.per_group;
            &channels[first..first + shape.per_group]
        };
        let rows_of = matrix.chunks_exact(columns).enumerate();
        let sums = accumulators(rows_of.map(|(row, weights)| (weights, of_row(row))))?;
        if shape.group == 1 {
            self.products.push(Product {
                name: node.name.clone(),
                weights: node.inputs[1],
                place: match shape.kernels {
                    Kernels::Plain => place,
                    Kernels::Mirrored => Place::Mirrored {
                        rows,
                        channels: shape.per_group,
                        positions,
                    },
                },
                coding: coding.clone(),
            });
        }
        if !(shape.sliding.window.is_identity() && shape.group == 1) {
            flow.stream = self.slide(node, flow.stream, shape)?;
        }
        let pixels = shape.sliding.places() * shape.group;
        let flow = self.after(node, flow, shape, coding);
        self.append_mvau(
            node,
            flow,
            (matrix, shape.filters),
            (pixels, shape.group),
            sums,
        )
    }

    /// Adds the sliding window of a convolution; returns the stream that it writes.
    fn slide(&mut self, node: &Node, input: StreamId, shape: &Shape) -> Result<StreamId> {
        let element = self.dataflow.stream(input).element;
        let output = padded_type(element, shape)?;
        let layer = SlidingWindow {
            sliding: shape.sliding,
            groups: shape.group,
            input: element,
            output,
            pad: shape.pad,
            pe: 1,
            simd: 1,
        };
        let channels = layer.group_channels() * shape.sliding.positions();
        let pixels = shape.sliding.places() * shape.group;
        self.ranges.push(vec![(output.min(), output.max())]);
        let stream = self.dataflow.add_stream(Stream {
            element: output,
            pixels,
            channels,
            depth: 2,
            value: None,
            order: Order::RowMajor,
            kept: None,
        });
        self.dataflow.nodes.push(LayerNode {
            name: self.dataflow.free_name(format!("{}.window", node.name)),
            layer: Layer::SlidingWindow(layer),
            tensors: Tensors::default(),
            inputs: vec![input],
            outputs: vec![stream],
        });
        Ok(stream)
    }

    /// By channel of the picture, the range of what the layer reads, padding included.
    fn seen(&self, flow: &Flow, shape: &Shape) -> Vec<(i64, i64)> {
        let ranges = self.ranges_of(flow);
        let padded = shape.sliding.window.is_padded();
        (0..shape.sliding.channels)
            .map(|channel| match (ranges[channel % ranges.len()], padded) {
                ((low, high), true) => (low.min(shape.pad), high.max(shape.pad)),
                (range, false) => range,
            })
            .collect()
    }

    /// The flow of the accumulators, its stream not yet made.
    fn after(&self, node: &Node, flow: Flow, shape: &Shape, coding: Coding) -> Flow {
        let pixels = shape.sliding.places();
        Flow {
            shape: self.network.value(node.output).shape.clone(),
            order: Order::channels_first(shape.filters, pixels),
            pixels,
            channels: shape.filters,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            ..flow
        }
    }
}

/// The flow as a picture under a window.
///
/// # Errors
/// A user error where it is no picture, or smaller than the window.
pub(super) fn slide(flow: Flow, window: Window) -> Result<(Sliding, Flow)> {
    let shape = flow.shape.clone();
    let (channels, picture) =
        picture(&shape).ok_or_else(|| Error::user(format!("its input has the shape {shape:?}")))?;
    let sliding = Sliding {
        picture,
        channels,
        window,
    };
    if window.output(picture).is_none() {
        return Err(Error::user(format!(
            "its window {:?} is larger than the picture {picture:?}",
            window.span()
        )));
    }
    let flow = flow.pictured(channels).ok_or_else(|| {
        Error::user("the channels of its input do not arrive side by side").help(
            "a picture that is reshaped from a vector, or scaled pixel by pixel, is not supported",
        )
    })?;
    Ok((sliding, flow))
}

/// The integer that stands for the real zeros of the padding.
///
/// # Errors
/// A user error where there is none.
pub(super) fn padding(coding: &Coding) -> Result<i64> {
    let mut zeros = (0..coding.channels().unwrap_or(1)).map(|channel| coding.zero(channel));
    let first = zeros.next().flatten();
    first
        .filter(|zero| zeros.all(|other| other == Some(*zero)))
        .ok_or_else(|| {
            Error::user("its padding is real 0, which is no integer of its input").help(
                "use a zero-point that is an integer and the same for all channels, or no padding",
            )
        })
}

/// A type of the elements and of the padding.
fn padded_type(element: DataType, shape: &Shape) -> Result<DataType> {
    match shape.sliding.window.is_padded() {
        true => with_padding(element, shape.pad),
        false => Ok(element),
    }
}

/// A type that holds the elements and `pad`.
///
/// # Errors
/// A user error where it is too wide.
pub(super) fn with_padding(element: DataType, pad: i64) -> Result<DataType> {
    if element.contains(pad) {
        return Ok(element);
    }
    if element == DataType::Bipolar && pad == 0 {
        return Ok(DataType::Ternary);
    }
    DataType::spanning(element.min().min(pad), element.max().max(pad))
        .ok_or_else(|| Error::user("its padding needs more than 63 bits"))
}
