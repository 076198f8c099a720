//! Random shapes of every kind of layer, as large as real ones have them beside each other, and small enough to be
//! synthesised in seconds.
//! Must not know what the figures are for.

use finnp::layer::{
    Add, Concat, Duplicate, LabelSelect, Layer, MaxPool, Multiplier, Part, Sliding, SlidingWindow,
    SumPool, Tensors, Threshold, Upsample, Vvau, WidthConverter,
};
use finnp::tensor::{DataType, Tensor, Window};

use super::area_matrix::{
    accumulator, activation, activation_type, codes, columns, crossed, dense, types,
};
use super::random::Random;

/// A layer with what it holds, and the words behind each of its outputs.
pub(crate) struct Shape {
    pub(crate) layer: Layer,
    pub(crate) tensors: Tensors,
    pub(crate) depths: Vec<usize>,
}

/// Makes a layer of a kind.
type Kind = fn(&mut Random) -> (Layer, Tensors);

/// What is made, one after the other.
const KINDS: &[Kind] = &[
    |random| dense(random, Multiplier::Lut),
    |random| dense(random, Multiplier::Lut),
    |random| dense(random, Multiplier::Dsp),
    |random| columns(random, Multiplier::Lut),
    |random| columns(random, Multiplier::Dsp),
    crossed,
    depthwise,
    window,
    window,
    max_pool,
    sum_pool,
    threshold,
    add,
    concat,
    duplicate,
    upsample,
    converter,
    label,
];

/// Shapes of a round: one of each kind, some kinds several times.
pub(crate) const ROUND: u64 = KINDS.len() as u64;

/// The shape of a number.
pub(crate) fn shape(seed: u64) -> Shape {
    let mut random = Random::new(seed ^ 0xa2ea);
    let (layer, tensors) = KINDS[seed as usize % KINDS.len()](&mut random);
    let depth = |_| *random.pick(&[2, 2, 2, 3, 9, 17, 40, 130, 600]);
    Shape {
        depths: (0..layer.hardware().copies()).map(depth).collect(),
        layer,
        tensors,
    }
}

/// A picture, and a window of 3 x 3 or another that networks have.
fn sliding(random: &mut Random, channels: usize) -> Sliding {
    let kernel = *random.pick(&[3, 3, 3, 5, 2, 1]);
    let padded = kernel > 2 && random.chance(60);
    Sliding {
        picture: [*random.pick(&[8, 14, 16, 28, 32]); 2],
        channels,
        window: Window {
            kernel: [kernel; 2],
            stride: [*random.pick(&[1, 1, 2]); 2],
            dilation: [1; 2],
            pads: if padded { [kernel / 2; 4] } else { [0; 4] },
        },
    }
}

fn channels(random: &mut Random) -> (usize, usize) {
    let pe = *random.pick(&[1, 2, 4, 8]);
    (pe * *random.pick(&[1, 2, 3, 8, 16]), pe)
}

fn depthwise(random: &mut Random) -> (Layer, Tensors) {
    let (input, weight) = types(random, Multiplier::Lut);
    let (channels, pe) = channels(random);
    let sliding = sliding(random, channels);
    let positions = sliding.positions();
    let pad = if input == DataType::Bipolar { 1 } else { 0 };
    let accumulator = accumulator(input, weight, positions);
    let weights = codes(random, weight, channels * positions);
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![channels, positions], weights).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, channels);
    let simd = *random.pick(&[1, 1, sliding.window.kernel[1], positions.min(9)]);
    let layer = Layer::Vvau(Vvau {
        sliding,
        input,
        pad,
        weight,
        accumulator,
        activation,
        pe,
        simd,
    });
    (layer, tensors)
}

fn window(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = sliding(random, channels);
    let input = activation_type(random);
    let pad = if input == DataType::Bipolar { 1 } else { 0 };
    let simd = *random.pick(&[1, pe, channels, channels * sliding.window.kernel[1]]);
    let layer = Layer::SlidingWindow(SlidingWindow {
        sliding,
        groups: 1,
        input,
        output: input,
        pad,
        pe,
        simd,
    });
    (layer, Tensors::default())
}

/// The window of a pool: side by side in most cases.
fn pooled(random: &mut Random, channels: usize) -> Sliding {
    let size = *random.pick(&[2, 2, 3]);
    Sliding {
        picture: [*random.pick(&[8, 14, 28]); 2],
        channels,
        window: Window {
            stride: [*random.pick(&[2, size]); 2],
            ..Window::dense([size; 2])
        },
    }
}

fn max_pool(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = pooled(random, channels);
    let simd = if sliding.window.is_disjoint() {
        1
    } else {
        *random.pick(&[1, 3])
    };
    let input = activation_type(random);
    let layer = Layer::MaxPool(MaxPool {
        sliding,
        input,
        pe,
        simd,
    });
    (layer, Tensors::default())
}

fn sum_pool(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = match random.chance(50) {
        true => Sliding {
            picture: [7; 2],
            channels,
            window: Window::dense([7; 2]),
        },
        false => pooled(random, channels),
    };
    let simd = if sliding.window.is_disjoint() {
        1
    } else {
        *random.pick(&[1, 3])
    };
    let input = activation_type(random);
    let [low, high] = [input.min(), input.max()].map(|end| end * sliding.positions() as i64);
    let layer = Layer::SumPool(SumPool {
        sliding,
        input,
        pad: 0,
        accumulator: DataType::spanning(low.min(0), high.max(0)).unwrap(),
        pe,
        simd,
    });
    (layer, Tensors::default())
}

fn threshold(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let input = *random.pick(&[DataType::Int(8), DataType::Uint(8), DataType::Int(12)]);
    let mut tensors = Tensors::default();
    let activation = loop {
        if let Some(activation) = activation(random, &mut tensors, input, channels) {
            break activation;
        }
    };
    let layer = Layer::Threshold(Threshold {
        channels,
        pixels: 16,
        input,
        activation,
        pe,
    });
    (layer, tensors)
}

fn add(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let inputs = [activation_type(random), activation_type(random)];
    let gains = [1, *random.pick(&[1, 1, 2, 3, -5])];
    let ends = |at: usize| [gains[at] * inputs[at].min(), gains[at] * inputs[at].max()];
    let low: i64 = (0..2).map(|at| ends(at)[0].min(ends(at)[1])).sum();
    let high: i64 = (0..2).map(|at| ends(at)[0].max(ends(at)[1])).sum();
    let layer = Layer::Add(Add {
        inputs,
        gains,
        channels,
        pixels: 16,
        output: DataType::spanning(low, high).unwrap(),
        pe,
    });
    (layer, Tensors::default())
}

fn concat(random: &mut Random) -> (Layer, Tensors) {
    let (_, pe) = channels(random);
    let input = *random.pick(&[DataType::Uint(2), DataType::Uint(4), DataType::Int(4)]);
    let count = random.between(2, 4);
    let part = |random: &mut Random| Part {
        element: input,
        channels: pe * *random.pick(&[1, 2, 4]),
        gain: *random.pick(&[1, 1, 1, 3]),
    };
    let inputs: Vec<Part> = (0..count).map(|_| part(random)).collect();
    let layer = Layer::Concat(Concat {
        inputs,
        pixels: 16,
        output: DataType::spanning(3 * input.min(), 3 * input.max()).unwrap(),
        pe,
    });
    (layer, Tensors::default())
}

fn duplicate(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let layer = Layer::Duplicate(Duplicate {
        element: activation_type(random),
        channels,
        pixels: 16,
        copies: random.between(2, 3) as usize,
        pe,
    });
    (layer, Tensors::default())
}

fn upsample(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let input = *random.pick(&[DataType::Uint(4), DataType::Int(4), DataType::Uint(8)]);
    let layer = Layer::Upsample(Upsample {
        picture: [*random.pick(&[7, 8, 14]); 2],
        channels,
        factor: [2; 2],
        fill: random.chance(30).then_some(0),
        input,
        output: input,
        pe,
    });
    (layer, Tensors::default())
}

fn converter(random: &mut Random) -> (Layer, Tensors) {
    let channels = *random.pick(&[12, 24, 36]);
    let (from, to) = *random.pick(&[
        (2, 8),
        (8, 2),
        (1, 12),
        (12, 4),
        (3, 4),
        (6, 4),
        (8, 12),
        (5, 3),
    ]);
    let layer = Layer::WidthConverter(WidthConverter {
        element: activation_type(random),
        pixels: 16,
        channels,
        from,
        to,
    });
    (layer, Tensors::default())
}

fn label(random: &mut Random) -> (Layer, Tensors) {
    let layer = Layer::LabelSelect(LabelSelect {
        input: *random.pick(&[DataType::Int(12), DataType::Int(16), DataType::Uint(10)]),
        channels: *random.pick(&[10, 16, 100]),
        pixels: 1,
        output: DataType::Uint(7),
        pe: *random.pick(&[1, 2, 5, 10]),
    });
    (layer, Tensors::default())
}
