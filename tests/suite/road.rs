//! The whole road on real networks: from `accel.toml` to sources that are proved, again and again.
//! Must not know how any stage works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;
use crate::shared::shared;

const GRIDS: [(&str, &str, &str); 3] = [
    ("TFC_1W1A", "uint8", "0.00392156862745098"),
    ("TFC_2W2A", "uint8", "0.00392156862745098"),
    ("qkeras_jettagging", "int16", "0.0009765625"),
];

/// A project for one of the shared networks, without inputs of its own; `None` where they are missing.
pub(crate) fn network(name: &str) -> Option<Project> {
    let (_, kind, scale) = GRIDS.iter().find(|(found, ..)| *found == name).unwrap();
    let model = shared(&format!("models/{name}.onnx"))?;
    Some(Project::new(&format!(
        "[project]\nname = \"{name}\"\n[model]\npath = \"{}\"\n[input]\ntype = \"{kind}\"\nscale = {scale}\n\
         [target]\nboard = \"alveo-u280\"\nfps = 100000\n",
        model.display()
    )))
}

#[test]
fn an_example_builds_once_and_then_never_again() {
    let project = Project::example("digits");
    let first = project.build(&[]).expect_success();
    assert!(first.finished()["jobs_run"].as_u64().unwrap() > 20);
    let summary = project.json("summary.json");
    assert_eq!(
        summary["proof"],
        "function verified (C simulation), timing not verified"
    );
    assert_eq!(summary["simulation"]["frames"], 360);
    let missing = "vivado not found, vitis_hls not found";
    let link = serde_json::json!({"status": "not run", "reason": missing});
    assert_eq!(summary["link"], link);
    assert_eq!(project.json("link/link.json"), link);
    assert_eq!(
        summary["accuracy"],
        serde_json::json!({"right": 354, "total": 360})
    );
    assert_eq!(summary["warnings"].as_array().unwrap().len(), 0);

    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );
    project.edit("[target]", "# a comment\n[target]");
    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );

    fs::remove_dir_all(project.dir().join("build")).unwrap();
    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );
    assert_eq!(project.json("summary.json"), summary);
}

/// Only the layer, its neighbour's converter and what holds them all is made again.
#[test]
fn a_changed_layer_leaves_the_others_alone() {
    let project = Project::example("digits");
    project.build(&[]).expect_success();
    project.edit("pe = 8", "pe = 4");
    let ran = project.build(&[]).expect_success().ran();
    let allowed = |job: &&String| {
        let (stage, name) = job.split_once(' ').unwrap();
        let about = name.split_once(' ').map_or(name, |(_, layer)| layer);
        about.starts_with("fc1")
            || matches!(
                (stage, about),
                ("fold" | "package" | "summary", "network")
                    | ("generate", "top")
                    | ("verify", "the network" | "compare")
            )
    };
    let others: Vec<&String> = ran.iter().filter(|job| !allowed(job)).collect();
    assert!(
        others.is_empty(),
        "{others:?} ran although only fc1 changed"
    );
    assert!(
        ran.iter().any(|job| job == "verify simulate fc1"),
        "{ran:?}"
    );
    assert!(
        ran.iter().any(|job| job == "verify simulate the network"),
        "{ran:?}"
    );
}

#[test]
fn folders_jobs_and_runs_give_the_same_bytes() {
    let (one, other) = (Project::example("digits"), Project::example("digits"));
    one.build(&["--jobs", "1"]).expect_success();
    other.build(&["--jobs", "2"]).expect_success();
    let expected = one.built();
    assert!(expected.len() > 40);
    for (path, bytes) in &expected {
        assert!(other.built().get(path) == Some(bytes), "`{path}` differs");
    }
    assert_eq!(other.built().len(), expected.len());
    fs::remove_dir_all(one.cache()).unwrap();
    fs::remove_dir_all(one.dir().join("build")).unwrap();
    one.build(&[]).expect_success();
    assert!(one.built() == expected, "a second run gave other bytes");
}

/// A compiler that compiles something else is found out, and the first layer that it spoils is named.
#[test]
fn a_wrong_result_fails_the_build_and_is_named() {
    let project = Project::example("digits");
    let compiler = project.dir().join("spoiling-compiler");
    let script = "#!/bin/sh\n[ -f library/finnp/threshold.hpp ] && sed -i 's/value >= thresholds/value > thresholds/' library/finnp/threshold.hpp\nexec c++ \"$@\"\n";
    fs::write(&compiler, script).unwrap();
    assert!(
        Command::new("chmod")
            .arg("+x")
            .arg(&compiler)
            .status()
            .unwrap()
            .success()
    );
    let output = project
        .command(&["build"])
        .env("CXX", &compiler)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("layer `fc1`"), "{stderr}");
    assert!(
        stderr.contains("frame") && stderr.contains("channel"),
        "{stderr}"
    );
    assert!(!project.dir().join("build/summary.json").exists());
    project.build(&[]).expect_success();
}

#[test]
fn a_missing_compiler_is_an_error_that_says_what_to_install() {
    let project = Project::example("digits");
    let output = project
        .command(&["build"])
        .env("CXX", "/no/such/compiler")
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn digits_agrees_with_the_open_headers() {
    let project = Project::example("digits");
    project.build(&[]).expect_success();
    with_open_headers(&project);
}

#[test]
fn tfc_1w1a_is_built_and_agrees_with_the_open_headers() {
    shared_network("TFC_1W1A");
}

#[test]
fn tfc_2w2a_is_built_and_agrees_with_the_open_headers() {
    shared_network("TFC_2W2A");
}

#[test]
fn qkeras_jettagging_is_built_and_agrees_with_the_open_headers() {
    shared_network("qkeras_jettagging");
}

fn shared_network(name: &str) {
    let Some(project) = network(name) else { return };
    project.build(&[]).expect_success();
    assert_eq!(
        project.json("summary.json")["f32"]["differences"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
    super::ip::check(&project);
    with_open_headers(&project);
    assert_eq!(
        project.build(&[]).expect_success().ran(),
        Vec::<String>::new()
    );
}

/// What is asked for is reached, whatever the words between layers are.
#[test]
fn the_frame_rate_that_is_asked_for_is_reached() {
    let project = Project::example("digits");
    for fps in [1.0, 140_625.5, 1e6, 2_117_647.0, 9e6, 144e6] {
        let rate = format!("target.fps={fps:?}");
        let set = [
            "--set",
            &rate,
            "--set",
            "layer.fc1.pe=64",
            "--set",
            "layer.fc1.simd=64",
        ];
        project
            .build(&[&["--to", "fold"], &set[..]].concat())
            .expect_success();
        let mut show = project.command(&[&["show", "--json"], &set[..]].concat());
        let shown = show.output().unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert!(facts["fps"].as_f64().unwrap() >= fps, "{facts}");
    }
    let call = project.build(&["--set", "target.fps=145e6"]);
    assert_eq!(call.code, 1);
}

/// The arg-max in hardware: classes with one scale and one offset can be compared as integers.
#[test]
fn labels_are_selected_in_hardware_where_scales_allow() {
    if let Some(project) = network("TFC_2W2A") {
        project
            .build(&["--set", "output.labels=true"])
            .expect_success();
        let layers = project.json("summary.json")["layers"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(layers.last().unwrap()["kind"], "label_select");
        with_open_headers(&project);
    }
    // The classes of digits have offsets of their own.
    let call = Project::example("digits").build(&["--set", "output.labels=true"]);
    assert_eq!(call.code, 2);
    assert!(
        call.finished()["error"]
            .as_str()
            .unwrap()
            .contains("offsets")
    );
}

/// Every parallelism from one element per cycle to all at once, padding included.
#[test]
fn all_foldings_compute_the_same() {
    let project = Project::example("digits");
    project.edit("fps = 100000", "");
    for (pe, simd) in [(1, 1), (3, 5), (7, 64), (64, 17)] {
        let set = [
            format!("layer.fc1.pe={pe}"),
            format!("layer.fc1.simd={simd}"),
            format!("layer.fc2.pe={}", pe.min(32)),
            format!("layer.fc2.simd={simd}"),
        ];
        let args: Vec<&str> = set.iter().flat_map(|s| ["--set", s.as_str()]).collect();
        project.build(&args).expect_success();
    }
}

/// The folder of the open `ap_types` headers; `None`, said aloud, where there is none outside CI.
pub(crate) fn open_headers() -> Option<PathBuf> {
    match std::env::var_os("FINNP_AP_TYPES") {
        Some(folder) => Some(folder.into()),
        None if std::env::var("CI").as_deref() == Ok("true") => {
            panic!("FINNP_AP_TYPES names no folder: run the tests with `tests/run`")
        }
        None => {
            eprintln!(
                "SKIPPED: FINNP_AP_TYPES names no folder of open ap_types headers (`tests/run` does)"
            );
            None
        }
    }
}

/// Compiles the sources of a build with the open headers and compares every stream with the expected one.
fn with_open_headers(project: &Project) {
    let Some(headers) = open_headers() else {
        return;
    };
    let build = project.dir().join("build");
    let scratch = tempfile::TempDir::new().unwrap();
    let program = compile(&build.join("hls"), &headers, scratch.path());
    let (taps, output) = (
        scratch.path().join("taps"),
        scratch.path().join("output.npy"),
    );
    fs::create_dir(&taps).unwrap();
    let mut run = Command::new(program);
    run.arg(build.join("hls/layers"))
        .arg(build.join("sim/inputs.npy"))
        .arg(&output)
        .arg(&taps);
    assert!(run.status().unwrap().success());
    let equal = |found: &Path, expected: &Path| {
        assert!(
            fs::read(found).unwrap() == fs::read(expected).unwrap(),
            "{found:?}"
        );
    };
    equal(&output, &build.join("sim/output.npy"));
    let recorded: Vec<_> = fs::read_dir(&taps)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert!(recorded.len() >= 3);
    for entry in recorded {
        equal(
            &entry.path(),
            &build.join("sim/taps").join(entry.file_name()),
        );
    }
}

/// The whole network as one program, with `headers` in place of the bundled ones.
fn compile(hls: &Path, headers: &Path, scratch: &Path) -> PathBuf {
    let (unit, program) = (scratch.join("all.cpp"), scratch.join("network"));
    let files = ["shapes", "layers"]
        .into_iter()
        .flat_map(|folder| sources(&hls.join(folder)));
    let includes: String = files
        .map(|file| format!("#include \"{}\"\n", file.display()))
        .collect();
    fs::write(
        &unit,
        includes + "#include \"top.cpp\"\n#include \"testbench.cpp\"\n",
    )
    .unwrap();
    let mut compiler = Command::new("c++");
    compiler.args(["-std=c++17", "-O1", "-w"]);
    for folder in ["", "library", "library/bundled/stream"] {
        compiler.arg("-I").arg(hls.join(folder));
    }
    compiler
        .arg("-isystem")
        .arg(headers)
        .arg(&unit)
        .arg("-o")
        .arg(&program);
    assert!(compiler.status().unwrap().success());
    program
}

/// All C++ sources below a folder, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "cpp") {
            found.push(path);
        }
    }
    found.sort();
    found
}
