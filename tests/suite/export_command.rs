//! `finnp export`: what it writes is the network of the stage, for finnp and for the Python executor of QONNX.
//! Must not know how a file is laid out.

use std::fs;
use std::path::Path;

use finnp::data::{Array, Arrays, Values};
use finnp::network::Network;
use finnp::qonnx::{export, import};
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;

use super::export::difference;
use super::other_executor::{Job, execute};
use super::project::Project;
use super::shared::shared;

/// A project on one of the shared models.
fn project(name: &str, sections: &str) -> Option<Project> {
    let model = shared(&format!("models/{name}.onnx"))?;
    let project = Project::new(&format!(
        "[project]\nname = \"{name}\"\n[model]\npath = \"model.onnx\"\n\
         [input]\ntype = \"uint8\"\nscale = 0.00392156862745098\n\
         [target]\nboard = \"alveo-u280\"\n{sections}"
    ));
    fs::copy(model, project.dir().join("model.onnx")).unwrap();
    Some(project)
}

/// The file that a call of `finnp export` writes into a folder of its own.
fn exported(project: &Project, arguments: &[&str], file: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["export"], arguments].concat();
    let mut command = project.command(&arguments);
    let output = command.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    fs::read(folder.path().join(file)).unwrap()
}

/// What the file means, which must be `network`, also when it is exported again.
fn same(network: &Network, file: &[u8]) {
    let again = import(file).unwrap();
    assert_eq!(difference(network, &again), None);
    let twice = export(&again).unwrap();
    assert_eq!(twice, file);
    assert_eq!(import(&twice).unwrap(), again);
}

/// The network of a stage as a build leaves it in its folder.
fn left(folder: &Path) -> Network {
    let read = |name| fs::read(folder.join(name)).unwrap();
    Network::from_bytes(&read("graph.json"), &read("constants.safetensors")).unwrap()
}

fn reals(array: Array) -> Vec<f64> {
    match array.values {
        Values::Real(values) => values,
        Values::Integer(values) => values.into_iter().map(|value| value as f64).collect(),
    }
}

/// The first samples of a file of arrays, `step` times what it holds.
fn samples(path: &Path, count: usize, step: f64) -> Vec<Vec<f64>> {
    let array = Arrays::open(path).unwrap().input().unwrap();
    let size = array.shape[1..].iter().product();
    let values: Vec<f64> = reals(array).iter().map(|value| value * step).collect();
    values
        .chunks(size)
        .take(count)
        .map(<[f64]>::to_vec)
        .collect()
}

fn reference(network: &Network, sample: &[f64]) -> Vec<f64> {
    let shape = network.value(network.inputs[0]).shape.clone();
    // The file holds the samples in f32, as the executor reads them.
    let sample = sample.iter().map(|value| f64::from(*value as f32));
    let x = Known::real(Tensor::new(shape, sample.collect()).unwrap());
    let mut outputs = Real::new(network).unwrap().run(vec![x], |_, _| ()).unwrap();
    outputs.remove(0).real.into_data()
}

/// The executor computes on the exported file what the reference computes on the network.
fn executed(network: &Network, file: Vec<u8>, samples: Vec<Vec<f64>>) {
    let output = network.value(network.outputs[0]).name.clone();
    let job = Job {
        bytes: file,
        shape: network.value(network.inputs[0]).shape.clone(),
        samples: samples.clone(),
        each: vec![output.clone()],
        once: Vec::new(),
    };
    let Some(answers) = execute(&[job]) else {
        return;
    };
    for (sample, theirs) in samples.iter().zip(&answers[0][&output]) {
        let ours = reference(network, sample);
        assert_eq!(ours.len(), theirs.len());
        let largest = ours.iter().fold(1.0, |most: f64, one| most.max(one.abs()));
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * largest;
        assert!(ours.iter().zip(theirs).all(near), "{ours:?} {theirs:?}");
        assert!(ours.iter().any(|one| *one != ours[0]), "{ours:?}");
    }
}

#[test]
fn the_imported_example_is_written_beside_the_caller() {
    let project = Project::example("digits");
    let file = exported(&project, &["--qonnx", "import"], "digits-import.onnx");
    let network = import(&fs::read(project.dir().join("model.onnx")).unwrap()).unwrap();
    same(&network, &file);
    let samples = samples(&project.dir().join("test.npz"), 8, 1.0);
    executed(&network, file, samples);
    assert!(!project.dir().join("build").exists());
}

#[test]
fn a_shared_network_is_written_where_it_is_wanted() {
    let Some(project) = project("TFC_2W2A", "") else {
        return;
    };
    let arguments = ["--qonnx", "prune", "-o", "here.onnx"];
    let file = exported(&project, &arguments, "here.onnx");
    let network = import(&fs::read(project.dir().join("model.onnx")).unwrap()).unwrap();
    same(&network, &file);
    let samples = samples(&shared("models/TFC_2W2A_io.npz").unwrap(), 4, 1.0);
    executed(&network, file, samples);
}

#[test]
fn a_pruned_network_keeps_its_masks() {
    let prune = "[prune]\npattern = \"bcr-col\"\ndensity = 0.5\n";
    let Some(project) = project("cnvW2A2_cifar10", prune) else {
        return;
    };
    project.build(&["--to", "prune"]).expect_success();
    let network = left(&project.dir().join("build/network/pruned"));
    let file = exported(
        &project,
        &["--qonnx", "prune"],
        "cnvW2A2_cifar10-prune.onnx",
    );
    same(&network, &file);
    let whole = import(&fs::read(project.dir().join("model.onnx")).unwrap()).unwrap();
    assert!(network.nodes.len() > whole.nodes.len());
    let samples = samples(&shared("models/cnvW2A2_cifar10_io.npz").unwrap(), 2, 1.0);
    let differ = reference(&network, &samples[0]) != reference(&whole, &samples[0]);
    assert!(differ, "half of the weights are gone");
    executed(&network, file, samples);
}

#[test]
fn what_cannot_be_exported_is_refused_by_name() {
    let project = Project::example("digits");
    let refused = |arguments: &[&str], words: &[&str]| {
        let arguments = [&["export"], arguments].concat();
        let output = project.command(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        words
            .iter()
            .for_each(|word| assert!(said.contains(word), "{said}"));
    };
    refused(
        &["--qonnx", "generate"],
        &["stage `generate`", "`import`, `quantize`, `prune`"],
    );
    refused(
        &["--qonnx", "pruned"],
        &["no stage `pruned`", "did you mean `prune`?"],
    );
    let model = project.dir().join("model.onnx");
    let before = fs::read(&model).unwrap();
    refused(
        &["--qonnx", "import", "-o", model.to_str().unwrap()],
        &["is the file that is read"],
    );
    refused(
        &["--qonnx", "import", "-o", "nowhere/x.onnx"],
        &["no folder `nowhere`"],
    );
    assert_eq!(fs::read(&model).unwrap(), before);
}
