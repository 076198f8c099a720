//! Stages: the build from a model file to verified sources, each a plan of jobs.
//! Must not know the cache.

mod calibration;
mod cost;
mod fold;
mod generate;
mod import;
mod job;
mod language;
mod link;
mod model;
mod multiplier;
mod origin;
mod package;
mod processor;
mod prune;
mod quantize;
mod record;
mod reorder;
mod row;
mod simulate;
mod streamline;
mod summary;
mod training;
mod verify;

pub use cost::{Account, Basis, Entry, LayerCost, accounted};
pub use job::*;
pub use language::some_rtl;
pub use link::{Done, Figures, Link, link};
pub use model::with_files_beside;
pub use origin::{Block, Derivation, End, Explanation, Part, Scale, explanation};
pub use record::{NETWORKS, dataflow, folded, network, unfolded};
pub use row::{Facts, LayerRow, Limit, PrunedRow, facts, layers, rows};
pub use summary::{PROOF, Summary};

/// Every stage, in the order of the build; file names and the table agree.
pub const STAGES: &[&dyn Stage] = &[
    &import::Import,
    &quantize::Quantize,
    &prune::Prune,
    &streamline::Streamline,
    &reorder::Reorder,
    &fold::Fold,
    &simulate::Simulate,
    &generate::Generate,
    &cost::Cost,
    &verify::Verify,
    &package::Package,
    &link::Linking,
    &summary::Summarise,
];

/// Name of the one job of a stage that works on the whole network.
const NETWORK: &str = "network";
