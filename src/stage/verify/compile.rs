//! Compilation of the generated C++: one object per shape, one program per shape, one for the network.
//! Must not know what is simulated.

use std::sync::Arc;

use crate::backend::hls::{LIBRARY, identifiers, include_flags, main_source};
use crate::dataflow::{Dataflow, Node};
use crate::stage::generate::{LIBRARY_JOB, TOP_JOB, has_memories, source_job};
use crate::stage::{Command, Input, Job, Program};

/// Program that simulates one layer.
pub(super) const SIMULATE: &str = "simulate";
/// Program that simulates the network.
pub(super) const NETWORK_PROGRAM: &str = "network";
/// Object of a shape.
const OBJECT: &str = "shape.o";

/// Job that compiles the shape of a layer.
fn object_job(layer: &str) -> String {
    format!("compile {layer}")
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

/// The jobs that compile a layer's shape and link its program. Equal shapes are equal jobs.
pub(super) fn layer(node: &Node, tag: &str) -> [Job; 2] {
    let mut args = flags();
    args.extend([
        "-c".to_owned(),
        format!("shapes/{tag}.cpp"),
        "-o".to_owned(),
        OBJECT.to_owned(),
    ]);
    let object = compiling(object_job(&node.name), args, OBJECT);
    let args = ["main.cpp", OBJECT, "-o", SIMULATE].map(str::to_owned);
    let program = compiling(program_job(&node.name), args.to_vec(), SIMULATE);
    [
        shape_files(with_library(object), node, tag, &["hpp", "cpp"]),
        program
            .input("main.cpp", bytes(&main_source(tag)))
            .output_of(OBJECT, "verify", object_job(&node.name), OBJECT),
    ]
}

fn shape_files(mut job: Job, node: &Node, tag: &str, endings: &[&str]) -> Job {
    for ending in endings {
        let file = format!("{tag}.{ending}");
        job = job.output_of(
            format!("shapes/{file}"),
            "generate",
            source_job(&node.name),
            file,
        );
    }
    job
}

/// The job that builds the network's program: all text that names layers is one translation unit, and
/// the objects of the shapes are joined to it.
pub(super) fn network(dataflow: &Dataflow, tags: &[String]) -> Job {
    let functions = identifiers(dataflow.nodes.iter().map(|node| node.name.as_str()));
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
    for (node, tag) in dataflow.nodes.iter().zip(tags) {
        distinct.entry(tag).or_insert(node);
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
    for (tag, node) in distinct {
        job = shape_files(job, node, tag, &["hpp"]);
        job = job.output_of(
            format!("objects/{tag}.o"),
            "verify",
            object_job(&node.name),
            OBJECT,
        );
    }
    job
}
