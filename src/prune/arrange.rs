//! Orders of channels in which more of the scores survive: channels that matter spread over the lanes of the
//! layer that reads them, rows that need the same columns side by side in the layer that writes them.
//! Must not know how channels move in the network.

use super::bcr_col::{cell, sums};
use super::matrix::{Chain, Matrix};
use crate::layer::{Balance, Blocks, Side as Half};

/// Scores that may be looked at for one class of channels, and for all of them, so that large layers and deep
/// networks take seconds.
const WORK: [usize; 2] = [40_000_000, 400_000_000];
/// Times that every pair of channels is tried.
const ROUNDS: usize = 3;
/// Gains below this part of all scores are none: sums in another order differ by less.
const LEAST: f64 = 1e-9;

/// Improves the order of every class that may move and lies beside a layer pruned in blocks, by exchanging
/// two channels at a time as long as that gains. Gains are parts of a layer's whole score, so that layers
/// count alike. The result depends on nothing but the scores.
pub(super) fn arrange(chain: &Chain, blocks: &[Option<Balance>], orders: &mut [Vec<usize>]) {
    let each = (WORK[1] / chain.classes.len().max(1)).min(WORK[0]);
    for class in 0..chain.classes.len() {
        if chain.classes[class].fixed || orders[class].len() < 2 {
            continue;
        }
        let mut sides = Vec::new();
        for (matrix, blocks) in chain.matrices.iter().zip(blocks) {
            let Some(blocks) = blocks else { continue };
            sides.extend(match *blocks {
                Balance::Columns(blocks) => side(chain, matrix, blocks, orders, class),
                Balance::Cross(cross) => {
                    crossed(chain, matrix, [cross.rows, cross.columns], orders, class)
                }
            });
        }
        if !sides.is_empty() {
            let places = climb(&mut sides, orders[class].len(), each);
            orders[class] = places.iter().map(|place| orders[class][*place]).collect();
        }
    }
}

/// A layer beside the channels, seen from them: `[channels, others]` scores, of which others are what the
/// channels do not move.
enum Side {
    /// Channels are columns, once for every position of a kernel; others are lists of rows, whose scores are added
    /// up.
    Reads(Reads),
    /// Channels are rows; others are columns.
    Writes {
        scores: Vec<f64>,
        columns: usize,
        blocks: Blocks,
        weight: f64,
    },
}

/// `[positions * channels, lists]` scores of a layer that reads the channels.
struct Reads {
    scores: Vec<f64>,
    channels: usize,
    positions: usize,
    lists: usize,
    blocks: Blocks,
    weight: f64,
}

impl Reads {
    /// Lane and block of the column at which a place is read in one position.
    fn cell(&self, place: usize, position: usize) -> (usize, usize) {
        let column = position * self.channels + place;
        let Blocks { lanes, entries, .. } = self.blocks;
        (column % lanes, column / lanes / entries)
    }

    /// Lanes and blocks that a place takes part in, each once.
    fn cells(&self, place: usize) -> Vec<(usize, usize)> {
        let mut cells: Vec<_> = (0..self.positions).map(|at| self.cell(place, at)).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    /// Score that survives in one block of one lane.
    fn kept(&self, places: &[usize], (lane, block): (usize, usize), scratch: &mut Vec<f64>) -> f64 {
        let columns: Vec<usize> = cell(self.blocks, lane, block)
            .map(|column| {
                let position = column / self.channels * self.channels;
                position + places[column % self.channels]
            })
            .collect();
        (0..self.lists)
            .map(|list| {
                scratch.clear();
                scratch.extend(columns.iter().map(|c| self.scores[c * self.lists + list]));
                best(scratch, self.blocks.keep)
            })
            .sum()
    }
}

fn side(
    chain: &Chain,
    matrix: &Matrix,
    blocks: Blocks,
    orders: &[Vec<usize>],
    class: usize,
) -> Option<Side> {
    let total = matrix.total();
    let weight = if total > 0.0 { 1.0 / total } else { 0.0 };
    let columns = chain.columns(matrix, orders);
    let scores = matrix.gathered(&chain.rows(matrix, orders), &columns);
    let count = columns.len();
    if matrix.output == class {
        return Some(Side::Writes {
            scores,
            columns: count,
            blocks,
            weight,
        });
    }
    let channels = orders[class].len();
    if matrix.input != class || !count.is_multiple_of(channels) {
        return None;
    }
    let lists: Vec<Vec<f64>> = scores
        .chunks(blocks.rows * count)
        .map(|list| sums(list, count))
        .collect();
    let mut turned = Vec::with_capacity(count * lists.len());
    for column in 0..count {
        turned.extend(lists.iter().map(|list| list[column]));
    }
    Some(Side::Reads(Reads {
        scores: turned,
        channels,
        positions: count / channels,
        lists: lists.len(),
        blocks,
        weight,
    }))
}

/// A layer whose blocks keep rows and columns, seen from the channels on one of its sides: as if nothing were pruned on
/// the other one. What blocks keep of rows is like what they keep of columns, once the matrix is turned.
fn crossed(
    chain: &Chain,
    matrix: &Matrix,
    [rows, columns]: [Half; 2],
    orders: &[Vec<usize>],
    class: usize,
) -> Option<Side> {
    let total = matrix.total();
    let order = [chain.rows(matrix, orders), chain.columns(matrix, orders)];
    let scores = matrix.gathered(&order[0], &order[1]);
    let count = order[1].len();
    let channels = orders[class].len();
    let at = |row: usize, column: usize| scores[row * count + column];
    let (half, other, is_rows) = match () {
        () if matrix.output == class => (rows, columns, true),
        () if matrix.input == class && count.is_multiple_of(channels) => (columns, rows, false),
        () => return None,
    };
    let [own, others] = if is_rows {
        [order[0].len(), count]
    } else {
        [count, order[0].len()]
    };
    let lists = other.blocks(others);
    let mut sums = Vec::with_capacity(own * lists);
    for line in 0..own {
        for list in 0..lists {
            let across = list * other.lines()..(list + 1) * other.lines();
            let scores = across.map(|a| if is_rows { at(line, a) } else { at(a, line) });
            sums.push(scores.sum());
        }
    }
    Some(Side::Reads(Reads {
        scores: sums,
        channels,
        positions: own / channels,
        lists,
        blocks: Blocks {
            lanes: half.lanes,
            rows: 1,
            entries: half.entries,
            keep: half.keep,
        },
        weight: if total > 0.0 { 1.0 / total } else { 0.0 },
    }))
}

/// Sum of the largest `keep` of `values`.
fn best(values: &mut [f64], keep: usize) -> f64 {
    if keep < values.len() {
        values.select_nth_unstable_by(keep, |a, b| b.total_cmp(a));
    }
    values[..keep].iter().sum()
}

impl Side {
    /// Score that survives in what the places `a` and `b` take part in.
    fn around(&self, places: &[usize], a: usize, b: usize, scratch: &mut Vec<f64>) -> f64 {
        match self {
            Side::Reads(reads) => {
                let mut cells = reads.cells(a);
                cells.extend(reads.cells(b));
                cells.sort_unstable();
                cells.dedup();
                let kept = cells
                    .into_iter()
                    .map(|cell| reads.kept(places, cell, scratch));
                kept.sum::<f64>() * reads.weight
            }
            Side::Writes {
                scores,
                columns,
                blocks,
                weight,
            } => {
                let mut sum = 0.0;
                for list in distinct(a / blocks.rows, b / blocks.rows) {
                    let rows =
                        &places[list * blocks.rows..places.len().min((list + 1) * blocks.rows)];
                    let row = |row: &usize| &scores[row * columns..(row + 1) * columns];
                    for lane in 0..blocks.lanes {
                        for block in 0..blocks.per_lane(*columns) {
                            scratch.clear();
                            scratch
                                .extend(cell(*blocks, lane, block).map(|column| {
                                    rows.iter().map(|r| row(r)[column]).sum::<f64>()
                                }));
                            sum += best(scratch, blocks.keep);
                        }
                    }
                }
                sum * weight
            }
        }
    }

    /// Whether exchanging the two places changes nothing.
    fn is_same(&self, a: usize, b: usize) -> bool {
        match self {
            Side::Reads(reads) => {
                (0..reads.positions).all(|at| reads.cell(a, at) == reads.cell(b, at))
            }
            Side::Writes { blocks, .. } => a / blocks.rows == b / blocks.rows,
        }
    }

    /// Scores that [`Side::around`] looks at.
    fn work(&self) -> usize {
        match self {
            Side::Reads(reads) => {
                let cells = reads.cells(0).len();
                2 * reads.lists * reads.blocks.entries * cells
            }
            Side::Writes {
                columns, blocks, ..
            } => 2 * columns * blocks.rows,
        }
    }

    /// What each channel is worth to the layer that reads it.
    fn worth(&self, channels: usize) -> Option<Vec<f64>> {
        match self {
            Side::Reads(reads) => {
                let Reads { scores, lists, .. } = reads;
                let of = |column: usize| &scores[column * lists..(column + 1) * lists];
                let channel = |c: usize| {
                    let columns = (0..reads.positions).map(|at| at * channels + c);
                    columns.flat_map(of).sum()
                };
                Some((0..channels).map(channel).collect())
            }
            Side::Writes { .. } => None,
        }
    }

    /// Score that survives altogether.
    fn whole(&self, places: &[usize], scratch: &mut Vec<f64>) -> f64 {
        match self {
            Side::Reads(reads) => {
                let Blocks { lanes, .. } = reads.blocks;
                let blocks = reads.blocks.per_lane(reads.channels * reads.positions);
                let cells = (0..blocks).flat_map(|block| (0..lanes).map(move |lane| (lane, block)));
                let kept = cells.map(|cell| reads.kept(places, cell, scratch));
                kept.sum::<f64>() * reads.weight
            }
            Side::Writes { blocks, .. } => (0..places.len())
                .step_by(blocks.rows)
                .map(|place| self.around(places, place, place, scratch))
                .sum(),
        }
    }
}

fn distinct<T: PartialEq>(a: T, b: T) -> impl Iterator<Item = T> {
    let second = (a != b).then_some(b);
    std::iter::once(a).chain(second)
}

/// The channel for each place, after looking at about so many scores.
fn climb(sides: &mut [Side], channels: usize, most: usize) -> Vec<usize> {
    let mut scratch = Vec::new();
    let mut places: Vec<usize> = (0..channels).collect();
    // Dealt out by worth, each lane gets its share of channels that matter.
    if let Some(worth) = sides.iter().find_map(|side| side.worth(channels)) {
        let mut dealt = places.clone();
        dealt.sort_by(|a, b| worth[*b].total_cmp(&worth[*a]).then(a.cmp(b)));
        let mut whole = |places: &[usize]| -> f64 {
            sides
                .iter()
                .map(|side| side.whole(places, &mut scratch))
                .sum()
        };
        if whole(&dealt) > whole(&places) + LEAST {
            places = dealt;
        }
    }
    let work: usize = sides.iter().map(Side::work).sum();
    let mut tries = most / work.max(1);
    let mut pairs = Pairs::new(channels);
    for _ in 0..ROUNDS {
        let mut gained = false;
        for _ in 0..channels * (channels - 1) / 2 {
            if tries == 0 {
                return places;
            }
            tries -= 1;
            let (a, b) = pairs.next();
            if sides.iter().all(|side| side.is_same(a, b)) {
                continue;
            }
            let mut around = |places: &[usize]| -> f64 {
                sides
                    .iter()
                    .map(|side| side.around(places, a, b, &mut scratch))
                    .sum()
            };
            let before = around(&places);
            places.swap(a, b);
            if around(&places) > before + LEAST {
                gained = true;
            } else {
                places.swap(a, b);
            }
        }
        if !gained {
            break;
        }
    }
    places
}

/// Pairs of different places that look random and are always the same.
struct Pairs {
    count: usize,
    state: u64,
}

impl Pairs {
    fn new(count: usize) -> Self {
        Pairs { count, state: 1 }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) % limit as u64) as usize
    }

    fn next(&mut self) -> (usize, usize) {
        let a = self.below(self.count);
        let b = self.below(self.count - 1);
        (a, if b < a { b } else { b + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns that matter share a lane of which one is kept; elsewhere there is room.
    #[test]
    fn what_matters_is_spread_over_the_lanes() {
        let blocks = Blocks {
            lanes: 2,
            rows: 1,
            entries: 2,
            keep: 1,
        };
        let scores = vec![9.0, 1.0, 8.0, 2.0];
        let mut sides = [Side::Reads(Reads {
            scores,
            channels: 4,
            positions: 1,
            lists: 1,
            blocks,
            weight: 1.0,
        })];
        let places = climb(&mut sides, 4, WORK[0]);
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        assert_eq!(sides[0].whole(&places, &mut Vec::new()), 17.0);
    }

    /// Channels 0 and 2 matter at both positions of a kernel and share a lane, half of which is kept.
    #[test]
    fn channels_move_with_all_their_positions() {
        let blocks = Blocks {
            lanes: 2,
            rows: 1,
            entries: 4,
            keep: 2,
        };
        let reads = Reads {
            scores: [9.0, 1.0, 9.0, 1.0].repeat(2),
            channels: 4,
            positions: 2,
            lists: 1,
            blocks,
            weight: 1.0,
        };
        assert_eq!(reads.cells(2), [(0, 0)]);
        let mut sides = [Side::Reads(reads)];
        let scratch = &mut Vec::new();
        assert_eq!(sides[0].whole(&[0, 1, 2, 3], scratch), 20.0);
        let places = climb(&mut sides, 4, WORK[0]);
        assert_eq!(sides[0].whole(&places, scratch), 36.0);
    }

    /// Rows 0 and 2 need column 0, rows 1 and 3 column 1.
    #[test]
    fn rows_with_the_same_needs_meet() {
        let blocks = Blocks {
            lanes: 1,
            rows: 2,
            entries: 2,
            keep: 1,
        };
        let scores = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        let mut sides = [Side::Writes {
            scores,
            columns: 2,
            blocks,
            weight: 1.0,
        }];
        let places = climb(&mut sides, 4, WORK[0]);
        assert_eq!(sides[0].whole(&places, &mut Vec::new()), 4.0);
        assert_eq!(places[0] % 2, places[1] % 2);
    }
}
