//! Matrix-vector-threshold unit for balanced block-based column-row pruned weights (column form): pruned
//! weights are neither stored nor multiplied.
//!
//! See [`Blocks`] for the form: all lanes of all lists of kept entries are equally long.
//! Must not know graphs or how the lists were chosen.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::{
    Blocks, Form, Hardware, Limits, Multiplier, Parallelism, Port, Range, Schedule, Tensors,
};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// `y = activation(W x)` for each pixel, where W is sparse in the balanced form. SIMD divides the lanes;
/// PE is a divisor or a multiple of the rows of a block, and rows are padded up to a multiple of PE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MvauBcr {
    /// Rows of W: output channels.
    pub rows: usize,
    /// Columns of W: input channels.
    pub columns: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Type of the input.
    pub input: DataType,
    /// Type of the kept weights.
    pub weight: DataType,
    /// Type that holds every accumulator.
    pub accumulator: DataType,
    /// What follows the product; without it the accumulators are the result.
    pub activation: Option<Activation>,
    /// Which weights are kept.
    pub blocks: Blocks,
    /// Rows per cycle.
    pub pe: usize,
    /// Columns per cycle.
    pub simd: usize,
    /// What multiplies.
    #[serde(default, skip_serializing_if = "Multiplier::is_lut")]
    pub multiplier: Multiplier,
}

/// What a layer with its parallelism reads step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// `[list][step][simd lane]`: kept column.
    pub columns: Vec<Vec<Vec<usize>>>,
    /// `[list][step][simd lane]`: position of the kept weight among those of its row.
    pub positions: Vec<Vec<Vec<usize>>>,
}

impl MvauBcr {
    /// Neuron folds: groups of PE rows.
    pub fn row_folds(&self) -> usize {
        self.rows.div_ceil(self.pe)
    }

    /// Words of SIMD columns per pixel, which is how many each lane's bank holds.
    pub fn depth(&self) -> usize {
        self.columns / self.simd
    }

    /// Entries of a bank in a block.
    pub fn block(&self) -> usize {
        self.blocks.entries * self.blocks.lanes / self.simd
    }

    /// Steps that a block takes: entries that it keeps in each bank.
    pub fn block_steps(&self) -> usize {
        self.blocks.keep * self.blocks.lanes / self.simd
    }

    /// Steps of one row fold.
    pub fn steps(&self) -> usize {
        self.depth() / self.block() * self.block_steps()
    }

    /// Lists: groups of rows that share kept columns.
    pub fn lists(&self) -> usize {
        self.blocks.lists(self.rows)
    }

    /// Lists that are read at once.
    pub fn groups(&self) -> usize {
        (self.pe / self.blocks.rows).max(1)
    }

    /// Row folds that read the same lists.
    pub fn sharing(&self) -> usize {
        (self.blocks.rows / self.pe).max(1)
    }

    /// Kept entries of a grid lane in one list.
    pub fn kept(&self) -> usize {
        self.blocks.kept(self.columns)
    }

    /// Bits of an index within a block; the block itself is counted.
    pub fn index_bits(&self) -> u32 {
        index_bits(self.block())
    }

    /// Bits of all lists, in the order in which they are stored: padded lists included.
    pub fn index_memory_bits(&self) -> u64 {
        let lists = self.row_folds().div_ceil(self.sharing()) * self.groups();
        (lists * self.steps() * self.simd) as u64 * u64::from(self.index_bits())
    }

    /// Kept entries as they follow each other on the lanes of SIMD.
    ///
    /// # Errors
    /// A bug where the tensors do not fit the layer.
    pub fn lists_of(&self, tensors: &Tensors) -> Result<Lists> {
        let index = tensors.index(&[self.lists(), self.blocks.lanes, self.kept()])?;
        let per_block = self.blocks.keep;
        let mut schedule = Lists {
            columns: Vec::new(),
            positions: Vec::new(),
        };
        for list in index.chunks_exact(self.blocks.lanes * self.kept()) {
            let mut columns = vec![vec![0; self.simd]; self.steps()];
            let mut positions = columns.clone();
            for lane in 0..self.simd {
                let mut step = 0;
                for block in 0..self.kept() / per_block {
                    // Lanes of the grid that this lane consists of, entry by entry.
                    let mut entries: Vec<(usize, usize)> = (lane..self.blocks.lanes)
                        .step_by(self.simd)
                        .flat_map(|grid| {
                            let first = grid * self.kept() + block * per_block;
                            (first..first + per_block)
                                .map(move |at| (list[at] as usize * self.blocks.lanes + grid, at))
                        })
                        .collect();
                    entries.sort_unstable();
                    for (column, at) in entries {
                        columns[step][lane] = column;
                        positions[step][lane] = at;
                        step += 1;
                    }
                }
            }
            schedule.columns.push(columns);
            schedule.positions.push(positions);
        }
        Ok(schedule)
    }

    /// `[lists, lanes, kept]`: the column of each kept entry.
    fn kept_columns(&self, tensors: &Tensors) -> Result<Vec<usize>> {
        let index = tensors.index(&[self.lists(), self.blocks.lanes, self.kept()])?;
        let lanes = (0..self.blocks.lanes).cycle();
        let lists = index.chunks_exact(self.kept().max(1)).zip(lanes);
        let column = |(entries, lane)| {
            let entries: &[i32] = entries;
            entries
                .iter()
                .map(move |entry| *entry as usize * self.blocks.lanes + lane)
        };
        Ok(lists.flat_map(column).collect())
    }

    /// Appends the sums of one pixel: each list gathers its columns once for all of its rows.
    fn accumulate<T: Copy + Default + Into<i64>>(
        &self,
        columns: &[usize],
        weights: &[i32],
        pixel: &[T],
        add: impl Fn(T, i32, T) -> T,
        output: &mut Vec<i64>,
    ) {
        let kept = self.blocks.lanes * self.kept();
        let lists = columns.chunks_exact(kept);
        for (list, rows) in lists.zip(weights.chunks(self.blocks.rows * kept)) {
            let gathered: Vec<T> = list.iter().map(|column| pixel[*column]).collect();
            for row in rows.chunks_exact(kept) {
                let products = row.iter().zip(&gathered);
                output.push(
                    products
                        .fold(T::default(), |sum, (w, x)| add(sum, *w, *x))
                        .into(),
                );
            }
        }
    }
}

/// Bits of an index from 0 to `count - 1`, at least 1.
fn index_bits(count: usize) -> u32 {
    count.next_power_of_two().ilog2().max(1)
}

impl Hardware for MvauBcr {
    fn kind(&self) -> &'static str {
        "mvau_bcr"
    }

    fn input(&self) -> Port {
        Port {
            element: self.input,
            pixels: self.pixels,
            channels: self.columns,
            per_word: self.simd,
        }
    }

    fn output(&self) -> Port {
        Port {
            element: Activation::leaving(self.activation.as_ref(), self.accumulator),
            pixels: self.pixels,
            channels: self.rows,
            per_word: self.pe,
        }
    }

    /// The list of what is kept is read before the banks are.
    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 1
                + Schedule::sum(self.simd, self.activation.as_ref())
                + self.multiplier.delay(),
            form: Form::Banks {
                pixels: self.pixels,
                words: self.depth(),
                folds: self.row_folds(),
                steps: self.steps(),
                in_order: false,
            },
        }
    }

    /// The next pixel arrives, one word per cycle, while this one is computed.
    fn cycles(&self) -> u64 {
        (self.pixels * (self.row_folds() * self.steps()).max(self.depth())) as u64
    }

    fn limits(&self) -> Limits {
        let padded = self.lists() * self.blocks.rows;
        let fits = |pe: &usize| {
            self.blocks.rows.is_multiple_of(*pe) || pe.is_multiple_of(self.blocks.rows)
        };
        Limits {
            pe: Some(Range::OneOf((1..=padded).filter(fits).collect())),
            simd: Some(Range::divisors(self.blocks.lanes)),
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    /// As the dense unit, and the banks: 64 words of one bit are a look-up table, once for every list that
    /// is read at once, twice because the next pixel arrives meanwhile.
    fn luts(&self) -> u64 {
        let dense = super::Mvau {
            rows: self.rows,
            columns: self.columns,
            pixels: self.pixels,
            groups: 1,
            input: self.input,
            weight: self.weight,
            accumulator: self.accumulator,
            activation: self.activation.clone(),
            pe: self.pe,
            simd: self.simd,
            multiplier: self.multiplier,
        };
        let words = (2 * self.depth()).div_ceil(64) as u64;
        let banks = (self.groups() * self.simd) as u64 * words;
        dense.luts() + banks * u64::from(self.input.bits())
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("a sparse MVAU was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let columns = self.kept_columns(tensors)?;
        let weights = tensors.weights(&[self.rows, self.blocks.lanes, self.kept()])?;
        let mut output = Vec::with_capacity(self.output().elements());
        for pixel in input.chunks_exact(self.columns) {
            // Arithmetic modulo 2^32 is exact where the true sum fits 32 bits, and faster.
            match self.accumulator.bits() <= 31 && self.input.bits() <= 31 {
                true => {
                    let narrow: Vec<i32> = pixel.iter().map(|x| *x as i32).collect();
                    let add = |sum: i32, w: i32, x: i32| sum.wrapping_add(w.wrapping_mul(x));
                    self.accumulate(&columns, weights, &narrow, add, &mut output);
                }
                false => {
                    let add = |sum: i64, w: i32, x: i64| sum + i64::from(w) * x;
                    self.accumulate(&columns, weights, pixel, add, &mut output);
                }
            }
        }
        if let Some(activation) = &self.activation {
            activation.run(tensors, &mut output)?;
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tensor::Tensor;

    fn layer() -> (MvauBcr, Tensors) {
        let layer = MvauBcr {
            rows: 3,
            columns: 8,
            pixels: 1,
            input: DataType::Int(4),
            weight: DataType::Int(4),
            accumulator: DataType::Int(12),
            activation: None,
            blocks: Blocks {
                lanes: 2,
                rows: 2,
                entries: 2,
                keep: 1,
            },
            pe: 2,
            simd: 2,
            multiplier: crate::layer::Multiplier::Lut,
        };
        // Lanes hold columns 0 2 4 6 and 1 3 5 7.
        let index = vec![0, 3, 1, 2, 1, 2, 0, 3];
        let weights = vec![1, 2, 3, 4, 5, 6, 7, -8, -1, 1, 1, 1];
        let tensors = Tensors {
            weights: Some(Tensor::new(vec![3, 2, 2], weights).unwrap()),
            index: Some(Tensor::new(vec![2, 2, 2], index).unwrap()),
            ..Tensors::default()
        };
        (layer, tensors)
    }

    #[test]
    fn products_are_those_of_the_kept_columns() {
        let (layer, tensors) = layer();
        let x = [1, 2, 3, 4, 5, 6, 7, -1];
        // Rows 0 and 1 keep columns 0, 6, 3, 5; row 2 keeps 2, 4, 1, 7.
        let expected = vec![1 + 14 + 12 + 24, 5 + 42 + 28 - 48, -3 + 5 + 2 - 1];
        assert_eq!(layer.run(&tensors, &x).unwrap(), expected);
        assert_eq!(layer.cycles(), 2 * 2);
    }

    #[test]
    fn a_narrower_simd_reads_the_lanes_one_after_the_other() {
        let (layer, tensors) = layer();
        let narrow = MvauBcr { simd: 1, ..layer };
        assert_eq!(
            (narrow.block(), narrow.block_steps(), narrow.steps()),
            (4, 2, 4)
        );
        let lists = narrow.lists_of(&tensors).unwrap();
        let columns: Vec<usize> = lists.columns[0].iter().map(|step| step[0]).collect();
        assert_eq!(columns, [0, 3, 5, 6]);
        let positions: Vec<usize> = lists.positions[0].iter().map(|step| step[0]).collect();
        assert_eq!(positions, [0, 2, 3, 1]);
    }

    #[test]
    fn indices_need_their_bits() {
        for (count, bits) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (784, 10)] {
            assert_eq!(index_bits(count), bits, "{count}");
        }
    }
}
