//! Reorder: the integer network in the order in which its pruned weights are balanced.
//! Must not know the cache.

use super::prune::REARRANGEMENT;
use super::record::{add_tensors, feed, from_json, of_inputs, of_stage, read, write};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::dataflow::Rearrangement;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::pass;

/// The stage.
pub(super) struct Reorder;

impl Stage for Reorder {
    fn name(&self) -> &'static str {
        "reorder"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, _: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let dataflow = read(&of_stage(done, "streamline"))?;
        let job = Job::compute(NETWORK, reorder).output_of(
            REARRANGEMENT,
            "prune",
            NETWORK,
            REARRANGEMENT,
        );
        Ok(vec![
            feed(job, "streamline", &dataflow, true).shown_in("dataflow/reordered"),
        ])
    }
}

fn reorder(inputs: &Inputs) -> Result<Outputs> {
    let to: Rearrangement = from_json(inputs.bytes(REARRANGEMENT)?)?;
    let mut dataflow = read(&of_inputs(inputs))?;
    add_tensors(&mut dataflow, &of_inputs(inputs))?;
    write(&pass::reorder(dataflow, &to)?, true)
}
