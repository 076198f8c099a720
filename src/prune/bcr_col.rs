//! Pattern `bcr-col`: balanced blocks, column form. Each block keeps the columns with the largest score.
//! Must not know where scores come from.

use crate::layer::Blocks;

/// Name in the manifest.
pub(super) const NAME: &str = "bcr-col";

/// The weights that stay, `[rows, columns]`: of all choices that the form allows the one with the largest sum
/// of scores. Blocks are independent of each other, so each keeps its best columns; among equals the first.
/// `scores` is `[rows, columns]`, and `blocks` fit the columns.
pub fn project(scores: &[f64], columns: usize, blocks: Blocks) -> Vec<bool> {
    let mut kept = vec![false; scores.len()];
    let list = blocks.rows * columns;
    for (scores, kept) in scores.chunks(list).zip(kept.chunks_mut(list)) {
        let sums = sums(scores, columns);
        for lane in 0..blocks.lanes {
            for block in 0..blocks.per_lane(columns) {
                for column in best(&sums, cell(blocks, lane, block), blocks.keep) {
                    kept.iter_mut()
                        .skip(column)
                        .step_by(columns)
                        .for_each(|k| *k = true);
                }
            }
        }
    }
    kept
}

/// Sum of each column.
pub(super) fn sums(scores: &[f64], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for row in scores.chunks_exact(columns) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, score)| *sum += score);
    }
    sums
}

/// Columns of one block of one lane.
pub(super) fn cell(blocks: Blocks, lane: usize, block: usize) -> impl Iterator<Item = usize> {
    let first = block * blocks.entries;
    (first..first + blocks.entries).map(move |entry| entry * blocks.lanes + lane)
}

/// The `keep` columns with the largest sums, among equals the first ones.
fn best(sums: &[f64], cell: impl Iterator<Item = usize>, keep: usize) -> Vec<usize> {
    let mut columns: Vec<usize> = cell.collect();
    columns.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]).then(a.cmp(b)));
    columns.truncate(keep);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are always the same.
    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn kept_sum(scores: &[f64], kept: &[bool]) -> f64 {
        scores
            .iter()
            .zip(kept)
            .filter(|(_, kept)| **kept)
            .map(|(score, _)| score)
            .sum()
    }

    /// All masks of one block of `rows` by `columns`, which is one lane: the best of them by trying.
    fn best_by_trying(scores: &[f64], columns: usize, keep: usize) -> f64 {
        let choices = (0u32..1 << columns).filter(|set| set.count_ones() as usize == keep);
        let value = |set: u32| -> f64 {
            let chosen = scores
                .iter()
                .enumerate()
                .filter(|(at, _)| set >> (at % columns) & 1 == 1);
            chosen.map(|(_, score)| score).sum()
        };
        choices.map(value).fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn nothing_better_fits_a_block() {
        for seed in 0..200 {
            let (rows, columns) = (1 + seed as usize % 4, 1 + seed as usize % 9);
            let keep = 1 + seed as usize % columns;
            // Coarse numbers, negative ones among them, have equals.
            let scores: Vec<f64> = noise(rows * columns, seed)
                .iter()
                .map(|s| (s * 8.0).floor() - 2.0)
                .collect();
            let blocks = Blocks {
                lanes: 1,
                rows,
                entries: columns,
                keep,
            };
            let found = kept_sum(&scores, &project(&scores, columns, blocks));
            assert_eq!(found, best_by_trying(&scores, columns, keep), "{seed}");
        }
    }

    #[test]
    fn a_projected_matrix_stays_as_it_is() {
        for seed in 0..50 {
            let blocks = Blocks {
                lanes: 4,
                rows: 3,
                entries: 5,
                keep: 1 + seed as usize % 5,
            };
            let columns = 40;
            let weights = noise(7 * columns, seed);
            let squares = |w: &[f64]| -> Vec<f64> { w.iter().map(|w| w * w).collect() };
            let prune = |w: &[f64]| -> Vec<f64> {
                let kept = project(&squares(w), columns, blocks);
                w.iter()
                    .zip(kept)
                    .map(|(w, kept)| if kept { *w } else { 0.0 })
                    .collect()
            };
            let once = prune(&weights);
            assert_eq!(prune(&once), once);
        }
    }

    /// Every SIMD that divides the lanes, and every group of rows, sees equally long lists.
    #[test]
    fn lanes_are_balanced_for_every_parallelism() {
        for (seed, lanes) in [(1, 12), (2, 8), (3, 1), (4, 30)] {
            let (rows, depth) = (10, 6);
            let columns = lanes * depth;
            for (entries, keep) in [(6, 2), (3, 1), (2, 1), (1, 1)] {
                let blocks = Blocks {
                    lanes,
                    rows: 4,
                    entries,
                    keep,
                };
                let kept = project(&noise(rows * columns, seed), columns, blocks);
                for simd in (1..=lanes).filter(|simd| lanes % simd == 0) {
                    let expected = keep * depth / entries * lanes / simd;
                    for row in kept.chunks_exact(columns) {
                        for lane in 0..simd {
                            let count = row.iter().skip(lane).step_by(simd).filter(|k| **k).count();
                            assert_eq!(count, expected);
                        }
                    }
                }
                for pair in kept.chunks_exact(columns).collect::<Vec<_>>().chunks(4) {
                    assert!(
                        pair.iter().all(|row| row == &pair[0]),
                        "rows of a block share columns"
                    );
                }
            }
        }
    }
}
