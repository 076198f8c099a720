//! Package: every distinct core, and the network that is made of them, as IP-XACT and Tcl.
//! Must not know the cache.

use std::collections::BTreeMap;

use super::generate::{memory_job, target};
use super::record::{feed, from_json, layer_file, of_inputs, of_stage, read};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::backend::hls::{Ends, Target, memory_files};
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::Layer;
use crate::manifest::Manifest;
use crate::package::{self, Core, Cores, core_component};

/// The stage.
pub(super) struct Package;

impl Stage for Package {
    fn name(&self) -> &'static str {
        "package"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let dataflow = read(&of_stage(done, "fold"))?;
        let target = target(manifest);
        let cores = cores(&dataflow, done)?;
        let mut jobs = vec![
            edge("edge input", &cores.input, &target),
            edge("edge output", &cores.output, &target),
        ];
        let layers = dataflow.nodes.iter().zip(&cores.layers);
        jobs.extend(layers.map(|(node, core)| layer(node, core, &target)));
        jobs.push(network(&dataflow, cores, target));
        Ok(jobs)
    }
}

/// The cores of the network. Equal layers with equal memories are one.
fn cores(dataflow: &Dataflow, done: &dyn Artifacts) -> Result<Cores> {
    let ends = Ends::of(dataflow)?;
    let layers = dataflow
        .nodes
        .iter()
        .map(|node| Core::layer(&node.layer, &memories(node, done)?));
    Ok(Cores {
        input: Core::input(ends.input)?,
        layers: layers.collect::<Result<_>>()?,
        output: Core::output(ends.output)?,
    })
}

/// Digests of the memories of a layer, by file.
fn memories(node: &Node, done: &dyn Artifacts) -> Result<BTreeMap<String, String>> {
    let files = memory_files(&node.layer);
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut digests = done.list("generate", &memory_job(&node.name))?;
    digests.retain(|file, _| files.contains(file));
    Ok(digests)
}

/// A job that writes a core; its name stands for its memories too.
fn job(
    name: impl Into<String>,
    core: &Core,
    target: &Target,
    compute: impl Fn(&Inputs) -> Result<Outputs> + Send + Sync + 'static,
) -> Job {
    Job::compute(name, compute)
        .line("core", &core.name)
        .line("part", &target.part)
        .line("clock_mhz", target.clock_mhz.to_string())
        .shown_in(format!("ip/cores/{}", core.name))
}

fn edge(name: &str, core: &Core, target: &Target) -> Job {
    let (made, aim) = (core.clone(), target.clone());
    job(name, core, target, move |_| files(&made, &aim))
}

fn layer(node: &Node, core: &Core, target: &Target) -> Job {
    let (name, aim) = (core.name.clone(), target.clone());
    let memories = memory_files(&node.layer);
    let kept = memories.clone();
    let mut job = job(format!("core {}", node.name), core, target, move |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let core = Core::named(&layer, &name)?;
        let mut outputs = files(&core, &aim)?;
        for file in &kept {
            outputs.insert(file.clone(), inputs.bytes(file)?.to_vec());
        }
        Ok(outputs)
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name));
    for file in memories {
        job = job.output_of(file.clone(), "generate", memory_job(&node.name), file);
    }
    job
}

fn files(core: &Core, target: &Target) -> Result<Outputs> {
    let mut outputs = texts(core.sources(target));
    let component = core_component(core, target)?;
    outputs.insert("component.xml".to_owned(), component.into_bytes());
    Ok(outputs)
}

fn texts(files: Vec<(String, String)>) -> Outputs {
    let files = files.into_iter();
    files
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn network(dataflow: &Dataflow, cores: Cores, target: Target) -> Job {
    let names: Vec<String> = cores.layers.iter().map(|core| core.name.clone()).collect();
    let lines = [
        ("project", target.project.clone()),
        ("part", target.part.clone()),
        ("clock_mhz", target.clock_mhz.to_string()),
    ];
    let mut job = Job::compute(NETWORK, move |inputs| {
        let dataflow = read(&of_inputs(inputs))?;
        package::network(&dataflow, &cores, &target).map(texts)
    });
    for (label, value) in lines {
        job = job.line(label, value);
    }
    for name in names {
        job = job.line("core", name);
    }
    feed(job, "fold", dataflow, false).shown_in("ip")
}
