//! Layers of convolutional networks in C simulation: random shapes, every element and the cycles of every frame.
//! `FINNP_SWEEP=n` tries n random shapes, `CXX` may hold a compiler with options such as sanitisers.
//! Must not know how the sources come about.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::backend::hls::{LIBRARY, memories, shape_sources, tag};
use finnp::layer::Layer;

use super::random_window::{Case, NAMED, layer_case};

/// Shapes that one run of the compiler takes.
const TOGETHER: usize = 12;

/// Compiles the shapes into one program `all`, whose first argument chooses.
pub(crate) fn compile<'a>(
    layers: impl Iterator<Item = (&'a String, &'a Layer)>,
    headers: &[&Path],
    scratch: &Path,
) {
    for (path, text) in LIBRARY {
        let path = scratch.join("library").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (mut includes, mut choices) = (String::new(), String::new());
    for (tag, layer) in layers {
        for (file, text) in shape_sources(layer).unwrap() {
            fs::write(scratch.join(file), text).unwrap();
        }
        includes += &format!("#include \"{tag}.cpp\"\n");
        choices += &format!(
            "    if (!std::strcmp(argv[1], \"{tag}\")) return simulate_{tag}(argc - 1, argv + 1);\n"
        );
    }
    let main =
        format!("{includes}int main(int argc, char** argv) {{\n{choices}    return 1;\n}}\n");
    fs::write(scratch.join("all.cpp"), main).unwrap();
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["-std=c++17", "-O1", "-w", "-Ilibrary"])
        .args(
            headers
                .iter()
                .flat_map(|folder| [Path::new("-isystem"), folder]),
        )
        .args(["all.cpp", "-o", "all"])
        .current_dir(scratch);
    assert!(command.status().unwrap().success());
}

/// Compiles the shapes and runs each on its frames.
fn run(cases: &BTreeMap<String, (u64, Case)>, headers: &[&Path], scratch: &Path) {
    let layers = cases.iter().map(|(tag, (_, case))| (tag, &case.layer));
    compile(layers, headers, scratch);
    for (tag, (seed, case)) in cases {
        simulate(*seed, tag, case, scratch);
    }
}

/// One shape: every element of every frame, and the cycles of frames that follow another.
fn simulate(seed: u64, tag: &str, case: &Case, scratch: &Path) {
    let folder = scratch.join(format!("memories_{tag}"));
    fs::create_dir(&folder).unwrap();
    for (file, text) in memories(&case.layer, &case.tensors).unwrap() {
        fs::write(folder.join(file), text).unwrap();
    }
    fs::write(scratch.join("in.npy"), npy(&case.frames)).unwrap();
    let output = Command::new(scratch.join("all"))
        .args([
            tag,
            &format!("memories_{tag}"),
            "in.npy",
            "out.npy",
            "cycles.json",
        ])
        .current_dir(scratch)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let layer = &case.layer;
    assert!(
        output.status.success() && said.is_empty(),
        "seed {seed}: {said}\n{layer:?}"
    );
    let hardware = layer.hardware();
    let expected: Vec<i64> = case
        .frames
        .iter()
        .flat_map(|frame| hardware.run(&case.tensors, frame).unwrap())
        .collect();
    let found = numbers(&fs::read(scratch.join("out.npy")).unwrap());
    assert!(
        found == expected,
        "seed {seed}: {layer:?}\n{found:?}\n{expected:?}"
    );
    let counted = fs::read_to_string(scratch.join("cycles.json")).unwrap();
    let counted: Vec<u64> = serde_json::from_str(&counted).unwrap();
    assert_eq!(counted[1], hardware.cycles(), "seed {seed}: {layer:?}");
    assert!(counted[0] >= counted[1], "seed {seed}: {layer:?}");
}

/// Frames as `.npy`, `<i4`.
pub(crate) fn npy(frames: &[Vec<i64>]) -> Vec<u8> {
    let shape = format!("({}, {})", frames.len(), frames[0].len());
    let header = format!("{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    let elements = frames.iter().flatten();
    bytes.extend(elements.flat_map(|value| (*value as i32).to_le_bytes()));
    bytes
}

/// The elements of an `.npy` of `<i4`.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<i64> {
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let words = bytes[start..].chunks_exact(4);
    words
        .map(|b| i64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        .collect()
}

/// Runs the shapes of these numbers, several at a time.
fn sweep(seeds: &[u64], headers: Option<&Path>) {
    let mut kinds = BTreeMap::new();
    for seeds in seeds.chunks(TOGETHER) {
        let scratch = tempfile::tempdir().unwrap();
        let mut cases = BTreeMap::new();
        for seed in seeds {
            let case = layer_case(*seed);
            *kinds.entry(case.layer.hardware().kind()).or_insert(0) += 1;
            cases.insert(tag(&case.layer).unwrap(), (*seed, case));
        }
        let bundled = scratch.path().join("library/bundled");
        let (own, stream) = (bundled.join("ap"), bundled.join("stream"));
        run(&cases, &[headers.unwrap_or(&own), &stream], scratch.path());
    }
    println!("{kinds:?}");
    assert!(kinds.len() == 5 && kinds.values().all(|count| *count >= 3));
}

#[test]
fn convolutional_layers_compute_and_count_as_they_say() {
    let count = std::env::var("FINNP_SWEEP")
        .ok()
        .and_then(|n| n.parse().ok());
    let seeds: Vec<u64> = match count {
        Some(count) => (0..count).collect(),
        // Of the named shapes every kind of layer has some, and each shape some kind.
        None => (0..NAMED)
            .filter(|seed| (seed / 5 + seed % 5) % 3 == 0)
            .chain(NAMED..NAMED + 20)
            .collect(),
    };
    sweep(&seeds, None);
}

#[test]
fn convolutional_layers_agree_with_the_open_headers() {
    let Some(headers) = super::road::open_headers() else {
        return;
    };
    sweep(&(NAMED..NAMED + 15).collect::<Vec<u64>>(), Some(&headers));
}

/// Padded as much as the window is wider than its step, rows are given back as fast as they are needed: the longer
/// side of the layer alone decides, and no cycle is lost between frames.
#[test]
fn windows_that_keep_the_size_of_the_picture_never_pause() {
    let mut tried = 0;
    for seed in 0..4000 {
        let case = layer_case(seed);
        let Layer::SlidingWindow(layer) = &case.layer else {
            continue;
        };
        let hardware = case.layer.hardware();
        let longer = hardware.input().words().max(hardware.output().words()) as u64;
        assert!(hardware.cycles() >= longer, "seed {seed}");
        let (sliding, window) = (&layer.sliding, &layer.sliding.window);
        let keeps = |axis: usize| {
            let (size, step) = (sliding.picture[axis], window.stride[axis]);
            let [before, after] = [window.pads[axis], window.pads[axis + 2]];
            window.span()[axis] >= step
                && size == sliding.output()[axis] * step
                && before + after + step >= window.span()[axis]
                && before.max(after) < window.span()[axis]
                && size >= window.span()[axis]
        };
        if keeps(0) && keeps(1) {
            tried += 1;
            assert_eq!(hardware.cycles(), longer, "seed {seed}: {layer:?}");
        }
    }
    println!("{tried} windows");
    assert!(tried > 20);
}
