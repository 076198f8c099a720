//! Quantize: a float network gets quantisers of the bits that the manifest asks for, on samples.
//! Must not know the cache.

use std::collections::BTreeMap;

use super::calibration::{Calibration, FEW};
use super::import::Blame;
use super::processor::instruction_set;
use super::record::{CONSTANTS, GRAPH, from_json, json};
use super::streamline::grid;
use super::{Artifacts, Inputs, Job, NETWORK, OutputRef, Outputs, Stage};
use crate::error::{Error, Place, Result};
use crate::manifest::{self, Bits, Manifest, glob};
use crate::network::{Network, Node, Op};
use crate::pass::Grid;
use crate::qonnx;
use crate::quantise::{Wishes, quantise, refuse_float};

/// The stage.
pub(super) struct Quantize;

/// What was done, and what it cost; there is none where nothing is quantised.
const REPORT: &str = "quantize.json";
/// The quantised network as an ONNX file; there is none where nothing is quantised.
pub(super) const MODEL: &str = "model.onnx";

impl Stage for Quantize {
    fn name(&self) -> &'static str {
        "quantize"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let blame = Blame::new(manifest);
        let job = match manifest.quantize {
            None => Job::compute(NETWORK, move |inputs| {
                untouched(inputs).map_err(|error| blame.on(error))
            }),
            Some(wanted) => active(manifest, wanted, done)?,
        };
        Ok(vec![
            job.output_of(GRAPH, "import", NETWORK, GRAPH)
                .output_of(CONSTANTS, "import", NETWORK, CONSTANTS),
        ])
    }
}

/// The job that quantises.
fn active(manifest: &Manifest, wanted: manifest::Quantize, done: &dyn Artifacts) -> Result<Job> {
    let lesson = Calibration::new(
        manifest,
        Some(FEW),
        ("quantize", || "`[quantize]` learns".to_owned()),
    )?;
    let input = manifest.input.grid.as_ref().map(grid).ok_or_else(|| {
        Error::user("`[quantize]` needs to know what arrives, and `[input]` has no grid")
            .at(manifest.quantize_place())
            .help("say it, for example for pixels divided by 255:\n[input]\ntype = \"uint8\"\nscale = 0.00392156862745098\nor for pixels from -1 to 1, whose integers 2 * p - 255 are odd:\n[input]\ntype = \"int9\"\nscale = 0.00392156862745098")
    })?;
    let layers = layers(manifest, done)?;
    let mut lines = Vec::new();
    for (name, bits) in &layers {
        let said = [("weights", bits.weights), ("activations", bits.activations)];
        for (key, bits) in said {
            lines.extend(bits.map(|bits| (format!("layer {name} {key}"), bits.to_string())));
        }
    }
    let task = Task {
        lesson: lesson.clone(),
        input,
        wanted,
        layers,
        place: manifest.quantize_place(),
    };
    let mut job = Job::compute(NETWORK, move |inputs| task.run(inputs))
        .line("quantize", manifest.canonical("quantize"))
        .line("input", manifest.canonical("input"))
        .line("instruction set", instruction_set())
        .shown_in("network/quantised");
    for (label, value) in lines {
        job = job.line(label, value);
    }
    lesson.read_by(job)
}

/// What the manifest says about the nodes of the imported network, as far as it says anything.
fn layers(manifest: &Manifest, done: &dyn Artifacts) -> Result<BTreeMap<String, Bits>> {
    if manifest
        .layers
        .iter()
        .all(|layer| layer.bits == Bits::default())
    {
        return Ok(BTreeMap::new());
    }
    let graph = done.read(&OutputRef {
        stage: "import",
        job: NETWORK.into(),
        output: GRAPH.into(),
    })?;
    let network: Network = from_json(&graph)?;
    for entry in &manifest.layers {
        let meant = |node: &Node| {
            let reads = node.op.is_product()
                || matches!(
                    node.op,
                    Op::Conv { .. } | Op::AveragePool { .. } | Op::Binary(_) | Op::Concat { .. }
                );
            reads && glob::matches(&entry.pattern, &node.name)
        };
        if entry.bits != Bits::default() && !network.nodes.iter().any(meant) {
            let what = format!(
                "`{}` matches no layer whose bits can be chosen",
                entry.pattern
            );
            return Err(Error::user(what).at(entry.place("match")).help(
                "convolutions, dense layers, pools and sums have weights or read activations",
            ));
        }
    }
    let nodes = network.nodes.into_iter().map(|node| {
        let bits = manifest.bits(&node.name);
        (node.name, bits)
    });
    Ok(nodes.filter(|(_, bits)| *bits != Bits::default()).collect())
}

/// Nothing is quantised: the network stays as it is, byte for byte.
fn untouched(inputs: &Inputs) -> Result<Outputs> {
    refuse_float(&network(inputs)?)?;
    let outputs =
        [GRAPH, CONSTANTS].map(|name| Ok((name.to_owned(), inputs.bytes(name)?.to_vec())));
    outputs.into_iter().collect()
}

fn network(inputs: &Inputs) -> Result<Network> {
    Network::from_bytes(inputs.bytes(GRAPH)?, inputs.bytes(CONSTANTS)?)
}

struct Task {
    lesson: Calibration,
    input: Grid,
    wanted: manifest::Quantize,
    layers: BTreeMap<String, Bits>,
    place: Place,
}

impl Task {
    fn run(&self, inputs: &Inputs) -> Result<Outputs> {
        let blamed = |error: Error| match error.place().is_some() {
            true => error,
            false => error.at(self.place.clone()),
        };
        let network = network(inputs)?;
        let wishes = Wishes {
            weights: self.wanted.weights,
            activations: self.wanted.activations,
            of: &|name| self.layers.get(name).copied().unwrap_or_default(),
        };
        let frames = self.lesson.arriving(&network, &self.input)?;
        let (quantised, report) =
            quantise(&network, &wishes, &self.input, &frames).map_err(blamed)?;
        let (graph, constants) = quantised.to_bytes()?;
        Ok(Outputs::from([
            (GRAPH.to_owned(), graph),
            (CONSTANTS.to_owned(), constants),
            (MODEL.to_owned(), qonnx::export(&quantised)?),
            (REPORT.to_owned(), json(&report)?),
        ]))
    }
}
