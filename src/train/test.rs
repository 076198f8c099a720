//! Whole trainings of a small network: that they learn, are the same on any machine, and export what they computed.
//! Must not know single steps.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Method, Progress, Settings, Start, Task, Trained, results, train};
use crate::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use crate::error::{Error, Result};
use crate::layer::{Activation, Blocks, Layer, Mvau, Tensors};
use crate::network::Coding;
use crate::prune::project;
use crate::reference::Integers;
use crate::tensor::{DataType, PerChannel, Tensor};

const COLUMNS: usize = 16;
const HIDDEN: usize = 24;
const CLASSES: usize = 4;

fn noise(at: usize, range: i64) -> i64 {
    let mixed = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 33) % (2 * range as u64 + 1)) as i64 - range
}

fn mvau(rows: usize, columns: usize, input: DataType, activation: Option<Activation>) -> Layer {
    Layer::Mvau(Mvau {
        rows,
        columns,
        pixels: 1,
        groups: 1,
        input,
        weight: DataType::Ternary,
        accumulator: DataType::Int(16),
        activation,
        pe: 1,
        simd: 1,
        multiplier: Default::default(),
    })
}

fn activation() -> Activation {
    Activation {
        output: DataType::Int(2),
        levels: 3,
        base: -2,
        step: 1,
        threshold: DataType::Int(16),
        rows: HIDDEN,
    }
}

/// Weights of a layer and, of the first one, thresholds; two of its channels fall.
fn tensors([rows, columns]: [usize; 2], first: bool) -> Tensors {
    let from = if first { 100 } else { 1000 };
    let weights = (0..rows * columns).map(|at| noise(from + at, 1) as i32);
    let weights = Tensor::new(vec![rows, columns], weights.collect());
    let mut tensors = Tensors {
        weights: weights.ok(),
        ..Tensors::default()
    };
    if first {
        let thresholds = (0..rows).flat_map(|c| [-9, noise(c, 3), 9]);
        tensors.thresholds = Tensor::new(vec![rows, 3], thresholds.collect()).ok();
        let flips = (0..rows).map(|c| i32::from(c < 2));
        tensors.flip = Tensor::new(vec![rows], flips.collect()).ok();
    }
    tensors
}

/// Two layers of ternary weights, thresholds between them.
fn network() -> Dataflow {
    let levels = DataType::Int(2);
    let mut dataflow = Dataflow::default();
    for (element, channels) in [
        (DataType::Int(4), COLUMNS),
        (levels, HIDDEN),
        (DataType::Int(16), CLASSES),
    ] {
        dataflow.add_stream(Stream {
            element,
            pixels: 1,
            channels,
            depth: 2,
            value: None,
            order: Order::RowMajor,
            kept: None,
        });
    }
    let layers = [
        mvau(HIDDEN, COLUMNS, DataType::Int(4), Some(activation())),
        mvau(CLASSES, HIDDEN, levels, None),
    ];
    let shapes = [[HIDDEN, COLUMNS], [CLASSES, HIDDEN]];
    for (at, (layer, shape)) in layers.into_iter().zip(shapes).enumerate() {
        dataflow.nodes.push(Node {
            name: format!("layer{at}"),
            layer,
            tensors: tensors(shape, at == 0),
            inputs: vec![StreamId(at)],
            outputs: vec![StreamId(at + 1)],
        });
    }
    ends(&mut dataflow);
    dataflow
}

fn ends(dataflow: &mut Dataflow) {
    dataflow.inputs.push(Input {
        name: "x".into(),
        stream: StreamId(0),
        shape: vec![1, COLUMNS],
        coding: Coding::scaled(PerChannel::Same(1.0)),
        quantiser: None,
    });
    dataflow.outputs.push(Output {
        name: "y".into(),
        stream: StreamId(2),
        shape: vec![1, CLASSES],
        order: Order::RowMajor,
        tail: Tail::new(Coding::scaled(PerChannel::Same(0.5))),
        host: Vec::new(),
        host_shape: vec![1, CLASSES],
    });
}

/// Samples around one point for each class.
fn samples(count: usize) -> (Vec<Vec<i64>>, Vec<i64>) {
    let sample = |at: usize| {
        let class = at % CLASSES;
        let element = |c: usize| {
            let centre = noise(7 * class + 31 * c, 3);
            (centre + noise(at * COLUMNS + c + 5000, 3)).clamp(-8, 7)
        };
        (0..COLUMNS).map(element).collect()
    };
    let labels = (0..count).map(|at| (at % CLASSES) as i64);
    ((0..count).map(sample).collect(), labels.collect())
}

fn starts(dataflow: &Dataflow, density: Option<f64>) -> BTreeMap<String, Start> {
    let mut starts = BTreeMap::new();
    for node in &dataflow.nodes {
        let mut start = Start::of(node).unwrap().unwrap();
        if node.name == "layer0" {
            start.density = density;
        }
        starts.insert(node.name.clone(), start);
    }
    starts
}

fn pattern(_: &str, scores: &[f64], density: f64) -> Vec<bool> {
    let blocks = Blocks {
        lanes: 2,
        rows: 4,
        entries: 8,
        keep: ((density * 8.0).round() as usize).max(1),
    };
    project(scores, COLUMNS, blocks)
}

fn settings(method: Method) -> Settings {
    Settings {
        epochs: 6.0,
        batch: 32,
        method,
        ..Settings::default()
    }
}

type Watch<'a> = &'a dyn Fn(Progress<'_>) -> Result<()>;

fn learnt(settings: &Settings, watch: Watch<'_>, resume: Option<&[u8]>) -> Result<Trained> {
    let dataflow = network();
    let (frames, labels) = samples(256);
    let starts = starts(&dataflow, Some(0.25));
    let task = Task {
        dataflow: &dataflow,
        starts: &starts,
        frames: &frames,
        labels: Some(&labels),
        project: &pattern,
    };
    train(&task, settings, watch, resume)
}

#[test]
fn the_network_learns_with_either_method() {
    for method in [Method::Gradual, Method::Admm] {
        let settings = Settings {
            epochs: 30.0,
            ..settings(method)
        };
        let trained = learnt(&settings, &|_| Ok(()), None).unwrap();
        let last = trained.curve[29];
        assert!(last.accuracy.unwrap() > 0.9, "{:?}", trained.curve);
        // Layer 0 keeps a quarter, the last layer everything.
        let kept = (HIDDEN * COLUMNS / 4 + HIDDEN * CLASSES) as f64;
        let all = (HIDDEN * COLUMNS + HIDDEN * CLASSES) as f64;
        assert_eq!(last.density, kept / all);
        let mask = &trained.masks["layer0"];
        let squares = mask.iter().map(|kept| f64::from(u8::from(*kept)));
        assert_eq!(&pattern("", &squares.collect::<Vec<_>>(), 0.25), mask);
        let repair = &trained.repairs[0];
        assert!(repair.gain.iter().all(|gain| *gain > 0.0));
        let levels = repair.levels.iter().zip(mask);
        assert!(levels.clone().all(|(level, kept)| *kept || *level == 0));
        assert!(levels.clone().all(|(level, _)| (-1..=1).contains(level)));
    }
}

#[test]
fn threads_change_no_bit() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let run = || learnt(&settings(Method::Gradual), &|_| Ok(()), None);
        pool.unwrap().install(run).unwrap()
    };
    assert_eq!(on(1), on(2));
}

#[test]
fn a_training_goes_on_where_it_stopped() {
    for method in [Method::Gradual, Method::Admm] {
        let settings = settings(method);
        let whole = learnt(&settings, &|_| Ok(()), None).unwrap();
        // Stopped while masks change, at their end, and behind that.
        for epoch in [1, 3, 4] {
            let kept = RefCell::new(Vec::new());
            let stop = |progress: Progress<'_>| {
                let Some(state) = progress.state else {
                    return Ok(());
                };
                *kept.borrow_mut() = state()?;
                match progress.now.epoch == epoch {
                    true => Err(Error::user("enough")),
                    false => Ok(()),
                }
            };
            assert!(learnt(&settings, &stop, None).is_err());
            let bytes = kept.into_inner();
            let rest = learnt(&settings, &|_| Ok(()), Some(&bytes)).unwrap();
            assert_eq!(rest, whole, "{method:?} {epoch}");
            let other = Settings {
                seed: 2,
                ..settings.clone()
            };
            assert!(learnt(&other, &|_| Ok(()), Some(&bytes)).is_err());
        }
    }
}

/// The same network with levels as weights, and lines folded into thresholds.
fn folded(trained: &Trained) -> Dataflow {
    let mut dataflow = network();
    for (node, repair) in dataflow.nodes.iter_mut().zip(&trained.repairs) {
        let shape = node.tensors.weights.as_ref().unwrap().shape().to_vec();
        node.tensors.weights = Tensor::new(shape, repair.levels.clone()).ok();
        let Some(thresholds) = &node.tensors.thresholds else {
            continue;
        };
        let rows = thresholds.data().chunks(3).enumerate();
        let moved = rows.flat_map(|(row, list)| {
            let (gain, offset) = (repair.gain[row], repair.offset[row]);
            // The first integer whose line reaches the threshold.
            let first = move |t: &i64| {
                let near = ((*t as f64 - offset) / gain).round() as i64;
                let reaches = |sum: &i64| gain * *sum as f64 + offset >= *t as f64;
                (near - 2..near + 3).find(reaches).unwrap()
            };
            list.iter().map(first).collect::<Vec<i64>>()
        });
        node.tensors.thresholds = Tensor::new(vec![HIDDEN, 3], moved.collect()).ok();
    }
    dataflow
}

#[test]
fn what_is_exported_is_what_was_computed() {
    let (frames, _) = samples(100);
    let integers = |dataflow: &Dataflow| -> Vec<Vec<i64>> {
        let integers = Integers::new(dataflow);
        let run = |frame: &Vec<i64>| integers.run(std::slice::from_ref(frame), |_, _| ());
        frames
            .iter()
            .map(|frame| run(frame).unwrap().remove(0))
            .collect()
    };
    assert_eq!(
        results(&network(), &[], &frames).unwrap(),
        integers(&network())
    );
    let trained = learnt(&settings(Method::Gradual), &|_| Ok(()), None).unwrap();
    let found = results(&network(), &trained.repairs, &frames).unwrap();
    assert_eq!(found, integers(&folded(&trained)));
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let dataflow = network();
    let starts = starts(&dataflow, None);
    let (frames, labels) = samples(8);
    let refused = |frames: &Vec<Vec<i64>>, labels: &[i64], settings: &Settings| {
        let task = Task {
            dataflow: &dataflow,
            starts: &starts,
            frames,
            labels: Some(labels),
            project: &pattern,
        };
        train(&task, settings, &|_| Ok(()), None).unwrap_err()
    };
    let usual = settings(Method::Gradual);
    let wrong = [0, 1, 2, 4, 0, 1, 2, 3];
    let error = refused(&frames, &wrong, &usual);
    assert!(
        error.message().contains("sample 3 has the label 4"),
        "{error}"
    );
    let error = refused(&frames[..1].to_vec(), &[0], &usual);
    assert!(error.message().contains("too few"), "{error}");
    let flip = Settings {
        flip: true,
        ..usual.clone()
    };
    let error = refused(&frames, &labels, &flip);
    assert!(error.message().contains("no pictures"), "{error}");
    assert!(
        refused(&vec![vec![0; 3]; 8], &labels, &usual)
            .message()
            .contains("3 elements")
    );
}
