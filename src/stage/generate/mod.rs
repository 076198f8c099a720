//! Generate: sources and data files of every layer, and the text that joins them.
//! Must not know the cache.

pub(super) mod rtl;

use super::language::Languages;
use super::record::{feed, from_json, layer_file, of_inputs, of_stage, read, tensor_file};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::backend::hls::{self, LIBRARY, Target};
use crate::dataflow::{Dataflow, Node, read_tensors};
use crate::error::Result;
use crate::layer::Layer;
use crate::manifest::Manifest;

/// The stage.
pub(super) struct Generate;

/// Job that copies the library.
pub(super) const LIBRARY_JOB: &str = "library";
/// Job that writes what names layers.
pub(super) const TOP_JOB: &str = "top";

/// Job that writes the source of a layer's shape.
pub(super) fn source_job(layer: &str) -> String {
    format!("source {layer}")
}

/// Job that writes the data files of a layer.
pub(super) fn memory_job(layer: &str) -> String {
    format!("memory {layer}")
}

/// Whether a layer holds anything.
pub(super) fn has_memories(layer: &Layer) -> bool {
    !hls::memory_files(layer).is_empty()
}

impl Stage for Generate {
    fn name(&self) -> &'static str {
        "generate"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let dataflow = read(&of_stage(done, "fold"))?;
        // Refused before anything is written.
        hls::Ends::of(&dataflow)?;
        let mut jobs = vec![Job::compute(LIBRARY_JOB, |_| Ok(library())).shown_in("hls/library")];
        for node in &dataflow.nodes {
            jobs.push(source(node));
            if has_memories(&node.layer) {
                jobs.push(memory(node));
            }
        }
        jobs.push(top(manifest, &dataflow));
        let languages = Languages::of(manifest, &dataflow);
        if languages.some_rtl() {
            jobs.extend(rtl::jobs(manifest, &dataflow, &languages));
        }
        Ok(jobs)
    }
}

fn text_files(files: Vec<(String, String)>) -> Outputs {
    files
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn library() -> Outputs {
    LIBRARY
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn source(node: &Node) -> Job {
    Job::compute(source_job(&node.name), |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        Ok(text_files(hls::shape_sources(&layer)?))
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
    .shown_in("hls/shapes")
}

fn memory(node: &Node) -> Job {
    Job::compute(memory_job(&node.name), |inputs: &Inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let tensors = read_tensors(inputs.bytes("tensors.safetensors")?)?;
        Ok(text_files(hls::memories(&layer, &tensors)?))
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name))
    .output_of(
        "tensors.safetensors",
        "reorder",
        NETWORK,
        tensor_file(&node.name),
    )
    .shown_in(format!("hls/layers/{}", node.name))
}

/// What synthesis aims at.
pub(super) fn target(manifest: &Manifest) -> Target {
    Target {
        project: manifest.project.name.clone(),
        part: manifest.target.board.part.clone(),
        clock_mhz: manifest.target.clock_mhz,
    }
}

fn top(manifest: &Manifest, dataflow: &Dataflow) -> Job {
    let target = target(manifest);
    let lines = [
        ("project", target.project.clone()),
        ("part", target.part.clone()),
        ("clock_mhz", target.clock_mhz.to_string()),
    ];
    let mut job = Job::compute(TOP_JOB, move |inputs| {
        let dataflow = read(&of_inputs(inputs))?;
        Ok(text_files(hls::top_sources(&dataflow, &target)?))
    });
    for (label, value) in lines {
        job = job.line(label, value);
    }
    feed(job, "fold", dataflow, false).shown_in("hls")
}
