//! Programs that Verilator makes of modules: one for each shape, one for the network.
//! Must not know what they are fed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::hls::{numbered, tag};
use crate::backend::rtl::{self, BENCH, CORE_DEPTH, LIBRARY, bench_source, top_name};
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::Layer;
use crate::stage::generate::rtl::{LIBRARY_JOB, TESTBENCH, TOP_JOB, source_job, written};
use crate::stage::record::{from_json, layer_file};
use crate::stage::verify::simulation::{Simulation, part_of};
use crate::stage::{Command, Input, Job, NETWORK, Outputs, Program};

/// Program that simulates a module.
pub(super) const PROGRAM: &str = "objects/simulate";
/// Job that builds the program of the network.
pub(super) const NETWORK_JOB: &str = "verilate the network";
/// Job that compiles Verilator's own part of every program.
const RUNTIME_JOB: &str = "verilator runtime";
/// What it leaves behind, which every other program is linked with.
const RUNTIME: [&str; 2] = ["objects/verilated.o", "objects/verilated_threads.o"];

/// What compilers do with Verilator's sources: of a module with hundreds of products any more takes minutes, and what
/// runs once needs nothing.
const EFFORT: &str = "OPT_FAST=-Og OPT_SLOW=-O0 OPT_GLOBAL=-O1";

/// What is there already stays, though the makefile is newer.
const SHARED: &str = "--old-file=verilated.o --old-file=verilated_threads.o";

/// The program's own source.
const MAIN: &str = "main.cpp";

/// Job that builds the program of a layer.
pub(super) fn program_job(layer: &str) -> String {
    format!("verilate {layer}")
}

/// Its name.
const EMPTY_TOP: &str = "empty";
/// A module that shows Verilator's own part, and nothing else.
const EMPTY: &str = "module empty (input wire clk);\n    wire unused = clk;\nendmodule\n";
/// The program around it.
const EMPTY_MAIN: &str = "#include \"Vdut.h\"\nint main() { Vdut dut; dut.eval(); return 0; }\n";

fn bytes(text: &str) -> Input {
    Input::Bytes(Arc::from(text.as_bytes()))
}

/// A run of Verilator that compiles the module `top`, and the arguments behind it.
fn verilating(name: impl Into<String>, top: &str, more: Vec<String>, outputs: &[&str]) -> Job {
    let shared = if top == EMPTY_TOP { "" } else { SHARED };
    let make = format!("{EFFORT} {shared}");
    let fixed = [
        "--cc",
        "--exe",
        "--build",
        "-O3",
        "--x-assign",
        "fast",
        "--x-initial",
        "fast",
        "--no-assert",
        // Many thresholds and wide words are long loops.
        "--unroll-count",
        "65536",
        "--unroll-stmts",
        "1000000",
        "--prefix",
        "Vdut",
        "--Mdir",
        "objects",
        "-o",
        "simulate",
        "-CFLAGS",
        "-std=c++17 -I..",
        "-MAKEFLAGS",
        make.trim_end(),
        "-y",
        "library",
        "-y",
        "shapes",
        "--top-module",
        top,
    ];
    let args = fixed.iter().map(|arg| (*arg).to_owned()).chain(more);
    Job::run(
        name,
        Command {
            program: Program::Tool("verilator"),
            args: args.collect(),
            outputs: outputs.iter().map(|file| (*file).to_owned()).collect(),
        },
    )
}

/// The job that compiles what all programs share.
pub(super) fn runtime() -> Job {
    let outputs = ["objects/simulate", RUNTIME[0], RUNTIME[1]];
    let files = [MAIN, "empty.sv"].map(str::to_owned).to_vec();
    verilating(RUNTIME_JOB, EMPTY_TOP, files, &outputs)
        .input("empty.sv", bytes(EMPTY))
        .input(MAIN, bytes(EMPTY_MAIN))
        .input("library/folder", bytes(""))
        .input("shapes/folder", bytes(""))
}

/// Adds the library and what all programs share.
fn with_library(mut job: Job) -> Job {
    for (file, _) in LIBRARY {
        job = job.output_of(format!("library/{file}"), "generate", LIBRARY_JOB, *file);
    }
    for file in RUNTIME {
        job = job.output_of(file, "verify", RUNTIME_JOB, file);
    }
    job
}

/// The jobs that compile the module of a layer as it is simulated alone.
///
/// # Errors
/// As [`super::jobs`].
pub(super) fn layer(node: &Node, simulation: &Simulation) -> Result<Vec<Job>> {
    let tag = tag(&simulation.layer)?;
    let (mut jobs, stage) = match simulation.asked {
        Some(asked) => (vec![source(node, asked)], "verify"),
        None => (Vec::new(), "generate"),
    };
    let depths = numbered("DEPTH", simulation.layer.hardware().copies()).into_iter();
    let mut more: Vec<String> = depths
        .map(|name| format!("-G{name}={CORE_DEPTH}"))
        .collect();
    more.extend([MAIN.to_owned(), format!("shapes/{tag}.sv")]);
    let program = verilating(program_job(&node.name), &tag, more, &[PROGRAM]);
    let main = bench_source(&simulation.layer)?;
    let file = format!("{tag}.sv");
    jobs.push(
        with_library(program)
            .input(MAIN, bytes(&main))
            .input(BENCH.0, bytes(BENCH.1))
            .output_of(
                format!("shapes/{file}"),
                stage,
                source_job(&node.name),
                file,
            ),
    );
    Ok(jobs)
}

/// The job that writes the module of the part of a layer that is simulated.
fn source(node: &Node, asked: usize) -> Job {
    written(source_job(&node.name), move |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let (file, text) = rtl::shape_source(&part_of(&layer, asked)?)?;
        Ok(Outputs::from([(file, text.into_bytes())]))
    })
    .line("part", asked.to_string())
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
}

/// The job that compiles the whole network.
///
/// # Errors
/// As [`super::jobs`].
pub(super) fn network(folded: &Dataflow, project: &str) -> Result<Job> {
    let top = top_name(project);
    let file = format!("{top}.sv");
    let files = vec![TESTBENCH.to_owned(), file.clone()];
    let mut job = with_library(verilating(NETWORK_JOB, &top, files, &[PROGRAM]));
    for file in [&file, TESTBENCH, BENCH.0] {
        job = job.output_of(file, "generate", TOP_JOB, file);
    }
    let mut shapes = BTreeMap::new();
    for node in &folded.nodes {
        shapes.entry(tag(&node.layer)?).or_insert(&node.name);
    }
    for (tag, name) in shapes {
        let file = format!("{tag}.sv");
        job = job.output_of(format!("shapes/{file}"), "generate", source_job(name), file);
    }
    Ok(job)
}
