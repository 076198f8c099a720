//! Real networks: every level equals the f64 reference, and the outputs and accuracies are those measured elsewhere.
//! Must not know how streamlining works.

use std::path::Path;
use std::time::Instant;

use finnp::data::{Array, Arrays, Samples, Values, samples};
use finnp::dataflow::Dataflow;
use finnp::error::{Kind, render};
use finnp::manifest::Layout;
use finnp::network::{Coding, Network};
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::import;
use finnp::reference::{Integers, Known, Real, levels, single};
use finnp::tensor::{PerChannel, Tensor};

use super::random::Random;
use super::shared::{arrays, shared};

/// A network on both sides of streamlining.
struct Model {
    bytes: Vec<u8>,
    network: Network,
    dataflow: Dataflow,
}

fn grid(element: &str, scale: f64) -> Grid {
    Grid {
        element: element.parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(scale)),
    }
}

fn model(path: &Path, grid: Option<&Grid>) -> Model {
    let bytes = std::fs::read(path).unwrap();
    let network = import(&bytes).unwrap_or_else(|e| panic!("{}", render(&e, false)));
    let dataflow = streamline(&network, grid, false).and_then(fuse);
    let dataflow = dataflow.unwrap_or_else(|e| panic!("{}", render(&e, false)));
    Model {
        bytes,
        network,
        dataflow,
    }
}

impl Model {
    fn samples(&self, array: &Array) -> Samples {
        let input = &self.dataflow.inputs[0];
        let element = self.dataflow.stream(input.stream).element;
        samples("x", array, input, element, Layout::Nchw).unwrap()
    }

    /// All levels equal; f32 differences are printed.
    fn check(&self, name: &str, frames: &[Vec<i64>]) {
        let found = levels::compare(&self.network, &self.dataflow, frames).unwrap();
        assert!(found.equal(), "{name}: {found:?}");
        let compared: u64 = found.tensors.iter().map(|tally| tally.compared).sum();
        println!(
            "{name}: {} samples, {compared} levels equal in {} tensors",
            found.samples,
            found.tensors.len()
        );
        let single = single::compare(&self.bytes, &self.network, &self.dataflow, frames).unwrap();
        let compared: u64 = single.tensors.iter().map(|tally| tally.compared).sum();
        let differing: u64 = single.tensors.iter().map(|tally| tally.differing).sum();
        println!(
            "{name}: f32 differs in {differing} of {compared} levels, {} downstream; {:?}",
            single.downstream, single.differences
        );
        for difference in &single.differences {
            assert!(difference.ulp < 4096.0, "{name}: {difference:?}");
        }
    }

    fn outputs(&self, frames: &[Vec<i64>]) -> Vec<Vec<f64>> {
        let outputs = Integers::new(&self.dataflow).outputs(frames).unwrap();
        outputs
            .into_iter()
            .map(|mut o| o.remove(0).into_data())
            .collect()
    }

    fn correct(&self, frames: &[Vec<i64>], labels: &Array) -> usize {
        let Values::Integer(labels) = &labels.values else {
            panic!("labels are integers");
        };
        let outputs = self.outputs(frames);
        assert_eq!(outputs.len(), labels.len());
        let hits = outputs.iter().zip(labels);
        hits.filter(|(output, label)| arg_max(output) as i64 == **label)
            .count()
    }
}

fn arg_max(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

fn reals(array: Array) -> Vec<f64> {
    match array.values {
        Values::Real(values) => values,
        Values::Integer(values) => values.into_iter().map(|v| v as f64).collect(),
    }
}

fn assert_near(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (position, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(1.0),
            "{position}: {a} and {b}"
        );
    }
}

fn mnist(name: &str, expected: usize) {
    let (Some(path), Some(mut data)) = (
        shared(&format!("models/{name}.onnx")),
        arrays("data/mnist.npz"),
    ) else {
        return;
    };
    let model = model(&path, Some(&grid("uint8", 1.0 / 255.0)));
    let images = data.read("x_test").unwrap();
    let digits = model.samples(&images);
    model.check(name, &digits.frames[..512]);
    let start = Instant::now();
    let correct = model.correct(&digits.frames, &data.read("y_test").unwrap());
    println!("{name}: {correct} of 10000 in {:?}", start.elapsed());
    assert_eq!(correct, expected);
    // The stored inputs are pixels divided by 255, so reals.
    let mut io = arrays(&format!("models/{name}_io.npz")).unwrap();
    let stored = model.samples(&io.input().unwrap());
    assert_eq!((stored.off_grid, stored.clamped), (0, 0));
    let outputs = model.outputs(&stored.frames).concat();
    assert_near(&outputs, &reals(io.read("output").unwrap()), 1e-5);
}

#[test]
fn tfc_1w1a() {
    mnist("TFC_1W1A", 9296);
}

#[test]
fn tfc_2w2a() {
    mnist("TFC_2W2A", 9660);
}

#[test]
fn jet_tagging() {
    let Some(path) = shared("models/qkeras_jettagging.onnx") else {
        return;
    };
    let model = model(&path, Some(&grid("int16", 1.0 / 1024.0)));
    let mut random = Random::new(1);
    let frames: Vec<Vec<i64>> = (0..1000)
        .map(|_| (0..16).map(|_| random.between(-4096, 4096)).collect())
        .collect();
    model.check("jettagging", &frames);
    // The stored inputs are on no grid: the reference takes them as they are.
    let mut io = arrays("models/qkeras_jettagging_io.npz").unwrap();
    let real = Real::new(&model.network).unwrap();
    let inputs = reals(io.input().unwrap());
    let mut outputs = Vec::new();
    for sample in inputs.chunks_exact(16) {
        let input = Known::real(Tensor::new(vec![1, 16], sample.to_vec()).unwrap());
        let mut output = real.run(vec![input], |_, _| ()).unwrap();
        outputs.extend(output.remove(0).real.into_data());
    }
    assert_near(&outputs, &reals(io.read("output").unwrap()), 1e-5);
}

#[test]
fn digits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let model = model(&folder.join("model.onnx"), Some(&grid("uint5", 0.0625)));
    let mut data = Arrays::open(&folder.join("test.npz")).unwrap();
    let digits = model.samples(&data.input().unwrap());
    model.check("digits", &digits.frames);
    let labels = data.labels().unwrap().unwrap();
    assert_eq!(model.correct(&digits.frames, &labels), 354);
}

#[test]
fn cnv() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cnv");
    let pixels = grid("uint8", 0.003_921_568_627_450_98);
    let model = model(&folder.join("model.onnx"), Some(&pixels));
    let mut data = Arrays::open(&folder.join("test.npz")).unwrap();
    let clothes = model.samples(&data.input().unwrap());
    model.check("cnv", &clothes.frames);
    let labels = data.labels().unwrap().unwrap();
    assert_eq!(model.correct(&clothes.frames, &labels), 228);
}

#[test]
fn hostile_bytes_are_refused_calmly() {
    let Some(path) = shared("models/TFC_2W2A.onnx") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let mut random = Random::new(7);
    let mut refused = 0;
    let mut refuse = |bytes: &[u8], what: &str| match import(bytes) {
        Ok(network) => {
            // Whatever was read must also be streamlined without a panic.
            if let Err(error) = streamline(&network, Some(&grid("uint8", 1.0 / 255.0)), false) {
                assert_eq!(error.kind(), Kind::User, "{what}: {error:?}");
            }
        }
        Err(error) => {
            refused += 1;
            assert_eq!(error.kind(), Kind::User, "{what}: {error:?}");
        }
    };
    for cut in (0..bytes.len()).step_by(bytes.len() / 100) {
        refuse(&bytes[..cut], &format!("cut at {cut}"));
    }
    // The weights fill most of the file; what lies around them is where damage matters.
    let text: Vec<usize> = (0..bytes.len())
        .filter(|&i| bytes[i.saturating_sub(12)..(i + 12).min(bytes.len())].is_ascii())
        .collect();
    for round in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..random.between(1, 3) {
            let position = match random.chance(80) {
                true => text[random.below(text.len())],
                false => random.below(bytes.len()),
            };
            damaged[position] ^= 1 << random.below(8);
        }
        refuse(&damaged, &format!("round {round}"));
    }
    println!("{refused} of 400 were refused");
    assert!(refused > 100);
}
