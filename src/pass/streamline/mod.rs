//! Streamline: a real-valued quantised `Network` becomes an integer `Dataflow`, exactly.
//!
//! Values are carried as integers with a real function on top (the tail). At the next quantiser the tail
//! and the quantiser together are a staircase, whose steps bisection finds; at a matrix product with
//! integer weights a new integer stream begins. Must not know files or boards.

mod convolution;
mod flow;
mod fork;
mod join;
mod label;
mod node;
mod pool;
mod product;
mod quantiser;
mod staircase;
mod survey;
mod upsample;

use crate::dataflow::{Dataflow, Input, Order, Output, Stream, StreamId};
use crate::error::{Error, Result};
use crate::network::{Coding, Network, Op, Quantiser, ValueId, picture};
use crate::reference::Real;
use crate::tensor::DataType;

use flow::Flow;
pub use survey::{Derived, Origin, Refusal, Survey, survey};

/// What the host feeds: integers and what they stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Type of the integers.
    pub element: DataType,
    /// Their real values; one channel.
    pub coding: Coding,
}

/// What is known of a value that depends on the inputs.
enum Meaning {
    /// A network input of which the manifest does not say what arrives.
    Unspecified,
    /// Integers with a real function on top.
    Flow(Flow),
    /// A flow for each reader that has not come yet.
    Forked(Vec<Flow>),
    /// A flow whose last operators are left to the host.
    Host(Flow, Vec<Op>),
}

/// A dataflow under construction.
struct Builder<'a> {
    network: &'a Network,
    real: &'a Real<'a>,
    dataflow: Dataflow,
    /// By stream: smallest and largest integer, one pair or one per channel.
    ranges: Vec<Vec<(i64, i64)>>,
    meanings: Vec<Option<Meaning>>,
    /// By value, how many readers have not come yet.
    readers: Vec<usize>,
    products: Vec<Product>,
}

/// A matrix product or a convolution, also a depthwise one, and where its weights come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Stable name of the layer.
    pub name: String,
    /// Tensor of its weights.
    pub weights: ValueId,
    /// Where the layer's weights lie in that tensor.
    pub place: Place,
    /// What its sums stand for.
    pub coding: Coding,
}

/// Where the weights of a layer, `[rows, columns]`, lie in the tensor that they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The tensor is `[columns, rows]`; its row k is column `order.position(k)` of the layer.
    Matrix {
        /// Order of the elements that the layer reads.
        order: Order,
        /// Rows of the layer.
        rows: usize,
    },
    /// The tensor is `[channels, rows, positions]` and its positions run backwards, as those of a transposed
    /// convolution; the layer's columns are as of a kernel.
    Mirrored {
        /// Rows of the layer.
        rows: usize,
        /// Channels of the picture.
        channels: usize,
        /// Positions of the kernel.
        positions: usize,
    },
    /// The tensor is `[rows, channels, positions]`; a pixel of the layer has all channels of one position after
    /// those of another.
    Kernel {
        /// Channels of the picture.
        channels: usize,
        /// Positions of the kernel.
        positions: usize,
    },
}

impl Place {
    /// Row-major index in the tensor of the layer's weight in this row and column.
    pub fn index(self, row: usize, column: usize) -> usize {
        match self {
            Place::Matrix { order, rows } => order.index(column) * rows + row,
            Place::Kernel {
                channels,
                positions,
            } => (row * channels + column % channels) * positions + column / channels,
            Place::Mirrored {
                rows,
                channels,
                positions,
            } => {
                let kernel = column % channels * rows + row;
                kernel * positions + positions - 1 - column / channels
            }
        }
    }
}

/// Turns `network` into integers. `input` says what the host feeds; it may be left out where the first
/// operator on the input is a quantiser. With `labels` the result is the index of the largest output.
///
/// # Errors
/// A user error that names the first node that cannot become integers, and why.
pub fn streamline(network: &Network, input: Option<&Grid>, labels: bool) -> Result<Dataflow> {
    products(network, input, labels).map(|(dataflow, _)| dataflow)
}

/// As [`streamline`], and its matrix products and depthwise convolutions in the order of the layers.
///
/// # Errors
/// As [`streamline`].
pub fn products(
    network: &Network,
    input: Option<&Grid>,
    labels: bool,
) -> Result<(Dataflow, Vec<Product>)> {
    let real = Real::new(network)?;
    let (mut builder, walk) = Builder::walked(network, &real, input)?;
    if let Some(error) = walk.first() {
        return Err(error);
    }
    builder.end(labels)?;
    Ok((builder.dataflow, builder.products))
}

/// The error that asks for an `[input]` section.
fn missing_input(name: &str) -> Error {
    Error::user(format!("the network computes with the real numbers of its input `{name}` directly"))
        .help("say what arrives, for example for pixels divided by 255:\n[input]\ntype = \"uint8\"\nscale = 0.00392156862745098")
}

/// Order in which a tensor of `shape` enters the hardware: channels side by side in a pixel. Axis 1 holds the
/// channels of a picture, and of a signal where layers slide over it, unless the network moves the last axis there.
fn order_of(network: &Network, shape: &[usize]) -> Order {
    let slides = |node: &crate::network::Node| {
        let windowed = matches!(
            node.op,
            Op::Conv { .. }
                | Op::ConvTranspose { .. }
                | Op::MaxPool(_)
                | Op::AveragePool { .. }
                | Op::Upsample { .. }
        );
        windowed && network.value(node.inputs[0]).shape.len() == shape.len()
    };
    let planes = shape.len() == 4 || network.nodes.iter().any(slides);
    let turned = network.nodes.iter().any(|node| {
        node.op == Op::Transpose
            && matches!(node.permutation[..], [0, 3, 1, 2] | [0, 2, 1])
            && network.value(node.inputs[0]).shape == shape
    });
    match (shape, picture(shape)) {
        (_, Some((channels, [rows, columns]))) if planes && !turned => {
            Order::channels_first(channels, rows * columns)
        }
        ([_, channels, plane @ ..], None) if plane.len() >= 2 => {
            Order::channels_first(*channels, plane.iter().product())
        }
        _ => Order::RowMajor,
    }
}

impl<'a> Builder<'a> {
    /// All nodes of a network as far as they become integers.
    fn walked(
        network: &'a Network,
        real: &'a Real<'a>,
        input: Option<&Grid>,
    ) -> Result<(Self, survey::Walk)> {
        let (nodes, readers) = fork::living(network, real.nodes());
        let mut builder = Builder {
            network,
            real,
            dataflow: Dataflow::default(),
            ranges: Vec::new(),
            meanings: (0..network.values.len()).map(|_| None).collect(),
            readers,
            products: Vec::new(),
        };
        builder.feed(input)?;
        let walk = builder.walk(&nodes);
        Ok((builder, walk))
    }

    /// Ends with the network's outputs.
    fn end(&mut self, labels: bool) -> Result<()> {
        for id in &self.network.outputs {
            self.finish(*id, labels)?;
        }
        self.dataflow.verify("streamline")
    }
}

impl Builder<'_> {
    /// Begins with the network's inputs.
    fn feed(&mut self, grid: Option<&Grid>) -> Result<()> {
        let [id] = self.network.inputs[..] else {
            let names: Vec<&str> = self
                .network
                .inputs
                .iter()
                .map(|id| self.network.value(*id).name.as_str())
                .collect();
            return Err(Error::user(format!(
                "the network has {} inputs: {}",
                names.len(),
                names.join(", ")
            ))
            .help("networks with exactly one input are supported"));
        };
        self.meanings[id.0] = Some(match grid {
            Some(grid) => Meaning::Flow(self.input_flow(id, id, grid, None)?),
            None => Meaning::Unspecified,
        });
        Ok(())
    }

    /// A stream that the host feeds for network input `fed`, carrying the codes of value `id`, which are
    /// those of `quantiser` if there is one.
    fn input_flow(
        &mut self,
        fed: ValueId,
        id: ValueId,
        grid: &Grid,
        quantiser: Option<Quantiser>,
    ) -> Result<Flow> {
        let (name, shape) = (
            self.network.value(fed).name.clone(),
            self.network.value(fed).shape.clone(),
        );
        if self.dataflow.inputs.iter().any(|input| input.name == name) {
            return Err(
                Error::user(format!("input `{name}` is quantised in more than one way"))
                    .help("say what arrives in a section `[input]`, with `type` and `scale`"),
            );
        }
        let range = vec![(grid.element.min(), grid.element.max())];
        let value = self.network.value(id);
        let stream = StreamId(self.ranges.len());
        let order = order_of(self.network, &shape);
        let flow = Flow::begin(stream, &shape, order, grid.coding.clone()).reshaped(&value.shape);
        self.add_stream(grid.element, &flow, Some(value.name.clone()), range);
        self.dataflow.inputs.push(Input {
            name,
            stream: flow.stream,
            shape,
            coding: grid.coding.clone(),
            quantiser,
        });
        Ok(flow)
    }

    /// Adds the stream that `flow` begins with.
    fn add_stream(
        &mut self,
        element: DataType,
        flow: &Flow,
        value: Option<String>,
        ranges: Vec<(i64, i64)>,
    ) -> StreamId {
        self.ranges.push(ranges);
        self.dataflow.add_stream(Stream {
            element,
            pixels: flow.pixels,
            channels: flow.channels,
            depth: 2,
            value,
            order: flow.order,
            kept: None,
        })
    }

    /// Ends with a network output.
    fn finish(&mut self, id: ValueId, labels: bool) -> Result<()> {
        let value = self.network.value(id);
        let meaning = match self.real.is_constant(id) {
            true => Meaning::Unspecified,
            false => self.read(id)?,
        };
        let (mut flow, mut host) = match meaning {
            Meaning::Flow(flow) => (self.settled(flow)?, Vec::new()),
            Meaning::Host(flow, host) => (flow, host),
            Meaning::Unspecified | Meaning::Forked(_) => {
                return Err(Error::user(format!(
                    "output `{}` is reached from the input by no layer",
                    value.name
                )));
            }
        };
        if labels && !self.is_label(&flow) {
            let axis = host.iter().find_map(|op| match op {
                Op::Softmax { axis, .. } | Op::ArgMax { axis } => Some(*axis),
                _ => None,
            });
            flow = self
                .label(flow, axis)
                .map_err(|error| error.within("`[output] labels`"))?;
            host.clear();
        }
        let shape = match self.is_label(&flow) && labels {
            true => flow.shape.clone(),
            false => value.shape.clone(),
        };
        self.dataflow.outputs.push(Output {
            name: value.name.clone(),
            stream: flow.stream,
            shape,
            order: flow.order,
            tail: flow.tail,
            host,
            host_shape: flow.shape,
        });
        Ok(())
    }
}
