//! The memories of a layer as the words that hardware reads, one after the other.
//! Must not know in which language they are written down.

use super::{Activation, Hardware, Kept, Layer, Mvau, MvauBcr, MvauRc, Tensors, Threshold, Vvau};
use crate::error::Result;
use crate::tensor::DataType;

/// One memory: lines of codes, each line what is read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Its name: `weights`, `index`, `row_index`, `thresholds` or `flip`.
    pub name: &'static str,
    /// Bits of a code; negative ones are two's complement of so many bits.
    pub bits: u32,
    /// Codes of a line.
    pub per_line: usize,
    /// Codes, line by line.
    pub codes: Vec<i64>,
}

impl Memory {
    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = &[i64]> {
        self.codes.chunks_exact(self.per_line)
    }
}

/// Every memory of a layer, in the order in which hardware names them; none for a layer that holds nothing.
///
/// # Errors
/// A bug where the tensors do not fit the layer.
pub fn memories(layer: &Layer, tensors: &Tensors) -> Result<Vec<Memory>> {
    match layer {
        Layer::Mvau(mvau) => {
            let mut memories = vec![weights(mvau, tensors)?];
            if let Some(activation) = &mvau.activation {
                let blocks = [mvau.groups, mvau.rows];
                memories.extend(thresholds(activation, tensors, blocks, mvau.pe)?);
            }
            Ok(memories)
        }
        Layer::Vvau(vvau) => {
            let mut memories = vec![kernels(vvau, tensors)?];
            if let Some(activation) = &vvau.activation {
                let channels = vvau.sliding.channels;
                memories.extend(thresholds(activation, tensors, [1, channels], vvau.pe)?);
            }
            Ok(memories)
        }
        Layer::MvauBcr(mvau) => {
            let mut memories = kept(mvau, tensors)?;
            if let Some(activation) = &mvau.activation {
                memories.extend(thresholds(activation, tensors, [1, mvau.rows], mvau.pe)?);
            }
            Ok(memories)
        }
        Layer::MvauRc(mvau) => {
            let mut memories = crossed(mvau, tensors)?;
            if let Some(activation) = &mvau.activation {
                memories.extend(thresholds(activation, tensors, [1, mvau.rows], mvau.pe)?);
            }
            Ok(memories)
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

/// Channels and pixels as the hardware of a threshold layer sees them: where all channels share their thresholds and
/// words are full, every word is a pixel of its own, so that the memory holds them once.
pub fn grouping(layer: &Threshold) -> (usize, usize) {
    let input = layer.input();
    match layer.activation.rows == 1 && input.is_full() {
        true => (layer.pe, input.words()),
        false => (layer.channels, layer.pixels),
    }
}

/// Line `(g * NF + f) * D + d` holds PE rows of SIMD codes: matrix g, row `f * PE + p`, column `d * SIMD + s`.
/// Padding has code 0.
fn weights(mvau: &Mvau, tensors: &Tensors) -> Result<Memory> {
    let matrices = tensors.weights(&[mvau.groups * mvau.rows, mvau.columns])?;
    let mut codes = Vec::with_capacity(matrices.len());
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
                    codes.push(code(mvau.weight, i64::from(value), inside));
                }
            }
        }
    }
    Ok(Memory {
        name: "weights",
        bits: mvau.weight.bits(),
        per_line: mvau.pe * mvau.simd,
        codes,
    })
}

/// Line `g * STEPS + j` holds PE channels of SIMD codes: channel `g * PE + p`, position `j * SIMD + s`. Padding has
/// code 0.
fn kernels(vvau: &Vvau, tensors: &Tensors) -> Result<Memory> {
    let (channels, positions) = (vvau.sliding.channels, vvau.sliding.positions());
    let matrix = tensors.weights(&[channels, positions])?;
    let mut codes = Vec::with_capacity(matrix.len());
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
                codes.push(code(vvau.weight, i64::from(value), inside));
            }
        }
    }
    Ok(Memory {
        name: "weights",
        bits: vvau.weight.bits(),
        per_line: vvau.pe * vvau.simd,
        codes,
    })
}

/// Weights and indices of a sparse layer. Of the weights, line `f * STEPS + k` holds PE rows of SIMD codes;
/// of the indices, line `l * STEPS + k` holds the words of the present block that the lists of fold group l
/// read. Rows of padding have code 0, lists of padding read word 0.
fn kept(mvau: &MvauBcr, tensors: &Tensors) -> Result<Vec<Memory>> {
    let per_row = mvau.blocks.lanes * mvau.kept();
    let matrix = tensors.weights(&[mvau.rows, mvau.blocks.lanes, mvau.kept()])?;
    let lists = mvau.lists_of(tensors)?;
    let (mut weights, mut index) = (Vec::new(), Vec::new());
    for fold in 0..mvau.row_folds() {
        for step in 0..mvau.steps() {
            for lane in 0..mvau.pe * mvau.simd {
                let row = fold * mvau.pe + lane / mvau.simd;
                let inside = row < mvau.rows;
                let value = match inside {
                    true => {
                        let list = &lists.positions[row / mvau.blocks.rows];
                        matrix[row * per_row + list[step][lane % mvau.simd]]
                    }
                    false => 0,
                };
                weights.push(code(mvau.weight, i64::from(value), inside));
            }
        }
    }
    for first in 0..mvau.row_folds().div_ceil(mvau.sharing()) {
        for step in 0..mvau.steps() {
            let base = step / mvau.block_steps() * mvau.block();
            for at in 0..mvau.groups() * mvau.simd {
                let list = first * mvau.groups() + at / mvau.simd;
                let word = lists
                    .columns
                    .get(list)
                    .map_or(0, |list| list[step][at % mvau.simd] / mvau.simd - base);
                index.push(word as i64);
            }
        }
    }
    Ok(vec![
        Memory {
            name: "weights",
            bits: mvau.weight.bits(),
            per_line: mvau.pe * mvau.simd,
            codes: weights,
        },
        Memory {
            name: "index",
            bits: mvau.index_bits(),
            per_line: mvau.groups() * mvau.simd,
            codes: index,
        },
    ])
}

/// Weights and indices of a layer whose blocks keep rows and columns. With A steps down and B steps across a block, line
/// `(block * A + a) * B + b` of the weights holds PE rows of SIMD codes, line `block * B + b` of the index the words of
/// the block that are read from the banks, line `block * A + a` of the index of rows the sums of the row of blocks that
/// are added to.
fn crossed(mvau: &MvauRc, tensors: &Tensors) -> Result<Vec<Memory>> {
    let matrix = mvau.kept_weights(tensors)?;
    let (rows, columns) = (mvau.kept_rows(tensors)?, mvau.kept_columns(tensors)?);
    let across = mvau.cross.columns.kept();
    let mut weights = Vec::with_capacity(matrix.len());
    for (block, matrix) in matrix.chunks_exact(mvau.cross.kept()).enumerate() {
        for step in &rows[block] {
            for other in &columns[block] {
                for (_, row) in step {
                    let values = other
                        .iter()
                        .map(|(_, column)| matrix[row * across + column]);
                    weights.extend(values.map(|w| code(mvau.weight, i64::from(w), true)));
                }
            }
        }
    }
    let words = |lines: Vec<Vec<Vec<Kept>>>, lanes: usize| -> Vec<i64> {
        let kept = lines.into_iter().flatten().flatten();
        kept.map(|(line, _)| (line / lanes) as i64).collect()
    };
    let [row_bits, bits] = mvau.index_bits();
    Ok(vec![
        Memory {
            name: "weights",
            bits: mvau.weight.bits(),
            per_line: mvau.pe * mvau.simd,
            codes: weights,
        },
        Memory {
            name: "index",
            bits,
            per_line: mvau.simd,
            codes: words(columns, mvau.simd),
        },
        Memory {
            name: "row_index",
            bits: row_bits,
            per_line: mvau.pe,
            codes: words(rows, mvau.pe),
        },
    ])
}

/// What stands in the file for a weight: the number itself, or the code of a bipolar one.
fn code(kind: DataType, value: i64, inside: bool) -> i64 {
    match kind {
        DataType::Bipolar if inside => i64::from(value > 0),
        _ => value,
    }
}

/// A line holds the thresholds, or the flips, of PE channels: for each of so many blocks of channels its
/// channels, and then padding up to a multiple of PE, which repeats channel 0.
fn thresholds(
    activation: &Activation,
    tensors: &Tensors,
    [blocks, channels]: [usize; 2],
    pe: usize,
) -> Result<Vec<Memory>> {
    let (values, flips) = tensors.thresholds(activation.rows, activation.levels)?;
    let (mut lists, mut flip) = (Vec::new(), Vec::new());
    let padded = channels.next_multiple_of(pe);
    for line in 0..blocks * padded {
        let (block, channel) = (line / padded, line % padded);
        let row = match channel < channels {
            true => (block * channels + channel) % activation.rows,
            false => 0,
        };
        lists.extend(&values[row * activation.levels..(row + 1) * activation.levels]);
        flip.push(i64::from(flips[row]));
    }
    Ok(vec![
        Memory {
            name: "thresholds",
            bits: activation.threshold.bits(),
            per_line: pe * activation.levels,
            codes: lists,
        },
        Memory {
            name: "flip",
            bits: 1,
            per_line: pe,
            codes: flip,
        },
    ])
}
