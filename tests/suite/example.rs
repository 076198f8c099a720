//! Every example: it builds; or, where its model is not kept, its manifest suits a network like it.
//! Must not know how any stage works.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::Project;
use crate::shared::shared;

/// A new example needs a test too, here or in another file.
#[test]
fn no_example_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["cnv", "digits", "mobilenet-v1"]);
}

#[test]
fn a_convolutional_network_builds_once_and_then_never_again() {
    let project = Project::example("cnv");
    project.build(&[]).expect_success();
    let summary = project.json("summary.json");
    assert_eq!(
        summary["proof"],
        "function verified (C simulation), timing not verified"
    );
    assert_eq!(summary["simulation"]["frames"], 16);
    assert_eq!(
        summary["accuracy"],
        serde_json::json!({"right": 16, "total": 16})
    );
    assert_eq!(summary["warnings"].as_array().unwrap().len(), 0);
    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );
}

/// The rate that the manifest asks for is reached by a network of the same shapes.
#[test]
fn the_manifest_of_mobilenet_v1_suits_its_network() {
    let Some(packed) = shared("models/brevitas_random_mobilenet_v1_4w4a.onnx.gz") else {
        return;
    };
    let project = Project::example("mobilenet-v1");
    let model = Command::new("gzip")
        .arg("-dc")
        .arg(packed)
        .output()
        .unwrap();
    assert!(model.status.success(), "{model:?}");
    fs::write(project.dir().join("model.onnx"), model.stdout).unwrap();
    project.build(&["--to", "fold"]).expect_success();
    let shown = project.command(&["show", "--json"]).output().unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(facts["fps"].as_f64().unwrap() >= 900.0, "{facts}");
}

/// What has a name but cannot be pruned says so, and what was probably meant.
#[test]
fn only_products_are_pruned() {
    let project = Project::example("cnv");
    for (layer, said) in [
        ("depthwise", "grouped or depthwise convolution"),
        ("conv2.window", "did you mean `conv2`?"),
        ("pool.MaxPool", "has no weights to remove"),
    ] {
        let set = [
            format!("layer.{layer}.pattern=\"bcr-col\""),
            format!("layer.{layer}.density=0.5"),
        ];
        let mut check = project.command(&["check", "--set", &set[0], "--set", &set[1]]);
        let output = check.output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(said), "{words}");
    }
}
