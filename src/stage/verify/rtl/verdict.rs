//! Verdict: the words that modules wrote against what the executor computed, and the cycles in which they left.
//! Must not know how either came about.

use serde::{Deserialize, Serialize};

use super::simulate::{NETWORK_RUN, layer_job, written};
use crate::backend::rtl::CORE_DEPTH;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::layer::{Layer, Port};
use crate::simulate::{Load, alone, run};
use crate::stage::generate::rtl::deepen;
use crate::stage::record::{feed, json, of_inputs, read};
use crate::stage::simulate::SIMULATION;
use crate::stage::verify::frames;
use crate::stage::verify::simulation::Simulation;
use crate::stage::verify::trace::{self, TRACE_JOB};
use crate::stage::{Inputs, Job, NETWORK, Outputs};

/// Job that compares.
pub(in crate::stage) const VERDICT_JOB: &str = "compare rtl";
/// What it writes.
pub(in crate::stage) const VERDICT: &str = "rtl.json";

/// What was compared, all of it equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Layers that were simulated alone, in order.
    pub layers: Vec<Cycles>,
    /// The whole network; absent where it was not simulated.
    pub network: Option<Cycles>,
}

/// When frames left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {
    /// Name of the layer, or of the network's output.
    pub name: String,
    /// Frames that went through.
    pub frames: usize,
    /// Cycles from reset until the last word of the first frame had left.
    pub latency: u64,
    /// Cycles between the last words of the last two frames, where there were two.
    pub interval: Option<u64>,
}

/// One comparison to be made.
struct Pair {
    /// What the user knows it by.
    name: String,
    /// Job that ran, and how many streams carry what it wrote.
    job: String,
    copies: usize,
    port: Port,
    /// The layer as it was simulated; `None` for the network.
    layer: Option<Layer>,
    /// The recorded stream that it should give.
    recorded: String,
}

impl Pair {
    fn found(&self, file: &str) -> String {
        format!("found/{}/{file}", self.job)
    }

    fn expected(&self) -> String {
        format!("expected/{}", self.recorded)
    }

    /// "the network", "layer `conv`".
    fn title(&self) -> String {
        match self.layer {
            Some(_) => format!("layer `{}`", self.name),
            None => "the whole network".to_owned(),
        }
    }
}

/// The job that compares `layers` with what was simulated of each and, where it was simulated, the network.
pub(super) fn job(folded: &Dataflow, layers: &[(&Node, &Simulation)], whole: bool) -> Job {
    let mut pairs: Vec<Pair> = layers
        .iter()
        .map(|(node, simulation)| {
            let hardware = simulation.layer.hardware();
            Pair {
                name: node.name.clone(),
                job: layer_job(&node.name),
                copies: hardware.copies(),
                port: hardware.output(),
                layer: Some(simulation.layer.clone()),
                recorded: simulation.expected.clone(),
            }
        })
        .collect();
    let last = folded.outputs.first().and_then(|output| {
        let writer = folded.producer(output.stream)?;
        let source = trace::source(folded, output.stream)?;
        Some((output, writer.layer.hardware().output(), source))
    });
    if let (Some((output, port, source)), true) = (last, whole) {
        pairs.push(Pair {
            name: output.name.clone(),
            job: NETWORK_RUN.to_owned(),
            copies: 1,
            port,
            layer: None,
            recorded: trace::inside(source),
        });
    }
    let mut sources = Vec::new();
    for pair in &pairs {
        for file in written(pair.copies).concat() {
            sources.push((pair.found(&file), pair.job.clone(), file));
        }
        let recorded = pair.recorded.clone();
        sources.push((pair.expected(), TRACE_JOB.to_owned(), recorded));
    }
    let lines: Vec<(String, String)> = pairs
        .iter()
        .map(|pair| (pair.title(), format!("{:?} {:?}", pair.port, pair.layer)))
        .collect();
    let mut job = Job::compute(VERDICT_JOB, move |inputs| compare(&pairs, inputs));
    job.lines = lines;
    for (name, from, file) in sources {
        job = job.output_of(name, "verify", from, file);
    }
    feed(job, "fold", folded, false)
        .output_of(SIMULATION, "simulate", NETWORK, SIMULATION)
        .shown_in("sim")
}

fn compare(pairs: &[Pair], inputs: &Inputs) -> Result<Outputs> {
    let mut verdict = Verdict {
        layers: Vec::new(),
        network: None,
    };
    let mut network = read(&of_inputs(inputs))?;
    deepen(&mut network, inputs, false)?;
    for pair in pairs {
        let expected = frames::read(inputs.bytes(&pair.expected())?)?;
        let frames = expected.len() / pair.port.elements().max(1);
        let said = match &pair.layer {
            Some(layer) => run(&alone(layer, CORE_DEPTH), &Load::frames(frames))?,
            None => run(&network, &Load::frames(frames))?,
        };
        for ([words, times], said) in written(pair.copies).iter().zip(&said.outputs) {
            let words = inputs.bytes(&pair.found(words))?;
            equal(pair, &pair.port.elements_of(words), &expected)?;
            same(pair, &read_cycles(inputs.bytes(&pair.found(times))?), said)?;
        }
        let found = paced(pair, said.outputs.first().map_or(&[], Vec::as_slice));
        match pair.layer {
            Some(_) => verdict.layers.push(found),
            None => verdict.network = Some(found),
        }
    }
    Ok(Outputs::from([(VERDICT.to_owned(), json(&verdict)?)]))
}

fn read_cycles(bytes: &[u8]) -> Vec<u64> {
    let number = |bytes: &[u8]| {
        let each = bytes.iter().rev();
        each.fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    bytes.chunks_exact(8).map(number).collect()
}

/// Names the first element that differs.
fn equal(pair: &Pair, found: &[i64], expected: &[i64]) -> Result<()> {
    let differs = |what: String| {
        Err(Error::design(format!("RTL simulation of {} {what}", pair.title()))
            .help("the generated source does not compute what the integer network does: this is a defect of finnp unless a file of the build was changed by hand; please report it"))
    };
    if found.len() != expected.len() {
        return differs(format!(
            "gives {} elements, not {}",
            found.len(),
            expected.len()
        ));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    match pairs.find(|(_, (found, expected))| found != expected) {
        None => Ok(()),
        Some((at, (found, expected))) => {
            let frame = at / pair.port.elements().max(1);
            let inside = at % pair.port.elements().max(1);
            differs(format!(
                "gives {found} instead of {expected} in frame {frame}, pixel {}, channel {}",
                inside / pair.port.channels.max(1),
                inside % pair.port.channels.max(1),
            ))
        }
    }
}

/// Names the first word that left in another cycle than simulation by words says.
fn same(pair: &Pair, found: &[u64], said: &[u64]) -> Result<()> {
    let mut words = found.iter().zip(said).enumerate();
    match words.find(|(_, (found, said))| found != said) {
        None if found.len() == said.len() => Ok(()),
        None => Err(Error::bug(format!(
            "{} words left {} in RTL, not {}",
            found.len(),
            pair.title(),
            said.len()
        ))),
        Some((at, (found, said))) => Err(Error::bug(format!(
            "word {at} left {} in cycle {found} in RTL, not {said}",
            pair.title()
        ))),
    }
}

/// When frames left.
fn paced(pair: &Pair, cycles: &[u64]) -> Cycles {
    let ends: Vec<u64> = cycles
        .chunks_exact(pair.port.words().max(1))
        .filter_map(|frame| frame.last().copied())
        .collect();
    Cycles {
        name: pair.name.clone(),
        frames: ends.len(),
        latency: ends.first().map_or(0, |last| last + 1),
        interval: match &ends[..] {
            [.., before, last] => Some(last - before),
            _ => None,
        },
    }
}
