//! Truth: the integer network against the f64 reference (equal, or the build fails) and against tract in
//! f32 (differences are counted), on the user's inputs, as many as can be afforded.
//! Must not know simulations.

use super::frames;
use super::inputs::{INPUT, INPUTS_JOB, input_port};
use super::plan::compared;
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::network::Network;
use crate::reference::{levels, single};
use crate::stage::import::Blame;
use crate::stage::processor::instruction_set;
use crate::stage::prune::MODEL;
use crate::stage::quantize;
use crate::stage::record::{CONSTANTS, GRAPH, add_tensors, feed, json, of_inputs, read};
use crate::stage::{Artifacts, Inputs, Job, NETWORK, Outputs, model};

/// Job that compares with the f64 reference.
pub(in crate::stage) const LEVELS_JOB: &str = "levels";
/// What it writes.
pub(in crate::stage) const LEVELS: &str = "levels.json";
/// Job that compares with tract.
pub(in crate::stage) const SINGLE_JOB: &str = "f32";
/// What it writes.
pub(in crate::stage) const SINGLE: &str = "f32.json";

/// Where the imported graph stands among the inputs; the integer one has its own names.
const NETWORK_GRAPH: &str = "network/graph.json";

fn job(job: Job, integer: &Dataflow) -> Job {
    feed(job, "reorder", integer, true)
        .output_of(INPUT, "verify", INPUTS_JOB, INPUT)
        .output_of(NETWORK_GRAPH, "prune", NETWORK, GRAPH)
        .output_of(CONSTANTS, "prune", NETWORK, CONSTANTS)
        .shown_in("sim")
}

/// Both graphs, and the samples that are compared, in the order of the network's input tensor.
fn load(inputs: &Inputs) -> Result<(Network, Dataflow, Vec<Vec<i64>>)> {
    let network = Network::from_bytes(inputs.bytes(NETWORK_GRAPH)?, inputs.bytes(CONSTANTS)?)?;
    let mut dataflow = read(&of_inputs(inputs))?;
    add_tensors(&mut dataflow, &of_inputs(inputs))?;
    let order = dataflow.stream(dataflow.inputs[0].stream).order;
    let elements = frames::read(inputs.bytes(INPUT)?)?;
    let samples = elements.chunks_exact(input_port(&dataflow)?.elements().max(1));
    let count = compared(&dataflow, samples.len());
    let samples = samples
        .take(count)
        .map(|frame| order.to_tensor(frame))
        .collect();
    Ok((network, dataflow, samples))
}

/// The job that compares every level with the f64 reference.
pub(super) fn levels(integer: &Dataflow) -> Job {
    let compare = Job::compute(LEVELS_JOB, |inputs| {
        let (network, dataflow, samples) = load(inputs)?;
        let found = levels::compare(&network, &dataflow, &samples)?;
        match &found.first {
            None => Ok(Outputs::from([(LEVELS.to_owned(), json(&found)?)])),
            Some(first) => Err(Error::design(format!(
                "the integer network differs from the f64 reference first at sample {}, tensor `{}`, element {}: {}, not {}",
                first.sample, first.tensor, first.element, first.hardware, first.reference
            ))
            .help("this is a defect of finnp's streamlining: please report it with the model")),
        }
    });
    job(compare, integer)
}

/// The job that counts where tract in f32 rounds otherwise.
pub(super) fn single(manifest: &Manifest, integer: &Dataflow, done: &dyn Artifacts) -> Result<Job> {
    let blame = Blame::new(manifest);
    let compare = Job::compute(SINGLE_JOB, move |inputs| {
        let (network, dataflow, samples) = load(inputs)?;
        let found = single::compare(&model::whole(inputs)?, &network, &dataflow, &samples)
            .map_err(|error| blame.on(error))?;
        Ok(Outputs::from([(SINGLE.to_owned(), json(&found)?)]))
    })
    .line("instruction set", instruction_set());
    let wrote =
        |stage, model: &str| -> Result<bool> { Ok(done.list(stage, NETWORK)?.contains_key(model)) };
    let compare = if wrote("prune", MODEL)? {
        compare.output_of("model.onnx", "prune", NETWORK, MODEL)
    } else if wrote("quantize", quantize::MODEL)? {
        compare.output_of("model.onnx", "quantize", NETWORK, quantize::MODEL)
    } else {
        model::reads(compare, manifest)?
    };
    Ok(job(compare, integer))
}
