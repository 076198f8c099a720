//! `Rearrangement`: in which order channels flow, and which layers are pruned in balanced blocks.
//! Must not know how it was chosen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::layer::Balance;

/// What the integer network is rearranged to. The function does not change by it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rearrangement {
    /// By the tensor that a stream carries, which of its channels flow, in their order. Channels that are
    /// left out are read by nobody. Streams that are not named stay as they are.
    pub orders: BTreeMap<String, Vec<usize>>,
    /// By layer, the form that its weights have once the channels are in that order.
    pub blocks: BTreeMap<String, Balance>,
}
