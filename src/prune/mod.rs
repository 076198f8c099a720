//! Pruning: which weights stay. The result is a mask for each matrix product of the network, and an order of
//! the channels between layers in which the masks are balanced.
//! Must not know stages, files or tools.

mod arrange;
mod bcr;
mod bcr_col;
mod channel;
mod grid;
mod latent;
mod magnitude;
mod mask;
mod matrix;
mod none;
mod obs;
mod plan;
mod prepared;
mod repair;
mod sides;

use serde::{Deserialize, Serialize};

pub use bcr_col::project;
pub use grid::{Refusal, choose};
pub use latent::latent;
pub use mask::{Mask, apply};
pub use obs::Curve;
pub(crate) use obs::{Levels, Order as RoundingOrder, solved};
pub use plan::Choices;
pub use prepared::{Planned, Prepared, plan, prepare};
pub use repair::{Repair, mend};

use crate::dataflow::Rearrangement;
use crate::layer::Balance;

/// Every pattern, by the name that the manifest calls it; file names agree but for `-` and `_`.
pub const PATTERNS: &[&str] = &[none::NAME, bcr_col::NAME, bcr::NAME, channel::NAME];

/// Every method; file names and the table agree.
pub const METHODS: &[&str] = &[magnitude::NAME, obs::NAME];

/// What is removed from a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Matrix products in the order of the layers.
    pub layers: Vec<Pruned>,
    /// How the integer network is rearranged for it.
    pub rearrangement: Rearrangement,
}

/// What is removed from one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pruned {
    /// Stable name.
    pub name: String,
    /// One of [`PATTERNS`].
    pub pattern: String,
    /// Rows before anything is removed.
    pub rows: usize,
    /// Columns before anything is removed.
    pub columns: usize,
    /// Bits of a weight before anything is removed.
    pub weight_bits: u32,
    /// The share that was asked for.
    pub asked: Option<f64>,
    /// The share of the weights that is kept.
    pub density: f64,
    /// The balanced form, where there is one.
    pub blocks: Option<Balance>,
    /// Share of the score that the kept weights have.
    pub retained: f64,
}
