//! Where the fast road ends: at the last sum that f32 holds, and not before.
//! Must not know how products are computed.

use super::{Arena, Plan};
use crate::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use crate::layer::{Activation, Layer, Mvau, Tensors, Threshold};
use crate::network::Coding;
use crate::reference::Integers;
use crate::tensor::{DataType, PerChannel, Tensor};

/// Layers one after the other on one pixel.
fn chain(layers: Vec<(Layer, Tensors)>) -> Dataflow {
    let mut dataflow = Dataflow::default();
    let ports = layers.first().map(|(layer, _)| layer.hardware().input());
    let outputs = layers.iter().map(|(layer, _)| layer.hardware().output());
    for port in ports.into_iter().chain(outputs) {
        dataflow.add_stream(Stream {
            element: port.element,
            pixels: port.pixels,
            channels: port.channels,
            depth: 2,
            value: None,
            order: Order::RowMajor,
            kept: None,
        });
    }
    let last = layers.len();
    dataflow.inputs.push(Input {
        name: "x".into(),
        stream: StreamId(0),
        shape: vec![1, dataflow.streams[0].channels],
        coding: Coding::scaled(PerChannel::Same(1.0)),
        quantiser: None,
    });
    dataflow.outputs.push(Output {
        name: "y".into(),
        stream: StreamId(last),
        shape: vec![1, dataflow.streams[last].channels],
        order: Order::RowMajor,
        tail: Tail::new(Coding::scaled(PerChannel::Same(1.0))),
        host: Vec::new(),
        host_shape: vec![1, dataflow.streams[last].channels],
    });
    for (at, (layer, tensors)) in layers.into_iter().enumerate() {
        dataflow.nodes.push(Node {
            name: format!("layer{at}"),
            layer,
            tensors,
            inputs: vec![StreamId(at)],
            outputs: vec![StreamId(at + 1)],
        });
    }
    dataflow
}

fn mvau(input: DataType, weights: &[i32]) -> (Layer, Tensors) {
    let layer = Mvau {
        rows: 1,
        columns: weights.len(),
        pixels: 1,
        groups: 1,
        input,
        weight: DataType::Int(32),
        accumulator: DataType::Int(60),
        activation: None,
        pe: 1,
        simd: 1,
        multiplier: crate::layer::Multiplier::Lut,
    };
    let weights = Tensor::new(vec![1, weights.len()], weights.to_vec());
    let tensors = Tensors {
        weights: weights.ok(),
        ..Tensors::default()
    };
    (Layer::Mvau(layer), tensors)
}

/// Two thresholds, the second one mirrored.
fn threshold(input: DataType, at: [i64; 2]) -> (Layer, Tensors) {
    let layer = Threshold {
        channels: 1,
        pixels: 1,
        input,
        activation: Activation {
            output: DataType::Int(3),
            levels: 2,
            base: -1,
            step: 1,
            threshold: DataType::Int(63),
            rows: 1,
        },
        pe: 1,
    };
    let tensors = Tensors {
        thresholds: Tensor::new(vec![1, 2], at.to_vec()).ok(),
        flip: Tensor::new(vec![1], vec![1]).ok(),
        ..Tensors::default()
    };
    (Layer::Threshold(layer), tensors)
}

/// Checks all frames, and which layers are fast.
fn check(dataflow: &Dataflow, frames: &[Vec<i64>], fast: &[bool]) {
    dataflow.verify("test").expect("fits");
    let plan = Plan::new(dataflow).expect("a chain");
    assert_eq!(plan.fast(), fast, "{:?}", dataflow.nodes);
    let mut arena = Arena::default();
    for frame in frames {
        let plain = Integers::new(dataflow).run(std::slice::from_ref(frame), |_, _| ());
        let found = plan.run(&mut arena, frame).expect("runs");
        assert_eq!(found, plain.expect("runs")[0], "{frame:?}");
    }
}

/// All frames of `columns` bits.
fn bits(columns: usize) -> Vec<Vec<i64>> {
    let frame = |code: usize| (0..columns).map(|at| (code >> at & 1) as i64).collect();
    (0..1 << columns).map(frame).collect()
}

#[test]
fn the_last_exact_sum_is_fast_and_the_next_one_is_not() {
    let limit = 1 << 24;
    for (weights, fast) in [
        (vec![limit], true),
        (vec![limit - 1, 1], true),
        (vec![limit, 1], false),
        (vec![limit + 1], false),
        (vec![-limit, 0, 0], true),
        (vec![-limit, -1], false),
        // The sums are small, what arises on the way is not.
        (vec![limit, -limit, 1], false),
        (vec![limit / 2, -limit / 2, 0], true),
        (vec![limit / 2, -limit / 2, 1], false),
        (vec![i32::MAX, i32::MIN], false),
    ] {
        let dataflow = chain(vec![mvau(DataType::Uint(1), &weights)]);
        check(&dataflow, &bits(weights.len()), &[fast]);
    }
}

#[test]
fn a_chain_leaves_the_fast_road_and_comes_back() {
    let limit = 1 << 24;
    for weight in [limit / 2, limit, limit + 3] {
        let wide = DataType::Int(60);
        let dataflow = chain(vec![
            mvau(DataType::Uint(1), &[weight, 3]),
            threshold(wide, [3, i64::from(weight) + 3]),
            mvau(DataType::Int(3), &[-5]),
        ]);
        let fast = weight < limit;
        check(&dataflow, &bits(2), &[fast, fast, true]);
    }
}

#[test]
fn thresholds_may_be_anywhere() {
    let frames: Vec<Vec<i64>> = (-128..128).map(|x| vec![x]).collect();
    let far = [
        i64::MIN,
        -(1 << 40),
        -129,
        -128,
        -127,
        0,
        127,
        128,
        (1 << 24) + 1,
        i64::MAX,
    ];
    for first in far {
        for second in far {
            let dataflow = chain(vec![threshold(DataType::Int(8), [first, second])]);
            check(&dataflow, &frames, &[true]);
        }
    }
}

#[test]
fn declared_types_inside_are_not_trusted() {
    // The accumulator is said to be a bit, which it is not.
    let (Layer::Mvau(mut layer), tensors) = mvau(DataType::Uint(8), &[1 << 16]) else {
        panic!("a product is no MVAU");
    };
    layer.accumulator = DataType::Uint(1);
    let next = mvau(DataType::Uint(1), &[2]);
    let dataflow = chain(vec![(Layer::Mvau(layer), tensors), next]);
    check(&dataflow, &[vec![255], vec![1]], &[true, false]);
}

#[test]
fn layers_without_tensors_say_so() {
    let (layer, _) = mvau(DataType::Uint(1), &[1]);
    let dataflow = chain(vec![(layer, Tensors::default())]);
    let error = Integers::new(&dataflow)
        .outputs(&[vec![1]])
        .expect_err("no weights");
    assert!(format!("{error:?}").contains("layer0"), "{error:?}");
}
