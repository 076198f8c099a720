//! Memories as text: one memory word per line, decimal numbers with a comma after each, so that the same
//! file is read by C simulation and included as an initialiser by synthesis.
//! Must not know C++ beyond that.

use super::threshold::grouping;
use crate::error::Result;
use crate::layer::{Activation, Layer, Mvau, MvauBcr, Tensors, Vvau};
use crate::tensor::DataType;

/// `(file, text)` of every memory of a layer.
///
/// # Errors
/// A bug where the tensors do not fit the layer.
pub fn memories(layer: &Layer, tensors: &Tensors) -> Result<Vec<(String, String)>> {
    match layer {
        Layer::Mvau(mvau) => {
            let mut files = vec![("weights.dat".to_owned(), weights(mvau, tensors)?)];
            if let Some(activation) = &mvau.activation {
                let blocks = [mvau.groups, mvau.rows];
                files.extend(thresholds(activation, tensors, blocks, mvau.pe)?);
            }
            Ok(files)
        }
        Layer::Vvau(vvau) => {
            let mut files = vec![("weights.dat".to_owned(), kernels(vvau, tensors)?)];
            if let Some(activation) = &vvau.activation {
                let channels = vvau.sliding.channels;
                files.extend(thresholds(activation, tensors, [1, channels], vvau.pe)?);
            }
            Ok(files)
        }
        Layer::MvauBcr(mvau) => {
            let (weights, index) = kept(mvau, tensors)?;
            let mut files = vec![
                ("weights.dat".to_owned(), weights),
                ("index.dat".to_owned(), index),
            ];
            if let Some(activation) = &mvau.activation {
                files.extend(thresholds(activation, tensors, [1, mvau.rows], mvau.pe)?);
            }
            Ok(files)
        }
        Layer::Threshold(layer) => {
            let (channels, _) = grouping(layer);
            thresholds(&layer.activation, tensors, [1, channels], layer.pe)
        }
        Layer::SlidingWindow(_)
        | Layer::MaxPool(_)
        | Layer::SumPool(_)
        | Layer::Add(_)
        | Layer::Concat(_)
        | Layer::Duplicate(_)
        | Layer::Upsample(_)
        | Layer::WidthConverter(_)
        | Layer::LabelSelect(_) => Ok(Vec::new()),
    }
}

/// Line `(g * NF + f) * D + d` holds PE rows of SIMD codes: matrix g, row `f * PE + p`, column `d * SIMD + s`.
/// Padding has code 0.
fn weights(mvau: &Mvau, tensors: &Tensors) -> Result<String> {
    let matrices = tensors.weights(&[mvau.groups * mvau.rows, mvau.columns])?;
    let mut text = String::with_capacity(matrices.len() * 3);
    for matrix in matrices.chunks_exact(mvau.rows * mvau.columns) {
        for fold in 0..mvau.row_folds() {
            for depth in 0..mvau.column_folds() {
                for lane in 0..mvau.pe * mvau.simd {
                    let row = fold * mvau.pe + lane / mvau.simd;
                    let column = depth * mvau.simd + lane % mvau.simd;
                    let inside = row < mvau.rows && column < mvau.columns;
                    let value = match inside {
                        true => matrix[row * mvau.columns + column],
                        false => 0,
                    };
                    push(&mut text, code(mvau.weight, i64::from(value), inside));
                }
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// Line `g * STEPS + j` holds PE channels of SIMD codes: channel `g * PE + p`, position `j * SIMD + s`. Padding has
/// code 0.
fn kernels(vvau: &Vvau, tensors: &Tensors) -> Result<String> {
    let (channels, positions) = (vvau.sliding.channels, vvau.sliding.positions());
    let matrix = tensors.weights(&[channels, positions])?;
    let mut text = String::with_capacity(matrix.len() * 3);
    for group in 0..channels / vvau.pe {
        for step in 0..vvau.steps() {
            for lane in 0..vvau.pe * vvau.simd {
                let channel = group * vvau.pe + lane / vvau.simd;
                let position = step * vvau.simd + lane % vvau.simd;
                let inside = position < positions;
                let value = match inside {
                    true => matrix[channel * positions + position],
                    false => 0,
                };
                push(&mut text, code(vvau.weight, i64::from(value), inside));
            }
            text.push('\n');
        }
    }
    Ok(text)
}

/// Weights and indices of a sparse layer. Of the weights, line `f * STEPS + k` holds PE rows of SIMD codes;
/// of the indices, line `l * STEPS + k` holds the words of the present block that the lists of fold group l
/// read. Rows of padding have code 0, lists of padding read word 0.
fn kept(mvau: &MvauBcr, tensors: &Tensors) -> Result<(String, String)> {
    let per_row = mvau.blocks.lanes * mvau.kept();
    let matrix = tensors.weights(&[mvau.rows, mvau.blocks.lanes, mvau.kept()])?;
    let schedule = mvau.lists_of(tensors)?;
    let (mut weights, mut index) = (String::new(), String::new());
    for fold in 0..mvau.row_folds() {
        for step in 0..mvau.steps() {
            for lane in 0..mvau.pe * mvau.simd {
                let row = fold * mvau.pe + lane / mvau.simd;
                let inside = row < mvau.rows;
                let value = match inside {
                    true => {
                        let list = &schedule.positions[row / mvau.blocks.rows];
                        matrix[row * per_row + list[step][lane % mvau.simd]]
                    }
                    false => 0,
                };
                push(&mut weights, code(mvau.weight, i64::from(value), inside));
            }
            weights.push('\n');
        }
    }
    for first in 0..mvau.row_folds().div_ceil(mvau.sharing()) {
        for step in 0..mvau.steps() {
            let base = step / mvau.block_steps() * mvau.block();
            for at in 0..mvau.groups() * mvau.simd {
                let list = first * mvau.groups() + at / mvau.simd;
                let word = schedule
                    .columns
                    .get(list)
                    .map_or(0, |list| list[step][at % mvau.simd] / mvau.simd - base);
                push(&mut index, word as i64);
            }
            index.push('\n');
        }
    }
    Ok((weights, index))
}

/// What stands in the file for a weight: the number itself, or the code of a bipolar one.
fn code(kind: DataType, value: i64, inside: bool) -> i64 {
    match kind {
        DataType::Bipolar if inside => i64::from(value > 0),
        _ => value,
    }
}

/// Lines hold the thresholds, and the flips, of all channels: for each of so many blocks of channels its
/// channels, and then padding up to a multiple of PE, which repeats channel 0.
fn thresholds(
    activation: &Activation,
    tensors: &Tensors,
    [blocks, channels]: [usize; 2],
    pe: usize,
) -> Result<Vec<(String, String)>> {
    let (values, flips) = tensors.thresholds(activation.rows, activation.levels)?;
    let (mut lists, mut flip) = (String::new(), String::new());
    let padded = channels.next_multiple_of(pe);
    for line in 0..blocks * padded {
        let (block, channel) = (line / padded, line % padded);
        let row = match channel < channels {
            true => (block * channels + channel) % activation.rows,
            false => 0,
        };
        let list = &values[row * activation.levels..(row + 1) * activation.levels];
        list.iter().for_each(|value| push(&mut lists, *value));
        lists.push('\n');
        push(&mut flip, i64::from(flips[row]));
        flip.push('\n');
    }
    Ok(vec![
        ("thresholds.dat".to_owned(), lists),
        ("flip.dat".to_owned(), flip),
    ])
}

fn push(text: &mut String, value: i64) {
    text.push_str(&value.to_string());
    text.push(',');
}
