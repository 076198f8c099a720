//! A convolutional network as one program: layers with and without memories that keep rows from frame to frame.
//! Must not know how layers come out of a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::backend::hls::{
    LIBRARY, Target, include_flags, memories, shape_sources, tag, top_sources,
};
use finnp::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use finnp::layer::{Layer, MaxPool, Mvau, Port, Sliding, SlidingWindow, SumPool, Tensors, Vvau};
use finnp::network::Coding;
use finnp::tensor::{DataType, PerChannel, Tensor, Window};

use super::random::Random;
use super::window::{npy, numbers};

const INPUT: DataType = DataType::Uint(4);
const WEIGHT: DataType = DataType::Int(2);

fn sliding(size: usize, channels: usize, stride: usize, pad: usize) -> Sliding {
    Sliding {
        picture: [size; 2],
        channels,
        window: Window {
            stride: [stride; 2],
            pads: [pad; 4],
            ..Window::dense([3, 3])
        },
    }
}

fn weights(random: &mut Random, rows: usize, columns: usize) -> Tensors {
    let data = (0..rows * columns).map(|_| random.between(-2, 1) as i32);
    Tensors {
        weights: Some(Tensor::new(vec![rows, columns], data.collect()).unwrap()),
        ..Tensors::default()
    }
}

/// A convolution, an overlapping max-pool, a depthwise convolution and a pool over all that is left.
fn layers(random: &mut Random) -> Vec<(&'static str, Layer, Tensors)> {
    let (wide, wider) = (DataType::Int(12), DataType::Int(18));
    let window = Layer::SlidingWindow(SlidingWindow {
        sliding: sliding(6, 4, 1, 1),
        groups: 1,
        input: INPUT,
        output: INPUT,
        pad: 0,
        pe: 2,
        simd: 4,
    });
    let product = Layer::Mvau(Mvau {
        rows: 6,
        columns: 36,
        pixels: 36,
        groups: 1,
        input: INPUT,
        weight: WEIGHT,
        accumulator: wide,
        activation: None,
        pe: 3,
        simd: 4,
        multiplier: finnp::layer::Multiplier::Lut,
    });
    let largest = Layer::MaxPool(MaxPool {
        sliding: sliding(6, 6, 2, 1),
        input: wide,
        pe: 3,
        simd: 9,
    });
    let depthwise = Layer::Vvau(Vvau {
        sliding: sliding(3, 6, 1, 1),
        input: wide,
        pad: 0,
        weight: WEIGHT,
        accumulator: wider,
        activation: None,
        pe: 3,
        simd: 4,
    });
    let sum = Layer::SumPool(SumPool {
        sliding: sliding(3, 6, 3, 0),
        input: wider,
        pad: 0,
        accumulator: DataType::Int(22),
        pe: 3,
        simd: 1,
    });
    vec![
        ("window", window, Tensors::default()),
        ("product", product, weights(random, 6, 36)),
        ("largest", largest, Tensors::default()),
        ("depthwise", depthwise, weights(random, 6, 9)),
        ("sum", sum, Tensors::default()),
    ]
}

fn stream(port: Port) -> Stream {
    Stream {
        element: port.element,
        pixels: port.pixels,
        channels: port.channels,
        depth: 2,
        value: None,
        order: Order::RowMajor,
        kept: None,
    }
}

fn chain(layers: Vec<(&'static str, Layer, Tensors)>) -> Dataflow {
    let coding = Coding::scaled(PerChannel::Same(1.0));
    let mut dataflow = Dataflow::default();
    let first = dataflow.add_stream(stream(layers[0].1.hardware().input()));
    let mut at = first;
    for (name, layer, tensors) in layers {
        let written = dataflow.add_stream(stream(layer.hardware().output()));
        dataflow.nodes.push(Node {
            name: name.to_owned(),
            layer,
            tensors,
            inputs: vec![at],
            outputs: vec![written],
        });
        at = written;
    }
    dataflow.inputs.push(Input {
        name: "in".to_owned(),
        stream: first,
        shape: vec![],
        coding: coding.clone(),
        quantiser: None,
    });
    dataflow.outputs.push(Output {
        name: "out".to_owned(),
        stream: at,
        shape: vec![],
        order: Order::RowMajor,
        tail: Tail {
            coding,
            steps: vec![],
        },
        host: vec![],
        host_shape: vec![],
    });
    dataflow
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes all sources, and one file that includes those that are compiled.
fn sources(dataflow: &Dataflow, folder: &Path) {
    let target = Target {
        project: "pictures".to_owned(),
        part: "xc7z020clg400-1".to_owned(),
        clock_mhz: 100.0,
    };
    let mut compiled = String::new();
    let mut all = top_sources(dataflow, &target).unwrap();
    for node in &dataflow.nodes {
        let files = shape_sources(&node.layer).unwrap();
        assert_eq!(files[0].0, format!("{}.hpp", tag(&node.layer).unwrap()));
        all.extend(
            files
                .into_iter()
                .map(|(file, text)| (format!("shapes/{file}"), text)),
        );
        for (file, text) in memories(&node.layer, &node.tensors).unwrap() {
            write(folder, &format!("layers/{}/{file}", node.name), &text);
        }
    }
    for (file, text) in &all {
        write(folder, file, text);
        if file.ends_with(".cpp") {
            compiled += &format!("#include \"{file}\"\n");
        }
    }
    for (file, text) in LIBRARY {
        write(folder, &format!("library/{file}"), text);
    }
    write(folder, "all.cpp", &compiled);
}

#[test]
fn a_network_of_convolutions_is_one_program() {
    let random = &mut Random::new(6);
    let dataflow = chain(layers(random));
    dataflow.verify("test").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    sources(&dataflow, folder);
    let elements = dataflow.stream(StreamId(0)).pixels * dataflow.stream(StreamId(0)).channels;
    let frames: Vec<Vec<i64>> = (0..4)
        .map(|_| (0..elements).map(|_| random.between(0, 15)).collect())
        .collect();
    fs::write(folder.join("in.npy"), npy(&frames)).unwrap();
    let compiler = Command::new("c++")
        .args(["-std=c++17", "-O1", "-w", "-I.", "all.cpp", "-o", "all"])
        .args(include_flags())
        .current_dir(folder)
        .status();
    assert!(compiler.unwrap().success());
    fs::create_dir(folder.join("taps")).unwrap();
    let run = Command::new(folder.join("all"))
        .args(["layers", "in.npy", "out.npy", "taps"])
        .current_dir(folder)
        .status();
    assert!(run.unwrap().success());
    let mut expected = frames;
    for node in &dataflow.nodes {
        let hardware = node.layer.hardware();
        for frame in &mut expected {
            *frame = hardware.run(&node.tensors, frame).unwrap();
        }
        let tap = fs::read(folder.join(format!("taps/{}.npy", node.name))).unwrap();
        assert!(numbers(&tap) == expected.concat(), "`{}`", node.name);
    }
    let output = fs::read(folder.join("out.npy")).unwrap();
    assert_eq!(numbers(&output), expected.concat());
}
