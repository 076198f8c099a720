//! Simulate: in which cycle every word of the network moves, and how deep its FIFOs must be, where hardware is written
//! in SystemVerilog.
//! Must not know the cache.

use serde::{Deserialize, Serialize};

use super::language::{Languages, some_rtl};
use super::record::{feed, json, of_inputs, of_stage, read};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::simulate::{Cause, Load, Run, Wait, depths, run};

/// The stage.
pub(super) struct Simulate;

/// What it leaves.
pub(super) const SIMULATION: &str = "simulation.json";

/// Frames after which a network that is not steady never will be.
const MOST: usize = 64;

/// What the simulation found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Simulation {
    /// Cycles from one frame to the next, once frames are alike.
    pub interval: Option<u64>,
    /// Cycles until the first frame has left.
    pub latency: u64,
    /// Layers that never wait for others, and what keeps them busy: `compute`, `input`, `output` or `window`.
    pub bottlenecks: Vec<(String, String)>,
    /// By layer, the cycles of a frame in which it waits.
    pub waits: Vec<Waits>,
    /// By stream of the graph, the words that its FIFO holds.
    pub depths: Vec<Depth>,
}

/// The FIFO of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Depth {
    /// `input`, or the layer that writes it, numbered where it writes several.
    pub stream: String,
    /// Words that it holds.
    pub words: usize,
}

/// Cycles of a frame in which a layer waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waits {
    /// The layer.
    pub name: String,
    /// For a word to take.
    pub starved: u64,
    /// For room for a word that it makes.
    pub blocked: u64,
}

impl Stage for Simulate {
    fn name(&self) -> &'static str {
        "simulate"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        // Known before anything has run.
        if !some_rtl(manifest) {
            return Ok(Vec::new());
        }
        let folded = read(&of_stage(done, "fold"))?;
        if !Languages::of(manifest, &folded).some_rtl() {
            return Ok(Vec::new());
        }
        let job = Job::compute(NETWORK, simulate);
        Ok(vec![feed(job, "fold", &folded, false).shown_in("sim")])
    }
}

/// Streams that a layer may join.
const JOINED: usize = 64;

fn simulate(inputs: &Inputs) -> Result<Outputs> {
    let mut dataflow = read(&of_inputs(inputs))?;
    if let Some(node) = dataflow
        .nodes
        .iter()
        .find(|node| node.inputs.len() > JOINED)
    {
        return Err(Error::user(format!(
            "layer `{}` joins {} streams, and {JOINED} are the most where layers are SystemVerilog",
            node.name,
            node.inputs.len()
        ))
        .help("take `backend` away: where all layers are C++ it may join more"));
    }
    let found = depths(&dataflow)?;
    for (stream, depth) in dataflow.streams.iter_mut().zip(found) {
        stream.depth = depth;
    }
    let found = run(&dataflow, &Load::until_steady(MOST))?;
    if !found.deadlock.is_empty() {
        return Err(stuck(&found.deadlock));
    }
    let simulation = told(&dataflow, &found);
    Ok(Outputs::from([(SIMULATION.to_owned(), json(&simulation)?)]))
}

fn told(dataflow: &Dataflow, found: &Run) -> Simulation {
    let names = dataflow.nodes.iter().map(|node| node.name.clone());
    let bottlenecks = found.busy.iter().map(|busy| {
        let cause = match busy.cause {
            Cause::Compute => "compute",
            Cause::Input => "input",
            Cause::Output => "output",
            Cause::Window => "window",
        };
        (dataflow.nodes[busy.node].name.clone(), cause.to_owned())
    });
    Simulation {
        interval: found.interval,
        latency: found.latency().unwrap_or(0),
        bottlenecks: bottlenecks.collect(),
        waits: names
            .zip(&found.nodes)
            .map(|(name, activity)| Waits {
                name,
                starved: activity.starved,
                blocked: activity.blocked,
            })
            .collect(),
        depths: dataflow
            .streams
            .iter()
            .zip(dataflow.stream_names())
            .map(|(stream, name)| Depth {
                stream: name,
                words: stream.depth,
            })
            .collect(),
    }
}

/// The error for FIFOs in which words wait for each other for ever.
fn stuck(waits: &[Wait]) -> Error {
    let named = waits.iter().filter_map(|wait| {
        let what = match wait.room.is_empty() {
            true => "a word",
            false => "room",
        };
        Some(format!("`{}` for {what}", wait.node.as_ref()?))
    });
    let named: Vec<String> = named.collect();
    Error::bug(format!(
        "layers wait for each other for ever: {}",
        named.join(", ")
    ))
}
