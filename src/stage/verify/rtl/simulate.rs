//! Runs of the programs: words that go in, words that come out, and when.
//! Must not know how programs are compiled.

use super::compile::{NETWORK_JOB, PROGRAM, program_job};
use crate::backend::hls::{Ends, numbered};
use crate::backend::rtl::memory_files;
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::Port;
use crate::stage::generate::rtl::memory_job;
use crate::stage::verify::frames;
use crate::stage::verify::simulation::Simulation;
use crate::stage::verify::trace::{NETWORK_INPUT, TRACE_JOB};
use crate::stage::{Command, Job, Outputs, Program};

/// Job that simulates the network.
pub(super) const NETWORK_RUN: &str = "rtl simulate the network";
/// Job that packs what it is fed.
const NETWORK_WORDS: &str = "words of the network";

/// Where what enters and leaves the network is shown.
const SHOWN: &str = "sim/rtl";

/// Job that simulates a layer.
pub(super) fn layer_job(layer: &str) -> String {
    format!("rtl simulate {layer}")
}

/// Files that a simulation writes for each stream: its words, and the cycle in which each of them left.
pub(super) fn written(copies: usize) -> Vec<[String; 2]> {
    let names = numbered("out", copies).into_iter();
    names
        .map(|name| [format!("{name}.bin"), format!("{name}.bin.cycles")])
        .collect()
}

/// A job that packs recorded frames as words: of each stream the file, and how its words are made.
fn words(name: String, streams: &[(String, Port)]) -> Job {
    let ports: Vec<Port> = streams.iter().map(|(_, port)| *port).collect();
    let names = numbered("in", streams.len());
    let packed = names.clone();
    let mut job = Job::compute(name, move |inputs| {
        let mut outputs = Outputs::new();
        for (name, port) in packed.iter().zip(&ports) {
            let elements = frames::read(inputs.bytes(&format!("{name}.npy"))?)?;
            outputs.insert(format!("{name}.bin"), port.words_of(&elements));
        }
        Ok(outputs)
    });
    for (name, (file, port)) in names.iter().zip(streams) {
        job = job.line(name.clone(), format!("{port:?}")).output_of(
            format!("{name}.npy"),
            "verify",
            TRACE_JOB,
            file.clone(),
        );
    }
    job
}

/// Cycles without a word at either end after which a simulation is given up, at least.
const PATIENCE: u64 = 1_000_000;

/// How a program is run.
struct How {
    /// Streams that it reads, and that it writes.
    inputs: usize,
    copies: usize,
    /// Words of a next frame that may follow.
    ahead: usize,
    /// Cycles that a frame takes at most, one layer after the other.
    cycles: u64,
}

/// The run of a program that `compiled` built on the words that `packed` made.
fn run(name: String, compiled: String, packed: &str, how: &How) -> Job {
    let How {
        inputs,
        copies,
        ahead,
        cycles,
    } = *how;
    let fed = numbered("in", inputs).into_iter();
    let fed: Vec<String> = fed.map(|name| format!("{name}.bin")).collect();
    let written = written(copies);
    let words = written.iter().map(|[words, _]| words.clone());
    let patience = PATIENCE.max(2 * cycles);
    let args = [("--ahead", ahead as u64), ("--patience", patience)];
    let args = args
        .iter()
        .flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]);
    let mut job = Job::run(
        name,
        Command {
            program: Program::Input(PROGRAM.to_owned()),
            args: args.chain(fed.iter().cloned()).chain(words).collect(),
            outputs: written.concat(),
        },
    )
    .output_of(PROGRAM, "verify", compiled, PROGRAM);
    for file in fed {
        job = job.output_of(file.clone(), "verify", packed, file);
    }
    job
}

/// Adds the memories of a layer, in `folder`.
fn memories(mut job: Job, node: &Node, folder: &str) -> Result<Job> {
    for file in memory_files(&node.layer) {
        let path = format!("{folder}{file}");
        job = job.output_of(path, "generate", memory_job(&node.name), file);
    }
    Ok(job)
}

/// The jobs that simulate a layer alone.
///
/// # Errors
/// As [`super::jobs`].
pub(super) fn layer(node: &Node, simulation: &Simulation) -> Result<[Job; 2]> {
    let hardware = simulation.layer.hardware();
    let ports = hardware.inputs();
    let streams: Vec<(String, Port)> = simulation.fed.iter().cloned().zip(ports).collect();
    let packing = format!("words of {}", node.name);
    let how = How {
        inputs: streams.len(),
        copies: hardware.copies(),
        ahead: hardware.schedule().ahead(),
        cycles: hardware.cycles(),
    };
    let run = run(
        layer_job(&node.name),
        program_job(&node.name),
        &packing,
        &how,
    );
    Ok([words(packing, &streams), memories(run, node, "")?])
}

/// The jobs that simulate the whole network.
///
/// # Errors
/// As [`super::jobs`].
pub(super) fn network(folded: &Dataflow) -> Result<[Job; 2]> {
    let Ends { input, output } = Ends::of(folded)?;
    // Where a layer makes words of nothing, the network may.
    let layers = || folded.nodes.iter().map(|node| node.layer.hardware());
    let eager = layers()
        .filter(|layer| layer.schedule().ahead() > 0)
        .count();
    let ahead = if eager > 0 { output.words() } else { 0 };
    let packing = words(
        NETWORK_WORDS.to_owned(),
        &[(NETWORK_INPUT.to_owned(), input)],
    );
    let mut run = run(
        NETWORK_RUN.to_owned(),
        NETWORK_JOB.to_owned(),
        NETWORK_WORDS,
        &How {
            inputs: 1,
            copies: 1,
            ahead,
            cycles: layers().map(|layer| layer.cycles()).sum(),
        },
    );
    for node in &folded.nodes {
        run = memories(run, node, &format!("memories/{}/", node.name))?;
    }
    Ok([packing.shown_in(SHOWN), run.shown_in(SHOWN)])
}
