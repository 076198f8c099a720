//! Methods that learn, as projects: what they keep of accuracy on real pictures, that training goes on where it was
//! stopped, and what is said where samples are missing.
//! Must not know how anything is learnt.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::project::Project;
use super::shared::shared;

/// TFC on MNIST, dense 96.6 %, with a method and pictures to learn from.
fn tfc(method: &str, samples: usize, lines: &str) -> Option<Project> {
    let (model, data) = (shared("models/TFC_2W2A.onnx")?, shared("data/mnist.npz")?);
    let data = data.display();
    let project = Project::new(&format!(
        "[project]\nname = \"tfc\"\n[model]\npath = \"model.onnx\"\n\
         [input]\ntype = \"uint8\"\nscale = 0.00392156862745098\n\
         [target]\nboard = \"zcu104\"\n\
         [prune]\npattern = \"bcr-col\"\nmethod = \"{method}\"\ndensity = 0.25\n\
         [data]\npath = \"{data}\"\nx = \"x_test\"\ny = \"y_test\"\nmean = 0\nsamples = 2000\n\
         [calibration]\npath = \"{data}\"\nx = \"x_train\"\ny = \"y_train\"\nsamples = {samples}\n{lines}"
    ));
    fs::copy(model, project.dir().join("model.onnx")).unwrap();
    Some(project)
}

/// The last object that a call with `--json` prints.
fn answer(project: &Project, arguments: &[&str]) -> Value {
    let output = project
        .command(&[arguments, &["--json"]].concat())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Right answers in percent.
fn accuracy(project: &Project, set: &[&str]) -> f64 {
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
    let found = answer(project, &[&["eval"], &set[..]].concat());
    100.0 * found["top1"]["share"].as_f64().unwrap()
}

#[test]
fn weights_that_stay_take_over_what_others_did() {
    let Some(project) = tfc("obs", 1000, "") else {
        return;
    };
    let by_size = accuracy(&project, &["prune.method=\"magnitude\""]);
    let learnt = accuracy(&project, &[]);
    let dense = accuracy(&project, &["prune.density=1.0"]);
    assert!(by_size < 50.0, "{by_size}");
    assert!(learnt > 85.0, "{learnt}");
    assert!(dense > 96.0, "{dense}");
    project.build(&[]).expect_success();
    let summary = project.json("summary.json");
    assert!(summary["levels"]["first"].is_null());
    let curves = project.json("network/pruned/curves.json");
    for curve in curves.as_array().unwrap() {
        let points = curve["points"].as_array().unwrap();
        let at = |point: &Value, key: usize| point[key].as_f64().unwrap();
        assert_eq!((at(&points[0], 0), at(&points[0], 1)), (1.0, 0.0));
        let falls = |pair: &[Value]| {
            at(&pair[1], 0) < at(&pair[0], 0) && at(&pair[1], 1) >= at(&pair[0], 1)
        };
        assert!(points.windows(2).all(falls), "{curve}");
        assert!(curve["loss"].as_f64().unwrap() < 1.0, "{curve}");
    }
    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );
}

/// At density 1 nothing is learnt, so nothing changes.
#[test]
fn all_weights_are_as_good_as_before() {
    let Some(project) = tfc("obs", 100, "") else {
        return;
    };
    let exported = |stage: &str| {
        let file = project.dir().join(format!("{stage}.onnx"));
        let whole = ["--set", "prune.density=1.0", "--qonnx", stage, "-o"];
        let mut command = project.command(&[&["export"], &whole[..]].concat());
        let output = command.arg(&file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::read(file).unwrap()
    };
    let [before, after] = ["import", "prune"].map(|stage| {
        let network = finnp::qonnx::import(&exported(stage)).unwrap();
        let names = network.nodes.iter().map(|node| node.name.clone());
        names
            .filter(|name| !name.ends_with(".prune"))
            .collect::<Vec<_>>()
    });
    assert_eq!(before, after);
    let right = |set: &[&str]| accuracy(&project, set);
    assert_eq!(
        right(&["prune.density=1.0"]),
        right(&["prune.method=\"magnitude\"", "prune.density=1.0"])
    );
}

#[test]
fn training_brings_accuracy_back() {
    for method in ["gradual", "admm"] {
        let lines = "[train]\nepochs = 3\nbatch = 64\n";
        let Some(project) = tfc(method, 6000, lines) else {
            return;
        };
        let found = accuracy(&project, &["layer.MatMul_56.pattern=\"none\""]);
        assert!(found > 82.0, "{method}: {found}");
    }
}

/// Waits until `done` holds, as long as the process lives.
fn wait(child: &mut std::process::Child, done: impl Fn() -> bool) {
    while !done() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be stopped"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What training leaves when it is stopped is used by the next call, and changes no bit.
#[test]
fn training_goes_on_where_it_was_stopped() {
    let lines = "[train]\nepochs = 60\n";
    let Some(project) = tfc("gradual", 2000, lines) else {
        return;
    };
    let aside = project.cache().join("v1/aside");
    let left = || fs::read_dir(&aside).is_ok_and(|files| files.count() > 0);
    let export = |project: &Project, file: &Path| {
        let mut command = project.command(&["export", "--qonnx", "prune", "-o"]);
        command.arg(file);
        command
    };
    let [first, second] = ["first.onnx", "second.onnx"].map(|file| project.dir().join(file));
    let mut child = export(&project, &first)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait(&mut child, left);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!first.exists() && left());
    assert!(export(&project, &first).status().unwrap().success());
    assert!(!left(), "what was left is gone once it is done");
    let other = tfc("gradual", 2000, lines).unwrap();
    assert!(export(&other, &second).status().unwrap().success());
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
}

#[test]
fn samples_that_are_missing_are_asked_for() {
    for method in ["obs", "gradual", "admm"] {
        let project = Project::example("digits");
        let set = [
            "prune.pattern=\"bcr-col\"".to_owned(),
            "prune.density=0.5".to_owned(),
            format!("prune.method=\"{method}\""),
        ];
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        let output = project
            .command(&[&["build"], &set[..]].concat())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).replace(['\n', '│'], " ");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("the manifest has no section `[calibration]`"),
            "{said}"
        );
        assert!(said.contains("add the set of samples"), "{said}");
    }
}
