//! Generated RTL of layers that fork and join streams, enlarge pictures and change the width of words, against the
//! integers and the cycles that layers tell. `FINNP_SWEEP=n` tries n of them.
//! Must not know how modules are built.

use finnp::layer::{Layer, Tensors, WidthConverter};

use super::random::Random;
use super::random_join::join_case;
use super::random_window::{TYPES, values};
use super::rtl::{Trial, check};
use super::rtl_bench::verilator;
use super::rtl_window::check_cycles;

/// Frames that each layer is fed.
const FRAMES: usize = 4;

pub(crate) fn width_converter(seed: u64) -> Trial {
    let mut random = Random::new(seed ^ 0x71d);
    let element = *random.pick(TYPES);
    let channels = random.between(1, 24) as usize;
    // One that divides the other, as most of them are, and any two numbers.
    let small = random.between(1, 8) as usize;
    let [from, to] = match random.between(0, 3) {
        0 => [small, small * random.between(1, 6) as usize],
        1 => [small * random.between(1, 6) as usize, small],
        _ => [random.between(1, 12), random.between(1, 12)].map(|size| size as usize),
    };
    let layer = Layer::WidthConverter(WidthConverter {
        element,
        pixels: *random.pick(&[1, 2, 7]),
        channels,
        from,
        to,
    });
    let elements = layer.hardware().input().elements();
    let frames = (0..FRAMES).map(|_| values(&mut random, element, elements));
    Trial {
        inputs: vec![frames.collect()],
        layer,
        tensors: Tensors::default(),
    }
}

pub(crate) fn joined(seed: u64) -> Trial {
    let case = join_case(seed);
    Trial {
        layer: case.layer,
        tensors: Tensors::default(),
        inputs: case.frames,
    }
}

fn sweep(usual: u64, trial: fn(u64) -> Trial) {
    if !verilator() {
        return;
    }
    let count = std::env::var("FINNP_SWEEP");
    let count = count.ok().and_then(|n| n.parse().ok());
    for seed in 0..count.unwrap_or(usual) {
        let trial = trial(seed);
        let cycles = check(seed, &trial);
        check_cycles(seed, &trial.layer, &cycles);
    }
}

#[test]
fn forks_and_joins_are_those_of_the_integers() {
    sweep(12, joined);
}

#[test]
fn width_converters_lose_nothing() {
    sweep(12, width_converter);
}
