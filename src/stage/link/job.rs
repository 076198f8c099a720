//! The jobs of the tools: C++ becomes cores, cores and sources become an implemented network.
//! Must not know what reports say.

use std::collections::BTreeMap;

use super::VIVADO;
use crate::backend::hls::{self, archive, ip_name};
use crate::backend::rtl;
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::package::{CHECKPOINT, CONSTRAINTS, TIMING, UTILISATION};
use crate::stage::generate::{self, has_memories, memory_job, rtl as generate_rtl, source_job};
use crate::stage::language::Languages;
use crate::stage::package::{core_jobs, whole_job};
use crate::stage::{Artifacts, Command, Job, Program};

/// Job that turns the C++ of the network into an IP.
const SYNTHESIS_JOB: &str = "synthesise the network";
/// Job that implements the network.
pub(super) const IMPLEMENTATION_JOB: &str = "implement the network";
/// Script that synthesises C++.
const SCRIPT: &str = "vitis_hls.tcl";

/// The tool for C++, with what it needs to run a script.
#[derive(Debug, Clone, Copy)]
pub(super) struct Synthesiser {
    pub(super) program: &'static str,
    pub(super) lead: &'static [&'static str],
}

impl Synthesiser {
    /// A job that runs `script`, which leaves `left`.
    fn job(self, name: impl Into<String>, script: String, left: String) -> Job {
        let lead = self.lead.iter().map(|&arg| arg.to_owned());
        let command = Command {
            program: Program::Tool(self.program),
            args: lead.chain([script]).collect(),
            outputs: vec![left],
        };
        Job::run(name, command).shown_in("link")
    }
}

/// The job that places and routes the network by a script, given with its arguments.
fn implementation(script: &[&str]) -> Job {
    let (script, arguments) = script.split_first().unwrap_or((&"", &[]));
    let lead = "-mode batch -nolog -nojournal -notrace -source";
    let mut args: Vec<&str> = lead.split(' ').chain([*script]).collect();
    if !arguments.is_empty() {
        args.push("-tclargs");
        args.extend(arguments);
    }
    let outputs = [UTILISATION, TIMING, CHECKPOINT];
    let command = Command {
        program: Program::Tool(VIVADO),
        args: args.into_iter().map(str::to_owned).collect(),
        outputs: outputs.map(str::to_owned).to_vec(),
    };
    Job::run(IMPLEMENTATION_JOB, command).shown_in("link")
}

/// A network in C++: one IP, which is implemented.
///
/// # Errors
/// Errors of the cache.
pub(super) fn of_cpp(
    dataflow: &Dataflow,
    project: &str,
    tool: Synthesiser,
    done: &dyn Artifacts,
) -> Result<Vec<Job>> {
    let name = ip_name(project);
    let mut synthesis = tool.job(SYNTHESIS_JOB, SCRIPT.to_owned(), archive(&name));
    for file in done.list("generate", generate::TOP_JOB)?.into_keys() {
        synthesis = synthesis.output_of(file.clone(), "generate", generate::TOP_JOB, file);
    }
    synthesis = with_library(synthesis, "");
    for node in &dataflow.nodes {
        synthesis = with_shape(synthesis, node, "", done)?;
        if has_memories(&node.layer) {
            let folder = format!("layers/{}", node.name);
            synthesis = with_files(
                synthesis,
                &folder,
                "generate",
                &memory_job(&node.name),
                done,
            )?;
        }
    }
    let mut job = implementation(&["synth.tcl", "network.zip", "route"]).output_of(
        "network.zip",
        "link",
        SYNTHESIS_JOB,
        archive(&name),
    );
    for file in ["synth.tcl", CONSTRAINTS] {
        job = job.output_of(file, "package", whole_job(), file);
    }
    Ok(vec![synthesis, job])
}

/// A network in SystemVerilog: its sources are implemented.
///
/// # Errors
/// Errors of the cache.
pub(super) fn of_rtl(dataflow: &Dataflow, done: &dyn Artifacts) -> Result<Vec<Job>> {
    let job = implementation(&["ip/synth.tcl", "route"]);
    let job = with_files(job, "ip", "package", whole_job(), done)?;
    let nodes: Vec<&Node> = dataflow.nodes.iter().collect();
    Ok(vec![with_modules(job, &nodes, done)?])
}

/// A network of both: each core in C++ is synthesised alone, all cores are joined and implemented.
///
/// # Errors
/// Errors of the cache.
pub(super) fn of_cores(
    dataflow: &Dataflow,
    languages: &Languages,
    tool: Synthesiser,
    done: &dyn Artifacts,
) -> Result<Vec<Job>> {
    let mut jobs = BTreeMap::new();
    let mut last = with_files(
        implementation(&["ip/link.tcl"]),
        "ip",
        "package",
        whole_job(),
        done,
    )?;
    for (packaged, node) in core_jobs(dataflow) {
        let files: Vec<String> = done.list("package", &packaged)?.into_keys().collect();
        let named = |ending: &str| files.iter().find_map(|file| file.strip_suffix(ending));
        if let Some(core) = named(".cpp") {
            let folder = format!("ip/cores/{core}");
            let left = format!("{folder}/{}", archive(core));
            let name = format!("synthesise {core}");
            last = last.output_of(left.clone(), "link", name.clone(), left.clone());
            let mut job = tool.job(name.clone(), format!("{folder}/{SCRIPT}"), left);
            job = with_library(job, "hls/");
            job = with_files(job, &folder, "package", &packaged, done)?;
            if let Some(node) = node {
                job = with_shape(job, node, "hls/", done)?;
            }
            jobs.entry(name).or_insert(job);
        } else if let Some(core) = named(".v") {
            last = with_files(
                last,
                &format!("ip/cores/{core}"),
                "package",
                &packaged,
                done,
            )?;
        }
    }
    let modules: Vec<&Node> = languages.rtl(&dataflow.nodes).collect();
    let last = with_modules(last, &modules, done)?;
    Ok(jobs.into_values().chain([last]).collect())
}

/// Adds all files of a job, in `folder`.
fn with_files(
    mut job: Job,
    folder: &str,
    stage: &'static str,
    from: &str,
    done: &dyn Artifacts,
) -> Result<Job> {
    for file in done.list(stage, from)?.into_keys() {
        job = job.output_of(format!("{folder}/{file}"), stage, from, file);
    }
    Ok(job)
}

/// Adds the headers of the library: the bundled ones stand in for those that the tool has.
fn with_library(mut job: Job, hls: &str) -> Job {
    let own = hls::LIBRARY.iter();
    for (path, _) in own.filter(|(path, _)| !path.starts_with("bundled/")) {
        let place = format!("{hls}library/{path}");
        job = job.output_of(place, "generate", generate::LIBRARY_JOB, *path);
    }
    job
}

/// Adds the source of a layer's shape.
fn with_shape(job: Job, node: &Node, hls: &str, done: &dyn Artifacts) -> Result<Job> {
    let folder = format!("{hls}shapes");
    with_files(job, &folder, "generate", &source_job(&node.name), done)
}

/// Adds the modules of the library and of the shapes of layers.
fn with_modules(mut job: Job, nodes: &[&Node], done: &dyn Artifacts) -> Result<Job> {
    for (file, _) in rtl::LIBRARY {
        let place = format!("rtl/library/{file}");
        job = job.output_of(place, "generate", generate_rtl::LIBRARY_JOB, *file);
    }
    for node in nodes {
        let source = generate_rtl::source_job(&node.name);
        job = with_files(job, "rtl/shapes", "generate", &source, done)?;
    }
    Ok(job)
}
