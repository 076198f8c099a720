//! The grid: lanes and blocks of a layer, from its shape and what the manifest says.
//! Must not know weights.

use crate::layer::Blocks;
use crate::manifest::{Amount, Pruning};

/// Most lanes that finnp chooses by itself.
const MOST_LANES: usize = 64;
/// Entries that a lane has at least if finnp chooses, as far as there are columns: where only few compete, good
/// weights go because their neighbours are good too.
const LEAST_DEPTH: usize = 8;

/// Part of the density by which finnp may miss it for the sake of more lanes: without them fewer columns can be
/// processed at once.
const NEAR: f64 = 0.05;

/// Why the choice is impossible: the key at fault, what is wrong, what to do.
pub type Refusal = (&'static str, String, String);

/// Lanes and blocks of a `rows` x `columns` matrix of weights of `weight_bits` bits, whose columns are pixels of
/// `channels` each (all of them one pixel in a dense layer). Where `choice` leaves
/// them open, lanes are the most, up to 64 and of 8 entries or more, whose entries can be pruned to within a
/// twentieth of the density, or else the nearest; a block is as deep as its lane, and has 4 rows, or 16 for
/// weights of one or two bits, whose indices would otherwise cost more than they save. Lanes that finnp chooses
/// divide the channels, so that a lane holds the same channels of every pixel, in the words in which pixels arrive;
/// where a pixel has only a few, there is a lane for each, whatever that makes of the density: with fewer the
/// words that arrive would be the limit.
///
/// # Errors
/// The key that does not fit, with what would.
pub fn choose(
    rows: usize,
    [columns, channels]: [usize; 2],
    weight_bits: u32,
    choice: &Pruning,
) -> Result<Blocks, Refusal> {
    let entries = choice.block.map(|[_, entries]| entries as usize);
    let lanes = match choice.lanes {
        Some(Amount::Columns(lanes)) => given_lanes(columns, lanes as usize)?,
        Some(Amount::Both(_)) => return Err(one_number("lanes")),
        None => lanes([columns, channels], entries, choice.density)?,
    };
    let depth = columns / lanes;
    let entries = entries.unwrap_or(depth);
    if !depth.is_multiple_of(entries) {
        let what = format!("has lanes of {depth} entries, which blocks of {entries} do not divide");
        return Err((
            "block",
            what,
            format!("the second number can be {}", listed(&divisors(depth))),
        ));
    }
    let block_rows = match choice.block {
        Some([given, _]) if given as usize > rows => {
            let what = format!("has {rows} rows, fewer than a block of {given}");
            return Err((
                "block",
                what,
                format!("the first number can be 1 to {rows}"),
            ));
        }
        Some([given, _]) => given as usize,
        None => block_rows(rows, if weight_bits <= 2 { 16 } else { 4 }),
    };
    let keep = keep(entries, choice)?;
    Ok(Blocks {
        lanes,
        rows: block_rows,
        entries,
        keep,
    })
}

fn keep(entries: usize, choice: &Pruning) -> Result<usize, Refusal> {
    let asked = match (choice.keep, choice.density) {
        (Some(Amount::Columns(keep)), _) if choice.block.is_none() => {
            let what = format!("keeps {keep} entries of each block, and no block is given");
            return Err((
                "keep",
                what,
                "add `block = [rows, entries]`, or say `density` instead".to_owned(),
            ));
        }
        (Some(Amount::Both(_)), _) => return Err(one_number("keep")),
        (Some(Amount::Columns(keep)), _) if keep as usize > entries => {
            let what = format!("has blocks of {entries} entries, which cannot keep {keep}");
            return Err(("keep", what, format!("`keep` can be 1 to {entries}")));
        }
        (Some(Amount::Columns(keep)), _) => return Ok(keep as usize),
        (None, Some(density)) => density,
        (None, None) => {
            let help = "add `density = 0.5`, or `block = [rows, entries]` and `keep = entries`";
            return Err((
                "pattern",
                "does not say how much is kept".to_owned(),
                help.to_owned(),
            ));
        }
    };
    let keep = nearest(asked, entries);
    // What finnp chose itself is the best there is.
    let allowed = match (choice.block, choice.lanes) {
        (Some(_), _) => 1e-6,
        (None, Some(_)) => NEAR * asked,
        (None, None) => f64::INFINITY,
    };
    if miss(asked, entries) > allowed {
        let fits: Vec<String> = (1..=entries).map(|keep| share(keep, entries)).collect();
        let of = if choice.block.is_some() {
            "blocks"
        } else {
            "lanes"
        };
        let wanted = asked * entries as f64;
        let what = format!("has {of} of {entries} entries, of which it cannot keep {wanted:.3}");
        return Err(("density", what, format!("`density` can be {}", some(&fits))));
    }
    Ok(keep)
}

/// A pair where this form takes a number.
fn one_number(key: &'static str) -> Refusal {
    let what = format!("is pruned by columns alone, so `{key}` is one number");
    let help = format!("write `{key} = 4`, or `pattern = \"bcr\"` for rows and columns");
    (key, what, help)
}

/// Entries of `entries` whose share is nearest to the density, at least one.
fn nearest(density: f64, entries: usize) -> usize {
    ((density * entries as f64).round() as usize).clamp(1, entries)
}

/// How far their share is from the density.
fn miss(density: f64, entries: usize) -> f64 {
    (nearest(density, entries) as f64 / entries as f64 - density).abs()
}

fn given_lanes(columns: usize, lanes: usize) -> Result<usize, Refusal> {
    match columns.is_multiple_of(lanes) {
        true => Ok(lanes),
        false => {
            let what = format!("has {columns} columns, which {lanes} lanes do not divide");
            Err((
                "lanes",
                what,
                format!("`lanes` can be {}", listed(&divisors(columns))),
            ))
        }
    }
}

/// The most lanes near the density, else those that miss it least; with given entries of a block the most whose
/// depth they divide.
fn lanes(
    [columns, channels]: [usize; 2],
    entries: Option<usize>,
    density: Option<f64>,
) -> Result<usize, Refusal> {
    let few = channels < LEAST_DEPTH && channels < columns;
    let least = if few && entries.is_none() {
        channels
    } else {
        1
    };
    let mut best: Option<(f64, usize)> = None;
    for lanes in divisors(channels)
        .into_iter()
        .filter(|lanes| (least..=MOST_LANES).contains(lanes))
    {
        let depth = columns / lanes;
        let fits = entries.is_none_or(|entries| depth.is_multiple_of(entries));
        if !fits || entries.is_none() && !few && depth < LEAST_DEPTH.min(columns) {
            continue;
        }
        let error = match (entries, density) {
            (None, Some(density)) => match miss(density, depth) {
                near if near <= NEAR * density => 0.0,
                far => far,
            },
            _ => 0.0,
        };
        if best.is_none_or(|(least, _)| error <= least + 1e-9) {
            best = Some((error, lanes));
        }
    }
    best.map(|(_, lanes)| lanes).ok_or_else(|| {
        let entries = entries.unwrap_or(1);
        let what = format!(
            "has {columns} columns, which do not divide into lanes of blocks of {entries} entries"
        );
        (
            "block",
            what,
            format!("the second number can be {}", listed(&divisors(columns))),
        )
    })
}

/// Rows of a block: the divisor of `rows` nearest to `wanted`, if one is near, so that no block is ragged.
fn block_rows(rows: usize, wanted: usize) -> usize {
    let near = |d: &usize| *d * 8 >= wanted * 5 && *d * 4 <= wanted * 5;
    let distance = |d: &usize| d.abs_diff(wanted);
    let nearest = divisors(rows).into_iter().filter(near).min_by_key(distance);
    nearest.unwrap_or(wanted.min(rows))
}

pub(super) fn divisors(number: usize) -> Vec<usize> {
    (1..=number).filter(|d| number.is_multiple_of(*d)).collect()
}

pub(super) fn listed(numbers: &[usize]) -> String {
    some(&numbers.iter().map(usize::to_string).collect::<Vec<_>>())
}

/// The texts with commas, without the middle of a long list.
pub(super) fn some(texts: &[String]) -> String {
    match texts {
        [first @ .., last] if texts.len() > 16 => format!("{}, ... {last}", first[..14].join(", ")),
        _ => texts.join(", "),
    }
}

/// `keep / entries` as people write it in a manifest.
pub(super) fn share(keep: usize, entries: usize) -> String {
    format!("{:.6}", keep as f64 / entries as f64)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
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

    #[test]
    fn the_most_lanes_that_reach_the_density() {
        for (columns, asked, lanes, keep) in [
            (784, 0.5, 56, 7),
            (784, 0.25, 49, 4),
            (64, 0.5, 8, 4),
            (64, 0.25, 8, 2),
            (16, 0.25, 2, 2),
            (13, 0.25, 1, 3),
            (1, 0.25, 1, 1),
            (1024, 0.25, 64, 4),
            (64, 1.0, 8, 8),
            (784, 0.3, 56, 4),
            (64, 0.3, 4, 5),
            (64, 0.1, 2, 3),
            (784, 0.999, 56, 14),
            (784, 0.001, 1, 1),
        ] {
            let blocks = choose(64, [columns; 2], 4, &density(asked)).unwrap();
            assert_eq!(
                (blocks.lanes, blocks.keep),
                (lanes, keep),
                "{columns} at {asked}"
            );
            assert!(blocks.fit(columns));
        }
    }

    /// 3 x 3 positions of 3, 64, 1 and 20 channels.
    #[test]
    fn lanes_of_a_convolution_hold_the_same_channels_of_every_position() {
        for (channels, asked, lanes, keep) in [
            (3, 0.5, 3, 5),
            (64, 0.5, 32, 9),
            (64, 0.25, 16, 9),
            (1, 0.5, 1, 5),
            (20, 0.5, 10, 9),
        ] {
            let blocks = choose(64, [9 * channels, channels], 4, &density(asked)).unwrap();
            let found = (blocks.lanes, blocks.keep);
            assert_eq!(found, (lanes, keep), "{channels} at {asked}");
            assert!(blocks.fit(9 * channels) && channels.is_multiple_of(blocks.lanes));
        }
    }

    #[test]
    fn blocks_are_rather_whole_than_exactly_so_large() {
        let of = |rows, bits| choose(rows, [64; 2], bits, &density(0.5)).unwrap().rows;
        assert_eq!(
            [
                of(64, 4),
                of(10, 4),
                of(5, 4),
                of(37, 4),
                of(2, 4),
                of(6, 4)
            ],
            [4, 5, 5, 4, 2, 3]
        );
        assert_eq!(
            [of(64, 1), of(10, 2), of(5, 1), of(37, 2), of(36, 2)],
            [16, 10, 5, 16, 18]
        );
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let refused = |choice: Pruning| choose(32, [60; 2], 4, &choice).unwrap_err();
        let block = Some([4, 7]);
        let (key, _, help) = refused(Pruning {
            block,
            keep: Some(Amount::Columns(1)),
            ..Pruning::default()
        });
        assert_eq!(
            (key, &*help),
            (
                "block",
                "the second number can be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60"
            )
        );
        let (key, _, help) = refused(Pruning {
            lanes: Some(Amount::Columns(7)),
            ..density(0.5)
        });
        assert_eq!(
            (key, &*help),
            (
                "lanes",
                "`lanes` can be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60"
            )
        );
        let (key, _, help) = refused(Pruning {
            block: Some([4, 4]),
            ..density(0.3)
        });
        assert_eq!(
            (key, &*help),
            ("density", "`density` can be 0.25, 0.5, 0.75, 1")
        );
        let (key, _, help) = refused(Pruning {
            block: Some([4, 4]),
            keep: Some(Amount::Columns(5)),
            ..Pruning::default()
        });
        assert_eq!((key, &*help), ("keep", "`keep` can be 1 to 4"));
        let (key, _, help) = refused(Pruning {
            block: Some([40, 4]),
            ..density(0.5)
        });
        assert_eq!((key, &*help), ("block", "the first number can be 1 to 32"));
        assert_eq!(
            refused(Pruning {
                keep: Some(Amount::Columns(1)),
                ..Pruning::default()
            })
            .0,
            "keep"
        );
        assert_eq!(refused(Pruning::default()).0, "pattern");
    }

    /// Few entries cannot be pruned to any density: where the user chose their number, that is an error.
    #[test]
    fn given_lanes_must_come_near_the_density() {
        let lanes = |lanes, asked| {
            let lanes = Some(Amount::Columns(lanes));
            choose(
                32,
                [60; 2],
                4,
                &Pruning {
                    lanes,
                    ..density(asked)
                },
            )
        };
        let (key, what, help) = lanes(30, 0.25).unwrap_err();
        assert_eq!((key, &*help), ("density", "`density` can be 0.5, 1"));
        assert!(what.starts_with("has lanes of 2 entries"), "{what}");
        assert_eq!(lanes(30, 0.48).unwrap().keep, 1);
        assert_eq!(lanes(4, 0.34).unwrap().keep, 5);
        assert_eq!(lanes(60, 0.5).unwrap_err().2, "`density` can be 1");
    }
}
