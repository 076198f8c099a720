//! Prune: weights that are removed become masks of the network.
//! Must not know the cache.

use std::collections::BTreeMap;

use super::calibration;
use super::import::Blame;
use super::record::{CONSTANTS, GRAPH, from_json, json};
use super::streamline::grid;
use super::{Artifacts, Inputs, Job, NETWORK, OutputRef, Outputs, Stage};
use crate::error::{Error, Place, Result};
use crate::manifest::{Manifest, Pruning};
use crate::network::{Network, Op};
use crate::pass::Grid;
use crate::prune::{self, Lesson, Plan};
use crate::qonnx;

/// The stage.
pub(super) struct Prune;

/// What is removed from each layer.
pub(super) const PLAN: &str = "prune.json";
/// How the loss of each layer grew; there is none where nothing is learnt.
const CURVES: &str = "curves.json";
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
        let blame = Blame::new(manifest);
        let lesson = match manifest.prune.method == "obs" && !layers.is_empty() {
            true => Some(calibration::Calibration::new(
                manifest,
                "prune.method",
                || format!("method `{}` learns", manifest.prune.method),
            )?),
            false => None,
        };
        let task = Task {
            lesson: lesson.clone(),
            input: manifest.input.grid.as_ref().map(grid),
            labels: manifest.output.labels,
            layers: layers.into_iter().collect(),
        };
        let mut lines = Vec::new();
        for (name, (pruning, _)) in &task.layers {
            lines.extend(facts(name, pruning));
        }
        let active = !lines.is_empty();
        let mut job = Job::compute(NETWORK, move |inputs| match active {
            true => task.run(inputs).map_err(|error| blame.on(error)),
            false => untouched(inputs),
        });
        if active {
            job = job
                .line("method", manifest.prune.method.clone())
                .line("input", manifest.canonical("input"))
                .line("output", manifest.canonical("output"))
                .shown_in("network/pruned");
        }
        if let Some(lesson) = lesson.filter(|_| active) {
            job = lesson.read_by(job)?;
        }
        for (label, value) in lines {
            job = job.line(label, value);
        }
        Ok(vec![
            job.output_of(GRAPH, "quantize", NETWORK, GRAPH)
                .output_of(CONSTANTS, "quantize", NETWORK, CONSTANTS),
        ])
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
    lesson: Option<calibration::Calibration>,
    input: Option<Grid>,
    labels: bool,
    layers: BTreeMap<String, Wanted>,
}

impl Task {
    fn run(&self, inputs: &Inputs) -> Result<Outputs> {
        let network = Network::from_bytes(inputs.bytes(GRAPH)?, inputs.bytes(CONSTANTS)?)?;
        let choices = |name: &str| self.layers.get(name).cloned().unwrap_or_default();
        let grid = self.input.as_ref();
        let frames = match &self.lesson {
            Some(lesson) => Some(lesson.frames(&network, grid, self.labels)?),
            None => None,
        };
        let lesson = frames.as_ref().map(|frames| Lesson {
            frames,
            told: &|_| Ok(()),
        });
        let planned = prune::plan(&network, grid, self.labels, &choices, lesson.as_ref())?;
        let pruned = match lesson {
            Some(_) => {
                let learnt = (&planned.masks[..], &planned.repairs[..]);
                prune::mend(network, learnt, grid, self.labels)?
            }
            None => prune::apply(network, &planned.masks)?,
        };
        let (graph, constants) = pruned.to_bytes()?;
        let mut outputs = written(&planned.plan)?;
        if lesson.is_some() {
            outputs.insert(CURVES.to_owned(), json(&planned.curves)?);
        }
        outputs.extend([
            (MODEL.to_owned(), qonnx::export(&pruned)?),
            (GRAPH.to_owned(), graph),
            (CONSTANTS.to_owned(), constants),
        ]);
        Ok(outputs)
    }
}
