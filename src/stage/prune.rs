//! Prune: weights that are removed become masks of the network.
//! Must not know the cache.

use std::collections::BTreeMap;

use super::calibration::{self, Calibration};
use super::import::Blame;
use super::processor::instruction_set;
use super::record::{CONSTANTS, GRAPH, from_json, json};
use super::streamline::grid;
use super::training;
use super::{Artifacts, Desk, Inputs, Job, NETWORK, OutputRef, Outputs, Stage};
use crate::error::{Error, Place, Result};
use crate::manifest::{Manifest, Pruning};
use crate::network::{Network, Op};
use crate::pass::Grid;
use crate::prune::{self, Plan};
use crate::qonnx;
use crate::train::Settings;

/// The stage.
pub(super) struct Prune;

/// What is removed from each layer.
pub(super) const PLAN: &str = "prune.json";
/// How the loss of each layer grew, with method `obs`.
const CURVES: &str = "curves.json";
/// What training was like, epoch by epoch, with a method that trains.
const TRAINING: &str = "training.json";
/// How the integer network is to be rearranged for it.
pub(super) const REARRANGEMENT: &str = "rearrangement.json";
/// The pruned network as an ONNX file; there is none where nothing is removed.
pub(super) const MODEL: &str = "model.onnx";

impl Stage for Prune {
    fn name(&self) -> &'static str {
        "prune"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        // Without need nothing is asked for, so that more of a build is known before it runs.
        let layers = match manifest.prunes() {
            true => layers(manifest, done)?,
            false => Vec::new(),
        };
        let training = training::method(&manifest.prune.method);
        let usual = if training.is_some() {
            None
        } else {
            Some(calibration::FEW)
        };
        let samples = match layers.is_empty() || manifest.prune.method == "magnitude" {
            true => None,
            false => Some(Calibration::new(
                manifest,
                usual,
                ("prune.method", || {
                    format!("method `{}` learns", manifest.prune.method)
                }),
            )?),
        };
        let task = Task {
            samples,
            settings: training.map(|method| training::settings(&manifest.train, method)),
            input: manifest.input.grid.as_ref().map(grid),
            labels: manifest.output.labels,
            layers: layers.into_iter().collect(),
        };
        let mut lines = Vec::new();
        for (name, (pruning, _)) in &task.layers {
            lines.extend(facts(name, pruning));
        }
        let mut job = match lines.is_empty() {
            true => Job::compute(NETWORK, untouched),
            false => active(manifest, task)?,
        };
        for (label, value) in lines {
            job = job.line(label, value);
        }
        Ok(vec![
            job.output_of(GRAPH, "quantize", NETWORK, GRAPH)
                .output_of(CONSTANTS, "quantize", NETWORK, CONSTANTS),
        ])
    }
}

/// The job that removes weights.
fn active(manifest: &Manifest, task: Task) -> Result<Job> {
    let (blame, samples) = (Blame::new(manifest), task.samples.clone());
    let trains = task.settings.is_some();
    let mut job = Job::learn(NETWORK, move |inputs, desk| {
        task.run(inputs, desk).map_err(|error| blame.on(error))
    });
    job = job
        .line("method", manifest.prune.method.clone())
        .line("input", manifest.canonical("input"))
        .line("output", manifest.canonical("output"))
        .shown_in("network/pruned");
    if trains {
        job = job.line("train", manifest.canonical("train"));
    }
    match samples {
        Some(samples) => Ok(samples
            .read_by(job)?
            .line("instruction set", instruction_set())),
        None => Ok(job),
    }
}

/// What the manifest says about one layer, and where.
type Wanted = (Pruning, BTreeMap<&'static str, Place>);

/// Matrix products of the imported network with what the manifest says about each.
fn layers(manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<(String, Wanted)>> {
    let graph = done.read(&OutputRef {
        stage: "quantize",
        job: NETWORK.into(),
        output: GRAPH.into(),
    })?;
    let network: Network = from_json(&graph)?;
    for entry in &manifest.layers {
        if entry.pruning != Pruning::default() {
            refuse(&network, &entry.pattern).map_err(|error| error.at(entry.place("match")))?;
        }
    }
    let products = network
        .nodes
        .into_iter()
        .filter(|node| node.op.is_product());
    Ok(products
        .map(|node| {
            let wanted = manifest.pruning(&node.name);
            (node.name, wanted)
        })
        .collect())
}

/// Refuses to prune what has a name and is no layer that can be pruned.
fn refuse(network: &Network, name: &str) -> Result<()> {
    let find = |name: &str| network.nodes.iter().find(|node| node.name == name);
    let refused = |what: &str| Error::user(format!("layer `{name}` {what}"));
    match (find(name).map(|node| node.op), name.strip_suffix(".window")) {
        (Some(op), _) if op.is_product() => Ok(()),
        (Some(Op::Conv { .. }), _) => Err(refused("is a grouped or depthwise convolution, which is never pruned itself")
            .help("its channels go where those of its neighbours do: `pattern = \"channel\"` for these")),
        (Some(_), _) => Err(refused("has no weights to remove")
            .help("only dense layers and convolutions of one group can be pruned: `finnp show` lists the layers")),
        (None, Some(convolution)) if find(convolution).is_some() => {
            Err(refused("is the window of a convolution and has no weights")
                .help(format!("did you mean `{convolution}`?")))
        }
        (None, _) => Ok(()),
    }
}

/// Lines of the key for one layer; none if nothing of it is removed.
fn facts(name: &str, pruning: &Pruning) -> Vec<(String, String)> {
    let Some(pattern) = pruning
        .pattern
        .as_ref()
        .filter(|pattern| *pattern != "none")
    else {
        return Vec::new();
    };
    let values = [
        ("pattern", Some(pattern.clone())),
        (
            "density",
            pruning.density.map(|density| density.to_string()),
        ),
        ("block", pruning.block.map(|block| format!("{block:?}"))),
        ("keep", pruning.keep.map(|keep| keep.to_string())),
        ("lanes", pruning.lanes.map(|lanes| lanes.to_string())),
    ];
    let given = values
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    given
        .map(|(key, value)| (format!("layer {name} {key}"), value))
        .collect()
}

/// Nothing is removed: the network stays as it is, byte for byte.
fn untouched(inputs: &Inputs) -> Result<Outputs> {
    let mut outputs = written(&Plan::default())?;
    for name in [GRAPH, CONSTANTS] {
        outputs.insert(name.to_owned(), inputs.bytes(name)?.to_vec());
    }
    Ok(outputs)
}

/// The plan in its two parts: later stages read one or the other.
fn written(plan: &Plan) -> Result<Outputs> {
    Ok(Outputs::from([
        (PLAN.to_owned(), json(&plan.layers)?),
        (REARRANGEMENT.to_owned(), json(&plan.rearrangement)?),
    ]))
}

struct Task {
    samples: Option<Calibration>,
    settings: Option<Settings>,
    input: Option<Grid>,
    labels: bool,
    layers: BTreeMap<String, Wanted>,
}

impl Task {
    fn run(&self, inputs: &Inputs, desk: &dyn Desk) -> Result<Outputs> {
        let network = Network::from_bytes(inputs.bytes(GRAPH)?, inputs.bytes(CONSTANTS)?)?;
        let choices = |name: &str| self.layers.get(name).cloned().unwrap_or_default();
        let (grid, labels) = (self.input.as_ref(), self.labels);
        let samples = self.samples.as_ref();
        let lessons = samples.map(|samples| samples.lessons(&network, grid, labels));
        let lessons = lessons.transpose()?;
        let frames = lessons.as_ref().map(|lessons| &lessons.frames[..]);
        let few = frames.map(|frames| &frames[..frames.len().min(calibration::FEW as usize)]);
        let Some(prepared) = prune::prepare(&network, grid, labels, &choices, few)? else {
            return untouched(inputs);
        };
        let mut outputs = Outputs::new();
        let planned = match (&lessons, &self.settings) {
            (Some(lessons), Some(settings)) => {
                let of = (&network, &prepared);
                let (planned, curve) = training::trained(of, lessons, settings, desk)?;
                outputs.insert(TRAINING.to_owned(), json(&curve)?);
                planned
            }
            (Some(lessons), None) => {
                let all = prepared.layers().count();
                let told = |place: usize| desk.told(place + 1, all);
                let planned = prepared.by_loss(&network, &lessons.frames, &told)?;
                outputs.insert(CURVES.to_owned(), json(&planned.curves)?);
                planned
            }
            (None, _) => prepared.by_size(&network)?,
        };
        let learnt = (&planned.masks[..], &planned.repairs[..]);
        let pruned = match planned.repairs.is_empty() {
            true => prune::apply(network, &planned.masks)?,
            false => prune::mend(network, learnt, grid, labels)?,
        };
        let (graph, constants) = pruned.to_bytes()?;
        outputs.extend(written(&planned.plan)?);
        outputs.extend([
            (MODEL.to_owned(), qonnx::export(&pruned)?),
            (GRAPH.to_owned(), graph),
            (CONSTANTS.to_owned(), constants),
        ]);
        Ok(outputs)
    }
}
