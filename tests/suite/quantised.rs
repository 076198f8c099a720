//! Small networks in ONNX' quantised formats: the reference computes what onnxruntime does, so does what finnp
//! exports, and integers have the reference's levels. Must not know how operators are lowered.

use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::data::{Arrays, Values};
use finnp::error::Kind;
use finnp::network::Network;
use finnp::pass::{fuse, streamline};
use finnp::qonnx::{export, import};
use finnp::reference::{Known, Real, levels};
use finnp::tensor::Tensor;
use tempfile::TempDir;

use super::other_executor::python;
use super::random::Random;

/// Samples of every network.
const SAMPLES: usize = 12;

fn script(python: &Path, arguments: &[&Path]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/quantised.py");
    let mut command = Command::new(python);
    let output = command.arg(script).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn numbers(path: &Path, name: &str) -> Vec<Vec<f64>> {
    let array = Arrays::open(path).unwrap().read(name).unwrap();
    let values = match array.values {
        Values::Real(values) => values,
        Values::Integer(values) => values.into_iter().map(|v| v as f64).collect(),
    };
    let each = values.len() / SAMPLES;
    values.chunks(each).map(<[f64]>::to_vec).collect()
}

fn evaluate(network: &Network, sample: &[f64]) -> Vec<f64> {
    let shape = network.value(network.inputs[0]).shape.clone();
    let x = Known::real(Tensor::new(shape, sample.to_vec()).unwrap());
    let real = Real::new(network).unwrap();
    real.run(vec![x], |_, _| ())
        .unwrap()
        .remove(0)
        .real
        .into_data()
}

/// Elements that f32 computes otherwise.
fn differing(ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> (usize, usize) {
    // A step of eight bits is a hundred times as much; of sixteen bits it is as much.
    let largest = theirs
        .iter()
        .flatten()
        .fold(0.0f64, |most, y| most.max(y.abs()));
    let near = |(a, b): &(&f64, &f64)| (*a - *b).abs() <= 1e-5 * largest;
    let pairs = || ours.iter().flatten().zip(theirs.iter().flatten());
    assert_eq!(ours.concat().len(), theirs.concat().len());
    (pairs().filter(|pair| !near(pair)).count(), pairs().count())
}

/// Whether the network became integers.
fn streamlined(title: &str, network: &Network) -> bool {
    let dataflow = match streamline(network, None, false).and_then(fuse) {
        Ok(dataflow) => dataflow,
        Err(error) => {
            assert_eq!(error.kind(), Kind::User, "{title}: {error:?}");
            println!("{title}: {error:?}");
            return false;
        }
    };
    let (low, high, step) = dataflow.inputs[0].quantiser.as_ref().unwrap().codes();
    let length: usize = dataflow.inputs[0].shape.iter().product();
    let mut random = Random::new(3);
    let mut frame = || {
        let codes = (0..length).map(|_| low + step * random.between(0, (high - low) / step));
        codes.collect::<Vec<i64>>()
    };
    let frames: Vec<Vec<i64>> = (0..6).map(|_| frame()).collect();
    let found = levels::compare(network, &dataflow, &frames).unwrap();
    assert!(found.equal(), "{title}: {found:?}");
    true
}

#[test]
fn quantised_operators_mean_the_same() {
    let Some(python) = python() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    script(&python, &[folder]);
    let path = |number: usize, kind: &str| folder.join(format!("{number}.{kind}"));
    let (mut networks, mut titles) = (Vec::new(), Vec::new());
    while let Ok(title) = fs::read_to_string(path(networks.len(), "txt")) {
        let number = networks.len();
        let bytes = fs::read(path(number, "onnx")).unwrap();
        let network = import(&bytes).unwrap_or_else(|error| panic!("{title}: {error:?}"));
        let exported = export(&network).unwrap_or_else(|error| panic!("{title}: {error:?}"));
        let again = import(&exported).unwrap_or_else(|error| panic!("{title}: {error:?}"));
        assert_eq!(export(&again).unwrap(), exported, "{title}");
        fs::write(path(number, "exported.onnx"), &exported).unwrap();
        networks.push((network, again));
        titles.push(title);
    }
    script(&python, &[folder, Path::new("exported")]);
    let (mut compared, mut ties, mut integers) = (0, 0, 0);
    for (number, ((network, again), title)) in networks.iter().zip(&titles).enumerate() {
        let samples = numbers(&path(number, "npz"), "x");
        let values = |network: &Network| -> Vec<Vec<f64>> {
            samples
                .iter()
                .map(|sample| evaluate(network, sample))
                .collect()
        };
        let (ours, theirs) = (values(network), numbers(&path(number, "npz"), "y"));
        assert_eq!(values(again), ours, "{title}: exported");
        let (wrong, count) = differing(&ours, &theirs);
        assert!(
            wrong * 100 <= count,
            "{title}: {wrong} of {count} {:?} {:?}",
            ours[0],
            theirs[0]
        );
        let (exported, _) = differing(&ours, &numbers(&path(number, "exported.npz"), "y"));
        assert!(
            exported * 100 <= count,
            "{title}: exported: {exported} of {count}"
        );
        (compared, ties) = (compared + count, ties + wrong);
        integers += usize::from(streamlined(title, network));
    }
    println!(
        "{} networks, {integers} as integers, {compared} outputs, {ties} ties",
        networks.len()
    );
    assert!(networks.len() >= 25 && integers >= 20, "{integers}");
}
