//! Cost: what every layer in SystemVerilog takes on the chip, by the model and, where it is asked for, by synthesis, against what the
//! board has.
//! Must not know the cache.

mod account;

use std::sync::Arc;

use account::account;
pub use account::{Account, Basis, Entry, LayerCost};

use super::generate::rtl::{LIBRARY_JOB, memory_job, source_job};
use super::language::{Languages, some_rtl};
use super::record::{feed, from_json, json, of_inputs, of_stage, read};
use super::simulate::SIMULATION;
use super::{Artifacts, Command, Input, Inputs, Job, NETWORK, OutputRef, Outputs, Program, Stage};
use crate::backend::hls::{numbered, tag};
use crate::backend::rtl::{CORE_DEPTH, LIBRARY, PRIMITIVES, STAT, memory_files, synthesis_script};
use crate::board;
use crate::cost::netlist_figures;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::stage::generate::rtl::deepen;

/// The stage.
pub(super) struct Cost;

/// What it leaves.
pub(super) const COST: &str = "cost.json";

/// The script that a synthesis runs.
const SCRIPT: &str = "synthesis.ys";

/// Job that synthesises a layer.
fn synthesis_job(layer: &str) -> String {
    format!("synthesise {layer}")
}

impl Stage for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        // Known before anything has run.
        if !some_rtl(manifest) {
            return Ok(Vec::new());
        }
        let mut folded = read(&of_stage(done, "fold"))?;
        let languages = Languages::of(manifest, &folded);
        if !languages.some_rtl() {
            return Ok(Vec::new());
        }
        let mut jobs = Vec::new();
        if manifest.target.yosys {
            settle(&mut folded, &simulation(done)?, &languages)?;
            for node in languages.rtl(&folded.nodes) {
                jobs.push(synthesis(&folded, node)?);
            }
        }
        jobs.push(summing(manifest, &folded, &languages));
        Ok(jobs)
    }
}

/// What simulation found, as an input.
fn simulation(done: &dyn Artifacts) -> Result<Inputs> {
    let found = done.read(&OutputRef {
        stage: "simulate",
        job: NETWORK.into(),
        output: SIMULATION.into(),
    })?;
    Ok(Inputs([(SIMULATION.to_owned(), found)].into()))
}

/// Sets the depths of the FIFOs that modules have: those that simulation found, or those of cores of their own.
fn settle(dataflow: &mut Dataflow, inputs: &Inputs, languages: &Languages) -> Result<()> {
    deepen(dataflow, inputs, false)?;
    if !languages.all_rtl() {
        for stream in &mut dataflow.streams {
            stream.depth = CORE_DEPTH;
        }
    }
    Ok(())
}

/// Words behind each copy of what a layer writes.
fn depths(dataflow: &Dataflow, node: &Node) -> Vec<usize> {
    let streams = node.outputs.iter().map(|id| &dataflow.streams[id.0]);
    streams.map(|stream| stream.depth).collect()
}

/// The run of Yosys on the module of a layer with its memories. Layers that are equal in all of this are run once.
fn synthesis(dataflow: &Dataflow, node: &Node) -> Result<Job> {
    let tag = tag(&node.layer)?;
    let depths = depths(dataflow, node);
    let names = numbered("DEPTH", depths.len()).into_iter();
    let parameters: Vec<(String, String)> =
        names.zip(depths.iter().map(usize::to_string)).collect();
    let library = LIBRARY.iter().map(|(file, _)| format!("library/{file}"));
    let files: Vec<String> = library.chain([format!("{tag}.sv")]).collect();
    let script = synthesis_script(&tag, &files, &parameters, &[]);
    let command = Command {
        program: Program::Tool("yosys"),
        args: ["-q", "-s", SCRIPT].map(str::to_owned).to_vec(),
        outputs: vec![STAT.to_owned()],
    };
    let text = |text: &str| Input::Bytes(Arc::from(text.as_bytes()));
    let mut job = Job::run(synthesis_job(&node.name), command)
        .input(SCRIPT, text(&script))
        .input(PRIMITIVES.0, text(PRIMITIVES.1));
    for (file, _) in LIBRARY {
        job = job.output_of(format!("library/{file}"), "generate", LIBRARY_JOB, *file);
    }
    let source = format!("{tag}.sv");
    job = job.output_of(source.clone(), "generate", source_job(&node.name), source);
    for file in memory_files(&node.layer) {
        job = job.output_of(file.clone(), "generate", memory_job(&node.name), file);
    }
    Ok(job)
}

/// Where the job that sums up finds the cells of a layer.
fn stat_file(layer: &str) -> String {
    format!("synthesis/{layer}.json")
}

fn summing(manifest: &Manifest, dataflow: &Dataflow, languages: &Languages) -> Job {
    let board = manifest.target.board.name.clone();
    let total = manifest.target.board.total();
    let written = languages.clone();
    let job = Job::compute(NETWORK, move |inputs| sum(inputs, &written, &board))
        .line("board", manifest.target.board.name.clone())
        .line("languages", format!("{:?}", languages.each()))
        .line("budget", format!("{total:?}"));
    let mut job =
        feed(job, "fold", dataflow, false).output_of(SIMULATION, "simulate", NETWORK, SIMULATION);
    if manifest.target.yosys {
        for node in languages.rtl(&dataflow.nodes) {
            let stat = stat_file(&node.name);
            job = job.output_of(stat, "cost", synthesis_job(&node.name), STAT);
        }
    }
    job.shown_in("cost")
}

fn sum(inputs: &Inputs, languages: &Languages, board: &str) -> Result<Outputs> {
    let board = board::find(board).ok_or_else(|| Error::bug("the board is gone"))?;
    let mut dataflow = read(&of_inputs(inputs))?;
    settle(&mut dataflow, inputs, languages)?;
    let mut measured = Vec::new();
    for node in &dataflow.nodes {
        let stat = stat_file(&node.name);
        measured.push(match inputs.0.contains_key(&stat) {
            true => {
                let name = || format!("layer `{}`", node.name);
                let figures = netlist_figures(inputs.bytes(&stat)?);
                Some(figures.map_err(|error| error.within(name()))?)
            }
            false => None,
        });
    }
    let account = account(&dataflow, languages, &measured, board)?;
    Ok(Outputs::from([(COST.to_owned(), json(&account)?)]))
}

/// What the layers take, as the stage found it, or as the model says of the network that `simulate` left where the
/// stage did not run; `None` where hardware is not written in SystemVerilog.
///
/// # Errors
/// A bug if `simulate` has not run; errors of the cache.
pub fn accounted(manifest: &Manifest, done: &dyn Artifacts) -> Result<Option<Account>> {
    let mut dataflow = read(&of_stage(done, "fold"))?;
    let languages = Languages::of(manifest, &dataflow);
    if !languages.some_rtl() {
        return Ok(None);
    }
    if manifest.target.yosys {
        let found = done.read(&OutputRef {
            stage: "cost",
            job: NETWORK.into(),
            output: COST.into(),
        })?;
        return from_json(&found).map(Some);
    }
    settle(&mut dataflow, &simulation(done)?, &languages)?;
    let measured = vec![None; dataflow.nodes.len()];
    account(&dataflow, &languages, &measured, manifest.target.board).map(Some)
}
