//! Random layers of convolutional networks, with their integers and frames to run them on.
//! Must not know how they are run.

use finnp::layer::{
    Activation, Layer, MaxPool, Mvau, Parallelism, Range, Sliding, SlidingWindow, SumPool, Tensors,
    Vvau,
};
use finnp::tensor::{DataType, Tensor, Window};

use super::random::Random;

/// Frames that each layer is run on.
const FRAMES: usize = 5;

pub(crate) const TYPES: &[DataType] = &[
    DataType::Bipolar,
    DataType::Bipolar,
    DataType::Ternary,
    DataType::Int(2),
    DataType::Int(4),
    DataType::Int(8),
    DataType::Uint(1),
    DataType::Uint(2),
    DataType::Uint(4),
    DataType::Uint(8),
];

/// A layer with its integers, and frames in stream order.
pub(crate) struct Case {
    pub(crate) layer: Layer,
    pub(crate) tensors: Tensors,
    pub(crate) frames: Vec<Vec<i64>>,
}

/// A window and its picture in numbers: rows, columns, channels; kernel, stride, dilation, pads.
type Shape = ([usize; 3], [usize; 2], [usize; 2], [usize; 2], [usize; 4]);

/// Windows that ordinary networks have, and some that few have.
const SHAPES: &[Shape] = &[
    // As in CNV and in MobileNet.
    ([7, 7, 4], [3, 3], [1, 1], [1, 1], [0; 4]),
    ([3, 3, 8], [3, 3], [1, 1], [1, 1], [0; 4]),
    ([6, 6, 4], [3, 3], [1, 1], [1, 1], [1; 4]),
    ([8, 8, 3], [3, 3], [2, 2], [1, 1], [1; 4]),
    ([8, 6, 2], [3, 3], [2, 2], [1, 1], [0, 0, 1, 1]),
    ([6, 5, 4], [1, 1], [2, 2], [1, 1], [0; 4]),
    ([5, 5, 6], [5, 5], [1, 1], [1, 1], [0; 4]),
    ([7, 5, 4], [2, 2], [2, 2], [1, 1], [0; 4]),
    ([9, 9, 2], [7, 7], [2, 2], [1, 1], [3; 4]),
    // A signal, steps over rows that are never read, dilation, padding wider than the picture.
    ([1, 12, 3], [1, 4], [1, 2], [1, 2], [0, 2, 0, 1]),
    ([9, 8, 2], [2, 1], [4, 3], [1, 1], [0; 4]),
    ([9, 7, 2], [2, 3], [1, 1], [3, 2], [2, 1, 0, 3]),
    ([2, 2, 2], [2, 2], [3, 1], [1, 1], [5, 4, 6, 3]),
    ([1, 1, 2], [3, 3], [1, 1], [1, 1], [1; 4]),
];

/// Shapes that are named, before the random ones.
pub(crate) const NAMED: u64 = 5 * SHAPES.len() as u64;

/// The layer of a number.
pub(crate) fn layer_case(seed: u64) -> Case {
    let mut random = Random::new(seed ^ 0x51d3);
    let named = SHAPES.get(seed as usize / 5);
    let sliding = match named {
        Some((picture, kernel, stride, dilation, pads)) => Sliding {
            picture: [picture[0], picture[1]],
            channels: picture[2],
            window: Window {
                kernel: *kernel,
                stride: *stride,
                dilation: *dilation,
                pads: *pads,
            },
        },
        None => any_sliding(&mut random),
    };
    let kind = seed as usize % 5;
    let (layer, tensors) = match kind {
        0 => (sliding_window(&mut random, sliding), Tensors::default()),
        1 => vvau(&mut random, sliding),
        2 => (max_pool(&mut random, sliding), Tensors::default()),
        3 => (sum_pool(&mut random, sliding), Tensors::default()),
        _ => mvau(&mut random),
    };
    let layer = folded(&mut random, layer);
    let input = layer.hardware().input();
    let frames = (0..FRAMES)
        .map(|_| values(&mut random, input.element, input.elements()))
        .collect();
    Case {
        layer,
        tensors,
        frames,
    }
}

fn any_sliding(random: &mut Random) -> Sliding {
    loop {
        let flat = random.chance(20);
        let mut axis = |flat: bool| match flat {
            true => (1, 1, 1, 1, 0, 0),
            false => {
                let padded = random.chance(50);
                let pad = |random: &mut Random| match padded {
                    true => *random.pick(&[0, 1, 1, 2, 3, 5]),
                    false => 0,
                };
                let (kernel, dilation) = match random.chance(75) {
                    true => (*random.pick(&[1, 2, 3, 3, 4]), 1),
                    false => (*random.pick(&[2, 3]), *random.pick(&[2, 3])),
                };
                (
                    random.between(1, 11) as usize,
                    kernel,
                    *random.pick(&[1, 1, 1, 2, 2, 3, 5]),
                    dilation,
                    pad(random),
                    pad(random),
                )
            }
        };
        let (rows, columns) = (axis(flat), axis(false));
        let window = Window {
            kernel: [rows.1, columns.1],
            stride: [rows.2, columns.2],
            dilation: [rows.3, columns.3],
            pads: [rows.4, columns.4, rows.5, columns.5],
        };
        let picture = [rows.0, columns.0];
        if window.output(picture).is_some() {
            return Sliding {
                picture,
                channels: *random.pick(&[1, 2, 3, 4, 6, 8, 12, 20]),
                window,
            };
        }
    }
}

fn sliding_window(random: &mut Random, sliding: Sliding) -> Layer {
    let input = *random.pick(TYPES);
    let pad = match sliding.window.is_padded() {
        true => *random.pick(&[0, 0, 0, 1, -1, 5]),
        false => 0,
    };
    let output = match sliding.window.is_padded() && !input.contains(pad) {
        true if pad.abs() <= 1 && input == DataType::Bipolar => DataType::Ternary,
        true => DataType::spanning(input.min().min(pad), input.max().max(pad)).unwrap(),
        false => input,
    };
    let groups = match random.chance(40) {
        true => divisor(random, sliding.channels),
        false => 1,
    };
    Layer::SlidingWindow(SlidingWindow {
        sliding,
        groups,
        input,
        output,
        pad,
        pe: 1,
        simd: 1,
    })
}

fn max_pool(random: &mut Random, sliding: Sliding) -> Layer {
    Layer::MaxPool(MaxPool {
        sliding: pooled(random, sliding),
        input: *random.pick(TYPES),
        pe: 1,
        simd: 1,
    })
}

fn sum_pool(random: &mut Random, sliding: Sliding) -> Layer {
    let sliding = pooled(random, sliding);
    let (input, pad) = (*random.pick(TYPES), *random.pick(&[0, 0, 0, 2, -3]));
    let ends = [input.min().min(pad), input.max().max(pad)];
    let [low, high] = ends.map(|value| value * sliding.positions() as i64);
    Layer::SumPool(SumPool {
        sliding,
        input,
        pad,
        accumulator: DataType::spanning(low.min(0), high.max(0)).unwrap(),
        pe: 1,
        simd: 1,
    })
}

/// Half of all pools have windows that lie side by side, some of these one window over the whole picture.
fn pooled(random: &mut Random, mut sliding: Sliding) -> Sliding {
    if random.chance(50) {
        sliding.window.pads = [0; 4];
        for axis in 0..2 {
            let size = sliding.picture[axis];
            let whole = random.chance(30);
            if whole || sliding.window.span()[axis] > size {
                sliding.window.dilation[axis] = 1;
                sliding.window.kernel[axis] = size;
            }
            let more = *random.pick(&[0, 0, 0, 1, 2]);
            sliding.window.stride[axis] = sliding.window.span()[axis] + more;
        }
        assert!(sliding.window.is_disjoint());
    }
    sliding
}

fn vvau(random: &mut Random, sliding: Sliding) -> (Layer, Tensors) {
    let (input, weight) = (*random.pick(TYPES), *random.pick(TYPES));
    let pad = match sliding.window.is_padded() {
        true => *random.pick(&[0, 0, 0, 1, -1, 7]),
        false => 0,
    };
    let channels = sliding.channels;
    let accumulator = accumulator(input, weight, pad, sliding.positions());
    let mut tensors = Tensors {
        weights: Some(weights(random, weight, channels, sliding.positions())),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, channels);
    let layer = Layer::Vvau(Vvau {
        sliding,
        input,
        pad,
        weight,
        accumulator,
        activation,
        pe: 1,
        simd: 1,
    });
    (layer, tensors)
}

fn mvau(random: &mut Random) -> (Layer, Tensors) {
    let groups = *random.pick(&[1, 2, 3, 4]);
    let (rows, columns) = (
        random.between(1, 7) as usize,
        *random.pick(&[1, 2, 3, 6, 9, 10]),
    );
    let (input, weight) = (*random.pick(TYPES), *random.pick(TYPES));
    let accumulator = accumulator(input, weight, 0, columns);
    let mut tensors = Tensors {
        weights: Some(weights(random, weight, groups * rows, columns)),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, groups * rows);
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
        multiplier: finnp::layer::Multiplier::Lut,
    });
    (layer, tensors)
}

/// Signed and wide enough for every sum.
pub(crate) fn accumulator(input: DataType, weight: DataType, pad: i64, terms: usize) -> DataType {
    let size = |kind: DataType| kind.min().abs().max(kind.max());
    let largest = size(input).max(pad.abs()) * size(weight) * terms as i64;
    DataType::spanning(-largest, largest).unwrap()
}

pub(crate) fn weights(
    random: &mut Random,
    kind: DataType,
    rows: usize,
    columns: usize,
) -> Tensor<i32> {
    let values = values(random, kind, rows * columns);
    let data = values.into_iter().map(|value| value as i32).collect();
    Tensor::new(vec![rows, columns], data).unwrap()
}

/// Thresholds for two layers of three, among the sums that occur; one row for all channels in some.
pub(crate) fn activation(
    random: &mut Random,
    tensors: &mut Tensors,
    accumulator: DataType,
    channels: usize,
) -> Option<Activation> {
    if random.chance(33) {
        return None;
    }
    let rows = if random.chance(25) { 1 } else { channels };
    let (output, levels, base) = *random.pick(&[
        (DataType::Bipolar, 1, -1),
        (DataType::Uint(2), 3, 0),
        (DataType::Int(4), 15, -8),
        (DataType::Ternary, 2, -1),
    ]);
    let far = (accumulator.max() / 3).max(1);
    let mut thresholds = Vec::new();
    for _ in 0..rows {
        let mut row: Vec<i64> = (0..levels).map(|_| random.between(-far, far)).collect();
        row.sort_unstable();
        thresholds.extend(row);
    }
    let flips = (0..rows).map(|_| i32::from(random.chance(30))).collect();
    tensors.thresholds = Some(Tensor::new(vec![rows, levels], thresholds).unwrap());
    tensors.flip = Some(Tensor::new(vec![rows], flips).unwrap());
    Some(Activation {
        output,
        levels,
        base,
        step: output.step(),
        threshold: DataType::spanning(-far, far).unwrap(),
        rows,
    })
}

pub(crate) fn values(random: &mut Random, kind: DataType, count: usize) -> Vec<i64> {
    let value = |random: &mut Random| match kind {
        DataType::Bipolar => 2 * random.between(0, 1) - 1,
        _ => random.between(kind.min(), kind.max()),
    };
    (0..count).map(|_| value(random)).collect()
}

fn divisor(random: &mut Random, number: usize) -> usize {
    let divisors: Vec<usize> = (1..=number).filter(|d| number.is_multiple_of(*d)).collect();
    *random.pick(&divisors)
}

/// One of the parallelisms that the layer may have, the largest ones often.
pub(crate) fn folded(random: &mut Random, layer: Layer) -> Layer {
    let limits = layer.hardware().limits();
    let mut choose = |range: Option<Range>| {
        let values = match range? {
            Range::OneOf(values) => values,
            Range::UpTo(limit) => (1..=limit).collect(),
        };
        Some(match random.chance(25) {
            true => *values.last().unwrap(),
            false => *random.pick(&values),
        })
    };
    let parallelism = Parallelism {
        pe: choose(limits.pe.clone()),
        simd: choose(limits.simd.clone()),
    };
    assert!(limits.allow(parallelism));
    layer.folded(parallelism)
}
