//! Generated RTL of single layers against the integers that they stand for.
//! Must not know how modules are built.

use finnp::layer::{Layer, Tensors, Threshold};
use finnp::simulate::{self, Load};
use finnp::tensor::DataType;

use super::random::Random;
use super::random_window::{TYPES, activation, folded, values};
use super::rtl_bench::{Bench, verilator};
use super::simulate_graph::alone;

/// A layer with its integers, and for each stream that it reads its frames.
pub(crate) struct Trial {
    pub(crate) layer: Layer,
    pub(crate) tensors: Tensors,
    pub(crate) inputs: Vec<Vec<Vec<i64>>>,
}

/// Frames that each layer is fed.
const FRAMES: usize = 4;

pub(crate) fn threshold(seed: u64) -> Trial {
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

/// Equal to the integers with ordinary neighbours, with gaps, and after a reset in the middle of a frame; and every
/// word in the cycle that simulation by words says. Returns these cycles where nothing holds words up.
pub(crate) fn check(seed: u64, trial: &Trial) -> Vec<u64> {
    check_at(seed, trial, &[1 + seed as usize % 3, 32])
}

/// The same, with FIFOs of these depths behind the layer.
pub(crate) fn check_at(seed: u64, trial: &Trial, depths: &[usize]) -> Vec<u64> {
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
    let ahead = hardware.schedule().ahead().to_string();
    let mut cycles = Vec::new();
    for &depth in depths {
        let bench = Bench::new(layer, tensors, depth);
        let frames = Load::frames(inputs[0].len());
        let said = simulate::run(&alone(layer.clone(), depth), &frames).unwrap();
        let last = said.outputs[0].last().map_or(1, |last| *last as i64);
        // Early, when little is there, and anywhere else.
        let [early, late] = [9, Random::new(seed).between(1, last)].map(|cycle| cycle.to_string());
        for options in [
            &[][..],
            &["--gaps", "7"],
            &["--reset", &early],
            &["--reset", &late],
            &["--gaps", "5", "--reset", &late],
        ] {
            let place = || format!("seed {seed}, depth {depth}, {options:?}: {layer:?}");
            let all = [&["--ahead", &ahead], options].concat();
            let written = bench.run(inputs, &all);
            let written = written.unwrap_or_else(|error| panic!("{}: {error}", place()));
            for (copy, cycles) in written.iter().zip(&said.outputs) {
                assert_eq!(copy.elements, expected, "{}", place());
                if !options.contains(&"--gaps") {
                    assert_eq!(&copy.cycles, cycles, "{}", place());
                }
            }
            assert_eq!(written.len(), said.outputs.len());
            cycles.clone_from(&said.outputs[0]);
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
