//! SystemVerilog simulated cycle by cycle with Verilator: every layer on its own recorded input, and the whole network.
//! Must not know the cache.

mod compile;
mod simulate;
mod verdict;

pub(in crate::stage) use verdict::{VERDICT, VERDICT_JOB, Verdict};

use super::plan::Whole;
use super::simulation::Simulation;
use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::stage::Job;

/// Words that the FIFO behind a layer holds that is simulated alone.
const ALONE_DEPTH: usize = 32;

/// The jobs. Equal shapes are compiled once.
///
/// # Errors
/// A bug if a layer's record cannot be written; a user error for a layer that has no module.
pub(super) fn jobs(
    folded: &Dataflow,
    simulations: &[Simulation],
    project: &str,
    whole: Whole,
) -> Result<Vec<Job>> {
    let mut jobs = vec![compile::runtime()];
    for (node, simulation) in folded.nodes.iter().zip(simulations) {
        jobs.extend(compile::layer(node, simulation)?);
        jobs.extend(simulate::layer(node, simulation)?);
    }
    if whole.frames > 0 {
        jobs.push(compile::network(folded, project)?);
        jobs.extend(simulate::network(folded)?);
    }
    jobs.push(verdict::job(folded, simulations, whole));
    Ok(jobs)
}
