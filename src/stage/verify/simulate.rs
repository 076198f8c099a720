//! Simulation of every layer on its own recorded input, and of the whole network.
//! Must not know how programs are compiled.

use std::sync::Arc;

use super::compile::{NETWORK_JOB, NETWORK_PROGRAM, SIMULATE, program_job};
use super::simulation::Simulation;
use super::trace::{NETWORK_INPUT, TRACE_JOB};
use crate::backend::hls::{memory_files, numbered};
use crate::dataflow::{Dataflow, Node};
use crate::stage::generate::memory_job;
use crate::stage::{Command, Input, Job, Program};

/// What a simulation writes.
pub(super) const OUTPUT: &str = "output.npy";
/// Cycles that a layer took for the first frame, and for each after it.
pub(super) const CYCLES: &str = "cycles.json";
/// Job that simulates the network.
pub(super) const NETWORK_RUN: &str = "simulate the network";

/// Job that simulates a layer.
pub(super) fn layer_job(layer: &str) -> String {
    format!("simulate {layer}")
}

/// File of a layer's stream, as recorded inside the network.
pub(super) fn tap_file(layer: &str) -> String {
    format!("taps/{layer}.npy")
}

/// Memories of a layer as files in `folder`.
fn memories(mut job: Job, node: &Node, folder: &str) -> Job {
    for file in memory_files(&node.layer) {
        job = job.output_of(
            format!("{folder}{file}"),
            "generate",
            memory_job(&node.name),
            file,
        );
    }
    job
}

/// The job that simulates a layer alone.
pub(super) fn layer(node: &Node, simulation: &Simulation) -> Job {
    let inputs = numbered("input", simulation.fed.len()).into_iter();
    let inputs: Vec<String> = inputs.map(|input| format!("{input}.npy")).collect();
    let mut args = vec![".".to_owned()];
    args.extend(inputs.iter().cloned());
    args.extend([OUTPUT, CYCLES].map(str::to_owned));
    let mut job = Job::run(
        layer_job(&node.name),
        Command {
            program: Program::Input(SIMULATE.to_owned()),
            args,
            outputs: [OUTPUT, CYCLES].map(str::to_owned).to_vec(),
        },
    )
    .output_of(SIMULATE, "verify", program_job(&node.name), SIMULATE);
    for (input, file) in inputs.into_iter().zip(&simulation.fed) {
        job = job.output_of(input, "verify", TRACE_JOB, file.clone());
    }
    memories(job, node, "")
}

/// The job that simulates the whole network and records every stream inside it.
pub(super) fn network(dataflow: &Dataflow) -> Job {
    let taps = dataflow.nodes.iter().map(|node| tap_file(&node.name));
    let mut job = Job::run(
        NETWORK_RUN,
        Command {
            program: Program::Input(NETWORK_PROGRAM.to_owned()),
            args: ["memories", "input.npy", OUTPUT, "taps"]
                .map(str::to_owned)
                .to_vec(),
            outputs: std::iter::once(OUTPUT.to_owned()).chain(taps).collect(),
        },
    )
    .output_of(NETWORK_PROGRAM, "verify", NETWORK_JOB, NETWORK_PROGRAM)
    .output_of("input.npy", "verify", TRACE_JOB, NETWORK_INPUT)
    // The folder must exist before the program starts.
    .input("taps/folder", Input::Bytes(Arc::from(&b""[..])));
    for node in &dataflow.nodes {
        job = memories(job, node, &format!("memories/{}/", node.name));
    }
    job.shown_in("sim")
}
