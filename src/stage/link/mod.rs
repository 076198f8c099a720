//! Link: the network as Vivado implements it, out of context: what it takes, and how fast it is. Where the
//! tools are not installed, it says so instead.
//!
//! Logs, archives and reports of these tools hold dates: another run on other days gives other bytes. The
//! figures hold none, and a run that is in the cache is not repeated.
//! Must not know the cache.

mod report;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::generate::{LIBRARY_JOB, TOP_JOB, has_memories, memory_job, source_job};
use super::record::{from_json, json, of_stage, read};
use super::{Artifacts, Command, Inputs, Job, NETWORK, OutputRef, Outputs, Program, Stage};
use crate::backend::hls::{LIBRARY, archive, ip_name};
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::package::{CHECKPOINT, CONSTRAINTS, TIMING, UTILISATION};
use crate::tool;
pub use report::Figures;
use report::figures;

/// The stage.
pub(super) struct Linking;

/// Job that says what came of it.
pub(super) const RESULT_JOB: &str = "result";
/// What it writes.
pub(super) const RESULT: &str = "link.json";
/// Job that turns C++ into an IP.
const SYNTHESIS_JOB: &str = "synthesise the network";
/// Job that implements the IP.
const IMPLEMENTATION_JOB: &str = "implement the network";

/// `build/link/link.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status")]
pub enum Link {
    /// Nothing was synthesised.
    #[serde(rename = "not run")]
    NotRun {
        /// Which tools are missing.
        reason: String,
    },
    /// The network was synthesised, placed and routed out of context.
    #[serde(rename = "done")]
    Done(Done),
}

/// What came of the tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// What each tool says about its version, by name.
    pub tools: BTreeMap<String, String>,
    /// Clock that was asked for, in MHz.
    pub clock_mhz: f64,
    /// Whether that clock is reached inside the network; pins are not looked at.
    pub timing_met: bool,
    /// Resources and slack.
    #[serde(flatten)]
    pub figures: Figures,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What is looked for, with what it needs to run a script.
const HLS: [(&str, &[&str]); 2] = [
    ("vitis_hls", &["-f"]),
    ("vitis-run", &["--mode", "hls", "--tcl"]),
];
const VIVADO: &str = "vivado";
const SCRIPT: &str = "vitis_hls.tcl";

impl Stage for Linking {
    fn name(&self) -> &'static str {
        "link"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let hls = hls()?;
        let missing = missing()?;
        let Some((hls, lead)) = hls.filter(|_| missing.is_empty()) else {
            return Ok(vec![not_run(&reason(&missing))]);
        };
        let name = ip_name(&manifest.project.name);
        let synthesis = synthesis(&read(&of_stage(done, "fold"))?, hls, lead, &name, done)?;
        let versions = [hls, VIVADO]
            .into_iter()
            .map(|tool| Ok((tool.to_owned(), tool::find(tool)?.version.clone())));
        let versions = versions.collect::<Result<BTreeMap<String, String>>>()?;
        Ok(vec![
            synthesis,
            implementation(&name),
            result(manifest.target.clock_mhz, versions),
        ])
    }

    fn missing(&self) -> Result<Option<Error>> {
        let missing = missing()?;
        if missing.is_empty() {
            return Ok(None);
        }
        let install = tool::TOOLS
            .iter()
            .filter(|tool| missing.contains(&tool.name));
        let install: Vec<&str> = install.map(|tool| tool.install).collect();
        Ok(Some(Error::tool(reason(&missing)).help(install.join("; "))))
    }
}

/// The tool for C++, with the arguments in front of its script.
fn hls() -> Result<Option<(&'static str, &'static [&'static str])>> {
    for (name, lead) in HLS {
        if tool::is_installed(name)? {
            return Ok(Some((name, lead)));
        }
    }
    Ok(None)
}

/// Tools that are not there.
fn missing() -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    if !tool::is_installed(VIVADO)? {
        missing.push(VIVADO);
    }
    if hls()?.is_none() {
        missing.push(HLS[0].0);
    }
    Ok(missing)
}

fn reason(missing: &[&str]) -> String {
    let each: Vec<String> = missing
        .iter()
        .map(|tool| format!("{tool} not found"))
        .collect();
    each.join(", ")
}

fn not_run(reason: &str) -> Job {
    let link = Link::NotRun {
        reason: reason.to_owned(),
    };
    let compute = move |_: &Inputs| Ok(Outputs::from([(RESULT.to_owned(), json(&link)?)]));
    Job::compute(RESULT_JOB, compute)
        .line("missing", reason)
        .shown_in("link")
}

/// The job that makes an IP of the network's C++.
fn synthesis(
    dataflow: &Dataflow,
    program: &'static str,
    lead: &[&str],
    name: &str,
    done: &dyn Artifacts,
) -> Result<Job> {
    let args = lead.iter().chain(&[SCRIPT]).map(|&arg| arg.to_owned());
    let mut job = Job::run(
        SYNTHESIS_JOB,
        Command {
            program: Program::Tool(program),
            args: args.collect(),
            outputs: vec![archive(name)],
        },
    )
    .shown_in("link");
    for file in done.list("generate", TOP_JOB)?.into_keys() {
        job = job.output_of(file.clone(), "generate", TOP_JOB, file);
    }
    let own = LIBRARY
        .iter()
        .filter(|(path, _)| !path.starts_with("bundled/"));
    for (path, _) in own {
        job = job.output_of(format!("library/{path}"), "generate", LIBRARY_JOB, *path);
    }
    for node in &dataflow.nodes {
        job = files(job, node, done)?;
    }
    Ok(job)
}

/// Adds the sources of a layer's shape and its memories.
fn files(mut job: Job, node: &Node, done: &dyn Artifacts) -> Result<Job> {
    let shape = source_job(&node.name);
    for file in done.list("generate", &shape)?.into_keys() {
        job = job.output_of(format!("shapes/{file}"), "generate", &shape, file);
    }
    if has_memories(&node.layer) {
        let memory = memory_job(&node.name);
        for file in done.list("generate", &memory)?.into_keys() {
            let place = format!("layers/{}/{file}", node.name);
            job = job.output_of(place, "generate", &memory, file);
        }
    }
    Ok(job)
}

/// The job that places and routes the IP.
fn implementation(name: &str) -> Job {
    let args =
        "-mode batch -nolog -nojournal -notrace -source synth.tcl -tclargs network.zip route";
    let outputs = [UTILISATION, TIMING, CHECKPOINT];
    let mut job = Job::run(
        IMPLEMENTATION_JOB,
        Command {
            program: Program::Tool(VIVADO),
            args: args.split(' ').map(str::to_owned).collect(),
            outputs: outputs.map(str::to_owned).to_vec(),
        },
    )
    .output_of("network.zip", "link", SYNTHESIS_JOB, archive(name));
    for file in ["synth.tcl", CONSTRAINTS] {
        job = job.output_of(file, "package", NETWORK, file);
    }
    job.shown_in("link")
}

/// The job that reads the reports.
fn result(clock_mhz: f64, versions: BTreeMap<String, String>) -> Job {
    let mut job = Job::compute(RESULT_JOB, {
        let versions = versions.clone();
        move |inputs| {
            let text = |file| inputs.bytes(file).map(String::from_utf8_lossy);
            let figures = figures(&text(UTILISATION)?, &text(TIMING)?)?;
            let mut warnings = version::warnings(&versions);
            let timing_met = figures.wns_ns >= 0.0;
            if !timing_met {
                warnings.push(format!(
                    "{clock_mhz} MHz are not reached: {} ns are missing on the slowest path",
                    -figures.wns_ns
                ));
            }
            let link = Link::Done(Done {
                tools: versions.clone(),
                clock_mhz,
                timing_met,
                figures,
                warnings,
            });
            Ok(Outputs::from([(RESULT.to_owned(), json(&link)?)]))
        }
    })
    .line("clock_mhz", clock_mhz.to_string());
    for (tool, version) in versions {
        job = job.line(format!("tool {tool}"), version);
    }
    for file in [UTILISATION, TIMING] {
        job = job.output_of(file, "link", IMPLEMENTATION_JOB, file);
    }
    job.shown_in("link")
}

/// What came of the stage, if it is built.
///
/// # Errors
/// Errors of the cache; a bug if the result cannot be read.
pub fn link(done: &dyn Artifacts) -> Result<Link> {
    let result = done.read(&OutputRef {
        stage: "link",
        job: RESULT_JOB.to_owned(),
        output: RESULT.to_owned(),
    })?;
    from_json(&result)
}
