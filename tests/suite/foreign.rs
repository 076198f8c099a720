//! Networks quantised by onnxruntime's own quantiser, in both of its formats: finnp's levels are onnxruntime's
//! integers, but for ties that f32 decides otherwise. Must not know how networks are read.

use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::data::{Arrays, Values};
use finnp::dataflow::Dataflow;
use finnp::network::{Network, ValueId};
use finnp::pass::{fuse, streamline};
use finnp::qonnx::{export, import};
use finnp::reference::{Known, Real, levels, single};
use finnp::tensor::Tensor;
use serde::Deserialize;
use tempfile::TempDir;

use super::other_executor::python;
use super::shared::shared;

/// Samples of every network.
const SAMPLES: usize = 60;

/// Networks that the script writes: two formats, two granularities, two types.
const NETWORKS: usize = 8;

/// Largest distance of a tie from the boundary between two levels. A level is a few thousand roundings of f32
/// wide, and a sum of a hundred products has as many roundings.
const TIE: f64 = 1e-4;

/// What the script tells of a network.
#[derive(Deserialize)]
struct Told {
    title: String,
    tensors: Vec<Row>,
}

/// A quantised tensor.
#[derive(Deserialize)]
struct Row {
    names: Vec<String>,
    scale: f64,
    place: usize,
}

fn script(digits: &Path, folder: &Path) -> bool {
    let Some(python) = python() else {
        return false;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/foreign.py");
    let mut command = Command::new(python);
    command.arg(script).args([digits, folder]);
    let output = command.arg(SAMPLES.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    true
}

fn numbers(arrays: &mut Arrays, name: &str) -> Vec<Vec<f64>> {
    let array = arrays.read(name).unwrap();
    let values = match array.values {
        Values::Real(values) => values,
        Values::Integer(values) => values.into_iter().map(|v| v as f64).collect(),
    };
    let each = values.len() / SAMPLES;
    values.chunks(each).map(<[f64]>::to_vec).collect()
}

/// The integers that the first quantiser makes of a sample.
fn fed(network: &Network, real: &Real<'_>, dataflow: &Dataflow, sample: &[f64]) -> Vec<i64> {
    let shape = network.value(network.inputs[0]).shape.clone();
    let x = Known::real(Tensor::new(shape, sample.to_vec()).unwrap());
    let first = dataflow.stream(dataflow.inputs[0].stream);
    let mut found = Vec::new();
    real.run(vec![x], |node, known| {
        if Some(network.value(node.output).name.as_str()) == first.value.as_deref() {
            found = known.code.as_ref().unwrap().integers.data().to_vec();
        }
    })
    .unwrap();
    found
}

fn named(network: &Network, row: &Row) -> Option<String> {
    let made = network.nodes.iter().filter(|node| node.op.is_quantiser());
    let mut names = made.map(|node| &network.value(node.output).name);
    let found = names.find(|name| row.names.contains(name));
    found.cloned()
}

/// Compares one network; returns levels that are equal and ties.
fn check(folder: &Path, number: usize) -> (u64, u64) {
    let path = |kind: &str| folder.join(format!("{number}.{kind}"));
    let told: Told = serde_json::from_slice(&fs::read(path("json")).unwrap()).unwrap();
    let bytes = fs::read(path("onnx")).unwrap();
    let network = import(&bytes).unwrap_or_else(|error| panic!("{}: {error:?}", told.title));
    let again = import(&export(&network).unwrap()).unwrap();
    let dataflow = streamline(&network, None, false).and_then(fuse).unwrap();
    let exported = streamline(&again, None, false).and_then(fuse).unwrap();
    assert!(exported == dataflow, "{}: exported", told.title);
    let real = Real::new(&network).unwrap();
    let mut arrays = Arrays::open(&path("npz")).unwrap();
    let samples = numbers(&mut arrays, "x");
    let frames: Vec<Vec<i64>> = samples
        .iter()
        .map(|sample| fed(&network, &real, &dataflow, sample))
        .collect();
    let equal = levels::compare(&network, &dataflow, &frames).unwrap();
    assert!(equal.equal(), "{}: {equal:?}", told.title);
    let tensors: Vec<(String, Vec<Vec<f64>>, f64)> = told
        .tensors
        .iter()
        .map(|row| {
            let name = named(&network, row);
            let name = name.unwrap_or_else(|| panic!("{}: {:?}", told.title, row.names));
            (
                name,
                numbers(&mut arrays, &format!("t{}", row.place)),
                row.scale,
            )
        })
        .collect();
    let prepare = |names: &[&str]| -> finnp::error::Result<Box<single::Run>> {
        let wanted = names.iter().map(|name| {
            let found = tensors.iter().find(|tensor| tensor.0 == *name);
            let (_, levels, scale) = found.unwrap_or_else(|| panic!("{name} is not told"));
            (levels.clone(), *scale)
        });
        let wanted: Vec<(Vec<Vec<f64>>, f64)> = wanted.collect();
        Ok(Box::new(move |sample, _| {
            let values = wanted.iter().map(|(levels, scale)| {
                let levels = levels[sample].iter();
                levels.map(|level| (level * scale) as f32).collect()
            });
            Ok(values.collect())
        }))
    };
    let found = single::compare_with(&network, &dataflow, &frames, prepare).unwrap();
    ties(&told.title, &network, &dataflow, &found)
}

/// Proves that what differs lies at a boundary.
fn ties(title: &str, network: &Network, dataflow: &Dataflow, found: &single::Single) -> (u64, u64) {
    let quantisers = network.nodes.iter().filter(|node| node.op.is_quantiser());
    let varying = quantisers.filter(|node| {
        let carried = |id: ValueId| {
            let name = Some(network.value(id).name.as_str());
            dataflow
                .streams
                .iter()
                .any(|stream| stream.value.as_deref() == name)
        };
        carried(node.output)
    });
    assert_eq!(found.tensors.len(), varying.count(), "{title}");
    let compared: u64 = found.tensors.iter().map(|tally| tally.compared).sum();
    let differing: u64 = found.tensors.iter().map(|tally| tally.differing).sum();
    println!(
        "{title}: {} tensors, {compared} levels, {differing} ties, {} behind ties",
        found.tensors.len(),
        found.downstream
    );
    assert_eq!(
        differing,
        found.differences.len() as u64,
        "{title}: {found:?}"
    );
    for tie in &found.differences {
        println!(
            "  {} sample {} element {}: {} and {}, {:.2e} of a level from the boundary, {:.1} ULP",
            tie.tensor, tie.sample, tie.element, tie.hardware, tie.single, tie.distance, tie.ulp
        );
        assert!(tie.distance < TIE, "{title}: {tie:?}");
        assert_eq!((tie.hardware - tie.single).abs(), 1, "{title}: {tie:?}");
    }
    (compared, differing)
}

#[test]
fn what_onnxruntime_quantises_has_its_levels() {
    let Some(digits) = shared("data/mnist.npz") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    if !script(&digits, folder.path()) {
        return;
    }
    let counts: Vec<(u64, u64)> = (0..NETWORKS)
        .map(|number| check(folder.path(), number))
        .collect();
    let compared: u64 = counts.iter().map(|(compared, _)| compared).sum();
    let ties: u64 = counts.iter().map(|(_, ties)| ties).sum();
    println!("{NETWORKS} networks, {compared} levels, {ties} ties");
    assert!(
        compared > 1_000_000 && ties * 10_000 < compared,
        "{ties} of {compared}"
    );
}
