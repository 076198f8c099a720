//! Random layers that read streams of given elements, with their integers.
//! Must not know the graph around them.

use finnp::layer::{
    Blocks, Cross, Layer, MaxPool, Multiplier, Mvau, MvauBcr, MvauRc, Parallelism, Side, Sliding,
    SlidingWindow, SumPool, Tensors, Threshold, Vvau,
};
use finnp::tensor::{DataType, Tensor, Window};

use super::random::Random;
use super::random_window::{activation, folded, values, weights};
use super::rtl_matrix::{any_type, entries, kept, narrow};

/// A layer and its integers.
pub(crate) type Unit = (Layer, Tensors);

/// What a layer reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) element: DataType,
    pub(crate) picture: [usize; 2],
    pub(crate) channels: usize,
    /// Elements of a word, which a layer may read as they are.
    pub(crate) word: usize,
}

impl Read {
    fn pixels(self) -> usize {
        self.picture[0] * self.picture[1]
    }
}

pub(crate) fn divisor(random: &mut Random, number: usize) -> usize {
    let divisors: Vec<usize> = (1..=number).filter(|d| number.is_multiple_of(*d)).collect();
    *random.pick(&divisors)
}

/// A type of weights, and what multiplies by them.
fn weight(random: &mut Random, input: DataType) -> (DataType, Multiplier) {
    let weight = match random.chance(40) {
        true => DataType::Int(random.between(2, 8) as u8),
        false => any_type(random),
    };
    let able = Multiplier::rows(weight, input).is_some();
    match able && random.chance(60) {
        true => (weight, Multiplier::Dsp),
        false => (weight, Multiplier::Lut),
    }
}

/// The layer with one of its parallelisms; in half of all cases it reads the words that there are.
fn parallel(random: &mut Random, layer: Layer, word: usize) -> Layer {
    let layer = folded(random, layer);
    let (Layer::Mvau(Mvau { pe, .. }) | Layer::MvauBcr(MvauBcr { pe, .. })) = &layer else {
        return layer;
    };
    let ready = Parallelism {
        pe: Some(*pe),
        simd: Some(word),
    };
    match layer.hardware().limits().allow(ready) && random.chance(50) {
        true => layer.folded(ready),
        false => layer,
    }
}

/// A whole matrix, or one whose blocks keep some of their columns, or of their rows and columns.
pub(crate) fn matrix(random: &mut Random, read: Read) -> Unit {
    let (layer, tensors) = match random.below(5) {
        0 | 1 => dense(random, read),
        2 | 3 => sparse(random, read),
        _ => crossed(random, read),
    };
    (parallel(random, layer, read.word), tensors)
}

fn dense(random: &mut Random, read: Read) -> Unit {
    let (rows, columns) = (random.between(1, 8) as usize, read.channels);
    let (weight, multiplier) = weight(random, read.element);
    let matrix = weights(random, weight, rows, columns);
    let lists: Vec<&[i32]> = matrix.data().chunks_exact(columns).collect();
    let accumulator = narrow(random, read.element, &lists);
    let mut tensors = Tensors {
        weights: Some(matrix),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::Mvau(Mvau {
        rows,
        columns,
        pixels: read.pixels(),
        groups: 1,
        input: read.element,
        weight,
        accumulator,
        activation,
        pe: 1,
        simd: 1,
        multiplier,
    });
    (layer, tensors)
}

fn sparse(random: &mut Random, read: Read) -> Unit {
    let (rows, columns) = (random.between(1, 10) as usize, read.channels);
    let lanes = divisor(random, columns);
    let entries = divisor(random, columns / lanes);
    let blocks = Blocks {
        lanes,
        rows: random.between(1, 5) as usize,
        entries,
        keep: random.between(1, entries as i64) as usize,
    };
    let (lists, per_lane) = (blocks.lists(rows), blocks.kept(columns));
    let (weight, multiplier) = weight(random, read.element);
    let matrix = weights(random, weight, rows, lanes * per_lane);
    let of_rows: Vec<&[i32]> = matrix.data().chunks_exact(lanes * per_lane).collect();
    let accumulator = narrow(random, read.element, &of_rows);
    let index = kept(random, &blocks, lists, columns);
    let matrix = Tensor::new(vec![rows, lanes, per_lane], matrix.data().to_vec()).unwrap();
    let mut tensors = Tensors {
        weights: Some(matrix),
        index: Some(Tensor::new(vec![lists, lanes, per_lane], index).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::MvauBcr(MvauBcr {
        rows,
        columns,
        pixels: read.pixels(),
        input: read.element,
        weight,
        accumulator,
        activation,
        blocks,
        pe: 1,
        simd: 1,
        multiplier,
    });
    (layer, tensors)
}

fn crossed(random: &mut Random, read: Read) -> Unit {
    let (count, columns) = (*random.pick(&[1, 2, 4, 6, 8]), read.channels);
    let mut side = |lines: usize| {
        let lanes = divisor(random, lines);
        let entries = divisor(random, lines / lanes);
        Side {
            lanes,
            entries,
            keep: random.between(1, entries as i64) as usize,
        }
    };
    let cross = Cross {
        rows: side(count),
        columns: side(columns),
    };
    let [down, across] = cross.blocks(count, columns);
    let (weight, multiplier) = weight(random, read.element);
    let matrix = weights(random, weight, down, across * cross.kept());
    // No row takes more than a row of blocks has.
    let most: Vec<&[i32]> = matrix.data().chunks_exact(across * cross.kept()).collect();
    let accumulator = narrow(random, read.element, &most);
    let mut lists = |side: Side| {
        let index = entries(random, side, down * across);
        Some(Tensor::new(vec![down, across, side.lanes, side.keep], index).unwrap())
    };
    let shape = vec![down * across, cross.rows.kept(), cross.columns.kept()];
    let mut tensors = Tensors {
        weights: Some(Tensor::new(shape, matrix.data().to_vec()).unwrap()),
        index: lists(cross.columns),
        row_index: lists(cross.rows),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, count);
    let layer = Layer::MvauRc(MvauRc {
        rows: count,
        columns,
        pixels: read.pixels(),
        input: read.element,
        weight,
        accumulator,
        activation,
        cross,
        pe: 1,
        simd: 1,
        multiplier,
    });
    (layer, tensors)
}

/// What makes narrow elements of wide ones.
pub(crate) fn threshold(random: &mut Random, read: Read) -> Unit {
    let mut tensors = Tensors::default();
    let activation = loop {
        let found = activation(random, &mut tensors, read.element, read.channels);
        if let Some(found) = found {
            break found;
        }
    };
    let layer = Layer::Threshold(Threshold {
        channels: read.channels,
        pixels: read.pixels(),
        input: read.element,
        activation,
        pe: 1,
    });
    (folded(random, layer), tensors)
}

/// A window over the picture, or what is made of what it sees.
pub(crate) fn windowed(random: &mut Random, read: Read, window: Window) -> Unit {
    let sliding = Sliding {
        picture: read.picture,
        channels: read.channels,
        window,
    };
    let input = read.element;
    let layer = match random.below(4) {
        0 => seen(sliding, input),
        1 => {
            let (layer, tensors) = depthwise(random, sliding, input);
            return (folded(random, layer), tensors);
        }
        2 => Layer::MaxPool(MaxPool {
            sliding,
            input,
            pe: 1,
            simd: 1,
        }),
        _ => {
            let ends = [input.min(), input.max()].map(|end| end * sliding.positions() as i64);
            Layer::SumPool(SumPool {
                sliding,
                input,
                pad: 0,
                accumulator: DataType::spanning(ends[0].min(0), ends[1].max(0)).unwrap(),
                pe: 1,
                simd: 1,
            })
        }
    };
    (folded(random, layer), Tensors::default())
}

fn seen(sliding: Sliding, input: DataType) -> Layer {
    let output = match sliding.window.is_padded() && input == DataType::Bipolar {
        true => DataType::Ternary,
        false => input,
    };
    Layer::SlidingWindow(SlidingWindow {
        sliding,
        groups: 1,
        input,
        output,
        pad: 0,
        pe: 1,
        simd: 1,
    })
}

fn depthwise(random: &mut Random, sliding: Sliding, input: DataType) -> Unit {
    let weight = any_type(random);
    let (channels, positions) = (sliding.channels, sliding.positions());
    let data = values(random, weight, channels * positions);
    let data: Vec<i32> = data.into_iter().map(|w| w as i32).collect();
    let matrix = Tensor::new(vec![channels, positions], data).unwrap();
    let lists: Vec<&[i32]> = matrix.data().chunks_exact(positions).collect();
    // What is padded away counts for nothing.
    let [low, high] = [input.min().min(0), input.max().max(0)];
    let span = DataType::spanning(low.min(-1), high).unwrap();
    let accumulator = narrow(random, span, &lists);
    let mut tensors = Tensors {
        weights: Some(matrix),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, channels);
    let layer = Layer::Vvau(Vvau {
        sliding,
        input,
        pad: 0,
        weight,
        accumulator,
        activation,
        pe: 1,
        simd: 1,
    });
    (layer, tensors)
}
