//! `Cross`: the balanced form in which a block keeps some of its rows and some of its columns.
//! Must not know weights.

use serde::{Deserialize, Serialize};

use super::Blocks;

/// Rows or columns of a matrix: line i is entry `i / lanes` of lane `i % lanes`. A block has `entries` consecutive
/// entries of every lane, which are `lanes * entries` consecutive lines, and keeps `keep` of them in each lane. What
/// is balanced on these lanes is balanced on every number of lanes that divides theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Lanes of the grid; divide the lines.
    pub lanes: usize,
    /// Entries of a lane in a block; divide the lines of a lane.
    pub entries: usize,
    /// Entries of a lane that a block keeps, from 1 to `entries`.
    pub keep: usize,
}

/// Blocks that keep what lies in the kept rows and in the kept columns: a smaller matrix without gaps. Each block
/// chooses its rows and its columns for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cross {
    /// Rows: lanes of PE.
    pub rows: Side,
    /// Columns: lanes of SIMD.
    pub columns: Side,
}

/// A balanced form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Balance {
    /// Each block keeps some of its columns.
    Columns(Blocks),
    /// Each block keeps some of its rows and some of its columns.
    Cross(Cross),
}

impl Side {
    /// Lines of a block.
    pub fn lines(&self) -> usize {
        self.lanes * self.entries
    }

    /// Lines that a block keeps.
    pub fn kept(&self) -> usize {
        self.lanes * self.keep
    }

    /// Blocks that so many lines divide into.
    pub fn blocks(&self, lines: usize) -> usize {
        lines / self.lines()
    }

    /// Share of the lines that are kept.
    pub fn density(&self) -> f64 {
        self.keep as f64 / self.entries as f64
    }

    /// Whether so many lines divide into these lanes and blocks.
    pub fn fit(&self, lines: usize) -> bool {
        let block = self.lines();
        block > 0
            && lines > 0
            && lines.is_multiple_of(block)
            && (1..=self.entries).contains(&self.keep)
    }

    /// Lines of one lane of a block, counted from the block's first one.
    pub fn lane(&self, lane: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        (lane..self.lines()).step_by(self.lanes)
    }
}

impl Cross {
    /// Share of the weights that are kept.
    pub fn density(&self) -> f64 {
        self.rows.density() * self.columns.density()
    }

    /// Blocks of a matrix of so many rows and columns: rows of blocks, and blocks in each.
    pub fn blocks(&self, rows: usize, columns: usize) -> [usize; 2] {
        [self.rows.blocks(rows), self.columns.blocks(columns)]
    }

    /// Weights of a block that are kept.
    pub fn kept(&self) -> usize {
        self.rows.kept() * self.columns.kept()
    }

    /// Whether a matrix of so many rows and columns divides into these lanes and blocks.
    pub fn fit(&self, rows: usize, columns: usize) -> bool {
        self.rows.fit(rows) && self.columns.fit(columns)
    }
}

impl Balance {
    /// Whether everything is kept.
    pub fn is_whole(&self) -> bool {
        match self {
            Balance::Columns(blocks) => blocks.keep == blocks.entries,
            Balance::Cross(cross) => {
                cross.rows.keep == cross.rows.entries && cross.columns.keep == cross.columns.entries
            }
        }
    }

    /// Share of the weights that are kept.
    pub fn density(&self) -> f64 {
        match self {
            Balance::Columns(blocks) => blocks.density(),
            Balance::Cross(cross) => cross.density(),
        }
    }

    /// The same form with blocks that keep more, so that about the share `density` of the weights is kept; not less
    /// than now.
    #[must_use]
    pub fn fuller(self, density: f64) -> Self {
        let now = self.density();
        // Rows and columns both come from all to what is kept now.
        let way = match now < 1.0 {
            true => (density.clamp(now, 1.0).ln() / now.ln()).clamp(0.0, 1.0),
            false => 1.0,
        };
        let keep = |keep: usize, entries: usize| {
            let part = (keep as f64 / entries as f64).powf(way);
            ((part * entries as f64).round() as usize).clamp(keep, entries)
        };
        let side = |side: Side| Side {
            keep: keep(side.keep, side.entries),
            ..side
        };
        match self {
            Balance::Columns(blocks) => Balance::Columns(Blocks {
                keep: keep(blocks.keep, blocks.entries),
                ..blocks
            }),
            Balance::Cross(cross) => Balance::Cross(Cross {
                rows: side(cross.rows),
                columns: side(cross.columns),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn forms_are_told_apart_where_they_are_stored() {
        let side = Side {
            lanes: 2,
            entries: 4,
            keep: 1,
        };
        let cross = Balance::Cross(Cross {
            rows: side,
            columns: Side { keep: 4, ..side },
        });
        let columns = Balance::Columns(Blocks {
            lanes: 2,
            rows: 4,
            entries: 3,
            keep: 3,
        });
        for balance in [cross, columns] {
            let text = serde_json::to_string(&balance).unwrap();
            assert_eq!(serde_json::from_str::<Balance>(&text).unwrap(), balance);
        }
        assert!(columns.is_whole() && !cross.is_whole());
        assert!(side.fit(16) && !side.fit(12) && !side.fit(0));
        assert_eq!(side.lane(1).collect::<Vec<_>>(), [1, 3, 5, 7]);
    }
}
