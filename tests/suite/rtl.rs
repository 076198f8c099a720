//! Generated RTL of single layers against the integers that they stand for.
//! Must not know how modules are built.

use finnp::layer::{Form, Layer, Tensors, Threshold};
use finnp::tensor::DataType;

use super::random::Random;
use super::random_window::{TYPES, activation, folded, values};
use super::rtl_bench::{Bench, verilator};

/// A layer with its integers, and for each stream that it reads its frames.
pub(crate) struct Trial {
    pub(crate) layer: Layer,
    pub(crate) tensors: Tensors,
    pub(crate) inputs: Vec<Vec<Vec<i64>>>,
}

/// Frames that each layer is fed.
const FRAMES: usize = 4;

fn threshold(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0x7e57);
    let mut tensors = Tensors::default();
    let input = *random.pick(TYPES);
    let channels = *random.pick(&[1, 2, 3, 5, 8]);
    let activation = loop {
        if let Some(found) = activation(&mut random, &mut tensors, DataType::Int(9), channels) {
            break found;
        }
    };
    let layer = Layer::Threshold(Threshold {
        channels,
        pixels: *random.pick(&[1, 2, 7]),
        input,
        activation,
        pe: 1,
    });
    let layer = folded(&mut random, layer);
    let elements = layer.hardware().input().elements();
    let frames = (0..FRAMES).map(|_| values(&mut random, input, elements));
    Trial {
        inputs: vec![frames.collect()],
        layer,
        tensors,
    }
}

/// Words of the next frame that a layer makes before anything of it has arrived: those of places that see nothing but
/// padding.
fn ahead(layer: &Layer) -> usize {
    let Form::Window { sliding, words, .. } = layer.hardware().schedule().form else {
        return 0;
    };
    let (window, [rows, columns]) = (&sliding.window, sliding.output());
    // Rows, or columns, from the first one of the picture to the last one that a place sees.
    let seen = |axis: usize, at: usize| {
        let end = at * window.stride[axis] + window.span()[axis];
        end.saturating_sub(window.pads[axis])
            .min(sliding.picture[axis])
    };
    let waits = |place: &usize| match seen(0, place / columns) {
        0 => false,
        1 => seen(1, place % columns) > 0,
        _ => true,
    };
    (0..rows * columns)
        .take_while(|place| !waits(place))
        .count()
        * words
}

/// Equal to the integers with ordinary neighbours, with gaps, and after a reset in the middle of a frame. Returns in
/// which cycles words leave where nothing holds them up.
pub(crate) fn check(seed: u64, trial: &Trial) -> Vec<u64> {
    let Trial {
        layer,
        tensors,
        inputs,
    } = trial;
    let hardware = layer.hardware();
    let expected: Vec<i64> = (0..inputs[0].len())
        .flat_map(|frame| {
            let fed: Vec<&[i64]> = inputs.iter().map(|frames| &frames[frame][..]).collect();
            hardware.join(tensors, &fed).unwrap()
        })
        .collect();
    let shallow = 1 + seed as usize % 3;
    let ahead = ahead(layer).to_string();
    let mut cycles = Vec::new();
    for depth in [shallow, 32] {
        let bench = Bench::new(layer, tensors, depth);
        for options in [&[][..], &["--gaps", "7"], &["--reset", "9"]] {
            let all = [&["--ahead", &ahead], options].concat();
            let written = bench.run(inputs, &all).unwrap_or_else(|error| {
                panic!("seed {seed}, depth {depth}, {options:?}: {error}\n{layer:?}")
            });
            for copy in written {
                assert_eq!(
                    copy.elements, expected,
                    "seed {seed}, depth {depth}, {options:?}\n{layer:?}"
                );
                if options.is_empty() {
                    cycles = copy.cycles;
                }
            }
        }
    }
    cycles
}

#[test]
fn thresholds_are_those_of_the_integers() {
    if !verilator() {
        return;
    }
    for seed in 0..6 {
        check(seed, &threshold(seed));
    }
}
