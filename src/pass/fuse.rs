//! Fuse: an activation that alone reads the accumulators of an MVAU moves into it.
//! Must not know where thresholds come from.

use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Layer, Mvau, Threshold};

/// Moves every threshold layer that directly follows an MVAU into the MVAU, which keeps its name.
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

/// Position of the MVAU that the threshold at `position` can join.
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
    match &dataflow.nodes[producer].layer {
        Layer::Mvau(mvau) if alone && fits(mvau, threshold) => Some(producer),
        _ => None,
    }
}

fn fits(mvau: &Mvau, threshold: &Threshold) -> bool {
    let rows = threshold.activation.rows;
    mvau.activation.is_none() && (rows == 1 || rows == mvau.rows)
}

fn join(dataflow: &mut Dataflow, producer: usize, position: usize) -> Result<()> {
    let threshold = dataflow.nodes.remove(position);
    let node = &mut dataflow.nodes[producer];
    match (&mut node.layer, threshold.layer) {
        (Layer::Mvau(mvau), Layer::Threshold(layer)) => mvau.activation = Some(layer.activation),
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
