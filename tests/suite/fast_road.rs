//! The fast executor computes what the layers are defined to compute, whatever they are.
//! `FINNP_SWEEP=n` tries n random chains. Must not know how it computes.

use std::collections::BTreeMap;

use finnp::dataflow::Dataflow;
use finnp::layer::{Blocks, Cross, Side};
use finnp::reference::Integers;
use finnp::tensor::{DataType, Window};

use super::pipeline::{Pipeline, Steps, frame};
use super::random::Random;

/// Random chains in an ordinary run.
const CHAINS: u64 = 1500;

const INPUTS: &[DataType] = &[
    DataType::Bipolar,
    DataType::Ternary,
    DataType::Uint(1),
    DataType::Uint(2),
    DataType::Int(4),
    DataType::Uint(4),
    DataType::Uint(8),
    DataType::Int(8),
    DataType::Int(12),
    DataType::Uint(16),
    DataType::Int(24),
    DataType::Int(25),
    DataType::Int(26),
    DataType::Uint(24),
    DataType::Uint(25),
    DataType::Int(31),
    DataType::Int(33),
];
const WEIGHTS: &[DataType] = &[
    DataType::Bipolar,
    DataType::Ternary,
    DataType::Int(2),
    DataType::Int(4),
    DataType::Int(8),
    DataType::Int(13),
    // Only with inputs that leave room for it.
    DataType::Uint(20),
];
/// Inputs of more bits have narrower weights.
const ROOM: u32 = 26;
const OUTPUTS: &[DataType] = &[
    DataType::Bipolar,
    DataType::Ternary,
    DataType::Uint(1),
    DataType::Uint(2),
    DataType::Int(2),
    DataType::Uint(4),
    DataType::Int(4),
    DataType::Int(6),
];
/// Accumulators of more bits are thresholded before anything else.
const WIDE: u32 = 36;

fn window(random: &mut Random, picture: [usize; 2]) -> Window {
    loop {
        let axes = |random: &mut Random, high| [0; 2].map(|_| random.between(1, high) as usize);
        let padded = random.chance(60);
        let window = Window {
            kernel: axes(random, 3),
            stride: axes(random, 2),
            dilation: axes(random, 2),
            pads: [0; 4].map(|_| if padded { random.below(4) } else { 0 }),
        };
        if window.output(picture).is_some() {
            return window;
        }
    }
}

fn divisor(random: &mut Random, of: usize) -> usize {
    let divisors: Vec<usize> = (1..=of).filter(|d| of.is_multiple_of(*d)).collect();
    *random.pick(&divisors)
}

fn steps(random: &mut Random) -> Steps {
    let mut steps = Steps::all(*random.pick(OUTPUTS));
    steps.shared = random.chance(30);
    if steps.step == 1 && random.chance(15) {
        steps.levels = random.below(steps.levels + 1);
    }
    steps
}

/// Adds a random layer.
fn layer(chain: &mut Pipeline) {
    if chain.element.bits() > WIDE || chain.random.chance(10) {
        let steps = steps(&mut chain.random);
        return chain.threshold(steps);
    }
    let random = &mut chain.random;
    let steps = random.chance(60).then(|| steps(random));
    let weights = WEIGHTS.len() - usize::from(chain.element.bits() > ROOM);
    let weight = *random.pick(&WEIGHTS[..weights]);
    let rows = *random.pick(&[1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 40, 64, 70]);
    let pad = *random.pick(&[0, 0, chain.element.min(), chain.element.max(), -3, 1 << 20]);
    let window = window(random, chain.picture);
    let groups = divisor(random, chain.channels);
    match random.below(11) {
        0 => chain.mvau(rows, 1, weight, steps),
        1 => chain.window(window, pad, groups),
        2 | 3 => {
            chain.window(window, pad, groups);
            chain.mvau(rows / groups + 1, groups, weight, steps);
        }
        4 => {
            let lanes = groups;
            let entries = divisor(random, chain.channels / lanes);
            let blocks = Blocks {
                lanes,
                rows: random.below(5) + 1,
                entries,
                keep: random.below(entries) + 1,
            };
            chain.mvau_bcr(rows, blocks, weight, steps);
        }
        10 => {
            let channels = chain.channels;
            let mut side = |lines: usize| {
                let lanes = divisor(random, lines);
                let entries = divisor(random, lines / lanes);
                let keep = random.below(entries) + 1;
                Side {
                    lanes,
                    entries,
                    keep,
                }
            };
            let (rows_side, columns) = (side(rows), side(channels));
            let cross = Cross {
                rows: rows_side,
                columns,
            };
            chain.mvau_rc(rows, cross, weight, steps);
        }
        5 | 6 => chain.vvau(window, pad, weight, steps),
        7 => chain.max_pool(window),
        8 => chain.sum_pool(window, pad),
        _ => chain.converter(),
    }
}

fn chain(seed: u64) -> Dataflow {
    let mut random = Random::new(seed);
    let element = *random.pick(INPUTS);
    let picture = [0; 2].map(|_| random.between(1, 7) as usize);
    let channels = *random.pick(&[1, 2, 3, 4, 6, 12, 16, 17, 32, 36, 66]);
    let length = random.below(5) + 1;
    let mut chain = Pipeline::new(random, element, picture, channels);
    for _ in 0..length {
        // Windows multiply channels.
        if chain.channels > 600 || chain.pixels() > 200 {
            break;
        }
        layer(&mut chain);
    }
    if chain.random.chance(15) {
        chain.flatten_and_select();
    }
    chain.finish()
}

impl Pipeline {
    fn flatten_and_select(&mut self) {
        if self.random.chance(50) {
            self.flatten();
        }
        self.labels();
    }
}

fn same(dataflow: &Dataflow, frames: &[Vec<i64>], what: &str) {
    let integers = Integers::new(dataflow);
    let fast = integers.outputs(frames).unwrap();
    assert_eq!(fast.len(), frames.len());
    for (frame, fast) in frames.iter().zip(fast) {
        let streamed = integers.streamed(frame).unwrap();
        let plain = integers.run(&streamed, |_, _| ()).unwrap();
        // Scales are 1, so reals are the integers.
        let plain: Vec<f64> = plain[0].iter().map(|x| *x as f64).collect();
        assert_eq!(fast[0].data(), plain, "{what}: {:?}", dataflow.nodes);
    }
}

#[test]
fn random_chains_compute_the_same() {
    let sweep = std::env::var("FINNP_SWEEP")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..sweep.unwrap_or(CHAINS) {
        let dataflow = chain(seed);
        let mut random = Random::new(!seed);
        let frames: Vec<Vec<i64>> = (0..3).map(|_| frame(&mut random, &dataflow)).collect();
        same(&dataflow, &frames, &format!("seed {seed}"));
        for node in &dataflow.nodes {
            *kinds.entry(node.layer.hardware().kind()).or_default() += 1;
        }
    }
    println!("{kinds:?}");
    // No chain forks; what does has tests of its own.
    let forks = ["add", "concat", "duplicate", "upsample"];
    let chained = |kind: &&&str| !forks.contains(*kind);
    assert_eq!(
        kinds.len(),
        finnp::layer::LAYERS.iter().filter(chained).count()
    );
    assert!(kinds.values().all(|count| *count > 40), "{kinds:?}");
}

/// Blocks of pixels begin and end somewhere inside a large picture.
#[test]
fn large_pictures_compute_the_same() {
    let kernel = |stride| Window {
        stride: [stride; 2],
        pads: [1; 4],
        ..Window::dense([3, 3])
    };
    for (seed, groups) in [(0, 1), (1, 2)] {
        let mut chain = Pipeline::new(Random::new(seed), DataType::Uint(8), [61, 47], 6);
        let four = Steps::all(DataType::Uint(4));
        chain.window(kernel(2), 0, groups);
        chain.mvau(20, groups, DataType::Int(4), Some(four));
        chain.vvau(kernel(1), 0, DataType::Int(4), Some(four));
        chain.mvau(70, 1, DataType::Int(4), Some(four));
        chain.window(kernel(1), 0, 1);
        chain.mvau(33, 1, DataType::Int(4), None);
        let dataflow = chain.finish();
        let frame = frame(&mut Random::new(seed), &dataflow);
        same(&dataflow, &[frame], "large");
    }
}
