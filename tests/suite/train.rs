//! Training on whole networks: what it computes is what the hardware does, and accuracy comes back after pruning.
//! Must not know how a layer learns.

use std::collections::BTreeMap;
use std::fs;

use finnp::data::{Values, samples};
use finnp::dataflow::Dataflow;
use finnp::error::Kind;
use finnp::layer::{Blocks, Layer};
use finnp::manifest::{Layout, Pruning};
use finnp::network::Coding;
use finnp::pass::{Grid, fuse, streamline};
use finnp::prune::{Repair, choose, project};
use finnp::qonnx::import;
use finnp::reference::Integers;
use finnp::tensor::{DataType, PerChannel, first_largest};
use finnp::train::{Method, Project, Settings, Start, Task, results, train};

use super::random::Random;
use super::random_network::{self, Case};
use super::random_residual;
use super::shared::{arrays, shared};

/// Random networks of each kind.
const NETWORKS: u64 = 60;
/// Numbers of f32 below are exact.
const EXACT: i64 = 1 << 24;

/// The fused network of a case with one input and one output, and some frames in stream order.
fn fed(seed: u64, case: &Case) -> Option<(Dataflow, Vec<Vec<i64>>)> {
    let network = import(&case.bytes).unwrap();
    let dataflow = match streamline(&network, case.grid.as_ref(), false).and_then(fuse) {
        Ok(dataflow) => dataflow,
        Err(error) => {
            assert_eq!(error.kind(), Kind::User, "{seed}: {error:?}");
            return None;
        }
    };
    let ends = [dataflow.inputs.len(), dataflow.outputs.len()];
    let wide = |element: DataType| element.min() < -EXACT || element.max() > EXACT;
    if ends != [1, 1] || dataflow.streams.iter().any(|s| wide(s.element)) {
        return None;
    }
    let input = &dataflow.inputs[0];
    let stream = dataflow.stream(input.stream);
    let (low, high, step) = input.codes(stream.element);
    let mut random = Random::new(seed ^ 0x7ea1);
    let mut number = |_| low + step * random.between(0, (high - low) / step);
    let size = stream.pixels * stream.channels;
    let frames = (0..5).map(|_| (0..size).map(&mut number).collect());
    let frames = frames.collect();
    Some((dataflow, frames))
}

/// What leaves the network; of one that ends in a choice, what is chosen.
fn integers(dataflow: &Dataflow, frames: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let integers = Integers::new(dataflow);
    let run = |frame: &Vec<i64>| integers.run(std::slice::from_ref(frame), |_, _| ());
    let frames = frames.iter();
    frames.map(|frame| run(frame).unwrap().remove(0)).collect()
}

#[test]
fn networks_are_computed_exactly_and_learn() {
    let mut seen = BTreeMap::new();
    for seed in 0..NETWORKS {
        for case in [random_network::case(seed), random_residual::branched(seed)] {
            let Some((dataflow, frames)) = fed(seed, &case) else {
                continue;
            };
            let mut found = results(&dataflow, &[], &frames).unwrap();
            let last = dataflow.producer(dataflow.outputs[0].stream);
            if let Some(Layer::LabelSelect(select)) = last.map(|node| &node.layer) {
                for result in &mut found {
                    let pixels = result.chunks(select.channels);
                    *result = pixels.map(|pixel| first_largest(pixel) as i64).collect();
                }
            }
            assert_eq!(found, integers(&dataflow, &frames), "{seed}");
            for node in &dataflow.nodes {
                *seen.entry(node.layer.hardware().kind()).or_insert(0) += 1;
            }
            learns(&dataflow, &frames, seed);
        }
    }
    println!("{seen:?}");
    for kind in [
        "mvau",
        "sliding_window",
        "vvau",
        "max_pool",
        "add",
        "concat",
    ] {
        assert!(seen.contains_key(kind), "no {kind}");
    }
}

/// Some steps in which all layers learn from the network itself: numbers stay numbers.
fn learns(dataflow: &Dataflow, frames: &Vec<Vec<i64>>, seed: u64) {
    let starts = dataflow.nodes.iter().filter_map(|node| {
        let start = Start::of(node).unwrap()?;
        Some((node.name.clone(), start))
    });
    let starts: BTreeMap<String, Start> = starts.collect();
    let task = Task {
        dataflow,
        starts: &starts,
        frames,
        labels: None,
        project: &|_, scores, _| vec![true; scores.len()],
    };
    let settings = Settings {
        epochs: 2.0,
        batch: 4,
        ..Settings::default()
    };
    let trained = train(&task, &settings, &|_| Ok(()), None).unwrap();
    assert_eq!(trained.repairs.len(), starts.len());
    for repair in &trained.repairs {
        let numbers = repair.gain.iter().chain(&repair.offset);
        assert!(
            numbers.into_iter().all(|x| x.is_finite()),
            "{seed} {}",
            repair.layer
        );
    }
    for point in &trained.curve {
        assert!(point.loss.is_finite(), "{seed}: {point:?}");
    }
    assert_eq!(
        results(dataflow, &trained.repairs, frames).unwrap().len(),
        frames.len()
    );
}

/// TFC with two bits, and the first digits of both sets.
struct Digits {
    dataflow: Dataflow,
    train: (Vec<Vec<i64>>, Vec<i64>),
    test: (Vec<Vec<i64>>, Vec<i64>),
}

fn digits(count: usize) -> Option<Digits> {
    let path = shared("models/TFC_2W2A.onnx")?;
    let mut data = arrays("data/mnist.npz")?;
    let network = import(&fs::read(path).unwrap()).unwrap();
    let grid = Grid {
        element: DataType::Uint(8),
        coding: Coding::scaled(PerChannel::Same(1.0 / 255.0)),
    };
    let dataflow = streamline(&network, Some(&grid), false)
        .and_then(fuse)
        .unwrap();
    let mut set = |x: &str, y: &str| {
        let input = &dataflow.inputs[0];
        let element = dataflow.stream(input.stream).element;
        let found = samples(x, &data.read(x).unwrap(), input, element, Layout::Nchw);
        let mut frames = found.unwrap().frames;
        let Values::Integer(mut labels) = data.read(y).unwrap().values else {
            panic!("labels are integers");
        };
        frames.truncate(count);
        labels.truncate(count);
        (frames, labels)
    };
    let train = set("x_train", "y_train");
    let test = set("x_test", "y_test");
    Some(Digits {
        dataflow,
        train,
        test,
    })
}

impl Digits {
    /// The share that is right, in percent.
    fn accuracy(&self, repairs: &[Repair]) -> f64 {
        let found = results(&self.dataflow, repairs, &self.test.0).unwrap();
        let tail = &self.dataflow.outputs[0].tail;
        let channels = tail.channels().unwrap_or(1);
        let right = found.iter().zip(&self.test.1).filter(|(result, label)| {
            let real = result.iter().enumerate();
            let real = real.map(|(at, x)| tail.real(*x, at % channels));
            first_largest(real) as i64 == **label
        });
        100.0 * right.count() as f64 / found.len() as f64
    }
}

/// The layer without the weights that its pattern leaves out, and nothing learnt.
fn cut(name: &str, start: &Start, pattern: Project<'_>) -> Repair {
    let squares: Vec<f64> = start.weights.iter().map(|w| w * w).collect();
    let kept = match start.density {
        Some(density) => pattern(name, &squares, density),
        None => start.mask.clone(),
    };
    let levels = start.weights.iter().zip(&kept);
    let levels = levels.map(|(w, kept)| if *kept { *w as i32 } else { 0 });
    Repair {
        layer: name.to_owned(),
        levels: levels.collect(),
        gain: Vec::new(),
        offset: Vec::new(),
    }
}

#[test]
fn accuracy_comes_back_after_pruning() {
    let Some(digits) = digits(6000) else {
        return;
    };
    let (mut starts, mut blocks) = (BTreeMap::new(), BTreeMap::new());
    for node in &digits.dataflow.nodes {
        let (Layer::Mvau(mvau), Some(mut start)) = (&node.layer, Start::of(node).unwrap()) else {
            continue;
        };
        if mvau.activation.is_some() {
            start.density = Some(0.25);
            let choice = Pruning {
                density: Some(0.25),
                ..Pruning::default()
            };
            let own = choose(mvau.rows, [mvau.columns; 2], mvau.weight.bits(), &choice);
            blocks.insert(node.name.clone(), (mvau.columns, own.unwrap()));
        }
        starts.insert(node.name.clone(), start);
    }
    let pattern = |name: &str, scores: &[f64], density: f64| {
        let (columns, own) = blocks[name];
        let keep = (density * own.entries as f64).round() as usize;
        let keep = keep.clamp(own.keep, own.entries);
        project(scores, columns, Blocks { keep, ..own })
    };
    let task = Task {
        dataflow: &digits.dataflow,
        starts: &starts,
        frames: &digits.train.0,
        labels: Some(&digits.train.1),
        project: &pattern,
    };
    let pruned: Vec<Repair> = starts
        .iter()
        .map(|(name, start)| cut(name, start, &pattern))
        .collect();
    let (dense, before) = (digits.accuracy(&[]), digits.accuracy(&pruned));
    assert!(dense > 96.0 && before < 70.0, "{dense} {before}");
    for method in [Method::Gradual, Method::Admm] {
        let settings = Settings {
            epochs: 3.0,
            method,
            ..Settings::default()
        };
        let trained = train(&task, &settings, &|_| Ok(()), None).unwrap();
        let after = digits.accuracy(&trained.repairs);
        println!("{method:?}: dense {dense}, pruned {before}, trained {after}");
        assert!(after > 85.0, "{method:?}: {before} {after}");
    }
}
