//! Summary: what was built and what was proved, in one file.
//! Must not know the cache.

use serde::{Deserialize, Serialize};

use super::cost::{Account, COST, Entry};
use super::language::Languages;
use super::link::{Link, RESULT, RESULT_JOB};
use super::prune::PLAN;
use super::record::{feed, from_json, json, of_inputs, of_stage, read};
use super::row::{Facts, LayerRow, facts, layers, rows};
use super::verify::{
    ACCURACY, Accuracy, INPUTS_JOB, Inside, LEVELS, LEVELS_JOB, RTL, RTL_JOB, RtlVerdict, SAMPLES,
    SINGLE, SINGLE_JOB, Samples, TRACE_JOB, VERDICT, VERDICT_JOB, Verdict,
};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::dataflow::{Dataflow, Output};
use crate::error::Result;
use crate::layer::Layer;
use crate::manifest::Manifest;
use crate::prune::Pruned;
use crate::reference::{levels::Levels, single::Single};

/// The stage.
pub(super) struct Summarise;

/// What C simulation proves, and what it does not.
pub const PROOF: &str = "function verified (C simulation), timing not verified";
/// What RTL simulation proves.
const RTL_PROOF: &str = "function and timing verified (RTL simulation)";

/// `build/summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the project.
    pub project: String,
    /// Name of the board.
    pub board: String,
    /// Clock and throughput.
    #[serde(flatten)]
    pub facts: Facts,
    /// What is proved.
    pub proof: String,
    /// Inputs that everything was verified on.
    pub samples: Samples,
    /// Right answers of the integer network, where the inputs have labels.
    pub accuracy: Option<Accuracy>,
    /// Integer network against the f64 reference.
    pub levels: Levels,
    /// Integer network against tract in f32: differences are counted, not refused.
    pub f32: Single,
    /// C simulation against the integer network.
    pub simulation: Verdict,
    /// RTL simulation against the integer network, where there is RTL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtl: Option<RtlVerdict>,
    /// What its RTL takes on the chip, figure by figure, where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Vec<Entry>>,
    /// What was simulated, compared or counted in part only, each as a sentence; empty where all was, on all samples.
    pub left_out: Vec<String>,
    /// What Vivado made of it, or why it did not run.
    pub link: Link,
    /// What the host makes of the integers that leave: scale, offset and further operators.
    pub outputs: Vec<Output>,
    /// Layers in order.
    pub layers: Vec<LayerRow>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Stage for Summarise {
    fn name(&self) -> &'static str {
        "summary"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let folded = read(&of_stage(done, "fold"))?;
        let facts = facts(manifest, &layers(done)?);
        let (project, board) = (
            manifest.project.name.clone(),
            manifest.target.board.name.clone(),
        );
        let mut job = Job::compute(NETWORK, move |inputs| {
            let summary = summarise(inputs, &project, &board, &facts)?;
            Ok(Outputs::from([(
                "summary.json".to_owned(),
                json(&summary)?,
            )]))
        })
        .line("project", manifest.project.name.clone())
        .line("board", manifest.target.board.name.clone())
        .line("clock_mhz", manifest.target.clock_mhz.to_string());
        for (job_name, file) in [
            (INPUTS_JOB, SAMPLES),
            (TRACE_JOB, ACCURACY),
            (LEVELS_JOB, LEVELS),
            (SINGLE_JOB, SINGLE),
            (VERDICT_JOB, VERDICT),
        ] {
            job = job.output_of(file, "verify", job_name, file);
        }
        if Languages::of(manifest, &folded).some_rtl() {
            job = job.output_of(RTL, "verify", RTL_JOB, RTL);
            job = job.output_of(COST, "cost", NETWORK, COST);
        }
        let job = job
            .output_of(PLAN, "prune", NETWORK, PLAN)
            .output_of(RESULT, "link", RESULT_JOB, RESULT);
        Ok(vec![feed(job, "fold", &folded, false).shown_in("")])
    }
}

fn summarise(inputs: &Inputs, project: &str, board: &str, facts: &Facts) -> Result<Summary> {
    let samples: Samples = from_json(inputs.bytes(SAMPLES)?)?;
    let link: Link = from_json(inputs.bytes(RESULT)?)?;
    let levels: Levels = from_json(inputs.bytes(LEVELS)?)?;
    let simulation: Verdict = from_json(inputs.bytes(VERDICT)?)?;
    let folded = read(&of_inputs(inputs))?;
    let plan: Vec<Pruned> = from_json(inputs.bytes(PLAN)?)?;
    let f32: Single = from_json(inputs.bytes(SINGLE)?)?;
    let rtl: Option<RtlVerdict> = match inputs.0.contains_key(RTL) {
        true => Some(from_json(inputs.bytes(RTL)?)?),
        false => None,
    };
    let account: Option<Account> = match inputs.0.contains_key(COST) {
        true => Some(from_json(inputs.bytes(COST)?)?),
        false => None,
    };
    let mut warnings = warnings(&samples);
    warnings.extend(wide_sums(&folded));
    warnings.extend(in_vain(&plan));
    warnings.extend(boundaries(&f32));
    warnings.extend(slower(&folded, rtl.as_ref()));
    if let Link::Done(done) = &link {
        warnings.extend(done.warnings.iter().cloned());
    }
    Ok(Summary {
        project: project.to_owned(),
        board: board.to_owned(),
        facts: facts.clone(),
        proof: proof(rtl.as_ref(), folded.nodes.len()),
        left_out: left_out(&samples, &levels, &simulation)
            .into_iter()
            .chain(account.as_ref().and_then(unknown))
            .collect(),
        samples,
        accuracy: from_json(inputs.bytes(ACCURACY)?)?,
        levels,
        f32,
        simulation,
        rtl,
        cost: account.map(|account| account.total),
        link,
        layers: rows(&folded, &plan),
        outputs: folded.outputs,
        warnings,
    })
}

/// What is proved, where `layers` are all layers.
fn proof(rtl: Option<&RtlVerdict>, layers: usize) -> String {
    match rtl {
        None => PROOF.to_owned(),
        // One frame alone does not show that the next one follows it in time.
        Some(rtl) if rtl.network.as_ref().is_some_and(|n| n.interval.is_some()) => {
            RTL_PROOF.to_owned()
        }
        Some(rtl) => format!(
            "{PROOF}; {} of {layers} layers: {RTL_PROOF}",
            rtl.layers.len()
        ),
    }
}

/// What was simulated or compared in part only.
fn left_out(samples: &Samples, levels: &Levels, simulation: &Verdict) -> Vec<String> {
    let mut left_out = Vec::new();
    let count = samples.count;
    let layers = &simulation.layers;
    let parts = layers.iter().filter(|layer| layer.is_part()).count();
    if parts > 0 {
        left_out.push(format!(
            "{parts} of {} layers were simulated on a part of the picture: `finnp build --full` takes all of it",
            layers.len()
        ));
    }
    if simulation.frames < count {
        left_out.push(format!(
            "layers were simulated on {} of {count} samples at least",
            simulation.frames
        ));
    }
    match &simulation.network {
        Inside::Simulated { frames, .. } if *frames < count => left_out.push(format!(
            "the whole network was simulated on {frames} of {count} samples"
        )),
        Inside::Simulated { .. } => {}
        Inside::NotSimulated { reason } => {
            left_out.push(format!("the whole network was not simulated: {reason}"));
        }
    }
    if levels.samples < count {
        left_out.push(format!(
            "the references in floating point were compared on {} of {count} samples",
            levels.samples
        ));
    }
    left_out
}

/// Layers that the figures of the chip leave out.
fn unknown(account: &Account) -> Option<String> {
    let (cpp, rtl) = (account.cpp.len(), account.layers.len());
    (cpp > 0).then(|| {
        format!(
            "resources are those of {rtl} of {} layers: the others are C++",
            cpp + rtl
        )
    })
}

/// Bits of a sum of codes beyond which somebody should know.
const WIDE: u32 = 16;

/// Sums that are much wider than what is added up.
fn wide_sums(folded: &Dataflow) -> Vec<String> {
    let wide = folded.nodes.iter().filter_map(|node| match &node.layer {
        Layer::Add(add) if add.output.bits() > WIDE => {
            let read = add.inputs.iter().map(|element| element.bits()).max()?;
            (add.output.bits() > read + WIDE / 2).then(|| (&node.name, read, add.output.bits()))
        }
        _ => None,
    });
    wide.map(|(name, read, bits)| {
        format!(
            "`{name}` adds integers of {read} bits whose scales have no small common unit: its sums have {bits} \
             bits (give both branches one scale, or a ratio that is a power of two)"
        )
    })
    .collect()
}

/// A pattern that found nothing to remove anywhere.
fn in_vain(plan: &[Pruned]) -> Option<String> {
    let asks = |layer: &&Pruned| {
        layer.pattern == "channel" && layer.asked.is_some_and(|share| share < 1.0)
    };
    let mut asked = plan.iter().filter(asks).peekable();
    asked.peek()?;
    asked.all(|layer| layer.density == 1.0).then(|| {
        "the pattern `channel` removed nothing: all channels that layers ask for are at the network's ends, or meet a \
         concatenation, a grouped layer or pixels that are moved apart"
            .to_owned()
    })
}

/// A network that takes longer in RTL than its slowest layer alone.
fn slower(folded: &Dataflow, rtl: Option<&RtlVerdict>) -> Option<String> {
    let interval = rtl?.network.as_ref()?.interval?;
    let cycles = folded
        .nodes
        .iter()
        .map(|node| node.layer.hardware().cycles());
    let most = cycles.max().filter(|most| interval > *most)?;
    Some(format!(
        "frames leave every {interval} cycles in RTL, although no layer alone takes more than {most}"
    ))
}

/// Values that f32 rounds to another level than the exact reference does.
fn boundaries(f32: &Single) -> Option<String> {
    let differing: u64 = f32.tensors.iter().map(|tally| tally.differing).sum();
    (differing > 0).then(|| {
        format!(
            "{differing} values lie so near a boundary between two levels that executors in 32 bits take the other \
             one: their outputs may differ there"
        )
    })
}

fn warnings(samples: &Samples) -> Vec<String> {
    let mut warnings = Vec::new();
    if samples.made {
        warnings.push(format!(
            "the manifest has no `[verify] inputs`: {} made-up samples were used",
            samples.count
        ));
    }
    if samples.off_grid > 0 {
        warnings.push(format!(
            "{} input values are farther than a hundredth of a step from the grid",
            samples.off_grid
        ));
    }
    if samples.clamped > 0 {
        warnings.push(format!(
            "{} input values are beyond the input's range and were clamped",
            samples.clamped
        ));
    }
    warnings
}
