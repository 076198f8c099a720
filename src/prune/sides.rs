//! The grid of the row + column form: lanes and blocks of rows and of columns, from the shape of a layer and what the
//! manifest says.
//! Must not know weights.

use super::grid::{Refusal, divisors, listed, some};
use crate::layer::{Cross, Side};
use crate::manifest::{Amount, Pruning};

/// Numbers of a pair.
const POSITIONS: [&str; 2] = ["first", "second"];
/// Most lanes of rows, and of columns, that finnp chooses by itself: more of them make larger blocks.
const MOST_LANES: [usize; 2] = [8, 16];
/// Entries that a lane has at least if finnp chooses, as far as there are so many.
const LEAST_DEPTH: usize = 8;
/// Entries of a lane that a block has about, of rows and of columns, and at most half of the lane: where a block has all
/// columns, a row that it drops is lost altogether.
const ENTRIES: [usize; 2] = [4, 8];
/// Rows of a block, of all lanes together, at least for weights of one or two bits: the indices of columns, which they
/// share, would otherwise cost more than they save.
const FEW_BITS_ROWS: usize = 16;
/// Part of the density by which finnp may miss it, for the sake of more choices.
const NEAR: f64 = 0.05;

/// Lanes and blocks of a `rows` x `columns` matrix, whose columns are pixels of `channels` each (all of them one pixel
/// in a dense layer). Where `choice` leaves them open, lanes are the most, up to 8 of rows and 16 of columns, with 8 entries or
/// more; a block has about 4 rows and 8 columns of each lane, at most half
/// of them, but 16 rows at least where weights have one or two bits, as far as there are so many. Of the pairs of rows
/// and columns that are kept, those within a twentieth of the density count, or else the nearest: the one that leaves
/// most choices, and among equals the one with most rows.
///
/// # Errors
/// The key that does not fit, with what would.
pub(super) fn choose(
    rows: usize,
    [columns, channels]: [usize; 2],
    weight_bits: u32,
    choice: &Pruning,
) -> Result<Cross, Refusal> {
    let (row_lanes, column_lanes) = match choice.lanes {
        Some(Amount::Both([rows, columns])) => (Some(rows as usize), Some(columns as usize)),
        Some(Amount::Columns(columns)) => (None, Some(columns as usize)),
        None => (None, None),
    };
    let [down, across] = match choice.block {
        Some(block) => block.map(|entries| Some(entries as usize)),
        None => [None, None],
    };
    let row = Lines {
        name: "rows",
        at: 0,
        count: rows,
        pixel: rows,
    };
    let column = Lines {
        name: "columns",
        at: 1,
        count: columns,
        pixel: channels,
    };
    let sides = [
        row.side(row_lanes, down, weight_bits <= 2)?,
        column.side(column_lanes, across, false)?,
    ];
    let [down, across] = keep(
        sides.map(|side| side.entries),
        sides.map(|s| s.lanes),
        choice,
    )?;
    let [rows, columns] = sides;
    Ok(Cross {
        rows: Side { keep: down, ..rows },
        columns: Side {
            keep: across,
            ..columns
        },
    })
}

/// The rows or the columns of a layer.
struct Lines {
    name: &'static str,
    /// Which number of a pair is theirs.
    at: usize,
    count: usize,
    /// How many of them belong together: lanes that finnp chooses divide these.
    pixel: usize,
}

impl Lines {
    /// Lanes and entries, everything kept.
    fn side(
        &self,
        lanes: Option<usize>,
        entries: Option<usize>,
        few_bits: bool,
    ) -> Result<Side, Refusal> {
        let lanes = match lanes {
            Some(lanes) if !self.count.is_multiple_of(lanes) => {
                let what = format!(
                    "has {} {}, which {lanes} lanes do not divide",
                    self.count, self.name
                );
                let fits = listed(&divisors(self.count));
                let help = format!("lanes of {} can be {fits}", self.name);
                return Err(("lanes", what, help));
            }
            Some(lanes) => lanes,
            None => self.lanes(entries)?,
        };
        let depth = self.count / lanes;
        let entries = match entries {
            Some(entries) if !depth.is_multiple_of(entries) => {
                let what = format!(
                    "has {} lanes of {depth} {}, which blocks of {entries} do not divide",
                    lanes, self.name
                );
                let fits = listed(&divisors(depth));
                return Err((
                    "block",
                    what,
                    format!("the {} number can be {fits}", POSITIONS[self.at]),
                ));
            }
            Some(entries) => entries,
            None if few_bits && lanes * ENTRIES[self.at] < FEW_BITS_ROWS => {
                let all = divisors(depth).into_iter();
                let mut enough = all.filter(|entries| lanes * entries >= FEW_BITS_ROWS);
                enough.next().unwrap_or(depth)
            }
            None => block_entries(depth, ENTRIES[self.at]),
        };
        Ok(Side {
            lanes,
            entries,
            keep: entries,
        })
    }

    /// The most lanes of enough entries, or of those that given entries divide.
    fn lanes(&self, entries: Option<usize>) -> Result<usize, Refusal> {
        let (least, most) = (LEAST_DEPTH, MOST_LANES[self.at]);
        let few = self.pixel < least && self.pixel < self.count;
        let fits = |lanes: &usize| {
            let depth = self.count / lanes;
            match entries {
                Some(entries) => depth.is_multiple_of(entries),
                None => few || depth >= least.min(self.count),
            }
        };
        let mut allowed = divisors(self.pixel)
            .into_iter()
            .filter(|lanes| *lanes <= most);
        allowed.rfind(fits).ok_or_else(|| {
            let what = format!(
                "has {} {}, which do not divide into lanes of blocks of {}",
                self.count,
                self.name,
                entries.unwrap_or(1)
            );
            let fits = listed(&divisors(self.count));
            (
                "block",
                what,
                format!("the {} number can be {fits}", POSITIONS[self.at]),
            )
        })
    }
}

/// The divisor of a lane's depth nearest to `wanted`, of those above 1 and up to half of the depth if there are any.
fn block_entries(depth: usize, wanted: usize) -> usize {
    let all = divisors(depth);
    let halves = all.iter().copied().filter(|d| *d > 1 && *d * 2 <= depth);
    let distance = |d: &usize| d.abs_diff(wanted);
    halves.min_by_key(distance).unwrap_or(depth)
}

/// Entries of a lane that are kept: of rows and of columns.
fn keep(entries: [usize; 2], lanes: [usize; 2], choice: &Pruning) -> Result<[usize; 2], Refusal> {
    let [down, across] = entries;
    let pair = "`keep` can be a pair such as";
    let asked = match (choice.keep, choice.density) {
        (Some(_), _) if choice.block.is_none() => {
            let what = "says what each block keeps, and no block is given".to_owned();
            let help = "add `block = [rows, columns]`, or say `density` instead".to_owned();
            return Err(("keep", what, help));
        }
        (Some(Amount::Columns(_)), _) => {
            let what = "keeps rows and columns of each block, and `keep` is one number".to_owned();
            let help = format!("{pair} [{}, {}]", down.div_ceil(2), across.div_ceil(2));
            return Err(("keep", what, help));
        }
        (Some(Amount::Both(keep)), _) => {
            let keep = keep.map(|keep| keep as usize);
            if keep[0] > down || keep[1] > across {
                let what = format!(
                    "has blocks of {down} rows and {across} columns of a lane, which cannot keep {} and {}",
                    keep[0], keep[1]
                );
                let help =
                    format!("the first number can be 1 to {down}, the second one 1 to {across}");
                return Err(("keep", what, help));
            }
            return Ok(keep);
        }
        (None, Some(density)) => density,
        (None, None) => {
            let help =
                "add `density = 0.5`, or `block = [rows, columns]` and `keep = [rows, columns]`";
            let what = "does not say how much is kept".to_owned();
            return Err(("pattern", what, help.to_owned()));
        }
    };
    nearest(asked, entries, lanes, choice)
}

/// The pair whose share is near the density and that leaves most choices.
fn nearest(
    asked: f64,
    [down, across]: [usize; 2],
    lanes: [usize; 2],
    choice: &Pruning,
) -> Result<[usize; 2], Refusal> {
    let whole = (down * across) as f64;
    let pairs = (1..=down).flat_map(|r| (1..=across).map(move |c| [r, c]));
    let miss = |[r, c]: &[usize; 2]| ((r * c) as f64 / whole - asked).abs();
    let least = pairs
        .clone()
        .map(|pair| miss(&pair))
        .fold(f64::INFINITY, f64::min);
    // What finnp chose itself is the best there is.
    let (allowed, near) = match (choice.block, choice.lanes) {
        (Some(_), _) => (1e-6, 1e-6),
        (None, Some(_)) => (NEAR * asked, NEAR * asked),
        (None, None) => (f64::INFINITY, NEAR * asked),
    };
    if least > allowed {
        let mut fits: Vec<usize> = pairs.map(|[r, c]| r * c).collect();
        fits.sort_unstable();
        fits.dedup();
        let share = |kept: &usize| super::grid::share(*kept, down * across);
        let fits: Vec<String> = fits.iter().map(share).collect();
        let wanted = asked * whole;
        let what = format!(
            "has blocks of {down} x {across} entries of two lanes, of which it cannot keep {wanted:.3}"
        );
        return Err(("density", what, format!("`density` can be {}", some(&fits))));
    }
    let mut best: Option<(f64, [usize; 2])> = None;
    for pair in pairs.filter(|pair| miss(pair) <= near.max(least + 1e-9)) {
        let choices =
            choices(down, pair[0]) * lanes[0] as f64 + choices(across, pair[1]) * lanes[1] as f64;
        if best.is_none_or(|(most, _)| choices > most - 1e-9) {
            best = Some((choices, pair));
        }
    }
    Ok(best.map_or([down, across], |(_, pair)| pair))
}

/// Logarithm of the number of ways to keep `keep` of `entries`.
fn choices(entries: usize, keep: usize) -> f64 {
    let keep = keep.min(entries - keep);
    let factor = |at: usize| ((entries - at) as f64 / (at + 1) as f64).ln();
    (0..keep).map(factor).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn density(density: f64) -> Pruning {
        Pruning {
            density: Some(density),
            ..Pruning::default()
        }
    }

    fn numbers(side: Side) -> [usize; 3] {
        [side.lanes, side.entries, side.keep]
    }

    #[test]
    fn blocks_are_halves_of_their_lanes_at_most() {
        for (rows, columns, bits, asked, down, across) in [
            (64, [64; 2], 4, 0.25, [8, 4, 2], [8, 4, 2]),
            (64, [64; 2], 4, 0.5, [8, 4, 4], [8, 4, 2]),
            (256, [2304, 256], 1, 0.25, [8, 4, 2], [16, 8, 4]),
            (10, [32; 2], 4, 0.5, [1, 5, 5], [4, 4, 2]),
            (10, [64; 2], 1, 0.5, [1, 10, 10], [8, 4, 2]),
            (32, [64; 2], 2, 0.5, [4, 4, 4], [8, 4, 2]),
            (37, [27, 3], 4, 0.3, [1, 37, 17], [3, 3, 2]),
            (1, [1; 2], 4, 0.3, [1, 1, 1], [1, 1, 1]),
        ] {
            let cross = choose(rows, columns, bits, &density(asked)).unwrap();
            let found = (numbers(cross.rows), numbers(cross.columns));
            assert!(cross.fit(rows, columns[0]));
            assert!(columns[1].is_multiple_of(cross.columns.lanes));
            assert_eq!(found, (down, across), "{rows} x {columns:?} at {asked}");
        }
    }

    /// What is refused, at which key, and what would fit.
    fn refused() -> Vec<(Pruning, &'static str, &'static str)> {
        let pruning = |block, keep, lanes| Pruning {
            block,
            keep,
            lanes,
            ..Pruning::default()
        };
        let both = |pair| Some(Amount::Both(pair));
        let block = Some([4, 5]);
        vec![
            (
                pruning(Some([4, 7]), both([1, 1]), None),
                "block",
                "the second number can be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60",
            ),
            (
                pruning(Some([5, 4]), both([1, 1]), both([4, 4])),
                "block",
                "the first number can be 1, 2, 4, 8",
            ),
            (
                Pruning {
                    lanes: both([3, 4]),
                    ..density(0.5)
                },
                "lanes",
                "lanes of rows can be 1, 2, 4, 8, 16, 32",
            ),
            (
                pruning(block, both([5, 1]), None),
                "keep",
                "the first number can be 1 to 4, the second one 1 to 5",
            ),
            (
                pruning(block, Some(Amount::Columns(2)), None),
                "keep",
                "`keep` can be a pair such as [2, 3]",
            ),
            (
                Pruning {
                    block: Some([2, 2]),
                    ..density(0.3)
                },
                "density",
                "`density` can be 0.25, 0.5, 1",
            ),
            (
                pruning(None, both([1, 1]), None),
                "keep",
                "add `block = [rows, columns]`, or say `density` instead",
            ),
        ]
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        for (choice, key, help) in refused() {
            let (found, what, said) = choose(32, [60; 2], 4, &choice).unwrap_err();
            assert_eq!((found, &*said), (key, help), "{what}");
        }
        let both = |pair| Some(Amount::Both(pair));
        let choice = Pruning {
            block: Some([4, 5]),
            keep: both([2, 3]),
            lanes: both([4, 6]),
            ..Pruning::default()
        };
        let cross = choose(32, [60; 2], 4, &choice).unwrap();
        assert_eq!(
            (numbers(cross.rows), numbers(cross.columns)),
            ([4, 4, 2], [6, 5, 3])
        );
    }
}
