//! Compilation of the generated C++: one object per shape, one program per shape, one for the network. A layer that
//! is simulated in part is another shape there.
//! Must not know what is simulated.

use std::sync::Arc;

use super::simulation::{Simulation, part_of};
use crate::backend::hls::{
    LIBRARY, identifiers, include_flags, main_source, shape_sources, tag as tag_of,
};
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::Layer;
use crate::stage::generate::{LIBRARY_JOB, TOP_JOB, has_memories, source_job};
use crate::stage::record::{from_json, layer_file};
use crate::stage::{Command, Input, Job, NETWORK, Outputs, Program};

/// Program that simulates one layer.
pub(super) const SIMULATE: &str = "simulate";
/// Program that simulates the network.
pub(super) const NETWORK_PROGRAM: &str = "network";
/// Object of a shape.
const OBJECT: &str = "shape.o";

/// Job that compiles the shape of a layer as it is simulated alone.
fn object_job(layer: &str) -> String {
    format!("compile {layer}")
}

/// Job that compiles the shape of a whole layer, of which only a part is simulated alone.
fn whole_job(layer: &str) -> String {
    format!("compile {layer} as a whole")
}

/// Job that compiles the shape that the network needs.
fn network_object(node: &Node, simulation: &Simulation) -> String {
    match simulation.asked {
        Some(_) => whole_job(&node.name),
        None => object_job(&node.name),
    }
}

/// Job that links the program of a layer.
pub(super) fn program_job(layer: &str) -> String {
    format!("link {layer}")
}

/// Job that builds the program of the network.
pub(super) const NETWORK_JOB: &str = "compile the network";

/// Optimisation 1 simulates as fast as 2 and compiles faster.
fn flags() -> Vec<String> {
    let fixed = ["-std=c++17", "-O1", "-Wno-unknown-pragmas", "-I."];
    fixed
        .into_iter()
        .map(str::to_owned)
        .chain(include_flags())
        .collect()
}

/// A run of the compiler that leaves one file.
fn compiling(name: impl Into<String>, args: Vec<String>, output: &str) -> Job {
    let outputs = vec![output.to_owned()];
    Job::run(
        name,
        Command {
            program: Program::Tool("c++"),
            args,
            outputs,
        },
    )
}

fn with_library(mut job: Job) -> Job {
    for (path, _) in LIBRARY {
        job = job.output_of(format!("library/{path}"), "generate", LIBRARY_JOB, *path);
    }
    job
}

fn bytes(text: &str) -> Input {
    Input::Bytes(Arc::from(text.as_bytes()))
}

/// The jobs that compile the shape of a layer as it is simulated alone, and link its program. Equal shapes are
/// equal jobs.
///
/// # Errors
/// A bug if the layer's record cannot be written.
pub(super) fn layer(node: &Node, simulation: &Simulation) -> Result<Vec<Job>> {
    let tag = tag_of(&simulation.layer)?;
    let (mut jobs, stage) = match simulation.asked {
        Some(asked) => (vec![source(node, asked)], "verify"),
        None => (Vec::new(), "generate"),
    };
    jobs.push(object(object_job(&node.name), node, &tag, stage));
    let args = ["main.cpp", OBJECT, "-o", SIMULATE].map(str::to_owned);
    let program = compiling(program_job(&node.name), args.to_vec(), SIMULATE);
    jobs.push(
        program
            .input("main.cpp", bytes(&main_source(&tag)))
            .output_of(OBJECT, "verify", object_job(&node.name), OBJECT),
    );
    Ok(jobs)
}

/// The job that writes the source of the part of a layer that is simulated.
fn source(node: &Node, asked: usize) -> Job {
    Job::compute(source_job(&node.name), move |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let files = shape_sources(&part_of(&layer, asked)?)?.into_iter();
        let files = files.map(|(name, text)| (name, text.into_bytes()));
        Ok(Outputs::from_iter(files))
    })
    .line("part", asked.to_string())
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
}

/// The job that compiles a shape whose source `stage` wrote.
fn object(name: String, node: &Node, tag: &str, stage: &'static str) -> Job {
    let mut args = flags();
    args.extend([
        "-c".to_owned(),
        format!("shapes/{tag}.cpp"),
        "-o".to_owned(),
        OBJECT.to_owned(),
    ]);
    let object = with_library(compiling(name, args, OBJECT));
    shape_files(object, node, tag, stage, &["hpp", "cpp"])
}

/// The jobs that compile the shapes of whole layers for the network, as far as they are not simulated so alone.
pub(super) fn whole(node: &Node, simulation: &Simulation, tag: &str) -> Option<Job> {
    let job = || object(whole_job(&node.name), node, tag, "generate");
    simulation.asked.map(|_| job())
}

fn shape_files(mut job: Job, node: &Node, tag: &str, stage: &'static str, endings: &[&str]) -> Job {
    for ending in endings {
        let file = format!("{tag}.{ending}");
        job = job.output_of(
            format!("shapes/{file}"),
            stage,
            source_job(&node.name),
            file,
        );
    }
    job
}

/// The job that builds the network's program: all text that names layers is one translation unit, and
/// the objects of the shapes are joined to it.
pub(super) fn network(dataflow: &Dataflow, simulations: &[Simulation], tags: &[String]) -> Job {
    let functions = identifiers(&dataflow.nodes);
    let mut sources = vec![
        "top.hpp".to_owned(),
        "top.cpp".to_owned(),
        "testbench.cpp".to_owned(),
    ];
    let with_memories = dataflow
        .nodes
        .iter()
        .zip(functions)
        .filter(|(node, _)| has_memories(&node.layer));
    sources.extend(
        with_memories.map(|(node, function)| format!("layers/{}/{function}.cpp", node.name)),
    );
    let unit: String = sources[1..]
        .iter()
        .map(|file| format!("#include \"{file}\"\n"))
        .collect();
    let mut distinct = std::collections::BTreeMap::new();
    for ((node, simulation), tag) in dataflow.nodes.iter().zip(simulations).zip(tags) {
        distinct.entry(tag).or_insert((node, simulation));
    }
    let mut args = flags();
    args.push("all.cpp".to_owned());
    args.extend(distinct.keys().map(|tag| format!("objects/{tag}.o")));
    args.extend(["-o".to_owned(), NETWORK_PROGRAM.to_owned()]);
    let mut job =
        with_library(compiling(NETWORK_JOB, args, NETWORK_PROGRAM)).input("all.cpp", bytes(&unit));
    for source in sources {
        job = job.output_of(source.clone(), "generate", TOP_JOB, source);
    }
    for (tag, (node, simulation)) in distinct {
        job = shape_files(job, node, tag, "generate", &["hpp"]);
        job = job.output_of(
            format!("objects/{tag}.o"),
            "verify",
            network_object(node, simulation),
            OBJECT,
        );
    }
    job
}
