//! Nodes, streams and the accelerator's ends.
//! Must not know how layers are generated.

use serde::{Deserialize, Serialize};

use super::order::Order;
use super::tail::Tail;
use crate::error::{Error, Result};
use crate::layer::{Layer, Tensors};
use crate::network::{Coding, Op, Quantiser};
use crate::tensor::DataType;

/// Index of a [`Stream`] in its dataflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId(pub usize);

/// Integers that flow from one layer to another, pixel by pixel, channel fastest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Type of one element.
    pub element: DataType,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Elements in a pixel.
    pub channels: usize,
    /// Words that its FIFO holds.
    pub depth: usize,
    /// Name of the network's tensor whose integer codes it carries, in `order`.
    pub value: Option<String>,
    /// Where that tensor's elements sit, all of them.
    pub order: Order,
    /// Which of the tensor's channels flow; all in their order if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Channels>,
}

/// Some channels of a tensor, in some order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// The channels.
    pub order: Vec<usize>,
    /// How many the tensor has.
    pub of: usize,
}

impl Channels {
    /// The same where `pixels` pixels are seen as one.
    pub fn repeated(&self, pixels: usize) -> Self {
        let pixel = |pixel| {
            self.order
                .iter()
                .map(move |channel| pixel * self.of + channel)
        };
        Channels {
            order: (0..pixels).flat_map(pixel).collect(),
            of: self.of * pixels,
        }
    }
}

impl Stream {
    /// Row-major index in the tensor of each element of a frame.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.pixels * self.channels).map(|position| match &self.kept {
            None => self.order.index(position),
            Some(kept) => {
                let (pixel, channel) = (position / self.channels, position % self.channels);
                self.order.index(pixel * kept.of + kept.order[channel])
            }
        })
    }
}

/// A layer in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Stable name from the file, see [`crate::qonnx`].
    pub name: String,
    /// What it is. Stored in a record of its own.
    #[serde(skip, default = "placeholder")]
    pub layer: Layer,
    /// What it holds. Stored beside the record.
    #[serde(skip)]
    pub tensors: Tensors,
    /// Streams read.
    pub inputs: Vec<StreamId>,
    /// Streams written.
    pub outputs: Vec<StreamId>,
}

/// Stands in for a layer until its record is read.
fn placeholder() -> Layer {
    Layer::WidthConverter(crate::layer::WidthConverter {
        element: DataType::Uint(1),
        pixels: 0,
        channels: 0,
        from: 1,
        to: 1,
    })
}

/// A stream that the host feeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Name in the file.
    pub name: String,
    /// The stream.
    pub stream: StreamId,
    /// Shape of the network's tensor at batch size 1.
    pub shape: Vec<usize>,
    /// What the integers stand for; one channel.
    pub coding: Coding,
    /// The network's own first quantiser, where that defines the integers: its codes arrive, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiser: Option<Quantiser>,
}

impl Input {
    /// Smallest and largest integer that may arrive in its stream of `element`, and the distance between
    /// neighbouring ones: those of the quantiser, whose range may be narrower than the type.
    pub fn codes(&self, element: DataType) -> (i64, i64, i64) {
        match &self.quantiser {
            Some(quantiser) => quantiser.codes(),
            None => (element.min(), element.max(), element.step()),
        }
    }
}

/// A stream that the host reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Name in the file.
    pub name: String,
    /// The stream.
    pub stream: StreamId,
    /// Shape of the network's tensor at batch size 1.
    pub shape: Vec<usize>,
    /// Where the tensor's elements sit in the stream.
    pub order: Order,
    /// Real value of the integers; the element at position p of the stream belongs to channel
    /// `p % channels` of the tail.
    pub tail: Tail,
    /// Operators that are left to the host, on the real values in the shape `host_shape`.
    pub host: Vec<Op>,
    /// Shape of the values before the host's operators.
    pub host_shape: Vec<usize>,
}

/// The accelerator: layers in topological order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dataflow {
    /// Layers, each after those that feed it.
    pub nodes: Vec<Node>,
    /// Streams.
    pub streams: Vec<Stream>,
    /// What the host feeds.
    pub inputs: Vec<Input>,
    /// What the host reads.
    pub outputs: Vec<Output>,
}

impl Dataflow {
    /// The stream `id`.
    pub fn stream(&self, id: StreamId) -> &Stream {
        &self.streams[id.0]
    }

    /// Adds a stream.
    pub fn add_stream(&mut self, stream: Stream) -> StreamId {
        self.streams.push(stream);
        StreamId(self.streams.len() - 1)
    }

    /// `wanted` as the name of another node: with `_` at its end while a node has that name already.
    pub fn free_name(&self, mut wanted: String) -> String {
        while self.nodes.iter().any(|node| node.name == wanted) {
            wanted.push('_');
        }
        wanted
    }

    /// The node that writes `stream`, if the host does not.
    pub fn producer(&self, stream: StreamId) -> Option<&Node> {
        self.nodes
            .iter()
            .find(|node| node.outputs.contains(&stream))
    }

    /// What streams are called, in their order: `input`, or the layer that writes it, numbered where it writes several.
    pub fn stream_names(&self) -> Vec<String> {
        let mut names = vec!["input".to_owned(); self.streams.len()];
        for node in &self.nodes {
            for (at, id) in node.outputs.iter().enumerate() {
                names[id.0] = match node.outputs.len() {
                    1 => node.name.clone(),
                    _ => format!("{}_{at}", node.name),
                };
            }
        }
        names
    }

    /// The nodes that read `stream`.
    pub fn consumers(&self, stream: StreamId) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(move |node| node.inputs.contains(&stream))
    }

    /// Checks the graph's own laws: every stream is written once before it is read and read once,
    /// and layers agree with their streams on type and size.
    ///
    /// # Errors
    /// A bug that names `origin`, the pass that built the graph.
    pub fn verify(&self, origin: &str) -> Result<()> {
        let broken = |what: String| Err(Error::bug(format!("after `{origin}`: {what}")));
        let mut written = vec![0; self.streams.len()];
        let mut read = vec![0; self.streams.len()];
        self.inputs
            .iter()
            .for_each(|input| written[input.stream.0] += 1);
        self.outputs
            .iter()
            .for_each(|output| read[output.stream.0] += 1);
        for node in &self.nodes {
            let hardware = node.layer.hardware();
            let written_ports = vec![hardware.output(); hardware.copies()];
            for (ids, ports, what) in [
                (&node.inputs, hardware.inputs(), "reads"),
                (&node.outputs, written_ports, "writes"),
            ] {
                if ids.len() != ports.len() {
                    return broken(format!("`{}` {what} {} streams", node.name, ids.len()));
                }
                for (id, port) in ids.iter().zip(ports) {
                    let stream = self.stream(*id);
                    if stream.element != port.element
                        || stream.pixels * stream.channels != port.elements()
                    {
                        return broken(format!("`{}` {what} {port:?} from {stream:?}", node.name));
                    }
                }
            }
            for id in &node.inputs {
                if written[id.0] != 1 {
                    return broken(format!(
                        "`{}` reads a stream before it is written",
                        node.name
                    ));
                }
                read[id.0] += 1;
            }
            node.outputs.iter().for_each(|id| written[id.0] += 1);
        }
        match (0..self.streams.len()).find(|&s| written[s] != 1 || read[s] != 1) {
            Some(s) => broken(format!(
                "stream {s} is written {} and read {} times",
                written[s], read[s]
            )),
            None => Ok(()),
        }
    }
}
