//! Verify: the integer network against the f64 reference and tract, and generated C++ against the integer
//! network, on the user's inputs.
//! Must not know the cache.

mod accuracy;
mod compile;
mod frames;
mod inputs;
mod plan;
mod rtl;
mod simulate;
mod simulation;
mod trace;
mod truth;
mod verdict;

pub(super) use accuracy::Accuracy;
pub(super) use inputs::{INPUTS_JOB, SAMPLES, Samples};
pub(super) use rtl::{VERDICT as RTL, VERDICT_JOB as RTL_JOB, Verdict as RtlVerdict};
pub(super) use trace::{ACCURACY, TRACE_JOB};
pub(super) use truth::{LEVELS, LEVELS_JOB, SINGLE, SINGLE_JOB};
pub(super) use verdict::{Inside, VERDICT, VERDICT_JOB, Verdict};

use super::language::Languages;
use super::record::{of_stage, read};
use super::{Artifacts, Job, Stage};
use crate::backend::hls::tag;
use crate::error::Result;
use crate::manifest::Manifest;
use plan::{BUDGET, FULL, Plan};

/// The stage.
pub(super) struct Verify;

impl Stage for Verify {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let integer = read(&of_stage(done, "reorder"))?;
        let folded = read(&of_stage(done, "fold"))?;
        let tags = folded
            .nodes
            .iter()
            .map(|node| tag(&node.layer))
            .collect::<Result<Vec<String>>>()?;
        let plan = Plan::new(
            &integer,
            if manifest.full { FULL } else { BUDGET },
            manifest.full,
        );
        let simulations = plan.simulations(&folded)?;
        let mut jobs = vec![
            inputs::inputs(manifest, &integer),
            trace::trace(&integer, &plan),
            truth::levels(&integer),
            truth::single(manifest, &integer, done)?,
        ];
        let nodes = || folded.nodes.iter().zip(&simulations);
        for (node, simulation) in nodes() {
            jobs.extend(compile::layer(node, simulation)?);
            jobs.push(simulate::layer(node, simulation));
        }
        if plan.network.frames > 0 {
            let whole = nodes().zip(&tags);
            jobs.extend(whole.filter_map(|((node, part), tag)| compile::whole(node, part, tag)));
            jobs.push(compile::network(&folded, &simulations, &tags));
            jobs.push(simulate::network(&folded));
        }
        jobs.push(verdict::job(&folded, &simulations, plan.network)?);
        let languages = Languages::of(manifest, &folded);
        if languages.some_rtl() {
            let project = &manifest.project.name;
            let whole = plan.network.frames > 0 && languages.all_rtl();
            let layers: Vec<_> = nodes().collect();
            let layers: Vec<_> = languages.rtl(&layers).copied().collect();
            jobs.extend(rtl::jobs(&folded, &layers, project, whole)?);
        }
        Ok(jobs)
    }
}
