//! SystemVerilog simulated cycle by cycle with Verilator: every layer on its own recorded input, and the whole network.
//! Must not know the cache.

mod compile;
mod simulate;
mod verdict;

pub(in crate::stage) use verdict::{VERDICT, VERDICT_JOB, Verdict};

use super::simulation::Simulation;
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::stage::Job;

/// The jobs for `layers` with what is simulated of each, and for the `whole` network if it is simulated. Equal shapes are compiled once.
///
/// # Errors
/// A bug if a layer's record cannot be written; a user error for a layer that has no module.
pub(super) fn jobs(
    folded: &Dataflow,
    layers: &[(&Node, &Simulation)],
    project: &str,
    whole: bool,
) -> Result<Vec<Job>> {
    let mut jobs = vec![compile::runtime()];
    for (node, simulation) in layers {
        jobs.extend(compile::layer(node, simulation)?);
        jobs.extend(simulate::layer(node, simulation)?);
    }
    if whole {
        jobs.push(compile::network(folded, project)?);
        jobs.extend(simulate::network(folded)?);
    }
    jobs.push(verdict::job(folded, layers, whole));
    Ok(jobs)
}
