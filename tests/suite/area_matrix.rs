//! Random matrix units, as large as real ones have them beside each other, and small enough to be synthesised in seconds.
//! Must not know other layers, or what the figures are for.

use finnp::layer::{
    Activation, Blocks, Cross, Layer, Multiplier, Mvau, MvauBcr, MvauRc, Side, Tensors,
};
use finnp::tensor::{DataType, Tensor};

use super::random::Random;

pub(crate) fn activation_type(random: &mut Random) -> DataType {
    *random.pick(&[
        DataType::Bipolar,
        DataType::Uint(2),
        DataType::Uint(4),
        DataType::Uint(4),
        DataType::Int(4),
        DataType::Uint(8),
    ])
}

fn weight_type(random: &mut Random) -> DataType {
    *random.pick(&[
        DataType::Bipolar,
        DataType::Ternary,
        DataType::Int(2),
        DataType::Int(4),
        DataType::Int(4),
        DataType::Int(8),
    ])
}

/// Types of inputs and weights that `multiplier` multiplies.
pub(crate) fn types(random: &mut Random, multiplier: Multiplier) -> (DataType, DataType) {
    loop {
        let types = (activation_type(random), weight_type(random));
        let slices = Multiplier::rows(types.1, types.0).is_some();
        // The largest products take Yosys minutes.
        let large = types.0.bits() + types.1.bits() > 12;
        if multiplier == Multiplier::Dsp && slices || multiplier == Multiplier::Lut && !large {
            return types;
        }
    }
}

pub(crate) fn codes(random: &mut Random, of: DataType, count: usize) -> Vec<i32> {
    let value = |random: &mut Random| match of {
        DataType::Bipolar => 2 * random.between(0, 1) - 1,
        _ => random.between(of.min(), of.max()),
    };
    (0..count).map(|_| value(random) as i32).collect()
}

pub(crate) fn accumulator(input: DataType, weight: DataType, terms: usize) -> DataType {
    let size = |of: DataType| of.min().abs().max(of.max());
    let most = size(input) * size(weight) * terms as i64;
    DataType::spanning(-most, most).unwrap()
}

/// Thresholds in most cases, spread over what sums reach.
pub(crate) fn activation(
    random: &mut Random,
    tensors: &mut Tensors,
    accumulator: DataType,
    rows: usize,
) -> Option<Activation> {
    if random.chance(20) {
        return None;
    }
    let output = *random.pick(&[
        DataType::Bipolar,
        DataType::Uint(2),
        DataType::Uint(4),
        DataType::Uint(4),
    ]);
    let levels = ((output.max() - output.min()) / output.step()) as usize;
    let far = (accumulator.max() / 2).max(levels as i64 + 1);
    let mut thresholds = Vec::new();
    for _ in 0..rows {
        let mut row: Vec<i64> = (0..levels).map(|_| random.between(-far, far)).collect();
        row.sort_unstable();
        thresholds.extend(row);
    }
    let flips = (0..rows).map(|_| i32::from(random.chance(20))).collect();
    tensors.thresholds = Some(Tensor::new(vec![rows, levels], thresholds).unwrap());
    tensors.flip = Some(Tensor::new(vec![rows], flips).unwrap());
    Some(Activation {
        output,
        levels,
        base: output.min(),
        step: output.step(),
        threshold: DataType::spanning(-far, far).unwrap(),
        rows,
    })
}

/// PE and SIMD of so many lanes at most.
fn lanes(random: &mut Random, most: usize) -> (usize, usize) {
    loop {
        let (pe, simd) = (
            *random.pick(&[1, 2, 4, 8, 16]),
            *random.pick(&[1, 2, 4, 8, 16]),
        );
        if pe * simd <= most {
            return (pe, simd);
        }
    }
}

pub(crate) fn dense(random: &mut Random, multiplier: Multiplier) -> (Layer, Tensors) {
    let (input, weight) = types(random, multiplier);
    let (pe, simd) = lanes(random, 48);
    let rows = pe * *random.pick(&[1, 2, 4, 8, 16]);
    let columns = simd * *random.pick(&[2, 4, 9, 16, 36]);
    let accumulator = accumulator(input, weight, columns);
    let weights = codes(random, weight, rows * columns);
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![rows, columns], weights).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::Mvau(Mvau {
        rows,
        columns,
        pixels: *random.pick(&[1, 16, 100]),
        groups: 1,
        input,
        weight,
        accumulator,
        activation,
        pe,
        simd,
        multiplier,
    });
    (layer, tensors)
}

/// Ascending places, so many of `entries` in each of `lists`, each list `blocks` times in a row.
fn places(
    random: &mut Random,
    lists: usize,
    blocks: usize,
    entries: usize,
    keep: usize,
) -> Vec<i32> {
    let mut index = Vec::new();
    for _ in 0..lists {
        for block in 0..blocks {
            let mut left: Vec<usize> = (0..entries).collect();
            while left.len() > keep {
                left.remove(random.below(left.len()));
            }
            index.extend(left.iter().map(|entry| (block * entries + entry) as i32));
        }
    }
    index
}

pub(crate) fn columns(random: &mut Random, multiplier: Multiplier) -> (Layer, Tensors) {
    let (input, weight) = types(random, multiplier);
    let (pe, simd) = lanes(random, 32);
    let entries = *random.pick(&[8, 16, 32, 36]);
    let blocks = Blocks {
        lanes: simd,
        rows: *random.pick(&[pe, 4, 4]),
        entries,
        keep: entries / 4,
    };
    let pe = if pe.is_multiple_of(blocks.rows) || blocks.rows.is_multiple_of(pe) {
        pe
    } else {
        blocks.rows
    };
    let rows = pe.max(blocks.rows) * *random.pick(&[2, 4, 8]);
    let width = simd * entries * *random.pick(&[1, 1, 2]);
    let (lists, kept) = (blocks.lists(rows), blocks.kept(width));
    let accumulator = accumulator(input, weight, simd * kept);
    let weights = codes(random, weight, rows * simd * kept);
    let index = places(
        random,
        lists * simd,
        blocks.per_lane(width),
        entries,
        blocks.keep,
    );
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![rows, simd, kept], weights).unwrap()),
        index: Some(Tensor::new(vec![lists, simd, kept], index).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::MvauBcr(MvauBcr {
        rows,
        columns: width,
        pixels: 16,
        input,
        weight,
        accumulator,
        activation,
        blocks,
        pe,
        simd,
        multiplier,
    });
    (layer, tensors)
}

pub(crate) fn crossed(random: &mut Random) -> (Layer, Tensors) {
    let (input, weight) = types(random, Multiplier::Lut);
    let (pe, simd) = lanes(random, 24);
    let side = |random: &mut Random, lanes: usize| {
        let entries = *random.pick(&[4, 8, 16]);
        Side {
            lanes,
            entries,
            keep: entries / *random.pick(&[2, 4]),
        }
    };
    let (rows, columns) = (side(random, pe), side(random, simd));
    let (down, across) = (*random.pick(&[1, 2]), *random.pick(&[1, 2, 3]));
    let cross = Cross { rows, columns };
    let accumulator = accumulator(input, weight, across * columns.lines());
    let weights = codes(random, weight, down * across * cross.kept());
    let lists = |random: &mut Random, side: Side| {
        let index = places(
            random,
            down * across * side.lanes,
            1,
            side.entries,
            side.keep,
        );
        Some(Tensor::new(vec![down, across, side.lanes, side.keep], index).unwrap())
    };
    let shape = vec![down * across, rows.kept(), columns.kept()];
    let mut tensors = Tensors {
        weights: Some(Tensor::new(shape, weights).unwrap()),
        index: lists(random, columns),
        row_index: lists(random, rows),
        ..Tensors::default()
    };
    let count = down * rows.lines();
    let activation = activation(random, &mut tensors, accumulator, count);
    let layer = Layer::MvauRc(MvauRc {
        rows: count,
        columns: across * columns.lines(),
        pixels: 16,
        input,
        weight,
        accumulator,
        activation,
        cross,
        pe,
        simd,
        multiplier: Multiplier::Lut,
    });
    (layer, tensors)
}
