//! SystemVerilog of every layer, its memories, and the module that joins them.
//! Must not know the cache.

use crate::backend::rtl::{self, BENCH, LIBRARY};
use crate::dataflow::{Dataflow, Node, read_tensors};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::manifest::Manifest;
use crate::stage::language::Languages;
use crate::stage::record::{feed, from_json, layer_file, of_inputs, read, tensor_file};
use crate::stage::simulate::{SIMULATION, Simulation};
use crate::stage::{Inputs, Job, NETWORK, Outputs};

/// Job that copies the library.
pub(in crate::stage) const LIBRARY_JOB: &str = "rtl library";
/// Job that writes the module of the whole network.
pub(in crate::stage) const TOP_JOB: &str = "rtl top";

/// The program that simulates it with Verilator.
pub(in crate::stage) const TESTBENCH: &str = "testbench.cpp";

/// Job that writes the module of a layer's shape.
pub(in crate::stage) fn source_job(layer: &str) -> String {
    format!("rtl source {layer}")
}

/// Job that writes the memory files of a layer.
pub(in crate::stage) fn memory_job(layer: &str) -> String {
    format!("rtl memory {layer}")
}

/// The jobs. What joins all layers is written where all are written in SystemVerilog.
pub(super) fn jobs(manifest: &Manifest, dataflow: &Dataflow, languages: &Languages) -> Vec<Job> {
    let mut jobs = vec![written(LIBRARY_JOB, |_| Ok(library())).shown_in("rtl/library")];
    for node in languages.rtl(&dataflow.nodes) {
        jobs.push(source(node));
        if !rtl::memory_files(&node.layer).is_empty() {
            jobs.push(memory(node));
        }
    }
    if languages.all_rtl() {
        jobs.push(top(&manifest.project.name, dataflow));
    }
    jobs
}

/// A job that writes SystemVerilog: its key differs from that of the job that writes C++ of the same.
pub(in crate::stage) fn written(
    name: impl Into<String>,
    compute: impl Fn(&Inputs) -> Result<Outputs> + Send + Sync + 'static,
) -> Job {
    Job::compute(name, compute).line("language", "SystemVerilog")
}

fn library() -> Outputs {
    let files = LIBRARY.iter();
    files
        .map(|(file, text)| ((*file).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn source(node: &Node) -> Job {
    written(source_job(&node.name), |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let (file, text) = rtl::shape_source(&layer)?;
        Ok(Outputs::from([(file, text.into_bytes())]))
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
    .shown_in("rtl/shapes")
}

fn memory(node: &Node) -> Job {
    written(memory_job(&node.name), |inputs: &Inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let tensors = read_tensors(inputs.bytes("tensors.safetensors")?)?;
        let files = rtl::memories(&layer, &tensors)?.into_iter();
        Ok(files
            .map(|(file, text)| (file, text.into_bytes()))
            .collect())
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
    .output_of(
        "tensors.safetensors",
        "reorder",
        NETWORK,
        tensor_file(&node.name),
    )
    .shown_in(format!("rtl/memories/{}", node.name))
}

fn top(project: &str, dataflow: &Dataflow) -> Job {
    let name = project.to_owned();
    let job = written(TOP_JOB, move |inputs| {
        let mut dataflow = read(&of_inputs(inputs))?;
        deepen(&mut dataflow, inputs, false)?;
        let text = rtl::top_source(&dataflow, &name, rtl::memory_path)?;
        let bench = rtl::network_bench_source(&dataflow, &name)?;
        Ok(Outputs::from([
            (format!("{}.sv", rtl::top_name(&name)), text.into_bytes()),
            (TESTBENCH.to_owned(), bench.into_bytes()),
            (BENCH.0.to_owned(), BENCH.1.as_bytes().to_vec()),
        ]))
    })
    .line("project", project);
    feed(job, "fold", dataflow, false)
        .output_of(SIMULATION, "simulate", NETWORK, SIMULATION)
        .shown_in("rtl")
}

/// Sets the depths of the FIFOs that were found; `merged` with those that are there, of which the greater counts.
///
/// # Errors
/// A bug if they are those of another network.
pub(in crate::stage) fn deepen(
    dataflow: &mut Dataflow,
    inputs: &Inputs,
    merged: bool,
) -> Result<()> {
    let found: Simulation = from_json(inputs.bytes(SIMULATION)?)?;
    if found.depths.len() != dataflow.streams.len() {
        return Err(Error::bug("another network was simulated"));
    }
    for (stream, depth) in dataflow.streams.iter_mut().zip(found.depths) {
        stream.depth = match merged {
            // What C++ needs is an estimate.
            true => stream.depth.max(depth.words),
            false => depth.words,
        };
    }
    Ok(())
}
