//! Gradients of steps against finite differences of what they compute forward.
//! Must not know whole networks.
#![allow(clippy::unwrap_used)]

use super::depthwise::Depthwise;
use super::grouped::Grouped;
use super::join::{SideBySide, Sum};
use super::moments::Moments;
use super::norm::Norm;
use super::pool::{Of, Pool};
use super::product::Product;
use super::spare::Spare;
use super::staircase::Staircase;
use super::start::Start;
use super::step::{Back, Mode, Parts, Step};
use super::taps::Taps;
use super::upsample::Larger;
use super::weights::Weights;
use super::window::Runs;
use crate::layer::{Activation, Sliding, SlidingWindow, Tensors, Upsample};
use crate::tensor::{DataType, Tensor, Window};

/// Frames of a batch: more than there are pieces of work, and no multiple of them.
const FRAMES: usize = 11;

fn noise(count: usize, from: usize) -> Vec<f32> {
    let number = |at: usize| ((at * 7919 + from * 104_729) % 1013) as f32 / 256.0 - 2.0;
    (0..count).map(number).collect()
}

/// The sum of all results, each times a number of its own.
fn value(step: &mut dyn Step, parts: &mut Parts, inputs: &[Vec<f32>], written: usize) -> f64 {
    let mut output = vec![0.0; written * FRAMES];
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    step.forward(parts, Mode::Train, &slices, &mut output, FRAMES);
    let terms = output.iter().zip(noise(output.len(), 1));
    terms.map(|(y, g)| f64::from(*y) * f64::from(g)).sum()
}

/// Gradients of [`value`]: by input, and those of weights.
fn gradients(
    step: &mut dyn Step,
    parts: &mut Parts,
    inputs: &[Vec<f32>],
    written: usize,
) -> Vec<Vec<f32>> {
    let mut output = vec![0.0; written * FRAMES];
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    step.forward(parts, Mode::Train, &slices, &mut output, FRAMES);
    let back = Back {
        inputs: &slices,
        output: &output,
        gradient: noise(output.len(), 1),
        wanted: &vec![true; inputs.len()],
        frames: FRAMES,
        spare: &mut Spare::default(),
    };
    let found = step.backward(parts, back);
    found.into_iter().map(Option::unwrap).collect()
}

/// Every gradient of a step that is linear between its input and its input moved by `by`.
fn check(mut step: impl Step, mut parts: Parts, sizes: &[usize], written: usize, by: f32) {
    let inputs = sizes.iter().enumerate();
    let mut inputs: Vec<Vec<f32>> = inputs
        .map(|(at, size)| noise(size * FRAMES, at + 2))
        .collect();
    let found = gradients(&mut step, &mut parts, &inputs, written);
    let near = |found: f32, difference: f64, at: usize| {
        let error = (f64::from(found) - difference).abs();
        assert!(
            error < 2e-2 * difference.abs().max(1.0),
            "{at}: {found} {difference}"
        );
    };
    for input in 0..inputs.len() {
        for at in 0..inputs[input].len() {
            let mut moved = |by: f32| {
                let was = inputs[input][at];
                inputs[input][at] += by;
                let value = value(&mut step, &mut parts, &inputs, written);
                inputs[input][at] = was;
                value
            };
            let difference = (moved(by) - moved(-by)) / (2.0 * f64::from(by));
            near(found[input][at], difference, at);
        }
    }
    let Some(gradient) = parts
        .weights
        .first()
        .map(|weights| weights.gradient.clone())
    else {
        return;
    };
    for (at, gradient) in gradient.into_iter().enumerate() {
        let mut moved = |by: f32| {
            parts.weights[0].used[at] += by;
            let value = value(&mut step, &mut parts, &inputs, written);
            parts.weights[0].used[at] -= by;
            value
        };
        let difference = (moved(0.5) - moved(-0.5)) / 1.0;
        near(gradient, difference, at);
    }
}

fn weights(rows: usize, columns: usize) -> Parts {
    let integers: Vec<i32> = (0..rows * columns)
        .map(|at| (at * 37 % 7) as i32 - 3)
        .collect();
    let fixed = Weights::fixed("a", columns, DataType::Int(4), &integers);
    let start = Start {
        weights: integers.iter().map(|w| f64::from(*w)).collect(),
        mask: vec![true; integers.len()],
        density: None,
        range: (-8, 7),
        gain: Vec::new(),
        offset: Vec::new(),
    };
    Parts {
        weights: vec![fixed.trained(&start).unwrap()],
        norms: Vec::new(),
    }
}

/// A padded window that moves by two rows.
fn sliding(channels: usize) -> Sliding {
    let window = Window {
        stride: [2, 1],
        dilation: [1, 2],
        pads: [1, 0, 1, 2],
        ..Window::dense([3, 2])
    };
    Sliding {
        picture: [5, 4],
        channels,
        window,
    }
}

fn window(channels: usize, groups: usize) -> SlidingWindow {
    SlidingWindow {
        sliding: sliding(channels),
        groups,
        input: DataType::Int(4),
        output: DataType::Int(4),
        pad: 2,
        pe: 1,
        simd: 1,
    }
}

#[test]
fn products() {
    check(Product::new(0, None), weights(3, 5), &[2 * 5], 2 * 3, 0.5);
    let seen = window(2, 1);
    let places = seen.sliding.places();
    let product = Product::new(0, Some(Runs::new(&seen)));
    check(product, weights(3, 12), &[40], places * 3, 0.5);
    let matrices: Vec<i32> = (0..24).map(|at| at % 5 - 2).collect();
    check(
        Grouped::new(&matrices, 3, 4),
        Parts::default(),
        &[4 * 4],
        4 * 3,
        0.5,
    );
}

#[test]
fn windows() {
    for groups in [1, 2] {
        let seen = window(2, groups);
        let written = seen.sliding.places() * 12;
        check(Runs::new(&seen), Parts::default(), &[40], written, 0.5);
    }
    let taps = || Taps::new(&sliding(3));
    let (read, written) = (taps().read, taps().written);
    let depthwise = Depthwise::new(0, taps(), 2.0);
    check(depthwise, weights(3, 6), &[read], written, 0.5);
    let sum = Pool::new(taps(), Of::Sum(1.0), 0.0);
    check(sum, Parts::default(), &[read], written, 0.5);
    // Inputs are a 256th apart at least, unless they are equal.
    let taps = Taps::new(&Sliding {
        channels: 2,
        ..sliding(2)
    });
    let (read, written) = (taps.read, taps.written);
    let most = Pool::new(taps, Of::Largest, -8.0);
    check(most, Parts::default(), &[read], written, 1.0 / 1024.0);
}

#[test]
fn joins() {
    let sum = Sum { gains: [2.0, -3.0] };
    check(sum, Parts::default(), &[6, 6], 6, 0.5);
    let inputs = vec![(2, 1.0), (3, 4.0)];
    check(SideBySide { inputs }, Parts::default(), &[4, 6], 10, 0.5);
    for fill in [None, Some(3)] {
        let larger = Upsample {
            picture: [2, 2],
            channels: 2,
            factor: [2, 3],
            fill,
            input: DataType::Int(4),
            output: DataType::Int(4),
            pe: 1,
        };
        let [rows, columns] = larger.size();
        check(
            Larger::new(&larger),
            Parts::default(),
            &[8],
            rows * columns * 2,
            0.5,
        );
    }
}

/// A staircase of three steps on two channels, of which one falls.
fn staircase(norm: Option<usize>) -> Staircase {
    let activation = Activation {
        output: DataType::Int(2),
        levels: 3,
        base: -2,
        step: 1,
        threshold: DataType::Int(8),
        rows: 2,
    };
    let tensors = Tensors {
        thresholds: Tensor::new(vec![2, 3], vec![-2, 0, 1, -1, 0, 2]).ok(),
        flip: Tensor::new(vec![2], vec![0, 1]).ok(),
        ..Tensors::default()
    };
    Staircase::new(&activation, &tensors, 2, norm).unwrap()
}

/// The straight line that stands for the staircase, in f64 behind a normalisation of the batch.
fn surrogate(step: &Staircase, norm: Option<&Norm>, sums: &[f64]) -> f64 {
    let terms = sums.iter().zip(noise(sums.len(), 1)).enumerate();
    let mut lines = [(1.0, 0.0); 2];
    if let Some(norm) = norm {
        let mut own = norm.clone();
        let moment = |channel: usize, f: &dyn Fn(f64) -> f64| {
            let own = sums.iter().skip(channel).step_by(2);
            own.map(|s| f(*s)).sum::<f64>() / (sums.len() / 2) as f64
        };
        let mean: Vec<f64> = (0..2).map(|c| moment(c, &|s| s)).collect();
        let variance = (0..2).map(|c| moment(c, &|s| (s - mean[c]).powi(2)));
        let variance = variance.collect();
        own.settle(&Moments { mean, variance });
        lines = [0, 1].map(|c| (own.gain[c], own.offset[c]));
    }
    let line = |(at, (sum, g)): (usize, (&f64, f32))| {
        let ((gain, offset), [low, high, slope]) = (lines[at % 2], step.straight(at % 2));
        (gain * sum + offset).clamp(low, high) * slope * f64::from(g)
    };
    terms.map(line).sum()
}

#[test]
fn staircases_have_the_gradient_of_their_straight_line() {
    let sums = noise(2 * FRAMES, 3);
    for normed in [false, true] {
        let mut step = staircase(normed.then_some(0));
        let mut parts = Parts::default();
        if normed {
            parts
                .norms
                .push(Norm::new(vec![1.5, 0.5], vec![0.5, -0.25]));
        }
        step.begin(&mut parts, &[&sums]);
        let found = gradients(&mut step, &mut parts, std::slice::from_ref(&sums), 2).remove(0);
        assert!(found.iter().any(|g| *g != 0.0));
        for at in 0..sums.len() {
            let moved = |by: f64| {
                let mut sums: Vec<f64> = sums.iter().map(|s| f64::from(*s)).collect();
                sums[at] += by;
                surrogate(&step, parts.norms.first(), &sums)
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            let error = (f64::from(found[at]) - difference).abs();
            assert!(error < 1e-3, "{normed} {at}: {} {difference}", found[at]);
        }
    }
}
