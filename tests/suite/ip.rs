//! What is packaged: documents that are valid and fit each other, cores that compute the network.
//! Must not know how packages are written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::mixed;
use super::other_executor::python;
use super::project::Project;
use super::proto::{Attribute, File};
use super::random::Random;
use super::tcl::folded;

/// Checks the documents of a build against the schemas of IEEE 1685-2009, each other and the files that they
/// list, and that none stays valid without what it must have.
pub(crate) fn check(project: &Project) {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/ip.py");
    let mut command = Command::new(python);
    let output = command
        .arg(script)
        .arg(project.dir().join("build/ip"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["problems"], serde_json::json!([]));
    let documents = found["mutants"].as_object().unwrap();
    let joined = project.dir().join("build/ip/design.xml").is_file();
    assert!(
        documents.len() > if joined { 4 } else { 0 },
        "{documents:?}"
    );
    for (document, mutants) in documents {
        for (element, valid) in mutants.as_object().unwrap() {
            assert_eq!(
                *valid, false,
                "{document} is valid without its first {element}"
            );
        }
    }
}

#[test]
fn documents_of_an_example_are_valid() {
    let project = Project::example("digits");
    project.build(&["--to", "package"]).expect_success();
    check(&project);
    let build = project.dir().join("build");
    let network = fs::read_to_string(build.join("ip/component.xml")).unwrap();
    let layers = folded(&build).nodes;
    let (first, last) = (&layers[0], layers.last().unwrap());
    for (port, bits) in [
        ("s_axis_TDATA", first.layer.hardware().input().word_bits()),
        ("m_axis_TDATA", last.layer.hardware().output().word_bits()),
    ] {
        let left = bits.next_multiple_of(8) - 1;
        let (_, after) = network
            .split_once(&format!(
                "<spirit:name>{port}</spirit:name>\n        <spirit:wire>"
            ))
            .unwrap();
        let end = after.find("</spirit:wire>").unwrap();
        assert!(
            after[..end].contains(&format!("<spirit:left>{left}</spirit:left>")),
            "{port}: {}",
            &after[..end]
        );
    }
}

/// A network whose first two layers are equal, with equal weights.
fn twins() -> Project {
    let mut file = File::new(13, "qonnx.custom_op.general");
    let mut random = Random::new(3);
    let quant = |file: &mut File, at: &str, scale: f32, bits: f32| {
        let names = [scale, 0.0, bits].map(|value| file.constant(&[], &[value], false));
        let inputs = [at, &names[0], &names[1], &names[2]];
        file.custom("Quant", &inputs, &[("signed", Attribute::Int(1))])
    };
    file.input("in", &[1, 8]);
    let mut at = quant(&mut file, "in", 0.5, 4.0);
    let values: Vec<f32> = (0..64).map(|_| random.between(-3, 3) as f32).collect();
    for width in [8, 8, 4] {
        let weights = file.constant(&[8, width], &values[..8 * width], false);
        let weights = quant(&mut file, &weights, 1.0, 3.0);
        at = file.node("MatMul", &[&at, &weights], &[]);
        at = quant(&mut file, &at, 0.5, 4.0);
    }
    file.output(&at, &[1, 4], false);
    let project = Project::new(
        "[project]\nname = \"twins\"\n[model]\npath = \"model.onnx\"\n\
         [target]\nboard = \"zcu104\"\nfps = 1\n",
    );
    fs::write(project.dir().join("model.onnx"), file.bytes()).unwrap();
    project
}

#[test]
fn equal_layers_share_a_core() {
    let project = twins();
    let call = project.build(&["--to", "package"]).expect_success();
    let shared: Vec<_> = call
        .events
        .iter()
        .filter(|event| event["stage"] == "package" && event["same_as"].is_string())
        .collect();
    assert_eq!(shared.len(), 1, "{:?}", call.ran());
    let tcl = fs::read_to_string(project.dir().join("build/ip/stitch.tcl")).unwrap();
    let cells: Vec<&str> = tcl
        .lines()
        .filter_map(|line| line.strip_prefix("core u_")?.split_once(' '))
        .map(|(_, core)| core)
        .collect();
    assert_eq!(cells.len(), 5, "{cells:?}");
    assert_eq!(cells[1], cells[2]);
    assert_ne!(cells[2], cells[3]);
    check(&project);
}

/// The clock stands in what is said of a core and in its script, and in nothing else.
#[test]
fn another_clock_makes_no_other_core() {
    let project = Project::example("digits");
    let cores = || -> BTreeMap<String, Vec<u8>> {
        let built = project.built().into_iter();
        built
            .filter(|(path, _)| path.starts_with("ip/cores/"))
            .collect()
    };
    let slower = [
        "--to",
        "package",
        "--set",
        "target.clock_mhz=100",
        "--set",
        "target.fps=70000",
    ];
    project.build(&slower).expect_success();
    let slow = cores();
    project.build(&["--to", "package"]).expect_success();
    let fast = cores();
    assert!(slow.keys().eq(fast.keys()));
    for (path, bytes) in &slow {
        let says = ["component.xml", "vitis_hls.tcl"]
            .iter()
            .any(|file| path.ends_with(file));
        assert_eq!(fast[path] != *bytes, says, "{path}");
    }
}

/// The cores, joined as the Tcl joins them, against the network's simulation.
#[test]
fn the_cores_compute_the_network() {
    let project = Project::example("digits");
    project.build(&["--to", "package"]).expect_success();
    simulate_joined(&project);
}

#[test]
fn pruned_cores_compute_the_pruned_network() {
    let project = Project::example("digits");
    let prune = ["prune.pattern=\"bcr-col\"", "prune.density=0.5"];
    let set = prune.iter().flat_map(|value| ["--set", value]);
    let args: Vec<&str> = ["--to", "package"].into_iter().chain(set).collect();
    project.build(&args).expect_success();
    let tcl = fs::read_to_string(project.dir().join("build/ip/stitch.tcl")).unwrap();
    assert!(tcl.contains("core u_fc1 mvau_bcr_"), "{tcl}");
    check(&project);
    simulate_joined(&project);
}

pub(crate) fn simulate_joined(project: &Project) {
    let build = project.dir().join("build");
    let tcl = fs::read_to_string(build.join("ip/stitch.tcl")).unwrap();
    let scratch = TempDir::new().unwrap();
    let main = scratch.path().join("main.cpp");
    let modules = mixed::modules(&build);
    fs::write(&main, joined(&tcl, &build, &modules)).unwrap();
    let (program, output) = (
        scratch.path().join("stitched"),
        scratch.path().join("output.npy"),
    );
    let mut compiler = Command::new("c++");
    compiler
        .args(["-std=c++17", "-O1", "-w", "-o"])
        .arg(&program);
    let hls = build.join("hls");
    for folder in [
        "",
        "library",
        "library/bundled/ap",
        "library/bundled/stream",
    ] {
        compiler.arg("-I").arg(hls.join(folder));
    }
    compiler.arg(&main);
    compiler.args(sources(&hls.join("shapes")));
    for core in fs::read_dir(build.join("ip/cores")).unwrap() {
        compiler.args(sources(&core.unwrap().path()));
    }
    mixed::verilate(&build, &modules, scratch.path(), &mut compiler);
    assert!(compiler.status().unwrap().success());
    let mut run = Command::new(program);
    run.arg(".").arg(build.join("sim/inputs.npy")).arg(&output);
    // Where the memories of modules are.
    run.current_dir(scratch.path());
    assert!(run.status().unwrap().success());
    assert!(
        fs::read(output).unwrap() == fs::read(build.join("sim/output.npy")).unwrap(),
        "the cores compute something else"
    );
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "cpp"))
        .collect()
}

/// The ports whose names begin so, in the order of their names.
fn ports<'a>(start: &str, ends: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    let ports = ends.filter(|end| end.starts_with(start));
    let mut ports: Vec<String> = ports.map(|end| (*end).to_owned()).collect();
    ports.sort();
    ports
}

/// What a core reads and what it writes, in C++.
fn classes(shape: &str) -> [String; 2] {
    match shape {
        "input_edge" => ["input_edge::Stream", "input_edge::Frame::Stream"].map(str::to_owned),
        "output_edge" => ["output_edge::Frame::Stream", "output_edge::Stream"].map(str::to_owned),
        shape => ["Input", "Output"].map(|side| format!("{shape}_unit::{side}")),
    }
}

/// A program whose function calls each core of the block design in turn. FIFOs are streams like all others.
fn joined(tcl: &str, build: &Path, modules: &BTreeSet<String>) -> String {
    let words = |start: &'static str| {
        tcl.lines()
            .filter_map(move |line| line.strip_prefix(start)?.split_once(' '))
    };
    // By who reads: who writes.
    let wires: BTreeMap<&str, &str> = words("stream ").map(|(from, to)| (to, from)).collect();
    let variable = |end: &str| {
        let mut from = wires[end];
        while let Some(fifo) = from.strip_suffix("/M_AXIS") {
            from = wires[format!("{fifo}/S_AXIS").as_str()];
        }
        from.replace('/', "_")
    };
    let (mut declared, mut streams, mut calls) = <(String, String, String)>::default();
    for (cell, core) in words("core ") {
        let (shape, _) = core.rsplit_once('_').unwrap();
        let read = ports(&format!("{cell}/s_axis"), wires.keys());
        let written = ports(&format!("{cell}/m_axis"), wires.values());
        let [input, output] = classes(shape);
        if !shape.ends_with("_edge") {
            declared += &format!("#include \"shapes/{shape}.hpp\"\n");
        }
        let class = |slot: usize| match read.len() {
            0 | 1 => input.clone(),
            _ => format!("{input}<{slot}>"),
        };
        let mut kinds: Vec<String> = (0..read.len().max(1)).map(class).collect();
        kinds.extend(vec![output.clone(); written.len().max(1)]);
        declared += &format!("void {core}({}&);\n", kinds.join("&, "));
        if modules.contains(core) {
            declared += &mixed::function(build, cell, core, &kinds);
        }
        let mut passed: Vec<String> = read.iter().map(|end| variable(end)).collect();
        if shape == "input_edge" {
            passed.push("input".to_owned());
        }
        for end in &written {
            let name = end.replace('/', "_");
            streams += &format!("    {output} {name};\n");
            passed.push(name);
        }
        if shape == "output_edge" {
            passed.push("output".to_owned());
        }
        calls += &format!("    {core}({});\n", passed.join(", "));
    }
    format!(
        "#include \"top.hpp\"\n{}{declared}\n\
         void joined(input_edge::Stream& input, output_edge::Stream& output) {{\n{streams}{calls}}}\n\n\
         int main(int argc, char** argv) {{ return finnp::simulate_network<input_edge, output_edge>(argc, argv, joined); }}\n",
        mixed::header(modules),
    )
}
