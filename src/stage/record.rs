//! Graphs as artifacts: one record per layer without its name, weights beside it, and a small wiring.
//! Must not know which stage reads or writes them.

use std::sync::Arc;

use super::{Artifacts, Inputs, Job, NETWORK, OutputRef, Outputs};
use crate::dataflow::{Dataflow, read_tensors, write_tensors};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::network::Network;

/// Stages that leave a network in real numbers, which an ONNX file can hold.
pub const NETWORKS: &[&str] = &["import", "quantize", "prune"];

/// The wiring.
pub(super) const GRAPH: &str = "graph.json";

/// Constants of a network in real numbers, beside its graph.
pub(super) const CONSTANTS: &str = "constants.safetensors";

/// File of a layer's record.
pub(super) fn layer_file(name: &str) -> String {
    format!("layers/{name}/layer.json")
}

/// File of a layer's weights and thresholds.
pub(super) fn tensor_file(name: &str) -> String {
    format!("layers/{name}/tensors.safetensors")
}

/// Wiring and records; with `tensors` also what layers hold.
pub(super) fn write(dataflow: &Dataflow, tensors: bool) -> Result<Outputs> {
    let mut outputs = Outputs::from([(GRAPH.to_owned(), json(dataflow)?)]);
    for node in &dataflow.nodes {
        outputs.insert(layer_file(&node.name), json(&node.layer)?);
        if tensors {
            outputs.insert(tensor_file(&node.name), write_tensors(&node.tensors)?);
        }
    }
    Ok(outputs)
}

/// Readable JSON that ends in a line break.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|cause| Error::bug(cause.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// Reads what [`json`] wrote.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|cause| Error::bug(format!("a record cannot be read: {cause}")))
}

/// Wiring and records, without weights.
pub(super) fn read(bytes: &dyn Fn(&str) -> Result<Arc<[u8]>>) -> Result<Dataflow> {
    let mut dataflow: Dataflow = from_json(&bytes(GRAPH)?)?;
    for node in &mut dataflow.nodes {
        node.layer = from_json::<Layer>(&bytes(&layer_file(&node.name))?)?;
    }
    Ok(dataflow)
}

/// Weights and thresholds of all layers.
pub(super) fn add_tensors(
    dataflow: &mut Dataflow,
    bytes: &dyn Fn(&str) -> Result<Arc<[u8]>>,
) -> Result<()> {
    for node in &mut dataflow.nodes {
        node.tensors = read_tensors(&bytes(&tensor_file(&node.name))?)?;
    }
    Ok(())
}

/// Reader of the graph that `stage` made.
pub(super) fn of_stage<'a>(
    done: &'a dyn Artifacts,
    stage: &'static str,
) -> impl Fn(&str) -> Result<Arc<[u8]>> + 'a {
    move |output| {
        done.read(&OutputRef {
            stage,
            job: NETWORK.into(),
            output: output.into(),
        })
    }
}

/// Reader of a graph among the inputs of a job.
pub(super) fn of_inputs(inputs: &Inputs) -> impl Fn(&str) -> Result<Arc<[u8]>> + '_ {
    |name| inputs.bytes(name).map(Arc::from)
}

/// Adds the graph that `stage` made, as far as `dataflow` names it, to the inputs of `job`.
pub(super) fn feed(mut job: Job, stage: &'static str, dataflow: &Dataflow, tensors: bool) -> Job {
    job = job.output_of(GRAPH, stage, NETWORK, GRAPH);
    for node in &dataflow.nodes {
        let record = layer_file(&node.name);
        job = job.output_of(record.clone(), stage, NETWORK, record);
        if tensors {
            let tensors = tensor_file(&node.name);
            job = job.output_of(tensors.clone(), stage, NETWORK, tensors);
        }
    }
    job
}

/// The folded network, without weights.
///
/// # Errors
/// A bug if the stage has not run; errors of the cache.
pub fn folded(done: &dyn Artifacts) -> Result<Dataflow> {
    read(&of_stage(done, "fold"))
}

/// The integer network before it is folded, without weights, in the order in which it is built.
///
/// # Errors
/// A bug if the stage has not run; errors of the cache.
pub fn unfolded(done: &dyn Artifacts) -> Result<Dataflow> {
    read(&of_stage(done, "reorder"))
}

/// The integer network with its weights, in the order in which it is built.
///
/// # Errors
/// A bug if the stage has not run; errors of the cache.
pub fn dataflow(done: &dyn Artifacts) -> Result<Dataflow> {
    let bytes = of_stage(done, "reorder");
    let mut dataflow = read(&bytes)?;
    add_tensors(&mut dataflow, &bytes)?;
    Ok(dataflow)
}

/// The network in real numbers as `stage`, one of [`NETWORKS`], leaves it.
///
/// # Errors
/// A bug if the stage has not run; errors of the cache.
pub fn network(done: &dyn Artifacts, stage: &'static str) -> Result<Network> {
    let bytes = of_stage(done, stage);
    Network::from_bytes(&bytes(GRAPH)?, &bytes(CONSTANTS)?)
}
