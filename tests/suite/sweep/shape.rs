//! The shapes of the sweep.
//! Must not know what they are measured for.

use finnp::tensor::DataType;
use serde::{Deserialize, Serialize};

/// How blocks are pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    /// Columns of a block are kept.
    #[serde(rename = "bcr-col")]
    Columns,
    /// Rows and columns of a block are kept.
    #[serde(rename = "bcr")]
    Cross,
}

impl Form {
    /// Its name in the manifest.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Form::Columns => "bcr-col",
            Form::Cross => "bcr",
        }
    }
}

/// What a layer is, and the seed of its weights: all that its figures are derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) form: Form,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) pe: usize,
    pub(crate) simd: usize,
    /// Of rows and of columns; those of rows count only where rows are kept too.
    pub(crate) lanes: [u32; 2],
    /// As in the manifest: rows (those of a lane where rows are kept too), columns of a lane.
    pub(crate) block: [u32; 2],
    /// Rows and columns of these that are kept; all rows where columns alone are pruned.
    pub(crate) keep: [u32; 2],
    pub(crate) weight_bits: u32,
    pub(crate) input_bits: u32,
    pub(crate) seed: u64,
}

impl Shape {
    /// Inputs: one bit is bipolar, even seeds have unsigned ones, as behind a ReLU, odd ones signed ones.
    pub(crate) fn input(&self) -> DataType {
        match (self.input_bits as u8, self.seed % 2) {
            (1, _) => DataType::Bipolar,
            (bits, 0) => DataType::Uint(bits),
            (bits, _) => DataType::Int(bits),
        }
    }

    /// Products a cycle.
    pub(crate) fn multipliers(&self) -> usize {
        self.pe * self.simd
    }
}

/// Column form: rows x columns, PE x SIMD, lanes, Br x Bc, kept, bits of weights and inputs.
type Line = ([usize; 2], [usize; 2], u32, [u32; 2], u32, [u32; 2]);

const COLUMNS: &[Line] = &[
    // One bit to eight, and what multiplies them alike.
    ([64, 64], [8, 8], 8, [16, 8], 2, [1, 1]),
    ([64, 64], [8, 8], 8, [16, 8], 4, [1, 2]),
    ([64, 64], [8, 8], 8, [8, 8], 2, [2, 2]),
    ([64, 64], [8, 8], 8, [4, 8], 2, [3, 3]),
    ([64, 64], [8, 8], 8, [4, 8], 2, [4, 4]),
    ([64, 64], [8, 8], 8, [8, 8], 2, [4, 4]),
    ([64, 64], [8, 8], 8, [4, 8], 1, [4, 4]),
    ([64, 64], [8, 8], 8, [4, 8], 4, [4, 4]),
    ([64, 64], [8, 8], 8, [2, 8], 3, [5, 3]),
    ([64, 64], [4, 8], 8, [4, 8], 2, [6, 6]),
    ([64, 64], [4, 4], 8, [4, 8], 2, [8, 8]),
    ([32, 64], [4, 8], 8, [8, 8], 3, [7, 4]),
    ([32, 64], [4, 8], 8, [8, 8], 5, [3, 8]),
    // From one lane to sixteen, lanes of the hardware that are several of the grid.
    ([16, 32], [1, 1], 4, [4, 8], 2, [4, 4]),
    ([16, 32], [1, 4], 4, [2, 8], 2, [4, 4]),
    ([16, 32], [2, 1], 8, [4, 4], 1, [4, 2]),
    ([16, 64], [2, 2], 16, [2, 4], 1, [5, 5]),
    ([32, 64], [16, 2], 8, [16, 8], 2, [4, 4]),
    ([128, 64], [2, 16], 16, [16, 4], 1, [3, 2]),
    ([128, 128], [16, 16], 16, [4, 8], 2, [2, 2]),
    ([128, 128], [16, 16], 16, [16, 8], 4, [1, 1]),
    ([128, 64], [16, 8], 16, [8, 4], 2, [4, 4]),
    ([96, 48], [6, 12], 12, [3, 4], 2, [4, 4]),
    ([60, 90], [5, 6], 18, [10, 5], 2, [4, 3]),
    // Several blocks in a lane, deep banks, blocks of one fold and of several.
    ([64, 128], [8, 8], 8, [8, 4], 1, [4, 4]),
    ([32, 256], [4, 4], 4, [4, 64], 16, [4, 4]),
    ([32, 576], [4, 4], 4, [8, 144], 36, [4, 4]),
    ([48, 72], [4, 4], 4, [16, 9], 3, [4, 4]),
    // So few row folds that words arrive more slowly than they are used.
    ([16, 64], [8, 4], 8, [4, 8], 2, [4, 4]),
    ([16, 64], [16, 4], 8, [4, 8], 2, [4, 4]),
    ([16, 128], [8, 8], 8, [8, 16], 2, [4, 4]),
    ([64, 64], [16, 8], 8, [16, 8], 1, [1, 2]),
];

/// Both sides: rows x columns, PE x SIMD, lanes, entries of a block, kept, bits of weights and inputs.
type Cross = (
    [usize; 2],
    [usize; 2],
    [u32; 2],
    [u32; 2],
    [u32; 2],
    [u32; 2],
);

const CROSSES: &[Cross] = &[
    ([64, 64], [8, 8], [8, 8], [4, 4], [2, 2], [1, 1]),
    ([64, 64], [8, 8], [8, 8], [4, 4], [2, 2], [2, 2]),
    ([64, 64], [8, 8], [8, 8], [4, 4], [2, 2], [4, 4]),
    ([64, 64], [8, 8], [8, 8], [4, 4], [3, 3], [3, 4]),
    ([64, 64], [4, 4], [8, 8], [4, 4], [2, 3], [6, 5]),
    ([32, 64], [4, 4], [8, 8], [4, 4], [1, 2], [8, 8]),
    ([16, 32], [1, 1], [4, 4], [4, 4], [2, 2], [4, 4]),
    ([16, 32], [2, 4], [4, 4], [2, 8], [1, 4], [7, 3]),
    ([32, 32], [1, 8], [4, 8], [4, 2], [2, 1], [4, 4]),
    ([128, 128], [16, 16], [16, 16], [4, 4], [2, 2], [2, 2]),
    ([128, 64], [16, 2], [16, 4], [8, 4], [4, 2], [4, 4]),
    ([96, 48], [6, 6], [12, 12], [4, 2], [1, 1], [4, 4]),
    // A sum that comes back at once; blocks as high as the matrix.
    ([64, 128], [8, 8], [8, 8], [8, 4], [4, 1], [4, 4]),
    ([32, 64], [8, 4], [8, 4], [4, 16], [2, 4], [3, 2]),
    // Words that arrive, words that leave.
    ([16, 128], [8, 8], [8, 8], [2, 4], [1, 1], [4, 4]),
    ([64, 16], [4, 8], [4, 8], [4, 2], [1, 1], [4, 4]),
    ([128, 32], [4, 16], [8, 16], [4, 2], [1, 1], [1, 2]),
];

/// Rows, columns, PE and SIMD of the layer whose cycles the book draws; both forms keep these of 32 and of 4 x 8.
const DRAWN: Shape = Shape {
    form: Form::Columns,
    rows: 64,
    columns: 256,
    pe: 8,
    simd: 8,
    lanes: [8, 8],
    block: [4, 32],
    keep: [4, 0],
    weight_bits: 4,
    input_bits: 4,
    seed: 0,
};
const DRAWN_COLUMNS: [u32; 8] = [2, 4, 8, 12, 16, 20, 24, 28];
const DRAWN_CROSS: [[u32; 2]; 7] = [[1, 3], [1, 5], [1, 7], [2, 5], [2, 7], [3, 6], [3, 7]];

/// Whether the book draws the cycles of a shape.
pub(crate) fn drawn(shape: &Shape) -> bool {
    (shape.rows, shape.columns, shape.pe, shape.simd)
        == (DRAWN.rows, DRAWN.columns, DRAWN.pe, DRAWN.simd)
}

/// All shapes whose cycles are counted, each with a seed of its own.
pub(crate) fn all() -> Vec<Shape> {
    let columns = COLUMNS.iter().map(|line| column(*line));
    let crosses = CROSSES.iter().map(|line| cross(*line));
    let drawn = DRAWN_COLUMNS.iter().map(|keep| Shape {
        keep: [DRAWN.block[0], *keep],
        ..DRAWN
    });
    let drawn_crosses = DRAWN_CROSS.iter().map(|keep| Shape {
        form: Form::Cross,
        block: [4, 8],
        keep: *keep,
        ..DRAWN
    });
    let all = columns.chain(crosses).chain(drawn).chain(drawn_crosses);
    let numbered = all.enumerate().map(|(at, shape)| Shape {
        seed: at as u64,
        ..shape
    });
    numbered.collect()
}

/// A shape of the column form; the seed is still to be given.
pub(super) fn column((matrix, fold, lanes, block, keep, bits): Line) -> Shape {
    Shape {
        form: Form::Columns,
        rows: matrix[0],
        columns: matrix[1],
        pe: fold[0],
        simd: fold[1],
        lanes: [1, lanes],
        block,
        keep: [block[0], keep],
        weight_bits: bits[0],
        input_bits: bits[1],
        seed: 0,
    }
}

fn cross((matrix, fold, lanes, block, keep, bits): Cross) -> Shape {
    Shape {
        form: Form::Cross,
        lanes,
        keep,
        ..column((matrix, fold, lanes[1], block, keep[1], bits))
    }
}
