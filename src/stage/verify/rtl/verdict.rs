//! Verdict: the words that modules wrote against what the executor computed, and the cycles in which they left.
//! Must not know how either came about.

use serde::{Deserialize, Serialize};

use super::simulate::{NETWORK_RUN, layer_job, written};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::layer::Port;
use crate::stage::record::json;
use crate::stage::verify::frames;
use crate::stage::verify::plan::Whole;
use crate::stage::verify::simulation::Simulation;
use crate::stage::verify::trace::{self, TRACE_JOB};
use crate::stage::{Inputs, Job, Outputs};

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
    /// Cycle in which the last word of the first frame left; cycle 0 is the first one after reset.
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
    /// Cycles of a frame that folding reckoned with; `None` for the network, whose layers wait for each other.
    cycles: Option<u64>,
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
        match self.cycles {
            Some(_) => format!("layer `{}`", self.name),
            None => "the whole network".to_owned(),
        }
    }
}

/// The job that compares every layer and, where it was simulated, the network.
pub(super) fn job(folded: &Dataflow, simulations: &[Simulation], whole: Whole) -> Job {
    let nodes = folded.nodes.iter().zip(simulations);
    let mut pairs: Vec<Pair> = nodes
        .map(|(node, simulation)| {
            let hardware = simulation.layer.hardware();
            Pair {
                name: node.name.clone(),
                job: layer_job(&node.name),
                copies: hardware.copies(),
                port: hardware.output(),
                cycles: Some(hardware.cycles()),
                recorded: simulation.expected.clone(),
            }
        })
        .collect();
    let last = folded.outputs.first().and_then(|output| {
        let writer = folded.producer(output.stream)?;
        let source = trace::source(folded, output.stream)?;
        Some((output, writer.layer.hardware().output(), source))
    });
    if let (Some((output, port, source)), true) = (last, whole.frames > 0) {
        pairs.push(Pair {
            name: output.name.clone(),
            job: NETWORK_RUN.to_owned(),
            copies: 1,
            port,
            cycles: None,
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
        .map(|pair| (pair.title(), format!("{:?} {:?}", pair.port, pair.cycles)))
        .collect();
    let mut job = Job::compute(VERDICT_JOB, move |inputs| compare(&pairs, inputs));
    job.lines = lines;
    for (name, from, file) in sources {
        job = job.output_of(name, "verify", from, file);
    }
    job.shown_in("sim")
}

fn compare(pairs: &[Pair], inputs: &Inputs) -> Result<Outputs> {
    let mut verdict = Verdict {
        layers: Vec::new(),
        network: None,
    };
    for pair in pairs {
        let expected = frames::read(inputs.bytes(&pair.expected())?)?;
        let mut cycles = Vec::new();
        for [words, times] in written(pair.copies) {
            let words = inputs.bytes(&pair.found(&words))?;
            equal(pair, &pair.port.elements_of(words), &expected)?;
            cycles = read_cycles(inputs.bytes(&pair.found(&times))?);
        }
        let found = paced(pair, &cycles)?;
        match pair.cycles {
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

/// When frames left. One that follows another takes no more cycles than folding reckoned with.
fn paced(pair: &Pair, cycles: &[u64]) -> Result<Cycles> {
    let ends: Vec<u64> = cycles
        .chunks_exact(pair.port.words().max(1))
        .filter_map(|frame| frame.last().copied())
        .collect();
    let interval = match &ends[..] {
        [.., before, last] => Some(last - before),
        _ => None,
    };
    if let (Some(interval), Some(most)) = (interval, pair.cycles)
        && interval > most
    {
        return Err(Error::bug(format!(
            "a frame of {} takes {interval} cycles in RTL, not {most}",
            pair.title()
        )));
    }
    Ok(Cycles {
        name: pair.name.clone(),
        frames: ends.len(),
        latency: ends.first().copied().unwrap_or(0),
        interval,
    })
}
