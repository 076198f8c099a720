//! Fuse: an activation that alone reads the accumulators of a matrix-vector or depthwise unit moves into it.
//! Must not know where thresholds come from.

use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Layer, Threshold};

/// Moves every threshold layer that directly follows such a unit into the unit, which keeps its name.
/// Streams that disappear are removed; the function is unchanged.
///
/// # Errors
/// A bug if the result breaks the graph's laws.
pub fn fuse(mut dataflow: Dataflow) -> Result<Dataflow> {
    let mut position = 0;
    while position < dataflow.nodes.len() {
        match fusible(&dataflow, position) {
            Some(producer) => join(&mut dataflow, producer, position)?,
            None => position += 1,
        }
    }
    drop_unused_streams(&mut dataflow);
    dataflow.verify("fuse")?;
    Ok(dataflow)
}

/// Position of the unit that the threshold at `position` can join.
fn fusible(dataflow: &Dataflow, position: usize) -> Option<usize> {
    let node = &dataflow.nodes[position];
    let Layer::Threshold(threshold) = &node.layer else {
        return None;
    };
    let stream = *node.inputs.first()?;
    let producer = dataflow
        .nodes
        .iter()
        .position(|n| n.outputs.contains(&stream))?;
    let alone = dataflow.consumers(stream).count() == 1;
    let fits = match &dataflow.nodes[producer].layer {
        Layer::Mvau(mvau) => mvau.activation.is_none() && fits(mvau.groups * mvau.rows, threshold),
        Layer::Vvau(vvau) => vvau.activation.is_none() && fits(vvau.sliding.channels, threshold),
        _ => false,
    };
    (alone && fits).then_some(producer)
}

/// Whether the thresholds are those of the unit's channels.
fn fits(channels: usize, threshold: &Threshold) -> bool {
    let rows = threshold.activation.rows;
    rows == 1 || rows == channels
}

fn join(dataflow: &mut Dataflow, producer: usize, position: usize) -> Result<()> {
    let threshold = dataflow.nodes.remove(position);
    let node = &mut dataflow.nodes[producer];
    let Layer::Threshold(layer) = threshold.layer else {
        return Err(Error::bug("fuse met a layer that it did not choose"));
    };
    match &mut node.layer {
        Layer::Mvau(mvau) => mvau.activation = Some(layer.activation),
        Layer::Vvau(vvau) => vvau.activation = Some(layer.activation),
        _ => return Err(Error::bug("fuse met a layer that it did not choose")),
    }
    node.tensors.thresholds = threshold.tensors.thresholds;
    node.tensors.flip = threshold.tensors.flip;
    node.outputs = threshold.outputs;
    Ok(())
}

/// Renumbers the streams that are still read or written.
fn drop_unused_streams(dataflow: &mut Dataflow) {
    let mut used = vec![false; dataflow.streams.len()];
    visit(dataflow, |id| used[id.0] = true);
    let mut next = 0;
    let renumbered: Vec<usize> = used
        .iter()
        .map(|used| {
            next += usize::from(*used);
            next.saturating_sub(1)
        })
        .collect();
    let mut keep = used.iter();
    dataflow
        .streams
        .retain(|_| keep.next().copied().unwrap_or(false));
    visit(dataflow, |id| id.0 = renumbered[id.0]);
}

fn visit(dataflow: &mut Dataflow, mut f: impl FnMut(&mut StreamId)) {
    dataflow
        .inputs
        .iter_mut()
        .for_each(|input| f(&mut input.stream));
    dataflow
        .outputs
        .iter_mut()
        .for_each(|output| f(&mut output.stream));
    for node in &mut dataflow.nodes {
        node.inputs
            .iter_mut()
            .chain(&mut node.outputs)
            .for_each(&mut f);
    }
}
