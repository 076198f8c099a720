//! Matrix-vector-threshold unit for balanced block-based column-row pruned weights (row + column form): of each block
//! the kept rows and columns are a dense matrix, which is all that is stored and multiplied.
//!
//! See [`Cross`] for the form. Must not know graphs or how rows and columns were chosen.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::{
    Cross, Form, Hardware, Limits, Multiplier, Parallelism, Port, Range, Schedule, Side, Tensors,
};
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Steps from the one that reads an accumulator to the first one that can read what was added to it.
const ADDER: usize = 2;

/// `y = activation(W x)` for each pixel, where W is sparse in the row + column form. PE divides the row lanes and SIMD
/// the column lanes, so nothing is padded.
///
/// Row block by row block, and in it column block by column block, each kept row of a PE takes the kept columns of the
/// block, SIMD at once, in a register, which is then added to the row's accumulator. A row that is not kept by any
/// block has the sum 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MvauRc {
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
    pub cross: Cross,
    /// Rows per cycle.
    pub pe: usize,
    /// Columns per cycle.
    pub simd: usize,
    /// What multiplies.
    #[serde(default, skip_serializing_if = "Multiplier::is_lut")]
    pub multiplier: Multiplier,
}

/// Where a kept line of a block is met: its number in the block, and its place in the block's list of kept lines.
pub type Kept = (usize, usize);

impl MvauRc {
    /// Rows of blocks, and blocks in each of them.
    pub fn blocks(&self) -> [usize; 2] {
        self.cross.blocks(self.rows, self.columns)
    }

    /// Neuron folds: groups of PE rows.
    pub fn row_folds(&self) -> usize {
        self.rows / self.pe
    }

    /// Words of SIMD columns per pixel, which is how many each lane's bank holds.
    pub fn depth(&self) -> usize {
        self.columns / self.simd
    }

    /// Words that leave for a row of blocks: the depth of an accumulator bank.
    pub fn results(&self) -> usize {
        self.cross.rows.lines() / self.pe
    }

    /// Words of a bank in a block.
    pub fn block_words(&self) -> usize {
        self.cross.columns.lines() / self.simd
    }

    /// Kept rows of a block that a PE takes one after the other.
    pub fn row_steps(&self) -> usize {
        self.cross.rows.kept() / self.pe
    }

    /// Steps that each of these takes.
    pub fn column_steps(&self) -> usize {
        self.cross.columns.kept() / self.simd
    }

    /// Steps of a row of blocks.
    pub fn steps(&self) -> usize {
        self.blocks()[1] * self.row_steps() * self.column_steps()
    }

    /// Bits of a row's index within its block, and of a column's; blocks are counted.
    pub fn index_bits(&self) -> [u32; 2] {
        [self.results(), self.block_words()].map(|count| count.next_power_of_two().ilog2().max(1))
    }

    /// Bits of all indices.
    pub fn index_memory_bits(&self) -> u64 {
        let [down, across] = self.blocks();
        let [row, column] = self.index_bits().map(u64::from);
        let kept = self.cross.rows.kept() as u64 * row + self.cross.columns.kept() as u64 * column;
        (down * across) as u64 * kept
    }

    /// Steps from one that adds to an accumulator to the next one that may add to the same one, at least; `None` where
    /// each is added to once. The last row of a block may be the first one of the block beside it.
    pub fn revisit(&self) -> Option<usize> {
        (self.blocks()[1] > 1).then(|| self.column_steps())
    }

    /// Whether a sum may be needed before it is back in its bank.
    pub fn forwards(&self) -> bool {
        self.revisit().is_some_and(|steps| steps < ADDER)
    }

    /// `[block][step][PE]`: kept rows as they follow each other.
    ///
    /// # Errors
    /// A bug where the tensors do not fit the layer.
    pub fn kept_rows(&self, tensors: &Tensors) -> Result<Vec<Vec<Vec<Kept>>>> {
        let side = self.cross.rows;
        let [down, across] = self.blocks();
        let index = tensors.row_index(&[down, across, side.lanes, side.keep])?;
        let blocks = index.chunks_exact(side.kept());
        Ok(blocks.map(|block| steps(side, self.pe, block)).collect())
    }

    /// `[block][step][SIMD]`: kept columns as they follow each other.
    ///
    /// # Errors
    /// A bug where the tensors do not fit the layer.
    pub fn kept_columns(&self, tensors: &Tensors) -> Result<Vec<Vec<Vec<Kept>>>> {
        let side = self.cross.columns;
        let [down, across] = self.blocks();
        let index = tensors.index(&[down, across, side.lanes, side.keep])?;
        let blocks = index.chunks_exact(side.kept());
        Ok(blocks.map(|block| steps(side, self.simd, block)).collect())
    }

    /// `[row blocks * column blocks, kept rows, kept columns]`.
    ///
    /// # Errors
    /// A bug where the tensors do not fit the layer.
    pub fn kept_weights<'a>(&self, tensors: &'a Tensors) -> Result<&'a [i32]> {
        let [down, across] = self.blocks();
        let Cross { rows, columns } = self.cross;
        tensors.weights(&[down * across, rows.kept(), columns.kept()])
    }

    /// Adds the products of one pixel to `sums`, one for each row.
    fn accumulate<T: Copy + Default + Into<i64>>(
        &self,
        (rows, columns): (&[usize], &[usize]),
        weights: &[i32],
        pixel: &[T],
        add: impl Fn(T, i32, T) -> T,
        sums: &mut [i64],
    ) {
        let (down, across) = (self.cross.rows.kept(), self.cross.columns.kept());
        let blocks = rows.chunks_exact(down).zip(columns.chunks_exact(across));
        for ((rows, columns), weights) in blocks.zip(weights.chunks_exact(down * across)) {
            let gathered: Vec<T> = columns.iter().map(|column| pixel[*column]).collect();
            for (row, weights) in rows.iter().zip(weights.chunks_exact(across)) {
                let products = weights.iter().zip(&gathered);
                let sum = products.fold(T::default(), |sum, (w, x)| add(sum, *w, *x));
                sums[*row] += sum.into();
            }
        }
    }
}

/// Kept lines of a block, so many lanes at once: each of these takes the kept entries of the grid's lanes that it
/// consists of in the order of the lines.
fn steps(side: Side, lanes: usize, block: &[i32]) -> Vec<Vec<Kept>> {
    let mut steps = vec![vec![(0, 0); lanes]; side.kept() / lanes];
    for lane in 0..lanes {
        let mut kept: Vec<Kept> = (lane..side.lanes)
            .step_by(lanes)
            .flat_map(|grid| {
                let places = grid * side.keep..(grid + 1) * side.keep;
                places.map(move |at| (block[at] as usize * side.lanes + grid, at))
            })
            .collect();
        kept.sort_unstable();
        for (step, kept) in steps.iter_mut().zip(kept) {
            step[lane] = kept;
        }
    }
    steps
}

/// By block and kept line, the line of the matrix; `first` is the first line of each block.
fn lines(side: Side, index: &[i32], first: impl Fn(usize) -> usize) -> Vec<usize> {
    let kept = index.iter().enumerate();
    kept.map(|(at, entry)| {
        let lane = at % side.kept() / side.keep;
        first(at / side.kept()) + *entry as usize * side.lanes + lane
    })
    .collect()
}

impl Hardware for MvauRc {
    fn kind(&self) -> &'static str {
        "mvau_rc"
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

    /// The index is read before the banks are, as in the column form; what it is added to is one more register.
    fn schedule(&self) -> Schedule {
        Schedule {
            latency: 2
                + Schedule::sum(self.simd, self.activation.as_ref())
                + self.multiplier.delay(),
            form: Form::Blocks {
                pixels: self.pixels,
                words: self.depth(),
                blocks: self.blocks()[0],
                steps: self.steps(),
                results: self.results(),
            },
        }
    }

    /// The next pixel arrives, and the sums before leave, one word per cycle, while this one is computed.
    fn cycles(&self) -> u64 {
        let compute = self.blocks()[0] * self.steps();
        (self.pixels * compute.max(self.depth()).max(self.row_folds())) as u64
    }

    fn limits(&self) -> Limits {
        Limits {
            pe: Some(Range::divisors(self.cross.rows.lanes)),
            simd: Some(Range::divisors(self.cross.columns.lanes)),
        }
    }

    fn parallelism(&self) -> Parallelism {
        Parallelism {
            pe: Some(self.pe),
            simd: Some(self.simd),
        }
    }

    /// As the dense unit, and the banks on both sides: 64 words of one bit are a look-up table, twice because one pixel
    /// arrives and one block leaves meanwhile; and an adder for each accumulator bank.
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
        let tables = |words: usize| (2 * words).div_ceil(64) as u64;
        let inputs = self.simd as u64 * tables(self.depth()) * u64::from(self.input.bits());
        let sums = u64::from(self.accumulator.bits()) * (tables(self.results()) + 1);
        dense.luts() + inputs + self.pe as u64 * sums
    }

    fn run(&self, tensors: &Tensors, input: &[i64]) -> Result<Vec<i64>> {
        if input.len() != self.input().elements() {
            let what = format!("a sparse MVAU was fed {} elements", input.len());
            return Err(Error::bug(what));
        }
        let [down, across] = self.blocks();
        let Cross { rows, columns } = self.cross;
        let weights = self.kept_weights(tensors)?;
        let index = tensors.row_index(&[down, across, rows.lanes, rows.keep])?;
        let kept_rows = lines(rows, index, |block| block / across * rows.lines());
        let index = tensors.index(&[down, across, columns.lanes, columns.keep])?;
        let kept_columns = lines(columns, index, |block| block % across * columns.lines());
        let kept = (&kept_rows[..], &kept_columns[..]);
        let mut output = vec![0; self.output().elements()];
        let pixels = input.chunks_exact(self.columns);
        for (pixel, sums) in pixels.zip(output.chunks_exact_mut(self.rows)) {
            // Arithmetic modulo 2^32 is exact where every part of a sum fits 32 bits, and faster.
            match self.accumulator.bits() <= 31 && self.input.bits() <= 31 {
                true => {
                    let narrow: Vec<i32> = pixel.iter().map(|x| *x as i32).collect();
                    let add = |sum: i32, w: i32, x: i32| sum.wrapping_add(w.wrapping_mul(x));
                    self.accumulate(kept, weights, &narrow, add, sums);
                    // The sum of all fits, so what its parts are too much cancels out.
                    sums.iter_mut()
                        .for_each(|sum| *sum = i64::from(*sum as i32));
                }
                false => {
                    let add = |sum: i64, w: i32, x: i64| sum + i64::from(w) * x;
                    self.accumulate(kept, weights, pixel, add, sums);
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

    /// 4 x 8 in two blocks side by side, each of which keeps 2 of 4 rows and 2 of 4 columns.
    fn layer() -> (MvauRc, Tensors) {
        let side = Side {
            lanes: 2,
            entries: 2,
            keep: 1,
        };
        let layer = MvauRc {
            rows: 4,
            columns: 8,
            pixels: 1,
            input: DataType::Int(4),
            weight: DataType::Int(4),
            accumulator: DataType::Int(12),
            activation: None,
            cross: Cross {
                rows: side,
                columns: side,
            },
            pe: 2,
            simd: 2,
            multiplier: Multiplier::Lut,
        };
        // Rows 0 and 3, columns 2 and 1; rows 0 and 1, columns 4 + 0 and 4 + 3.
        let tensors = Tensors {
            weights: Some(Tensor::new(vec![2, 2, 2], vec![1, 2, 3, 4, 5, 6, 7, -8]).unwrap()),
            row_index: Some(Tensor::new(vec![1, 2, 2, 1], vec![0, 1, 0, 0]).unwrap()),
            index: Some(Tensor::new(vec![1, 2, 2, 1], vec![1, 0, 0, 1]).unwrap()),
            ..Tensors::default()
        };
        (layer, tensors)
    }

    #[test]
    fn products_are_those_of_the_kept_rows_and_columns() {
        let (layer, tensors) = layer();
        let x = [1, 2, 3, 4, 5, 6, 7, -1];
        // Row 2 keeps nothing.
        let expected = vec![3 + 4 + 25 - 6, 35 + 8, 0, 9 + 8];
        assert_eq!(layer.run(&tensors, &x).unwrap(), expected);
        // Two steps compute, and four words arrive.
        assert_eq!((layer.steps(), layer.cycles()), (2, 4));
        let narrow = MvauRc {
            pe: 1,
            simd: 1,
            ..layer
        };
        assert_eq!((narrow.steps(), narrow.cycles()), (8, 8));
        assert_eq!(narrow.run(&tensors, &x).unwrap(), expected);
        let columns = narrow.kept_columns(&tensors).unwrap();
        assert_eq!(columns[0], [[(1, 1)], [(2, 0)]]);
    }

    #[test]
    fn sums_that_come_back_at_once_are_forwarded() {
        let (layer, _) = layer();
        assert_eq!((layer.revisit(), layer.forwards()), (Some(1), true));
        let narrow = MvauRc {
            simd: 1,
            ..layer.clone()
        };
        assert_eq!((narrow.revisit(), narrow.forwards()), (Some(2), false));
        let one = MvauRc {
            columns: 4,
            ..layer
        };
        assert_eq!((one.revisit(), one.forwards()), (None, false));
    }
}
