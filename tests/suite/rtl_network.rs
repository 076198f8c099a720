//! Whole networks in SystemVerilog: built, simulated cycle by cycle, read by other tools.
//! Must not know single layers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::backend::rtl::LIBRARY;

use super::other_executor::python;
use super::project::Project;
use super::rtl_bench::verilator;

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "sv") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The program that reads SystemVerilog with slang.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/rtl_lint.py")
}

/// Neither Verilator nor slang has anything to say about what a build wrote.
fn lint(rtl: &Path, top: &str) {
    let mut command = Command::new("verilator");
    command.args(["--lint-only", "-Wall", "-y", "library", "-y", "shapes"]);
    command.args(["--top-module", top, &format!("{top}.sv")]);
    assert_eq!(said(command.current_dir(rtl)), "");
    let Some(python) = python() else { return };
    let mut command = Command::new(python);
    command.arg(script()).args([top, "--"]).args(sources(rtl));
    assert_eq!(said(command.current_dir(rtl)), "");
}

/// Compiles what a build wrote as its own test bench says.
fn compile(rtl: &Path) {
    let text = fs::read_to_string(rtl.join("testbench.cpp")).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//   "));
    let build = text
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("//   "));
    let build: Vec<&str> = build
        .map(str::trim)
        .take_while(|line| !line.starts_with("obj_dir/simulate "))
        .collect();
    assert_eq!(lines.count(), 0, "the first line is a headline");
    assert!(build[0].starts_with("verilator "), "{build:?}");
    said(
        Command::new("sh")
            .args(["-c", &build.join("\n")])
            .current_dir(rtl),
    );
}

/// Builds a project with RTL, and looks at what came out.
fn all_the_way(project: &Project, top: &str) {
    project
        .build(&["--set", "target.backend=rtl"])
        .expect_success();
    let summary = project.json("summary.json");
    assert_eq!(
        summary["proof"],
        "function and timing verified (RTL simulation)"
    );
    let network = &summary["rtl"]["network"];
    assert!(network["frames"].as_u64().unwrap() > 1, "{network}");
    let interval = network["interval"].as_u64().unwrap();
    let layers = summary["layers"].as_array().unwrap();
    let slowest = layers.iter().map(|layer| layer["cycles"].as_u64().unwrap());
    assert!(interval <= slowest.max().unwrap(), "{network}");
    let alone = summary["rtl"]["layers"].as_array().unwrap();
    assert_eq!(alone.len(), layers.len());
    let again = project.build(&["--set", "target.backend=rtl"]);
    assert_eq!(again.expect_success().ran(), Vec::<String>::new());

    let build = project.dir().join("build");
    let rtl = build.join("rtl");
    lint(&rtl, top);
    compile(&rtl);
    let words = |name: &str| build.join("sim/rtl").join(name);
    let expected = fs::read(words("out.bin")).unwrap();
    for options in [&[][..], &["--gaps", "5"], &["--reset", "333"]] {
        let mut command = Command::new("./obj_dir/simulate");
        command.args(options).arg(words("in.bin")).arg("out.bin");
        said(command.current_dir(&rtl));
        assert_eq!(
            fs::read(rtl.join("out.bin")).unwrap(),
            expected,
            "{options:?}"
        );
    }
    // What the registers counted.
    let mut command = Command::new("./obj_dir/simulate");
    command.args(["--registers", "9"]).arg(words("in.bin"));
    let registers = said(command.arg("out.bin").current_dir(&rtl));
    let registers: Vec<u64> = registers
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let frames = network["frames"].as_u64().unwrap();
    assert_eq!(registers[0], u64::from(u32::from_be_bytes(*b"FNNP")));
    assert_eq!(registers[2..6], [1, 0, frames, frames]);
    let cycles = fs::read(words("out.bin.cycles")).unwrap();
    let last = u64::from_le_bytes(cycles[cycles.len() - 8..].try_into().unwrap());
    assert!((last..last + 200).contains(&registers[6]), "{registers:?}");
}

/// Each module of the library alone, as its parameters are by default.
#[test]
fn the_library_is_clean_by_itself() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in LIBRARY {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let names = LIBRARY.iter().map(|(name, _)| name.trim_end_matches(".sv"));
    let mut command = Command::new(python);
    command.arg(script()).args(names).arg("--");
    command
        .args(sources(folder.path()))
        .current_dir(folder.path());
    assert_eq!(said(&mut command), "");
}

#[test]
fn digits_is_exact_to_the_cycle() {
    if verilator() {
        all_the_way(&Project::example("digits"), "digits");
    }
}
