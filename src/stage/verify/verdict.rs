//! Verdict: what simulations wrote against what the executor computed, element by element.
//! Must not know how either came about.

use serde::{Deserialize, Serialize};

use super::frames;
use super::plan::Whole;
use super::simulate::{CYCLES, NETWORK_RUN, OUTPUT, layer_job, tap_file};
use super::simulation::Simulation;
use super::trace::{self, TRACE_JOB};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::layer::{Layer, Port};
use crate::stage::record::{from_json, json};
use crate::stage::{Inputs, Job, Outputs};

/// Job that compares.
pub(in crate::stage) const VERDICT_JOB: &str = "compare";
/// What it writes.
pub(in crate::stage) const VERDICT: &str = "verdict.json";

/// What was compared, all of it equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Fewest frames that a layer was fed.
    pub frames: usize,
    /// Layers that were simulated alone, in order.
    pub layers: Vec<Alone>,
    /// The whole network.
    pub network: Inside,
}

/// What was compared of a layer that was simulated alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alone {
    /// Its name.
    pub name: String,
    /// Elements that it wrote.
    pub elements: usize,
    /// Frames that it was fed.
    pub frames: usize,
    /// Pixels of a frame that it wrote.
    pub pixels: usize,
    /// Pixels of a frame that the whole layer writes.
    pub of_pixels: usize,
}

/// What was compared of the network as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status")]
pub enum Inside {
    /// It was simulated.
    #[serde(rename = "simulated")]
    Simulated {
        /// Frames that it was fed.
        frames: usize,
        /// Elements of streams inside it, and at its output.
        elements: usize,
    },
    /// It was not.
    #[serde(rename = "not simulated")]
    NotSimulated {
        /// Why not.
        reason: String,
    },
}

impl Alone {
    /// Whether the layer was simulated on less than its picture.
    pub fn is_part(&self) -> bool {
        self.pixels < self.of_pixels
    }
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
    /// Pixels that it writes, and that the whole layer writes.
    pixels: [usize; 2],
    /// The recorded stream that it should give.
    recorded: String,
}

impl Pair {
    /// Cycles that were counted.
    fn counted(&self) -> String {
        format!("cycles/{}.json", self.layer)
    }

    /// What `found` is compared with, apart from all names of layers.
    fn expected(&self) -> String {
        format!("expected/{}", self.recorded)
    }
}

/// The job that compares every layer, alone and, where the network was simulated, inside it, first to last.
///
/// # Errors
/// A bug if a layer inside the network has no source.
pub(super) fn job(dataflow: &Dataflow, simulations: &[Simulation], network: Whole) -> Result<Job> {
    let mut pairs = alone(dataflow, simulations);
    if network.frames > 0 {
        pairs.extend(inside(dataflow)?);
    }
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
    let expected: Vec<(String, String)> = pairs
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
    let mut job = Job::compute(VERDICT_JOB, move |inputs| compare(&pairs, network, inputs));
    for (name, from, file) in sources {
        job = job.output_of(name, "verify", from, file);
    }
    job.lines = expected_cycles;
    for (name, from) in counted {
        job = job.output_of(name, "verify", from, CYCLES);
    }
    for (name, file) in expected {
        job = job.output_of(name, "verify", TRACE_JOB, file);
    }
    Ok(job.shown_in("sim"))
}

fn alone(dataflow: &Dataflow, simulations: &[Simulation]) -> Vec<Pair> {
    let nodes = dataflow.nodes.iter().zip(simulations);
    let pairs = nodes.map(|(node, simulation)| {
        let port = simulation.layer.hardware().output();
        let (pixels, of_pixels) = match (&node.layer, node.inputs.first()) {
            // It may see the whole picture as one pixel, so those of the layer before it are counted.
            (Layer::WidthConverter(_), Some(before)) => {
                let before = dataflow.stream(*before);
                (port.elements().div_ceil(before.channels), before.pixels)
            }
            _ => (port.pixels, node.layer.hardware().output().pixels),
        };
        Pair {
            layer: node.name.clone(),
            inside: false,
            port,
            found: format!("alone/{}.npy", node.name),
            cycles: simulation.layer.hardware().cycles(),
            pixels: [pixels, of_pixels],
            recorded: simulation.expected.clone(),
        }
    });
    pairs.collect()
}

fn inside(dataflow: &Dataflow) -> Result<Vec<Pair>> {
    let pairs = dataflow.nodes.iter().map(|node| {
        let port = node.layer.hardware().output();
        let source = trace::source(dataflow, node.outputs[0])
            .ok_or_else(|| Error::bug(format!("nothing feeds the converter `{}`", node.name)))?;
        Ok(Pair {
            layer: node.name.clone(),
            inside: true,
            port,
            found: format!("inside/{}.npy", node.name),
            cycles: node.layer.hardware().cycles(),
            pixels: [port.pixels; 2],
            recorded: trace::inside(source),
        })
    });
    pairs.collect()
}

fn compare(pairs: &[Pair], network: Whole, inputs: &Inputs) -> Result<Outputs> {
    let mut layers: Vec<Alone> = Vec::new();
    let (mut inside, mut elements) = (None, 0);
    for pair in pairs {
        let found = frames::read(inputs.bytes(&pair.found)?)?;
        let expected = frames::read(inputs.bytes(&pair.expected())?)?;
        check(pair, &found, &expected)?;
        let frames = expected.len() / pair.port.elements().max(1);
        if pair.inside {
            inside = Some(frames);
            elements += expected.len();
            continue;
        }
        pace(
            pair,
            &from_json::<Vec<u64>>(inputs.bytes(&pair.counted())?)?,
        )?;
        layers.push(Alone {
            name: pair.layer.clone(),
            elements: expected.len(),
            frames,
            pixels: pair.pixels[0],
            of_pixels: pair.pixels[1],
        });
    }
    let network = match inside {
        Some(frames) => Inside::Simulated { frames, elements },
        None => Inside::NotSimulated {
            reason: format!(
                "{} operations per frame are beyond the budget; `finnp build --full` simulates it",
                network.operations
            ),
        },
    };
    let verdict = Verdict {
        frames: layers.iter().map(|layer| layer.frames).min().unwrap_or(0),
        layers,
        network,
    };
    Ok(Outputs::from([(VERDICT.to_owned(), json(&verdict)?)]))
}

/// A frame that follows another takes the cycles that folding reckoned with.
fn pace(pair: &Pair, counted: &[u64]) -> Result<()> {
    match counted {
        // One frame alone tells nothing of those that follow.
        [_] => Ok(()),
        [_, cycles] if *cycles == pair.cycles => Ok(()),
        [_, cycles] => Err(Error::bug(format!(
            "the loop of layer `{}` takes {cycles} cycles per frame, not {}",
            pair.layer, pair.cycles
        ))),
        _ => Err(Error::bug(format!(
            "no cycles of layer `{}` were counted",
            pair.layer
        ))),
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
            pixels: [2; 2],
            recorded: String::new(),
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
