//! Generated RTL of windows, and of what is made of what they see, against the integers and the cycles that layers
//! tell. `FINNP_SWEEP=n` tries the first n layers.
//! Must not know how modules are built.

use std::collections::BTreeMap;

use finnp::layer::{FIFO_LATENCY, Form, Layer, Schedule};

use super::random_window::{NAMED, layer_case};
use super::rtl::{Trial, check};
use super::rtl_bench::verilator;

/// Cycles that a frame takes once frames follow each other, and steps and words before the first word is made, where
/// words are always there.
fn told(layer: &Layer, schedule: &Schedule) -> (u64, u64) {
    match &schedule.form {
        Form::Steps { phases, repeats } => {
            let steps: usize = phases.iter().map(|phase| phase.steps).sum();
            let before = phases.iter().take_while(|phase| !phase.writes);
            let before: usize = before.map(|phase| phase.steps).sum();
            ((steps * repeats) as u64, before as u64)
        }
        Form::Window {
            sliding,
            row_words,
            steps,
            ..
        } => {
            // What the first place looks at: whole rows, and of the last one the words up to its right end.
            let window = &sliding.window;
            let seen = |axis: usize| {
                let seen = window.span()[axis].saturating_sub(window.pads[axis]);
                seen.min(sliding.picture[axis])
            };
            let words = match seen(0) {
                0 => 0,
                rows => (rows - 1) * row_words + (seen(1) * row_words).div_ceil(sliding.picture[1]),
            };
            let before = words + steps - 1;
            (layer.hardware().cycles(), before as u64)
        }
        Form::Banks { .. } | Form::Blocks { .. } => unreachable!("no layer here has banks"),
    }
}

/// The first word and every later frame leave when the layer says so; `cycles` are those of all words.
pub(crate) fn check_cycles(seed: u64, layer: &Layer, cycles: &[u64]) {
    let (hardware, schedule) = (layer.hardware(), layer.hardware().schedule());
    let (interval, before) = told(layer, &schedule);
    let first = before + schedule.latency + FIFO_LATENCY;
    assert_eq!(cycles[0], first, "seed {seed}: {layer:?}");
    let words = hardware.output().words();
    let ends: Vec<u64> = cycles.chunks(words).map(|c| c[words - 1]).collect();
    let last = &ends[ends.len() - 2..];
    assert_eq!(last[1] - last[0], interval, "seed {seed}: {layer:?}");
}

/// Every kind of layer that has a window, so many times each at least.
fn sweep(seeds: impl Iterator<Item = u64>, least: usize) {
    let mut kinds = BTreeMap::new();
    for seed in seeds {
        let case = layer_case(seed);
        let kind = case.layer.hardware().kind();
        if kind == "mvau" {
            continue;
        }
        *kinds.entry(kind).or_insert(0) += 1;
        let trial = Trial {
            layer: case.layer,
            tensors: case.tensors,
            inputs: vec![case.frames],
        };
        let cycles = check(seed, &trial);
        check_cycles(seed, &trial.layer, &cycles);
    }
    assert!(kinds.len() == 4 && kinds.values().all(|count| *count >= least));
}

#[test]
fn windows_are_those_of_the_integers() {
    if !verilator() {
        return;
    }
    let count = std::env::var("FINNP_SWEEP");
    match count.ok().and_then(|n| n.parse().ok()) {
        Some(count) => sweep(0..count, 1),
        // Each of the named shapes once, each kind with some of them.
        None => sweep(
            (0..NAMED)
                .filter(|seed| (seed / 5 + seed % 5) % 4 == 0)
                .chain(NAMED..NAMED + 5),
            3,
        ),
    }
}
