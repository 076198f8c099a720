//! Package: every distinct core, and the network that is made of them, as IP-XACT and Tcl.
//! Must not know the cache.

use std::collections::BTreeMap;

use super::generate::rtl::{deepen, memory_job as rtl_memory_job, written};
use super::generate::{memory_job, target};
use super::language::Languages;
use super::record::{feed, from_json, layer_file, of_inputs, of_stage, read};
use super::simulate::SIMULATION;
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::backend::hls::{self, Ends, Target};
use crate::backend::{Language, rtl};
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
        let languages = Languages::of(manifest, &dataflow);
        if languages.all_rtl() {
            return Ok(vec![accelerator(&dataflow, target)]);
        }
        let cores = cores(&dataflow, &languages, done)?;
        let mut jobs = vec![
            edge(EDGES[0], &cores.input, &target),
            edge(EDGES[1], &cores.output, &target),
        ];
        let layers = dataflow.nodes.iter().zip(&cores.layers);
        jobs.extend(layers.map(|(node, core)| layer(node, core, &target)));
        let mixed = languages.some_rtl();
        jobs.push(network(&dataflow, cores, target, mixed));
        Ok(jobs)
    }
}

/// The job of the network as a whole.
pub(super) fn whole_job() -> &'static str {
    NETWORK
}

/// The jobs of all cores, where the network is made of cores: their names, and the layers that are theirs.
pub(super) fn core_jobs(dataflow: &Dataflow) -> Vec<(String, Option<&Node>)> {
    let edges = EDGES.iter().map(|edge| ((*edge).to_owned(), None));
    let layers = dataflow.nodes.iter();
    edges
        .chain(layers.map(|node| (core_job(&node.name), Some(node))))
        .collect()
}

/// Jobs of the edges.
const EDGES: [&str; 2] = ["edge input", "edge output"];

fn core_job(layer: &str) -> String {
    format!("core {layer}")
}

/// The cores of the network. Equal layers with equal memories are one.
fn cores(dataflow: &Dataflow, languages: &Languages, done: &dyn Artifacts) -> Result<Cores> {
    let ends = Ends::of(dataflow)?;
    let nodes = dataflow.nodes.iter().zip(languages.each());
    let layers = nodes.map(|(node, &language)| {
        Core::layer(&node.layer, &memories(node, language, done)?, language)
    });
    // An edge is written in the language of the layer behind or before it.
    let of = |language: Option<&Language>| language.copied().unwrap_or(Language::Cpp);
    Ok(Cores {
        input: Core::input(ends.input, of(languages.each().first()))?,
        layers: layers.collect::<Result<_>>()?,
        output: Core::output(ends.output, of(languages.each().last()))?,
    })
}

/// Digests of the memories of a layer, by file.
fn memories(
    node: &Node,
    language: Language,
    done: &dyn Artifacts,
) -> Result<BTreeMap<String, String>> {
    let (files, job) = match language {
        Language::Cpp => (hls::memory_files(&node.layer), memory_job(&node.name)),
        Language::SystemVerilog => (rtl::memory_files(&node.layer), rtl_memory_job(&node.name)),
    };
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut digests = done.list("generate", &job)?;
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
    let (name, language, aim) = (core.name.clone(), core.language, target.clone());
    let memories = core.memories(&node.layer);
    let generated = match core.language {
        Language::Cpp => memory_job(&node.name),
        Language::SystemVerilog => rtl_memory_job(&node.name),
    };
    let kept = memories.clone();
    let mut job = job(core_job(&node.name), core, target, move |inputs| {
        let layer: Layer = from_json(inputs.bytes("layer.json")?)?;
        let core = Core::named(&layer, &name, language)?;
        let mut outputs = files(&core, &aim)?;
        for (file, beside) in &kept {
            outputs.insert(beside.clone(), inputs.bytes(file)?.to_vec());
        }
        Ok(outputs)
    })
    .output_of("layer.json", "fold", NETWORK, layer_file(&node.name));
    for (file, _) in memories {
        job = job.output_of(file.clone(), "generate", generated.clone(), file);
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

fn network(dataflow: &Dataflow, cores: Cores, target: Target, mixed: bool) -> Job {
    let names: Vec<String> = cores.layers.iter().map(|core| core.name.clone()).collect();
    let lines = lines(&target);
    let mut job = Job::compute(NETWORK, move |inputs| {
        let mut dataflow = read(&of_inputs(inputs))?;
        if mixed {
            deepen(&mut dataflow, inputs, true)?;
        }
        package::network(&dataflow, &cores, &target).map(texts)
    });
    for (label, value) in lines {
        job = job.line(label, value);
    }
    for name in names {
        job = job.line("core", name);
    }
    if mixed {
        job = job.output_of(SIMULATION, "simulate", NETWORK, SIMULATION);
    }
    feed(job, "fold", dataflow, false).shown_in("ip")
}

fn lines(target: &Target) -> [(&'static str, String); 3] {
    [
        ("project", target.project.clone()),
        ("part", target.part.clone()),
        ("clock_mhz", target.clock_mhz.to_string()),
    ]
}

/// The whole network as one IP in SystemVerilog.
fn accelerator(dataflow: &Dataflow, target: Target) -> Job {
    let project = target.project.clone();
    let lines = lines(&target);
    // Of each memory where it comes from, and what it is called beside the component.
    let memories = dataflow.nodes.iter().flat_map(|node| {
        let files = rtl::memory_files(&node.layer).into_iter();
        files.map(|file| {
            let beside = package::accelerator_memory(&project, &node.name, &file);
            (rtl_memory_job(&node.name), file, beside)
        })
    });
    let memories: Vec<(String, String, String)> = memories.collect();
    let kept: Vec<String> = memories.iter().map(|(_, _, name)| name.clone()).collect();
    let mut job = written(NETWORK, move |inputs| {
        let mut dataflow = read(&of_inputs(inputs))?;
        deepen(&mut dataflow, inputs, false)?;
        let mut outputs = texts(package::accelerator(&dataflow, &target)?);
        for file in &kept {
            outputs.insert(file.clone(), inputs.bytes(file)?.to_vec());
        }
        Ok(outputs)
    });
    for (label, value) in lines {
        job = job.line(label, value);
    }
    for (from, file, beside) in memories {
        job = job.output_of(beside, "generate", from, file);
    }
    feed(job, "fold", dataflow, false)
        .output_of(SIMULATION, "simulate", NETWORK, SIMULATION)
        .shown_in("ip")
}
