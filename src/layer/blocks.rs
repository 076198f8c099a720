//! `Blocks`: the balanced form in which the weights of a layer are pruned.
//! Must not know weights.

use serde::{Deserialize, Serialize};

/// Column j is entry `j / lanes` of lane `j % lanes`. A block is `rows` consecutive rows by `entries`
/// consecutive entries of one lane; its rows keep the same `keep` of these entries, so that all lanes keep
/// equally many. What is balanced on these lanes is balanced on every number of lanes that divides theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Lanes of the grid; divide the columns.
    pub lanes: usize,
    /// Consecutive rows (Br); the last block may have fewer.
    pub rows: usize,
    /// Consecutive entries of a lane (Bc); divide the columns of a lane.
    pub entries: usize,
    /// Entries that a block keeps, from 1 to `entries`.
    pub keep: usize,
}

impl Blocks {
    /// Share of the weights that are kept.
    pub fn density(&self) -> f64 {
        self.keep as f64 / self.entries as f64
    }

    /// Groups of rows that share what they keep.
    pub fn lists(&self, rows: usize) -> usize {
        rows.div_ceil(self.rows)
    }

    /// Blocks that follow each other in a lane.
    pub fn per_lane(&self, columns: usize) -> usize {
        columns / self.lanes / self.entries
    }

    /// Entries of a lane that a list keeps.
    pub fn kept(&self, columns: usize) -> usize {
        self.per_lane(columns) * self.keep
    }

    /// Whether a matrix of so many columns divides into these lanes and blocks.
    pub fn fit(&self, columns: usize) -> bool {
        let whole = |number: usize, parts: usize| parts > 0 && number.is_multiple_of(parts);
        whole(columns, self.lanes)
            && whole(columns / self.lanes, self.entries)
            && self.rows > 0
            && (1..=self.entries).contains(&self.keep)
    }
}
