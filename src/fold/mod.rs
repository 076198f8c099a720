//! Folding: how many rows and columns each layer handles per cycle.
//!
//! Throughput is that of the slowest layer. Given a bound on cycles each layer takes the smallest
//! PE x SIMD that meets it, given a budget the cheapest; PE and SIMD need not divide, because layers pad. Must not know text.

mod choice;
#[cfg(test)]
mod fixture;
mod misfit;

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::layer::{Layer, Parallelism, Range};

pub use choice::{LARGEST_WORD_BITS, smallest};
pub use misfit::{Misfit, misfit};

/// What folding has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// Every layer takes at most so many cycles per frame.
    Cycles(u64),
    /// As few cycles as the layers' estimated look-up tables, together at most this many, allow.
    Luts(u64),
}

/// A layer to be folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name, for messages.
    pub name: String,
    /// The layer; its present parallelism does not matter.
    pub layer: Layer,
    /// Parameters that the user chose.
    pub fixed: Parallelism,
    /// Whether its output words must have no padding, because the next layer groups them otherwise.
    pub full_output: bool,
    /// Whether its input words must have no padding, because the layer before it groups them otherwise.
    pub full_input: bool,
    /// Elements of a word that the sliding window in front of it can write, if there is one: columns per cycle that
    /// need no converter.
    pub words: Option<Range>,
}

/// The chosen parallelism of each candidate, in order.
///
/// # Errors
/// A design error that names the layer which cannot reach the goal, and how close it comes.
pub fn fold(candidates: &[Candidate], goal: Goal) -> Result<Vec<Layer>> {
    if let Some(stuck) = candidates
        .iter()
        .find(|candidate| choice::options(candidate).next().is_none())
    {
        return Err(Error::design(format!(
            "layer `{}` cannot be folded as the manifest asks",
            stuck.name
        ))
        .help("a neighbour groups its elements otherwise, so `pe` must divide its rows, or `simd` its columns"));
    }
    match goal {
        Goal::Cycles(bound) => candidates.iter().map(|c| within(c, bound)).collect(),
        Goal::Luts(luts) => fastest(candidates, luts),
    }
}

fn within(candidate: &Candidate, bound: u64) -> Result<Layer> {
    smallest(candidate, bound).ok_or_else(|| {
        let best = smallest(candidate, u64::MAX)
            .into_iter()
            .chain(
                attainable(candidate)
                    .into_iter()
                    .filter_map(|cycles| smallest(candidate, cycles)),
            )
            .map(|layer| layer.hardware().cycles())
            .min()
            .unwrap_or(0);
        let chosen = candidate.fixed != Parallelism::default();
        Error::design(format!(
            "layer `{}` takes at least {best} cycles per frame{}, and the goal leaves it {bound}",
            candidate.name,
            if chosen {
                " with the `pe` and `simd` of the manifest"
            } else {
                ""
            },
        ))
        .help(match candidate.layer {
            Layer::MvauRc(_) => "lower `fps`, raise `clock_mhz`, raise (or remove) the layer's `pe` and `simd`, or prune it on more `lanes`: `pe` divides those of rows, `simd` those of columns",
            Layer::MvauBcr(_) => "lower `fps`, raise `clock_mhz`, raise (or remove) the layer's `pe` and `simd`, or prune it on more `lanes`: `simd` divides them",
            _ => "lower `fps`, raise `clock_mhz`, or raise (or remove) the layer's `pe` and `simd`",
        })
    })
}

/// Bisection over the cycle counts that some layer can attain: the fewest within the budget.
fn fastest(candidates: &[Candidate], luts: u64) -> Result<Vec<Layer>> {
    let bounds: Vec<u64> = candidates
        .iter()
        .flat_map(attainable)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let attempt = |bound: u64| -> Option<Vec<Layer>> {
        let layers: Vec<Layer> = candidates
            .iter()
            .map(|candidate| choice::cheapest(candidate, bound))
            .collect::<Option<_>>()?;
        let used: u64 = layers.iter().map(|layer| layer.hardware().luts()).sum();
        (used <= luts).then_some(layers)
    };
    let first = bounds.partition_point(|bound| attempt(*bound).is_none());
    bounds.get(first).and_then(|bound| attempt(*bound)).ok_or_else(|| {
        Error::design(format!("even fully folded, the layers need more than the {luts} look-up tables of the budget"))
            .help("choose a larger board, or remove `pe` and `simd` from the manifest")
    })
}

/// Cycle counts that a layer can have.
fn attainable(candidate: &Candidate) -> Vec<u64> {
    choice::options(candidate)
        .map(|layer| layer.hardware().cycles())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixture::candidate;

    /// No folding of any layers within the budget has fewer cycles.
    #[test]
    fn a_budget_gives_the_fewest_cycles() {
        let layers = [
            candidate(64, 30, 15),
            candidate(37, 64, 15),
            candidate(10, 37, 3),
        ];
        for budget in (1000..60_000).step_by(250) {
            let cost = |bound: u64| -> Option<u64> {
                let least = |candidate| {
                    choice::options(candidate)
                        .filter(|layer| layer.hardware().cycles() <= bound)
                        .map(|layer| layer.hardware().luts())
                        .min()
                };
                layers.iter().map(least).sum()
            };
            let bounds: BTreeSet<u64> = layers.iter().flat_map(attainable).collect();
            let best = bounds
                .into_iter()
                .find(|bound| cost(*bound).is_some_and(|luts| luts <= budget));
            let found = fold(&layers, Goal::Luts(budget)).ok();
            let found = found.and_then(|l| l.iter().map(|l| l.hardware().cycles()).max());
            assert_eq!(found, best, "{budget}");
        }
    }
}
