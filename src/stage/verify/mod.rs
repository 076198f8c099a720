//! Verify: the integer network against the f64 reference and tract, and generated C++ against the integer
//! network, on the user's inputs.
//! Must not know the cache.

mod accuracy;
mod compile;
mod frames;
mod simulate;
mod trace;
mod truth;
mod verdict;

pub(super) use accuracy::Accuracy;
pub(super) use trace::{ACCURACY, INPUTS_JOB, SAMPLES, Samples, TRACE_JOB};
pub(super) use truth::{LEVELS, LEVELS_JOB, SINGLE, SINGLE_JOB};
pub(super) use verdict::{VERDICT, VERDICT_JOB, Verdict};

use super::record::{of_stage, read};
use super::{Artifacts, Job, Stage};
use crate::backend::hls::tag;
use crate::error::Result;
use crate::manifest::Manifest;

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
        let mut jobs = vec![
            trace::inputs(manifest, &integer),
            trace::trace(&integer),
            truth::levels(&integer),
            truth::single(manifest, &integer, done)?,
        ];
        for (node, tag) in folded.nodes.iter().zip(&tags) {
            jobs.extend(compile::layer(node, tag));
        }
        jobs.push(compile::network(&folded, &tags));
        jobs.extend((0..folded.nodes.len()).map(|position| simulate::layer(&folded, position)));
        jobs.push(simulate::network(&folded));
        jobs.push(verdict::job(&folded));
        Ok(jobs)
    }
}
