//! Generated RTL of matrix units against their integers, and the cycle of every word against what is counted by hand.
//! `FINNP_SWEEP=n` tries n random shapes of each. Must not know how modules are built.

use finnp::layer::{
    Blocks, Cross, LabelSelect, Layer, Multiplier, Mvau, MvauBcr, MvauRc, Side, Tensors,
};
use finnp::tensor::{DataType, Tensor};

use super::random::Random;
use super::random_window::{activation, folded, values, weights};
use super::rtl::{Trial, check};
use super::rtl_bench::verilator;

/// Frames that each layer is fed.
const FRAMES: usize = 4;

/// Cycles that a word spends in the FIFO behind a layer at least.
const FIFO: u64 = 2;

fn seeds() -> u64 {
    let sweep = std::env::var("FINNP_SWEEP").ok();
    sweep.and_then(|n| n.parse().ok()).unwrap_or(12)
}

pub(crate) fn any_type(random: &mut Random) -> DataType {
    let bits = random.between(1, 8) as u8;
    *random.pick(&[
        DataType::Bipolar,
        DataType::Bipolar,
        DataType::Ternary,
        DataType::Int(bits),
        DataType::Int(4),
        DataType::Uint(bits),
        DataType::Uint(4),
    ])
}

/// Types of inputs and weights, and what multiplies them: a DSP slice for every third seed.
fn types(random: &mut Random, seed: u64) -> (DataType, DataType, Multiplier) {
    if !seed.is_multiple_of(3) {
        return (any_type(random), any_type(random), Multiplier::Lut);
    }
    let mut bits = || random.between(2, 8) as u8;
    let (input, weight) = (bits(), DataType::Int(bits()));
    let input = match seed % 2 {
        0 => DataType::Uint(input),
        _ => DataType::Int(input),
    };
    (input, weight, Multiplier::Dsp)
}

/// As narrow as the sums of these rows allow, two's complement; sometimes wider.
pub(crate) fn narrow(random: &mut Random, input: DataType, rows: &[&[i32]]) -> DataType {
    let [low, high] = [i64::min, i64::max].map(|best| {
        let end = |w: &i32| best(i64::from(*w) * input.min(), i64::from(*w) * input.max());
        let sums = rows.iter().map(|row| row.iter().map(end).sum::<i64>());
        sums.reduce(best).unwrap()
    });
    let least = DataType::spanning(low.min(-1), high.max(0)).unwrap();
    match random.chance(30) {
        true => DataType::Int(least.bits() as u8 + 5),
        false => least,
    }
}

fn trial(random: &mut Random, layer: Layer, tensors: Tensors) -> Trial {
    let input = layer.hardware().input();
    let frames = (0..FRAMES).map(|_| values(random, input.element, input.elements()));
    Trial {
        inputs: vec![frames.collect()],
        layer,
        tensors,
    }
}

pub(crate) fn dense(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0xde45e);
    let groups = *random.pick(&[1, 1, 1, 2, 3]);
    let rows = random.between(1, 10) as usize;
    let columns = *random.pick(&[1, 2, 3, 5, 6, 9, 16, 17, 20]);
    let (input, weight, multiplier) = types(&mut random, seed);
    let matrix = weights(&mut random, weight, groups * rows, columns);
    let lists: Vec<&[i32]> = matrix.data().chunks_exact(columns).collect();
    let accumulator = narrow(&mut random, input, &lists);
    let mut tensors = Tensors {
        weights: Some(matrix),
        ..Tensors::default()
    };
    let activation = activation(&mut random, &mut tensors, accumulator, groups * rows);
    let layer = Layer::Mvau(Mvau {
        rows,
        columns,
        pixels: groups * random.between(1, 4) as usize,
        groups,
        input,
        weight,
        accumulator,
        activation,
        pe: 1,
        simd: 1,
        multiplier,
    });
    let layer = folded(&mut random, layer);
    trial(&mut random, layer, tensors)
}

/// Which entries each list keeps: of each block of a lane so many, in order.
pub(crate) fn kept(random: &mut Random, blocks: &Blocks, lists: usize, columns: usize) -> Vec<i32> {
    let mut index = Vec::new();
    for _ in 0..lists * blocks.lanes {
        for block in 0..blocks.per_lane(columns) {
            let mut left: Vec<usize> = (0..blocks.entries).collect();
            while left.len() > blocks.keep {
                left.remove(random.below(left.len()));
            }
            index.extend(
                left.iter()
                    .map(|entry| (block * blocks.entries + entry) as i32),
            );
        }
    }
    index
}

pub(crate) fn sparse(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0x5ba45e);
    let entries = random.between(1, 9) as usize;
    let blocks = Blocks {
        lanes: *random.pick(&[1, 2, 3, 4, 6, 8]),
        rows: random.between(1, 6) as usize,
        entries,
        keep: random.between(1, entries as i64) as usize,
    };
    let columns = blocks.lanes * entries * random.between(1, 5) as usize;
    let rows = random.between(1, 14) as usize;
    let lists = blocks.lists(rows);
    let per_lane = blocks.kept(columns);
    let (input, weight, multiplier) = types(&mut random, seed);
    let matrix = values(&mut random, weight, rows * blocks.lanes * per_lane);
    let matrix: Vec<i32> = matrix.into_iter().map(|w| w as i32).collect();
    let of_rows: Vec<&[i32]> = matrix.chunks_exact(blocks.lanes * per_lane).collect();
    let accumulator = narrow(&mut random, input, &of_rows);
    let index = kept(&mut random, &blocks, lists, columns);
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![rows, blocks.lanes, per_lane], matrix).unwrap()),
        index: Some(Tensor::new(vec![lists, blocks.lanes, per_lane], index).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(&mut random, &mut tensors, accumulator, rows);
    let layer = Layer::MvauBcr(MvauBcr {
        rows,
        columns,
        pixels: random.between(1, 4) as usize,
        input,
        weight,
        accumulator,
        activation,
        blocks,
        pe: 1,
        simd: 1,
        multiplier,
    });
    let layer = folded(&mut random, layer);
    trial(&mut random, layer, tensors)
}

/// A side of blocks, and how many blocks there are along it.
fn side(random: &mut Random) -> (Side, usize) {
    let entries = random.between(1, 5) as usize;
    let side = Side {
        lanes: *random.pick(&[1, 2, 3, 4, 6]),
        entries,
        keep: random.between(1, entries as i64) as usize,
    };
    (side, random.between(1, 3) as usize)
}

/// Lists of kept entries of a side.
pub(crate) fn entries(random: &mut Random, side: Side, lists: usize) -> Vec<i32> {
    let blocks = Blocks {
        lanes: side.lanes,
        rows: 1,
        entries: side.entries,
        keep: side.keep,
    };
    kept(random, &blocks, lists, side.lines())
}

pub(crate) fn crossed(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0xc2055);
    let ((rows, down), (columns, across)) = (side(&mut random), side(&mut random));
    let cross = Cross { rows, columns };
    let (input, weight, multiplier) = types(&mut random, seed);
    let matrix = values(&mut random, weight, down * across * cross.kept());
    let matrix: Vec<i32> = matrix.into_iter().map(|w| w as i32).collect();
    // No row takes more than a row of blocks has.
    let most: Vec<&[i32]> = matrix.chunks_exact(across * cross.kept()).collect();
    let accumulator = narrow(&mut random, input, &most);
    let lists = |side: Side, index| {
        Some(Tensor::new(vec![down, across, side.lanes, side.keep], index).unwrap())
    };
    let shape = vec![down * across, rows.kept(), columns.kept()];
    let mut tensors = Tensors {
        weights: Some(Tensor::new(shape, matrix).unwrap()),
        index: lists(columns, entries(&mut random, columns, down * across)),
        row_index: lists(rows, entries(&mut random, rows, down * across)),
        ..Tensors::default()
    };
    let count = down * rows.lines();
    let activation = activation(&mut random, &mut tensors, accumulator, count);
    let layer = Layer::MvauRc(MvauRc {
        rows: count,
        columns: across * columns.lines(),
        pixels: random.between(1, 4) as usize,
        input,
        weight,
        accumulator,
        activation,
        cross,
        pe: 1,
        simd: 1,
        multiplier,
    });
    let layer = folded(&mut random, layer);
    trial(&mut random, layer, tensors)
}

fn label(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0x1abe1);
    let input = any_type(&mut random);
    let channels = *random.pick(&[1, 2, 3, 5, 10, 17, 21]);
    let needed = DataType::spanning(0, channels as i64 - 1).unwrap();
    let layer = Layer::LabelSelect(LabelSelect {
        input,
        channels,
        pixels: random.between(1, 4) as usize,
        output: *random.pick(&[needed, DataType::Uint(9), DataType::Int(7)]),
        pe: 1,
    });
    let layer = folded(&mut random, layer);
    trial(&mut random, layer, Tensors::default())
}

/// Cycles of the last steps of all words of so many pixels: `words` arrive for each without a gap, each of its
/// `folds` words takes `steps` steps. A pixel waits for all of its words, or each step for its own.
fn last_steps(pixels: u64, [words, folds, steps]: [u64; 3], in_order: bool) -> Vec<u64> {
    let (mut lasts, mut arrived, mut ends) = (Vec::new(), 0, vec![]);
    for pixel in 0..pixels as usize {
        // A bank is free again in the cycle after the last step of the pixel before the last.
        let begins: u64 = match pixel {
            0 | 1 => arrived,
            _ => arrived.max(ends[pixel - 2]),
        };
        arrived = begins + words;
        let ready = if in_order { begins + 1 } else { arrived };
        let first = ends.last().map_or(ready, |end: &u64| ready.max(*end));
        lasts.extend((1..=folds).map(|fold| first + fold * steps - 1));
        ends.push(first + folds * steps);
    }
    lasts
}

/// Elements are the integers', every word leaves in the cycle that `steps` and the schedule's latency say, and frames
/// follow each other as fast as the layer says.
fn check_cycles(seed: u64, trial: &Trial, steps: &[u64]) {
    let cycles = check(seed, trial);
    let layer = &trial.layer;
    let hardware = layer.hardware();
    let latency = hardware.schedule().latency + FIFO;
    let expected: Vec<u64> = steps.iter().map(|step| step + latency).collect();
    assert_eq!(cycles, expected, "seed {seed}\n{layer:?}");
    let words = hardware.output().words();
    let lasts: Vec<u64> = cycles.chunks(words).map(|c| c[words - 1]).collect();
    let interval = lasts[FRAMES - 1] - lasts[FRAMES - 2];
    assert_eq!(interval, hardware.cycles(), "seed {seed}\n{layer:?}");
}

#[test]
fn dense_units_are_their_integers_cycle_by_cycle() {
    if !verilator() {
        return;
    }
    for seed in 0..seeds() {
        let trial = dense(seed);
        let Layer::Mvau(layer) = &trial.layer else {
            panic!("seed {seed}: {:?}", trial.layer)
        };
        let pixels = (FRAMES * layer.pixels) as u64;
        let (words, folds) = (layer.column_folds() as u64, layer.row_folds() as u64);
        let steps: Vec<u64> = match folds {
            1 => (1..=pixels).map(|pixel| pixel * words - 1).collect(),
            _ => last_steps(pixels, [words, folds, words], true),
        };
        check_cycles(seed, &trial, &steps);
    }
}

#[test]
fn sparse_units_are_their_integers_cycle_by_cycle() {
    if !verilator() {
        return;
    }
    for seed in 0..seeds() {
        let trial = sparse(seed);
        let Layer::MvauBcr(layer) = &trial.layer else {
            panic!("seed {seed}: {:?}", trial.layer)
        };
        let pixels = (FRAMES * layer.pixels) as u64;
        let counts = [layer.depth(), layer.row_folds(), layer.steps()];
        let steps = last_steps(pixels, counts.map(|count| count as u64), false);
        check_cycles(seed, &trial, &steps);
    }
}

/// Cycles of the steps that make words, when words arrive and leave without a gap: `words` arrive for each pixel, each
/// of its `blocks` takes `steps` steps and makes `results` words.
fn leaving_steps(pixels: usize, [words, blocks, steps, results]: [u64; 4]) -> Vec<u64> {
    let (mut made, mut arrived, mut ends) = (Vec::new(), 0, Vec::<u64>::new());
    let (mut added, mut left) = (0, Vec::<u64>::new());
    for pixel in 0..pixels {
        let begins: u64 = match pixel {
            0 | 1 => arrived,
            _ => arrived.max(ends[pixel - 2]),
        };
        arrived = begins + words;
        for _ in 0..blocks {
            let free = left.len().checked_sub(2).map_or(0, |before| left[before]);
            added = arrived.max(added).max(free) + steps;
            let first = left.last().map_or(added, |last| added.max(*last));
            made.extend(first..first + results);
            left.push(first + results);
        }
        ends.push(added);
    }
    made
}

/// Among them are units that forward sums and units that need not.
#[test]
fn units_of_rows_and_columns_are_their_integers_cycle_by_cycle() {
    if !verilator() {
        return;
    }
    let mut forwards = [0; 2];
    for seed in 0..seeds() {
        let trial = crossed(seed);
        let Layer::MvauRc(layer) = &trial.layer else {
            panic!("seed {seed}: {:?}", trial.layer)
        };
        forwards[usize::from(layer.forwards())] += 1;
        let counts = [
            layer.depth(),
            layer.blocks()[0],
            layer.steps(),
            layer.results(),
        ];
        let pixels = FRAMES * layer.pixels;
        let steps = leaving_steps(pixels, counts.map(|count| count as u64));
        check_cycles(seed, &trial, &steps);
    }
    assert!(forwards[0] > 0 && forwards[1] > 0, "{forwards:?}");
}

#[test]
fn labels_are_those_of_the_integers_cycle_by_cycle() {
    if !verilator() {
        return;
    }
    for seed in 0..seeds() {
        let trial = label(seed);
        let input = trial.layer.hardware().input();
        let (pixels, words) = (FRAMES * input.pixels, input.words_per_pixel());
        let steps: Vec<u64> = (1..=pixels)
            .map(|pixel| (pixel * words - 1) as u64)
            .collect();
        check_cycles(seed, &trial, &steps);
    }
}
