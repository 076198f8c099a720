//! Link: the network as Vivado implements it, out of context: what it takes, and how fast it is. Where the
//! tools are not installed, it says so instead.
//!
//! Logs, archives and reports of these tools hold dates: another run on other days gives other bytes. The
//! figures hold none, and a run that is in the cache is not repeated.
//! Must not know the cache.

mod job;
mod report;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::language::{self, Languages};
use super::record::{from_json, json, of_stage, read};
use super::{Artifacts, Inputs, Job, OutputRef, Outputs, Stage};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::package::{TIMING, UTILISATION};
use crate::tool;
use job::{IMPLEMENTATION_JOB, Synthesiser};
pub use report::Figures;
use report::figures;

/// The stage.
pub(super) struct Linking;

/// Job that says what came of it.
pub(super) const RESULT_JOB: &str = "result";
/// What it writes.
pub(super) const RESULT: &str = "link.json";

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

impl Stage for Linking {
    fn name(&self) -> &'static str {
        "link"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        // Known before anything has run.
        let asked = missing(language::some_cpp(manifest))?;
        if asked.contains(&VIVADO) {
            return Ok(vec![not_run(&reason(&asked))]);
        }
        let folded = read(&of_stage(done, "fold"))?;
        let languages = Languages::of(manifest, &folded);
        let missing = missing(!languages.all_rtl())?;
        if !missing.is_empty() {
            return Ok(vec![not_run(&reason(&missing))]);
        }
        let project = &manifest.project.name;
        let tool = hls()?.filter(|_| !languages.all_rtl());
        let mut jobs = match tool {
            None => job::of_rtl(&folded, done)?,
            Some(tool) if languages.some_rtl() => job::of_cores(&folded, &languages, tool, done)?,
            Some(tool) => job::of_cpp(&folded, project, tool, done)?,
        };
        let versions = tool.iter().map(|tool| tool.program).chain([VIVADO]);
        let versions =
            versions.map(|tool| Ok((tool.to_owned(), tool::find(tool)?.version.clone())));
        let versions = versions.collect::<Result<BTreeMap<String, String>>>()?;
        jobs.push(result(manifest.target.clock_mhz, versions));
        Ok(jobs)
    }

    fn missing(&self, manifest: &Manifest) -> Result<Option<Error>> {
        let missing = missing(language::some_cpp(manifest))?;
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
fn hls() -> Result<Option<Synthesiser>> {
    for (program, lead) in HLS {
        if tool::is_installed(program)? {
            return Ok(Some(Synthesiser { program, lead }));
        }
    }
    Ok(None)
}

/// Tools that are not there, the one for C++ among them if there is some.
fn missing(cpp: bool) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    if !tool::is_installed(VIVADO)? {
        missing.push(VIVADO);
    }
    if cpp && hls()?.is_none() {
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
