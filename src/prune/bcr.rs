//! Pattern `bcr`: balanced blocks, row + column form. Each block keeps the rows and the columns whose crossings have
//! the largest score.
//! Must not know where scores come from.

use crate::layer::{Cross, Side};

/// Name in the manifest.
pub(super) const NAME: &str = "bcr";

/// Scores that are looked at for one block by trying all sets of its rows, or all of its columns.
const EXACT: usize = 1 << 16;
/// Sets of columns from which the search starts where there are more.
const STARTS: usize = 10;
/// Gains below this part of a block's score are none: sums in another order differ by less.
const LEAST: f64 = 1e-12;

/// The weights that stay, `[rows, columns]`: in each block the best choice of rows and columns where one of them has
/// few enough sets that all can be tried; else the best of several searches, each of which ends where no other rows
/// are better for these columns, and no other columns for these rows. `scores` is `[rows, columns]`, which `cross`
/// fits.
pub(super) fn project(scores: &[f64], columns: usize, cross: Cross) -> Vec<bool> {
    let mut kept = vec![false; scores.len()];
    let (block_rows, block_columns) = (cross.rows.lines(), cross.columns.lines());
    for top in (0..scores.len() / columns).step_by(block_rows) {
        for left in (0..columns).step_by(block_columns) {
            let row = |row: usize| (top + row) * columns + left;
            let block: Vec<f64> = (0..block_rows)
                .flat_map(|at| &scores[row(at)..row(at) + block_columns])
                .copied()
                .collect();
            let [rows, chosen] = best(&block, cross);
            for at in rows {
                chosen.iter().for_each(|c| kept[row(at) + c] = true);
            }
        }
    }
    kept
}

/// Rows and columns of the block that are kept.
fn best(block: &[f64], cross: Cross) -> [Vec<usize>; 2] {
    let down = Half {
        block,
        columns: cross.columns.lines(),
    };
    let cost = |side: Side| sets(side).saturating_mul(block.len());
    match cost(cross.rows).min(cost(cross.columns)) <= EXACT {
        true if sets(cross.rows) <= sets(cross.columns) => {
            let tried = every(cross.rows).into_iter().map(|rows| {
                let chosen = down.columns_for(&rows, cross.columns);
                [rows, chosen]
            });
            down.largest(tried)
        }
        true => {
            let tried = every(cross.columns).into_iter().map(|chosen| {
                let rows = down.rows_for(&chosen, cross.rows);
                [rows, chosen]
            });
            down.largest(tried)
        }
        false => down.largest((0..STARTS).map(|start| down.climbed(start, cross))),
    }
}

/// The scores of one block.
struct Half<'a> {
    block: &'a [f64],
    columns: usize,
}

impl Half<'_> {
    /// The best rows for these columns.
    fn rows_for(&self, columns: &[usize], side: Side) -> Vec<usize> {
        let rows = self.block.chunks_exact(self.columns);
        let sums: Vec<f64> = rows
            .map(|row| columns.iter().map(|c| row[*c]).sum())
            .collect();
        chosen(&sums, side)
    }

    /// The best columns for these rows.
    fn columns_for(&self, rows: &[usize], side: Side) -> Vec<usize> {
        let mut sums = vec![0.0; self.columns];
        for row in rows {
            let row = &self.block[row * self.columns..(row + 1) * self.columns];
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, score)| *sum += score);
        }
        chosen(&sums, side)
    }

    fn score(&self, [rows, columns]: &[Vec<usize>; 2]) -> f64 {
        let row = |row: &usize| &self.block[row * self.columns..(row + 1) * self.columns];
        let crossings = rows
            .iter()
            .map(|r| columns.iter().map(|c| row(r)[*c]).sum::<f64>());
        crossings.sum()
    }

    /// The choice with the largest score, the first of equals.
    fn largest(&self, choices: impl Iterator<Item = [Vec<usize>; 2]>) -> [Vec<usize>; 2] {
        let size: f64 = self.block.iter().map(|score| score.abs()).sum();
        let mut best: Option<(f64, [Vec<usize>; 2])> = None;
        for choice in choices {
            let score = self.score(&choice);
            if best
                .as_ref()
                .is_none_or(|(most, _)| score > most + LEAST * size)
            {
                best = Some((score, choice));
            }
        }
        best.map_or([Vec::new(), Vec::new()], |(_, choice)| choice)
    }

    /// Rows for columns and columns for rows in turn, until that gains nothing. The first start is the columns that are
    /// best for all rows, the second one the rows that are best for all columns; others look random and are always the
    /// same.
    fn climbed(&self, start: usize, cross: Cross) -> [Vec<usize>; 2] {
        let every: Vec<usize> = (0..cross.rows.lines()).collect();
        let mut rows = match start {
            0 => self.rows_for(&self.columns_for(&every, cross.columns), cross.rows),
            1 => {
                let every: Vec<usize> = (0..self.columns).collect();
                self.rows_for(&every, cross.rows)
            }
            _ => chosen(&noise(cross.rows.lines(), start), cross.rows),
        };
        loop {
            let columns = self.columns_for(&rows, cross.columns);
            let next = self.rows_for(&columns, cross.rows);
            let before = [rows, columns];
            let after = [next, before[1].clone()];
            let size: f64 = self.block.iter().map(|score| score.abs()).sum();
            if self.score(&after) <= self.score(&before) + LEAST * size {
                return before;
            }
            [rows, _] = after;
        }
    }
}

/// The `keep` lines of each lane with the largest sums, the first of equals; lane by lane, each rising.
fn chosen(sums: &[f64], side: Side) -> Vec<usize> {
    let mut all = Vec::with_capacity(side.kept());
    for lane in 0..side.lanes {
        let mut lines: Vec<usize> = side.lane(lane).collect();
        lines.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]).then(a.cmp(b)));
        lines.truncate(side.keep);
        lines.sort_unstable();
        all.extend(lines);
    }
    all
}

/// Sets of lines that a side may keep; the largest number where there are more than that.
fn sets(side: Side) -> usize {
    let mut one = 1usize;
    for at in 0..side.keep.min(side.entries - side.keep) {
        one = match one.checked_mul(side.entries - at) {
            Some(product) => product / (at + 1),
            None => return usize::MAX,
        };
    }
    (0..side.lanes).fold(1, |all: usize, _| all.saturating_mul(one))
}

/// All sets of lines that a side may keep, lane by lane.
fn every(side: Side) -> Vec<Vec<usize>> {
    let mut of_lane: Vec<Vec<usize>> = vec![Vec::new()];
    for entry in 0..side.entries {
        let left = side.entries - entry - 1;
        let with = of_lane
            .clone()
            .into_iter()
            .filter(|set| set.len() < side.keep);
        let with = with.map(|mut set| {
            set.push(entry);
            set
        });
        let without = of_lane.iter().filter(|set| set.len() + left >= side.keep);
        of_lane = with.chain(without.cloned()).collect();
    }
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for lane in 0..side.lanes {
        let extended = all.iter().flat_map(|set| {
            of_lane.iter().map(move |entries| {
                let lines = entries.iter().map(|entry| entry * side.lanes + lane);
                set.iter().copied().chain(lines).collect()
            })
        });
        all = extended.collect();
    }
    all
}

/// Numbers that look random and are always the same.
fn noise(count: usize, seed: usize) -> Vec<f64> {
    let mut state = (seed as u64).wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(lanes: usize, entries: usize, keep: usize) -> Side {
        Side {
            lanes,
            entries,
            keep,
        }
    }

    fn kept_sum(scores: &[f64], kept: &[bool]) -> f64 {
        let pairs = scores.iter().zip(kept).filter(|(_, kept)| **kept);
        pairs.map(|(score, _)| score).sum()
    }

    /// The sum of the scores that magnitude alone would keep, of as many weights.
    fn bound(scores: &[f64], kept: &[bool]) -> f64 {
        let mut sorted = scores.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted[..kept.iter().filter(|kept| **kept).count()]
            .iter()
            .sum()
    }

    /// The best choice of one block by trying every set of rows with every set of columns.
    fn best_by_trying(scores: &[f64], cross: Cross) -> f64 {
        let half = Half {
            block: scores,
            columns: cross.columns.lines(),
        };
        let (rows, columns) = (every(cross.rows), every(cross.columns));
        let pairs = rows
            .iter()
            .flat_map(|r| columns.iter().map(|c| [r.clone(), c.clone()]));
        pairs
            .map(|choice| half.score(&choice))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn sets_are_counted_and_listed() {
        for (side, count) in [
            (side(1, 4, 2), 6),
            (side(2, 4, 2), 36),
            (side(3, 3, 1), 27),
            (side(2, 5, 5), 1),
        ] {
            let mut all = every(side);
            assert_eq!((sets(side), all.len()), (count, count));
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count);
            assert!(all.iter().all(|set| set.len() == side.kept()));
        }
        assert_eq!(sets(side(64, 64, 32)), usize::MAX);
    }

    /// Small blocks are exact.
    #[test]
    fn nothing_better_fits_a_small_block() {
        for seed in 0..150 {
            let rows = side(1 + seed % 2, 2 + seed % 3, 1 + seed % 2);
            let columns = side(1 + seed / 2 % 3, 3, 1 + seed / 3 % 2);
            let cross = Cross { rows, columns };
            // Coarse numbers, negative ones among them, have equals.
            let scores: Vec<f64> = noise(rows.lines() * columns.lines(), seed)
                .iter()
                .map(|s| (s * 8.0).floor() - 2.0)
                .collect();
            let kept = project(&scores, columns.lines(), cross);
            assert_eq!(
                kept_sum(&scores, &kept),
                best_by_trying(&scores, cross),
                "{seed}"
            );
        }
    }

    /// Where not all is tried, the search comes within a fiftieth of the best, on average within a five-hundredth.
    #[test]
    fn searches_end_near_the_best() {
        let cross = Cross {
            rows: side(4, 4, 2),
            columns: side(4, 4, 2),
        };
        let mut sum = 0.0;
        for seed in 0..30 {
            let scores: Vec<f64> = noise(256, seed).iter().map(|s| s * s).collect();
            let half = Half {
                block: &scores,
                columns: 16,
            };
            let searched = half.score(&half.largest((0..STARTS).map(|at| half.climbed(at, cross))));
            let tried = every(cross.rows).into_iter().map(|rows| {
                let columns = half.columns_for(&rows, cross.columns);
                [rows, columns]
            });
            let share = searched / half.score(&half.largest(tried));
            assert!((0.98..=1.0 + 1e-12).contains(&share), "{seed}: {share}");
            sum += share;
        }
        assert!(sum / 30.0 > 0.998, "{}", sum / 30.0);
    }

    #[test]
    fn a_projected_matrix_stays_as_it_is_and_keeps_no_more_than_magnitude() {
        for seed in 0..60 {
            // The last ones have too many sets to try.
            let lanes = [1, 2, 4, 8][seed % 4];
            let cross = Cross {
                rows: side(lanes, 4, 1 + seed % 4),
                columns: side(lanes, 5, 1 + seed / 4 % 5),
            };
            let columns = 3 * cross.columns.lines();
            let weights = noise(2 * cross.rows.lines() * columns, seed);
            let squares = |w: &[f64]| -> Vec<f64> { w.iter().map(|w| w * w).collect() };
            let kept = project(&squares(&weights), columns, cross);
            let share = kept.iter().filter(|kept| **kept).count() as f64 / kept.len() as f64;
            assert!((share - cross.density()).abs() < 1e-9);
            let sum = kept_sum(&squares(&weights), &kept);
            assert!(sum <= bound(&squares(&weights), &kept) + 1e-9);
            // And no less than what is expected of any choice.
            assert!(sum >= cross.density() * squares(&weights).iter().sum::<f64>() - 1e-9);
            let pruned = |w: &[f64], kept: &[bool]| -> Vec<f64> {
                let pairs = w.iter().zip(kept);
                pairs
                    .map(|(w, kept)| if *kept { *w } else { 0.0 })
                    .collect()
            };
            let once = pruned(&weights, &kept);
            let again = project(&squares(&once), columns, cross);
            assert_eq!(pruned(&once, &again), once, "{seed}");
        }
    }

    /// Every PE and every SIMD that divides the lanes sees equally many rows and columns in each block.
    #[test]
    fn lanes_are_balanced_for_every_parallelism() {
        let cross = Cross {
            rows: side(6, 4, 2),
            columns: side(4, 3, 2),
        };
        let (down, across) = (cross.rows.lines(), cross.columns.lines());
        let columns = 2 * across;
        let kept = project(&noise(2 * down * columns, 7), columns, cross);
        for top in [0, down] {
            for left in [0, across] {
                let at = |row: usize, column: usize| kept[(top + row) * columns + left + column];
                let rows: Vec<bool> = (0..down).map(|r| (0..across).any(|c| at(r, c))).collect();
                let used: Vec<bool> = (0..across).map(|c| (0..down).any(|r| at(r, c))).collect();
                for (row, kept_row) in rows.iter().enumerate() {
                    for (column, kept_column) in used.iter().enumerate() {
                        assert_eq!(at(row, column), *kept_row && *kept_column);
                    }
                }
                for (side, lines) in [(cross.rows, &rows), (cross.columns, &used)] {
                    for lanes in (1..=side.lanes).filter(|l| side.lanes % l == 0) {
                        for lane in 0..lanes {
                            let of_lane = lines.iter().skip(lane).step_by(lanes);
                            let count = of_lane.filter(|kept| **kept).count();
                            assert_eq!(count, side.kept() / lanes);
                        }
                    }
                }
            }
        }
    }
}
