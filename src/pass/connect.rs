//! Connect: width converters where two layers that are neighbours use words of different sizes.
//! Must not know how parallelism was chosen.

use crate::dataflow::{Dataflow, Node, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Layer, Port, Tensors, WidthConverter};

/// Inserts the converters, named after the layers on both sides. The function is unchanged.
///
/// # Errors
/// A bug if two ports cannot be joined, which folding must have prevented.
pub fn connect(mut dataflow: Dataflow) -> Result<Dataflow> {
    let mut position = 0;
    while position < dataflow.nodes.len() {
        for slot in 0..dataflow.nodes[position].inputs.len() {
            let stream = dataflow.nodes[position].inputs[slot];
            if let Some(node) = converter(&dataflow, stream, (position, slot))? {
                insert(&mut dataflow, position, slot, node);
                position += 1;
            }
        }
        position += 1;
    }
    dataflow.verify("connect")?;
    Ok(dataflow)
}

/// The converter that the reader at `position` needs on `stream` in its `slot`, its streams not yet set.
fn converter(
    dataflow: &Dataflow,
    stream: StreamId,
    (position, slot): (usize, usize),
) -> Result<Option<Node>> {
    let reader = &dataflow.nodes[position];
    let Some(writer) = dataflow.producer(stream) else {
        // The host sends words of the size that the first layer reads.
        return Ok(None);
    };
    let from = writer.layer.hardware().output();
    let to = reader.layer.hardware().inputs()[slot];
    if from == to {
        return Ok(None);
    }
    let (pixels, channels) = common_grouping(from, to).ok_or_else(|| {
        Error::bug(format!(
            "`{}` writes {from:?} and `{}` reads {to:?}",
            writer.name, reader.name
        ))
    })?;
    if from.per_word == to.per_word && from.is_full() && to.is_full() {
        return Ok(None);
    }
    Ok(Some(Node {
        name: dataflow.free_name(format!("{}.to.{}", writer.name, reader.name)),
        layer: Layer::WidthConverter(WidthConverter {
            element: from.element,
            pixels,
            channels,
            from: from.per_word,
            to: to.per_word,
        }),
        tensors: Tensors::default(),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }))
}

/// Pixels and channels under which both sides' words can be seen: padding only at the end of a pixel.
fn common_grouping(from: Port, to: Port) -> Option<(usize, usize)> {
    match () {
        () if from.channels == to.channels => Some((from.pixels, from.channels)),
        () if from.is_full() && (to.is_full() || to.pixels == 1) => Some((1, to.elements())),
        () => None,
    }
}

/// Puts `node` between the stream in `slot` of the reader at `position` and the reader.
fn insert(dataflow: &mut Dataflow, position: usize, slot: usize, mut node: Node) {
    let before = dataflow.nodes[position].inputs[slot];
    let port = node.layer.hardware().output();
    let mut stream = dataflow.stream(before).clone();
    if stream.channels != port.channels {
        stream.kept = stream
            .kept
            .map(|kept| kept.repeated(port.channels / stream.channels));
    }
    (stream.pixels, stream.channels) = (port.pixels, port.channels);
    let after = dataflow.add_stream(stream);
    node.inputs = vec![before];
    node.outputs = vec![after];
    dataflow.nodes[position].inputs[slot] = after;
    dataflow.nodes.insert(position, node);
}
