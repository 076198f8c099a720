//! Random layers that join and fork streams or enlarge pictures, with frames to run them on.
//! Must not know how they are run.

use finnp::layer::{Add, Concat, Duplicate, Layer, Part, Upsample};
use finnp::tensor::DataType;

use super::random::Random;
use super::random_window::{TYPES, folded, values};

/// Frames that each layer is run on.
const FRAMES: usize = 4;

/// What a stream is multiplied by: powers of two are shifts, others are not.
const GAINS: &[i64] = &[1, 1, 2, 4, -1, -8, 3, -5, 100, 77, -1023];

/// A layer, and for each stream that it reads its frames in stream order.
pub(crate) struct Case {
    pub(crate) layer: Layer,
    pub(crate) frames: Vec<Vec<Vec<i64>>>,
}

/// The layer of a number, of each kind in turn.
pub(crate) fn join_case(seed: u64) -> Case {
    let mut random = Random::new(seed ^ 0x0add);
    let layer = match seed % 4 {
        0 => add(&mut random),
        1 => concat(&mut random),
        2 => duplicate(&mut random),
        _ => upsample(&mut random),
    };
    let layer = folded(&mut random, layer);
    let ports = layer.hardware().inputs().into_iter();
    let frames = ports.map(|port| {
        let frame = |_| values(&mut random, port.element, port.elements());
        (0..FRAMES).map(frame).collect()
    });
    Case {
        frames: frames.collect(),
        layer,
    }
}

/// A type with its gain, and the ends of what both make.
fn scaled(random: &mut Random) -> (DataType, i64, i64, i64) {
    let (element, gain) = (*random.pick(TYPES), *random.pick(GAINS));
    let ends = [gain * element.min(), gain * element.max()];
    (element, gain, ends[0].min(ends[1]), ends[0].max(ends[1]))
}

fn add(random: &mut Random) -> Layer {
    let (a, b) = (scaled(random), scaled(random));
    Layer::Add(Add {
        inputs: [a.0, b.0],
        gains: [a.1, b.1],
        channels: *random.pick(&[1, 2, 5, 6, 8, 12]),
        pixels: *random.pick(&[1, 2, 7, 9]),
        output: DataType::spanning(a.2 + b.2, a.3 + b.3).unwrap(),
        pe: 1,
    })
}

fn concat(random: &mut Random) -> Layer {
    let step = *random.pick(&[1, 1, 2, 3, 4]);
    let parts = random.between(2, 5);
    let parts: Vec<_> = (0..parts)
        .map(|_| (scaled(random), step * random.between(1, 4) as usize))
        .collect();
    let low = parts.iter().map(|(part, _)| part.2).min().unwrap();
    let high = parts.iter().map(|(part, _)| part.3).max().unwrap();
    let part = |((element, gain, ..), channels): &((DataType, i64, i64, i64), usize)| Part {
        element: *element,
        channels: *channels,
        gain: *gain,
    };
    Layer::Concat(Concat {
        inputs: parts.iter().map(part).collect(),
        pixels: *random.pick(&[1, 2, 7, 9]),
        output: DataType::spanning(low, high).unwrap(),
        pe: 1,
    })
}

fn duplicate(random: &mut Random) -> Layer {
    Layer::Duplicate(Duplicate {
        element: *random.pick(TYPES),
        channels: *random.pick(&[1, 2, 5, 6, 8, 12]),
        pixels: *random.pick(&[1, 2, 7, 9]),
        copies: random.between(2, 4) as usize,
        pe: 1,
    })
}

fn upsample(random: &mut Random) -> Layer {
    let input = *random.pick(TYPES);
    let fill = random.chance(50).then(|| random.between(-3, 3));
    let output = match fill {
        Some(fill) => DataType::spanning(input.min().min(fill), input.max().max(fill)).unwrap(),
        None => input,
    };
    Layer::Upsample(Upsample {
        picture: [random.between(1, 5) as usize, random.between(1, 6) as usize],
        channels: *random.pick(&[1, 2, 6, 8, 24]),
        factor: [1, 2].map(|_| *random.pick(&[1, 2, 2, 3])),
        fill,
        input,
        output,
        pe: 1,
    })
}
