//! Verdict: what simulations wrote against what the executor computed, element by element.
//! Must not know how either came about.

use serde::{Deserialize, Serialize};

use super::frames;
use super::simulate::{CYCLES, NETWORK_RUN, OUTPUT, layer_job, tap_file};
use super::trace::{self, TRACE_JOB};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::layer::Port;
use crate::stage::record::{from_json, json};
use crate::stage::{Inputs, Job, Outputs};

/// Job that compares.
pub(in crate::stage) const VERDICT_JOB: &str = "compare";
/// What it writes.
pub(in crate::stage) const VERDICT: &str = "verdict.json";

/// What was compared, all of it equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Frames that went through every simulation.
    pub frames: usize,
    /// Layers that were simulated alone, in order, with the elements compared.
    pub layers: Vec<(String, usize)>,
    /// Elements of streams inside the whole network, and at its output.
    pub network_elements: usize,
}

/// One comparison to be made.
struct Pair {
    /// What the user knows it by.
    layer: String,
    /// Whether the layer ran inside the network.
    inside: bool,
    port: Port,
    found: String,
    /// Cycles that a frame takes when nothing waits.
    cycles: u64,
    /// The layer that wrote what it should give; `None` for the network's input.
    recorded: Option<String>,
}

impl Pair {
    /// Cycles that were counted.
    fn counted(&self) -> String {
        format!("cycles/{}.json", self.layer)
    }

    /// What `found` is compared with, apart from all names of layers.
    fn expected(&self) -> String {
        match &self.recorded {
            Some(layer) => format!("expected/{}", trace::file(layer)),
            None => trace::INPUT.to_owned(),
        }
    }
}

/// The job that compares every layer, alone and inside the network, first to last.
pub(super) fn job(dataflow: &Dataflow) -> Job {
    let pairs = pairs(dataflow);
    let sources: Vec<(String, String, String)> = pairs
        .iter()
        .map(|pair| {
            let (job, file) = match pair.inside {
                true => (NETWORK_RUN.to_owned(), tap_file(&pair.layer)),
                false => (layer_job(&pair.layer), OUTPUT.to_owned()),
            };
            (pair.found.clone(), job, file)
        })
        .collect();
    let expected: Vec<(String, Option<String>)> = pairs
        .iter()
        .map(|pair| (pair.expected(), pair.recorded.clone()))
        .collect();
    let counted: Vec<(String, String)> = pairs
        .iter()
        .filter(|pair| !pair.inside)
        .map(|pair| (pair.counted(), layer_job(&pair.layer)))
        .collect();
    let expected_cycles: Vec<(String, String)> = pairs
        .iter()
        .filter(|pair| !pair.inside)
        .map(|pair| (format!("cycles of {}", pair.layer), pair.cycles.to_string()))
        .collect();
    let mut job = Job::compute(VERDICT_JOB, move |inputs| compare(&pairs, inputs));
    for (name, from, file) in sources {
        job = job.output_of(name, "verify", from, file);
    }
    job.lines = expected_cycles;
    for (name, from) in counted {
        job = job.output_of(name, "verify", from, CYCLES);
    }
    for (name, layer) in expected {
        job = match layer {
            None => job.output_of(name, "verify", trace::INPUTS_JOB, trace::INPUT),
            Some(layer) => job.output_of(name, "verify", TRACE_JOB, trace::file(&layer)),
        };
    }
    job.shown_in("sim")
}

fn pairs(dataflow: &Dataflow) -> Vec<Pair> {
    let one = |inside: bool| {
        dataflow.nodes.iter().map(move |node| {
            let source = trace::source(dataflow, node.outputs[0]);
            Pair {
                layer: node.name.clone(),
                inside,
                port: node.layer.hardware().output(),
                found: format!(
                    "{}/{}.npy",
                    if inside { "inside" } else { "alone" },
                    node.name
                ),
                cycles: node.layer.hardware().cycles(),
                recorded: source.map(str::to_owned),
            }
        })
    };
    one(false).chain(one(true)).collect()
}

fn compare(pairs: &[Pair], inputs: &Inputs) -> Result<Outputs> {
    let mut verdict = Verdict {
        frames: 0,
        layers: Vec::new(),
        network_elements: 0,
    };
    for pair in pairs {
        let found = frames::read(inputs.bytes(&pair.found)?)?;
        let expected = frames::read(inputs.bytes(&pair.expected())?)?;
        check(pair, &found, &expected)?;
        if !pair.inside {
            let counted: Vec<u64> = from_json(inputs.bytes(&pair.counted())?)?;
            pace(pair, &counted)?;
        }
        verdict.frames = expected.len() / pair.port.elements().max(1);
        match pair.inside {
            true => verdict.network_elements += expected.len(),
            false => verdict.layers.push((pair.layer.clone(), expected.len())),
        }
    }
    Ok(Outputs::from([(VERDICT.to_owned(), json(&verdict)?)]))
}

/// A frame that follows another takes the cycles that folding reckoned with.
fn pace(pair: &Pair, counted: &[u64]) -> Result<()> {
    match counted {
        [_, cycles] if *cycles != pair.cycles => Err(Error::bug(format!(
            "the loop of layer `{}` takes {cycles} cycles per frame, not {}",
            pair.layer, pair.cycles
        ))),
        _ => Ok(()),
    }
}

/// Names the first element that differs.
fn check(pair: &Pair, found: &[i64], expected: &[i64]) -> Result<()> {
    let place = if pair.inside {
        " inside the network"
    } else {
        ""
    };
    let differs = |what: String| {
        Err(Error::design(format!("C simulation of layer `{}`{place} {what}", pair.layer))
            .help("the generated source does not compute what the integer network does: this is a defect of finnp unless a file of the build was changed by hand; please report it"))
    };
    if found.len() != expected.len() {
        return differs(format!(
            "gives {} elements, not {}",
            found.len(),
            expected.len()
        ));
    }
    let Some(position) = found
        .iter()
        .zip(expected)
        .position(|(found, expected)| found != expected)
    else {
        return Ok(());
    };
    let (frame, element) = (
        position / pair.port.elements(),
        position % pair.port.elements(),
    );
    let (pixel, channel) = (element / pair.port.channels, element % pair.port.channels);
    differs(format!(
        "differs first at frame {frame}, pixel {pixel}, channel {channel}: it gives {}, the integer network {}",
        found[position], expected[position]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::DataType;

    #[test]
    fn the_first_difference_is_named() {
        let pair = Pair {
            layer: "fc1".into(),
            inside: false,
            port: Port {
                element: DataType::Int(8),
                pixels: 2,
                channels: 3,
                per_word: 1,
            },
            found: String::new(),
            cycles: 6,
            recorded: None,
        };
        assert!(pace(&pair, &[9, 6]).is_ok() && pace(&pair, &[9]).is_ok());
        assert!(pace(&pair, &[6, 7]).is_err());
        let expected: Vec<i64> = (0..12).collect();
        assert!(check(&pair, &expected, &expected).is_ok());
        let mut found = expected.clone();
        found[10] = 99;
        let error = check(&pair, &found, &expected).expect_err("differs");
        assert_eq!(
            error.message(),
            "C simulation of layer `fc1` differs first at frame 1, pixel 1, channel 1: it gives 99, the integer network 10"
        );
        assert_eq!(error.kind().exit_code(), 1);
        assert!(check(&pair, &found[1..], &expected).is_err());
    }
}
