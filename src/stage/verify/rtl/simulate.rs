//! Runs of the programs: words that go in, words that come out, and when.
//! Must not know how programs are compiled.

use super::compile::{NETWORK_JOB, PROGRAM, program_job};
use crate::backend::hls::{Ends, numbered};
use crate::backend::rtl::memory_files;
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::{Layer, Port};
use crate::stage::generate::rtl::memory_job;
use crate::stage::verify::frames;
use crate::stage::verify::simulation::Simulation;
use crate::stage::verify::trace::{NETWORK_INPUT, TRACE_JOB};
use crate::stage::{Command, Job, Outputs, Program};

/// Job that simulates the network.
pub(super) const NETWORK_RUN: &str = "rtl simulate the network";
/// Job that packs what it is fed.
const NETWORK_WORDS: &str = "words of the network";

/// Cycles without a word that any module may take.
const PATIENCE: u64 = 1 << 20;

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

/// Cycles without a word after which nothing will come any more, for modules of these layers: where the last words of
/// a frame have entered, each layer in turn may still take a whole frame's time.
fn patience<'a>(layers: impl Iterator<Item = &'a Layer>) -> u64 {
    let cycles: u64 = layers.map(|layer| layer.hardware().cycles()).sum();
    PATIENCE + 2 * cycles
}

/// The run of a program that `compiled` built on the words that `packed` made.
fn run(
    name: String,
    compiled: String,
    packed: &str,
    [inputs, copies, ahead]: [usize; 3],
    patience: u64,
) -> Job {
    let fed = numbered("in", inputs).into_iter();
    let fed: Vec<String> = fed.map(|name| format!("{name}.bin")).collect();
    let written = written(copies);
    let words = written.iter().map(|[words, _]| words.clone());
    let options = [
        ("--ahead", ahead.to_string()),
        ("--patience", patience.to_string()),
    ];
    let args = options
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value]);
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
    let sides = [
        streams.len(),
        hardware.copies(),
        hardware.schedule().ahead(),
    ];
    let run = run(
        layer_job(&node.name),
        program_job(&node.name),
        &packing,
        sides,
        patience(std::iter::once(&simulation.layer)),
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
    let eager = folded.nodes.iter().map(|node| node.layer.hardware());
    let eager = eager.filter(|layer| layer.schedule().ahead() > 0).count();
    let ahead = if eager > 0 { output.words() } else { 0 };
    let packing = words(
        NETWORK_WORDS.to_owned(),
        &[(NETWORK_INPUT.to_owned(), input)],
    );
    let mut run = run(
        NETWORK_RUN.to_owned(),
        NETWORK_JOB.to_owned(),
        NETWORK_WORDS,
        [1, 1, ahead],
        patience(folded.nodes.iter().map(|node| &node.layer)),
    );
    for node in &folded.nodes {
        run = memories(run, node, &format!("memories/{}/", node.name))?;
    }
    Ok([packing.shown_in(SHOWN), run.shown_in(SHOWN)])
}
