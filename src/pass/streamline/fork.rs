//! Forks: a value with several readers is a stream that is duplicated, once everything that is the same for all of
//! them has been done.
//! Must not know the readers.

use super::flow::Flow;
use super::{Builder, Meaning};
use crate::dataflow::Node as LayerNode;
use crate::error::{Error, Result};
use crate::layer::{Duplicate, Layer, Tensors};
use crate::network::{Network, Node, ValueId};

impl Builder<'_> {
    /// The meaning of a value for the next of its readers.
    ///
    /// # Errors
    /// A user error where several read what only the host knows.
    pub(super) fn read(&mut self, id: ValueId) -> Result<Meaning> {
        let readers = std::mem::replace(&mut self.readers[id.0], 0);
        self.readers[id.0] = readers.saturating_sub(1);
        match self.meanings[id.0].take() {
            None => Err(Error::bug("it reads a value without a meaning")),
            Some(Meaning::Forked(mut flows)) => {
                let flow = flows
                    .pop()
                    .ok_or_else(|| Error::bug("it reads a value once more"))?;
                self.meanings[id.0] = Some(Meaning::Forked(flows));
                Ok(Meaning::Flow(flow))
            }
            Some(meaning) if readers <= 1 => Ok(meaning),
            Some(Meaning::Unspecified) => {
                self.meanings[id.0] = Some(Meaning::Unspecified);
                Ok(Meaning::Unspecified)
            }
            Some(Meaning::Flow(flow)) => {
                let mut flows = self.fork(flow, readers)?;
                let flow = flows
                    .pop()
                    .ok_or_else(|| Error::bug("a fork without an end"))?;
                self.meanings[id.0] = Some(Meaning::Forked(flows));
                Ok(Meaning::Flow(flow))
            }
            Some(Meaning::Host(..)) => {
                let name = &self.network.value(id).name;
                Err(Error::user(format!(
                    "`{name}` is left to the host and read more than once"
                ))
                .help("remove all but one of its readers from the network"))
            }
        }
    }

    /// Adds the layer that duplicates a flow's stream; the flows of its outputs, the last one first.
    fn fork(&mut self, flow: Flow, copies: usize) -> Result<Vec<Flow>> {
        let flow = self.settled(flow)?;
        let stream = self.dataflow.stream(flow.stream).clone();
        let ranges = self.ranges[flow.stream.0].clone();
        let writer = self
            .dataflow
            .producer(flow.stream)
            .map(|node| node.name.clone());
        let writer = writer
            .or(stream.value.clone())
            .unwrap_or_else(|| "input".into());
        let outputs: Vec<_> = (0..copies)
            .map(|_| {
                self.ranges.push(ranges.clone());
                self.dataflow.add_stream(stream.clone())
            })
            .collect();
        self.dataflow.nodes.push(LayerNode {
            name: self.dataflow.free_name(format!("{writer}.duplicate")),
            layer: Layer::Duplicate(Duplicate {
                element: stream.element,
                channels: stream.channels,
                pixels: stream.pixels,
                copies,
                pe: 1,
            }),
            tensors: Tensors::default(),
            inputs: vec![flow.stream],
            outputs: outputs.clone(),
        });
        let flows = outputs.into_iter().rev().map(|stream| Flow {
            stream,
            ..flow.clone()
        });
        Ok(flows.collect())
    }
}

/// The nodes that an output depends on, in order, and by value how many of them, and of the outputs, read it.
pub(super) fn living<'n>(network: &Network, nodes: &[&'n Node]) -> (Vec<&'n Node>, Vec<usize>) {
    let mut readers = vec![0; network.values.len()];
    network.outputs.iter().for_each(|id| readers[id.0] += 1);
    let mut living: Vec<&Node> = Vec::with_capacity(nodes.len());
    for node in nodes.iter().rev() {
        if readers[node.output.0] > 0 {
            node.inputs.iter().for_each(|id| readers[id.0] += 1);
            living.push(node);
        }
    }
    living.reverse();
    (living, readers)
}
