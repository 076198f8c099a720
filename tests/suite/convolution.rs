//! Real convolutional networks in the f64 reference: the outputs are those that others computed.
//! Must not know how convolutions are summed.

use std::fs;
use std::process::Command;
use std::time::Instant;

use finnp::data::{Array, Values};
use finnp::error::render;
use finnp::network::Network;
use finnp::qonnx::import;
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;

use super::shared::{arrays, shared};

/// The bytes of a model of the shared folder, unpacked; `None` where the folder is missing.
pub(crate) fn model(name: &str) -> Option<Vec<u8>> {
    let plain = shared(&format!("models/{name}.onnx"))?;
    if plain.exists() {
        return Some(fs::read(plain).unwrap());
    }
    let packed = shared(&format!("models/{name}.onnx.gz"))?;
    let output = Command::new("gzip")
        .arg("-dc")
        .arg(packed)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(output.stdout)
}

fn network(bytes: &[u8]) -> Network {
    import(bytes).unwrap_or_else(|e| panic!("{}", render(&e, false)))
}

fn reals(array: Array) -> Vec<f64> {
    match array.values {
        Values::Real(values) => values,
        Values::Integer(values) => values.into_iter().map(|v| v as f64).collect(),
    }
}

/// The largest distance of an output from the expected one, and how many of the network's tensors have integers.
fn farthest(name: &str, most: usize) -> Option<f64> {
    let bytes = model(name)?;
    let mut io = arrays(&format!("models/{name}_io.npz"))?;
    let (input, output) = (io.read("input").unwrap(), io.read("output").unwrap());
    let samples = input.shape[0].min(most);
    let (input, output) = (reals(input.clone()), reals(output));
    let network = network(&bytes);
    let real = Real::new(&network).unwrap();
    let shape = network.value(network.inputs[0]).shape.clone();
    let length: usize = shape.iter().product();
    let width = network.value(network.outputs[0]).shape.iter().product();
    let mut distance: f64 = 0.0;
    for (x, expected) in input.chunks(length).zip(output.chunks(width)).take(samples) {
        let start = Instant::now();
        let x = Known::real(Tensor::new(shape.clone(), x.to_vec()).unwrap());
        let mut coded = Vec::new();
        let result = real.run(vec![x], |node, known| {
            coded.push((node.onnx.clone(), known.code.is_some()));
        });
        let result = result.unwrap_or_else(|e| panic!("{}", render(&e, false)));
        let pairs = result[0].real.data().iter().zip(expected);
        let far = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let integers = coded.iter().filter(|(_, coded)| *coded).count();
        let all = coded.len();
        println!(
            "{name}: {far:e} off, {integers} of {all} tensors are integers, {:?}",
            start.elapsed()
        );
        distance = distance.max(far);
    }
    Some(distance)
}

#[test]
fn cnv_is_exact() {
    for name in ["cnvW1A1_cifar10", "cnvW2A2_cifar10"] {
        let Some(distance) = farthest(name, usize::MAX) else {
            return;
        };
        assert_eq!(distance, 0.0, "{name}");
    }
}

#[test]
fn quantised_mobilenet_is_what_others_computed() {
    let Some(distance) = farthest("brevitas_random_mobilenet_v1_4w4a", usize::MAX) else {
        return;
    };
    assert!(distance <= 1e-5, "{distance}");
}

#[test]
fn float_mobilenets_are_what_others_computed() {
    for name in ["mobilenet_v1_0.25_128", "mobilenet_v1_1.0_224"] {
        let Some(distance) = farthest(name, usize::MAX) else {
            return;
        };
        assert!(distance <= 1e-4, "{name}: {distance}");
    }
}

#[test]
fn residual_networks_are_what_others_computed() {
    for name in ["brevitas_random_resnet50_1w2a", "resnet50_w1a2_backbone"] {
        let Some(distance) = farthest(name, 1) else {
            return;
        };
        assert!(distance <= 1e-4, "{name}: {distance}");
    }
}
