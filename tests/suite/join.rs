//! Layers that join and fork streams or enlarge pictures in C simulation: random shapes, every element and the cycles
//! of every frame. `FINNP_SWEEP=n` tries n of them.
//! Must not know how the sources come about.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use finnp::backend::hls::tag;
use finnp::layer::{Duplicate, Layer, Tensors};
use finnp::tensor::DataType;

use super::random_join::{Case, join_case};
use super::window::{compile, npy, numbers};

/// Shapes that one run of the compiler takes.
const TOGETHER: usize = 16;

/// Runs the shape `tag` on its frames, an array for each stream.
fn start(tag: &str, frames: &[Vec<Vec<i64>>], scratch: &Path) -> Output {
    let mut command = Command::new(scratch.join("all"));
    command.args([tag, "."]).current_dir(scratch);
    for (slot, frames) in frames.iter().enumerate() {
        let file = format!("in_{slot}.npy");
        fs::write(scratch.join(&file), npy(frames)).unwrap();
        command.arg(file);
    }
    command.args(["out.npy", "cycles.json"]).output().unwrap()
}

fn simulate(seed: u64, tag: &str, case: &Case, scratch: &Path) {
    let layer = &case.layer;
    let output = start(tag, &case.frames, scratch);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "seed {seed}: {said}\n{layer:?}"
    );
    let hardware = layer.hardware();
    let mut expected = Vec::new();
    for frame in 0..case.frames[0].len() {
        let read: Vec<&[i64]> = case.frames.iter().map(|f| &f[frame][..]).collect();
        expected.extend(hardware.join(&Tensors::default(), &read).unwrap());
    }
    let found = numbers(&fs::read(scratch.join("out.npy")).unwrap());
    assert!(
        found == expected,
        "seed {seed}: {layer:?}\n{found:?}\n{expected:?}"
    );
    let counted = fs::read_to_string(scratch.join("cycles.json")).unwrap();
    let counted: Vec<u64> = serde_json::from_str(&counted).unwrap();
    assert_eq!(counted, [hardware.cycles(); 2], "seed {seed}: {layer:?}");
}

fn sweep(seeds: u64, headers: Option<&Path>) {
    let mut kinds = BTreeMap::new();
    let seeds: Vec<u64> = (0..seeds).collect();
    for seeds in seeds.chunks(TOGETHER) {
        let scratch = tempfile::tempdir().unwrap();
        let cases: BTreeMap<String, (u64, Case)> = seeds
            .iter()
            .map(|seed| {
                let case = join_case(*seed);
                *kinds.entry(case.layer.hardware().kind()).or_insert(0) += 1;
                (tag(&case.layer).unwrap(), (*seed, case))
            })
            .collect();
        let [own, stream] = bundled(scratch.path());
        compile(
            cases.iter().map(|(tag, (_, case))| (tag, &case.layer)),
            &[headers.unwrap_or(&own), &stream],
            scratch.path(),
        );
        for (tag, (seed, case)) in &cases {
            simulate(*seed, tag, case, scratch.path());
        }
    }
    println!("{kinds:?}");
    assert!(kinds.len() == 4 && kinds.values().all(|count| *count >= 4));
}

#[test]
fn joining_layers_compute_and_count_as_they_say() {
    let count = std::env::var("FINNP_SWEEP").ok();
    sweep(count.and_then(|n| n.parse().ok()).unwrap_or(48), None);
}

#[test]
fn joining_layers_agree_with_the_open_headers() {
    let Some(headers) = super::road::open_headers() else {
        return;
    };
    sweep(16, Some(&headers));
}

/// The bundled headers, below a folder.
fn bundled(scratch: &Path) -> [PathBuf; 2] {
    ["ap", "stream"].map(|folder| scratch.join("library/bundled").join(folder))
}

fn refused(output: Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && said.contains(why),
        "{said}"
    );
}

#[test]
fn arrays_that_fit_no_layer_are_refused() {
    let layer = join_case(0).layer;
    let scratch = tempfile::tempdir().unwrap();
    let headers = bundled(scratch.path());
    let headers = headers.each_ref().map(PathBuf::as_path);
    let tag = tag(&layer).unwrap();
    compile([(&tag, &layer)].into_iter(), &headers, scratch.path());
    let elements = layer.hardware().input().elements();
    let frames = |count| vec![vec![1; elements]; count];
    for (fed, why) in [
        (vec![frames(1)], "cannot open `out.npy`"),
        (vec![frames(1), frames(2)], "`in_1.npy` has 2 frames, not 1"),
        (
            vec![frames(1), vec![vec![1; elements + 1]]],
            "elements a frame",
        ),
    ] {
        refused(start(&tag, &fed, scratch.path()), why);
    }
    let all = start(&tag, &[frames(2), frames(2)], scratch.path());
    assert!(all.status.success());
}

#[test]
fn a_copy_that_is_another_shows() {
    let layer = Layer::Duplicate(Duplicate {
        element: DataType::Uint(4),
        channels: 2,
        pixels: 3,
        copies: 2,
        pe: 2,
    });
    let scratch = tempfile::tempdir().unwrap();
    let headers = bundled(scratch.path());
    let headers = headers.each_ref().map(PathBuf::as_path);
    let tag = tag(&layer).unwrap();
    compile([(&tag, &layer)].into_iter(), &headers, scratch.path());
    let frames = [vec![(0..6).collect::<Vec<i64>>()]];
    assert!(start(&tag, &frames, scratch.path()).status.success());
    let library = scratch.path().join("library/finnp/duplicate.hpp");
    let text = fs::read_to_string(&library).unwrap();
    let broken = text.replace(
        "(out.write(word), ...);",
        "int other = 0; (out.write(word + other++), ...);",
    );
    assert_ne!(text, broken);
    fs::write(&library, broken).unwrap();
    let compiler = Command::new("c++")
        .args(["-std=c++17", "-w", "-Ilibrary"])
        .args(
            headers
                .iter()
                .map(|folder| format!("-I{}", folder.display())),
        )
        .args(["all.cpp", "-o", "all"])
        .current_dir(scratch.path())
        .status();
    assert!(compiler.unwrap().success());
    refused(
        start(&tag, &frames, scratch.path()),
        "frame 0: word 0 of output 1 is another",
    );
}
