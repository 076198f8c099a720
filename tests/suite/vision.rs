//! The convolutional family at its real size: CNV and MobileNetV1 from the file to packaged sources, dense and
//! pruned, on the data that they were made for.
//! Must not know how any stage works.

use std::fs;

use finnp::data::{Arrays, Values};
use serde_json::Value;

use super::convolution::model;
use super::ip;
use crate::project::Project;
use crate::shared::shared;

pub(crate) const PIXELS: &str = "[input]\ntype = \"uint8\"\nscale = 0.00392156862745098\n";

/// A project on one of the shared networks; `None`, said aloud, where they are missing.
pub(crate) fn project(file: &str, lines: &str) -> Option<Project> {
    let bytes = model(file)?;
    let project = Project::new(&format!(
        "[project]\nname = \"vision\"\n[model]\npath = \"model.onnx\"\n{lines}[target]\nboard = \"alveo-u280\"\n"
    ));
    fs::write(project.dir().join("model.onnx"), bytes).unwrap();
    Some(project)
}

pub(crate) fn cnv(bits: usize) -> Option<Project> {
    let data = shared("data/cifar10_test.npz")?;
    // Pixels less 128 are the integers of the network's own first quantiser, whose scale is 1/128.
    let lines = format!(
        "[data]\npath = \"{}\"\nx = \"x_test\"\ny = \"y_test\"\nmean = {mean}\nstd = {mean}\n",
        data.display(),
        mean = 128.0 / 255.0
    );
    project(&format!("cnvW{bits}A{bits}_cifar10"), &lines)
}

fn mobilenet() -> Option<Project> {
    project("brevitas_random_mobilenet_v1_4w4a", PIXELS)
}

/// All 10,000 test images, as many right as the source networks had.
#[test]
fn cnv_sees_what_its_source_saw() {
    for (bits, right) in [(1, 7937), (2, 8416)] {
        let Some(project) = cnv(bits) else { return };
        let output = project.command(&["eval", "--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let found: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(found["samples"], 10_000, "{found}");
        assert_eq!(found["top1"]["right"], right, "{found}");
        assert_eq!(
            (&found["off_grid"], &found["clamped"]),
            (&0.into(), &0.into())
        );
    }
}

/// What `finnp run` writes for the inputs of an io file is that file's output.
pub(crate) fn runs_as(project: &Project, io: &str, most: f64) {
    let io = shared(&format!("models/{io}_io.npz")).unwrap();
    let out = project.dir().join("out.npz");
    let run = project
        .command(&["run"])
        .args([&io, std::path::Path::new("-o"), &out])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let reals = |path: &std::path::Path| {
        let array = Arrays::open(path).unwrap().read("output").unwrap();
        match array.values {
            Values::Real(values) => values,
            Values::Integer(_) => panic!("integers"),
        }
    };
    let (found, expected) = (reals(&out), reals(&io));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= most,
            "{found} is not {expected}"
        );
    }
}

/// Builds with these settings; what the summary says of every layer, after checks that hold for any network.
pub(crate) fn built(project: &Project, set: &[&str]) -> Value {
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
    project.build(&set).expect_success();
    let summary = project.json("summary.json");
    assert!(summary["levels"]["first"].is_null());
    ip::check(project);
    for layer in summary["layers"].as_array().unwrap() {
        let pruned = &layer["pruned"];
        if pruned["limit"] == "compute" {
            let of = |key: &str| pruned[key].as_f64().unwrap();
            assert!((of("speed_up") - of("compression")).abs() < 1e-9, "{layer}");
        }
    }
    assert_eq!(
        project.build(&set).expect_success().ran(),
        Vec::<String>::new()
    );
    summary
}

pub(crate) const HALF: [&str; 2] = ["prune.pattern=\"bcr-col\"", "prune.density=0.5"];

#[test]
fn cnv_is_built_dense_and_pruned_and_simulated_whole() {
    for bits in [1, 2] {
        let Some(project) = cnv(bits) else { return };
        runs_as(&project, &format!("cnvW{bits}A{bits}_cifar10"), 0.0);
        let fast = "target.fps=3000";
        let dense = built(&project, &[fast]);
        assert!(dense["fps"].as_f64().unwrap() >= 3000.0);
        assert!(
            dense["simulation"]["network"]["frames"].as_u64() >= Some(1),
            "{dense}"
        );
        let half = built(&project, &[&HALF[..], &[fast]].concat());
        assert!(half["simulation"]["network"]["frames"].as_u64() >= Some(1));
        let sparse = half["layers"].as_array().unwrap().iter();
        let sparse = sparse.filter(|layer| layer["kind"] == "mvau_bcr").count();
        assert_eq!(sparse, 9, "all nine layers with weights are sparse");
    }
}

#[test]
fn mobilenet_is_built_dense_and_pruned_and_simulated_layer_by_layer() {
    let Some(project) = mobilenet() else { return };
    runs_as(&project, "brevitas_random_mobilenet_v1_4w4a", 1e-5);
    let fast = "target.fps=925";
    let set = [fast, "target.clock_mhz=144"];
    let dense = built(&project, &set);
    assert!(dense["fps"].as_f64().unwrap() >= 925.0);
    let half = built(&project, &[&HALF[..], &set].concat());
    for summary in [&dense, &half] {
        let layers = summary["layers"].as_array().unwrap().len();
        let simulated = summary["simulation"]["layers"].as_array().unwrap();
        assert_eq!(simulated.len(), layers);
    }
    let kinds = |kind: &str| {
        let layers = half["layers"].as_array().unwrap().iter();
        layers.filter(|layer| layer["kind"] == kind).count()
    };
    assert_eq!((kinds("mvau_bcr"), kinds("vvau")), (15, 13));
}
