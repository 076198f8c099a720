//! The plan for a whole network: channels that go, blocks, orders of channels, and the masks that follow.
//! Must not know how a mask enters the network.

use std::collections::BTreeMap;

use super::grid::{self, choose};
use super::matrix::{Chain, Class, Matrix};
use super::{Pruned, bcr, bcr_col, channel, none, sides};
use crate::error::{Error, Place, Result};
use crate::layer::Balance;
use crate::manifest::Pruning;

/// What the manifest says about the layer of a name, and where.
pub type Choices<'a> = &'a dyn Fn(&str) -> (Pruning, BTreeMap<&'static str, Place>);

pub(super) fn pattern(pruning: &Pruning) -> &str {
    pruning.pattern.as_deref().unwrap_or(none::NAME)
}

pub(super) type Wanted = (Pruning, BTreeMap<&'static str, Place>);

/// By class, the channels that stay, in their old order: those of the pattern `channel`, without those that
/// no weight of a row that stays reads. One channel at least stays.
pub(super) fn alive(chain: &Chain, wanted: &[Wanted]) -> Result<Vec<Vec<usize>>> {
    let every = |class: &Class| vec![true; class.channels];
    let mut allowed: Vec<Vec<bool>> = chain.classes.iter().map(every).collect();
    let mut alive = read(chain, &allowed);
    let mut decided = vec![false; chain.classes.len()];
    // From the last layer to the first: what a layer does not write, it need not read.
    for matrix in chain.matrices.iter().rev() {
        let class = matrix.output;
        if chain.classes[class].fixed || std::mem::replace(&mut decided[class], true) {
            continue;
        }
        if let Some(density) = share(chain, wanted, class)? {
            allowed[class] = channel::keep(&worth(chain, class), density, &alive[class]);
            alive = read(chain, &allowed);
        }
    }
    let listed = |alive: &Vec<bool>| (0..alive.len()).filter(|c| alive[*c]).collect();
    Ok(alive.iter().map(listed).collect())
}

/// By class, whether each channel is allowed and read by a row of an allowed channel that is read itself; all those
/// that are allowed where nobody reads the class.
fn read(chain: &Chain, allowed: &[Vec<bool>]) -> Vec<Vec<bool>> {
    let mut alive: Vec<Vec<bool>> = Vec::with_capacity(allowed.len());
    for (at, (class, allowed)) in chain.classes.iter().zip(allowed).enumerate() {
        let is_read = chain.matrices.iter().any(|matrix| matrix.input == at);
        let all = class.fixed || !is_read;
        alive.push(allowed.iter().map(|allowed| all && *allowed).collect());
    }
    // Channels that several layers write, one after the other, are read by later and by earlier ones.
    loop {
        let before = alive.clone();
        for matrix in chain.matrices.iter().rev() {
            let (input, output) = (&chain.classes[matrix.input], &chain.classes[matrix.output]);
            if !input.fixed {
                let stays = |row: usize| output.fixed || alive[matrix.output][row];
                let read = matrix.reads(input.channels, stays);
                for (channel, read) in read.into_iter().enumerate() {
                    alive[matrix.input][channel] |= read && allowed[matrix.input][channel];
                }
            }
        }
        if alive == before {
            break;
        }
    }
    for (alive, allowed) in alive.iter_mut().zip(allowed) {
        if !alive.contains(&true)
            && let Some(first) = allowed.iter().position(|allowed| *allowed)
        {
            alive[first] = true;
        }
    }
    alive
}

/// The share of channels of a class that the layers that write it keep, if any of them prunes channels.
///
/// # Errors
/// A user error where it is missing, or where two of them ask for different ones.
fn share(chain: &Chain, wanted: &[Wanted], class: usize) -> Result<Option<f64>> {
    let mut found: Option<(f64, &str)> = None;
    for (matrix, (pruning, places)) in chain.matrices.iter().zip(wanted) {
        if matrix.output != class || pattern(pruning) != channel::NAME {
            continue;
        }
        let density = pruning.density.ok_or_else(|| {
            let what = format!(
                "layer `{}` does not say how many channels are kept",
                matrix.name
            );
            Error::user(what)
                .help("add `density = 0.5`")
                .at(places["pattern"].clone())
        })?;
        match found {
            Some((other, name)) if other != density => {
                let error = Error::user(format!(
                    "layers `{name}` and `{}` write the same channels, and keep {other} and {density} of them",
                    matrix.name
                ))
                .help("branches that are added up lose the same channels: give these layers the same density");
                return Err(match places.get("density") {
                    Some(place) => error.at(place.clone()),
                    None => error,
                });
            }
            _ => found = Some((density, &matrix.name)),
        }
    }
    Ok(found.map(|(density, _)| density))
}

/// What each channel of a class is worth: the scores of the rows that write it, layers counting alike.
fn worth(chain: &Chain, class: usize) -> Vec<f64> {
    let mut worth = vec![0.0; chain.classes[class].channels];
    for matrix in chain
        .matrices
        .iter()
        .filter(|matrix| matrix.output == class)
    {
        let total = matrix.total();
        let part = if total > 0.0 { 1.0 / total } else { 0.0 };
        for (worth, row) in worth
            .iter_mut()
            .zip(matrix.scores.chunks_exact(matrix.columns))
        {
            *worth += row.iter().sum::<f64>() * part;
        }
    }
    worth
}

pub(super) fn blocks(
    chain: &Chain,
    matrix: &Matrix,
    orders: &[Vec<usize>],
    (pruning, places): &Wanted,
) -> Result<Option<Balance>> {
    let pattern = pattern(pruning);
    if pattern != bcr_col::NAME && pattern != bcr::NAME {
        return Ok(None);
    }
    let rows = chain.rows(matrix, orders).len();
    let columns = chain.columns(matrix, orders).len();
    let channels = chain.channels(matrix, orders);
    let shape = [columns, channels];
    let chosen = match pattern {
        bcr::NAME => sides::choose(rows, shape, matrix.bits, pruning).map(Balance::Cross),
        _ => choose(rows, shape, matrix.bits, pruning).map(Balance::Columns),
    };
    let balance = chosen.map_err(|(key, what, help): grid::Refusal| {
        let error = Error::user(format!("layer `{}` {what}", matrix.name)).help(help);
        match places.get(key) {
            Some(place) => error.at(place.clone()),
            None => error,
        }
    })?;
    // Where everything is kept, nothing needs an index.
    Ok((!balance.is_whole()).then_some(balance))
}

/// `[rows, columns]` in the layer's old order: which weights stay.
pub(super) fn kept(
    chain: &Chain,
    matrix: &Matrix,
    orders: &[Vec<usize>],
    blocks: Option<Balance>,
) -> Vec<bool> {
    placed(chain, (matrix, &matrix.scores), orders, blocks)
}

/// The same for other scores.
pub(super) fn placed(
    chain: &Chain,
    (matrix, scores): (&Matrix, &[f64]),
    orders: &[Vec<usize>],
    blocks: Option<Balance>,
) -> Vec<bool> {
    let rows = chain.rows(matrix, orders);
    let columns = chain.columns(matrix, orders);
    let inner = match blocks {
        Some(balance) => {
            let scores = matrix.ordered(scores, &rows, &columns);
            match balance {
                Balance::Columns(blocks) => bcr_col::project(&scores, columns.len(), blocks),
                Balance::Cross(cross) => bcr::project(&scores, columns.len(), cross),
            }
        }
        None => vec![true; rows.len() * columns.len()],
    };
    let mut kept = vec![false; matrix.scores.len()];
    for (row, inner) in rows.iter().zip(inner.chunks_exact(columns.len())) {
        for (column, inner) in columns.iter().zip(inner) {
            kept[row * matrix.columns + column] = *inner;
        }
    }
    kept
}

pub(super) fn pruned(
    matrix: &Matrix,
    kept: &[bool],
    blocks: Option<Balance>,
    pruning: &Pruning,
) -> Pruned {
    let count = kept.iter().filter(|kept| **kept).count();
    let pairs = matrix.scores.iter().zip(kept);
    let score: f64 = pairs
        .filter(|(_, kept)| **kept)
        .map(|(score, _)| score)
        .sum();
    let total = matrix.total();
    Pruned {
        name: matrix.name.clone(),
        pattern: pattern(pruning).to_owned(),
        rows: matrix.rows,
        columns: matrix.columns,
        weight_bits: matrix.bits,
        asked: pruning.density,
        density: count as f64 / kept.len() as f64,
        blocks,
        retained: if total > 0.0 { score / total } else { 1.0 },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A product of `rows` x `columns` between two classes; `used` are its weights that are not 0.
    fn matrix(input: usize, used: &[&[u8]]) -> Matrix {
        let (rows, columns) = (used.len(), used[0].len());
        Matrix {
            name: String::new(),
            weights: crate::network::ValueId(0),
            place: crate::pass::Place::Matrix {
                order: crate::dataflow::Order::RowMajor,
                rows,
            },
            rows,
            columns,
            scores: used.concat().into_iter().map(f64::from).collect(),
            used: used.concat().into_iter().map(|used| used > 0).collect(),
            bits: 4,
            input,
            output: input + 1,
        }
    }

    fn chain(matrices: Vec<Matrix>) -> Chain {
        let class = |channels, fixed| Class {
            channels,
            fixed,
            tensors: Vec::new(),
        };
        let last = matrices.len() - 1;
        let mut classes = vec![class(matrices[0].columns, true)];
        classes.extend((0..=last).map(|at| class(matrices[at].rows, at == last)));
        Chain { classes, matrices }
    }

    /// Channel 1 of the second layer is not read, so channel 1 of the first is read in vain.
    #[test]
    fn what_is_not_written_is_not_read() {
        let chain = chain(vec![
            matrix(0, &[&[1, 1], &[1, 1], &[1, 1]]),
            matrix(1, &[&[1, 0, 1], &[1, 1, 1]]),
            matrix(2, &[&[1, 0]]),
        ]);
        let wanted = vec![Wanted::default(); 3];
        let found = alive(&chain, &wanted).unwrap();
        assert_eq!(found, [vec![0, 1], vec![0, 2], vec![0], vec![0]]);
    }

    #[test]
    fn one_channel_stays_of_those_that_are_not_read() {
        let chain = chain(vec![matrix(0, &[&[1], &[1]]), matrix(1, &[&[0, 0]])]);
        let found = alive(&chain, &vec![Wanted::default(); 2]).unwrap();
        assert_eq!(found, [vec![0], vec![0], vec![0]]);
    }

    /// Two layers write class 1, one behind the other, and the second reads it: channel 2 is read by the output alone,
    /// channel 1 by nobody.
    #[test]
    fn channels_of_a_residual_stage_stay_or_go_together() {
        let mut chain = chain(vec![
            matrix(0, &[&[1, 1], &[1, 1], &[1, 1]]),
            matrix(1, &[&[1, 0, 0], &[1, 0, 0]]),
            matrix(2, &[&[1, 1], &[1, 1], &[1, 1]]),
            matrix(1, &[&[0, 0, 1]]),
        ]);
        (chain.matrices[2].output, chain.matrices[3].output) = (1, 3);
        (chain.classes[3].channels, chain.classes[3].fixed) = (1, true);
        chain.classes.pop();
        let mut wanted = vec![Wanted::default(); 4];
        let found = alive(&chain, &wanted).unwrap();
        assert_eq!(found, [vec![0, 1], vec![0, 2], vec![0, 1], vec![0]]);
        // The second layer asks, and its channels are those of the first.
        wanted[2].0.pattern = Some("channel".into());
        wanted[2].0.density = Some(0.34);
        chain.matrices[2].scores[5] = 9.0;
        let found = alive(&chain, &wanted).unwrap();
        assert_eq!(found[1], [2]);
        wanted[0].0.pattern = Some("channel".into());
        wanted[0].0.density = Some(0.5);
        let refused = alive(&chain, &wanted).unwrap_err();
        assert!(
            refused.to_string().contains("the same channels"),
            "{refused}"
        );
    }
}
