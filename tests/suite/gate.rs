//! The netlist that Yosys makes of a whole network, simulated gate by gate. `FINNP_SWEEP=1` takes the example as it is,
//! else it is folded further. Must not know single layers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::backend::rtl::{PRIMITIVES, synthesis_script};

use super::area_yosys::{run, wanted_yosys};
use super::project::{Call, Project};
use super::rtl_bench::verilator;

/// Sources in a folder of a build, relative to it.
fn sources(rtl: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(rtl.join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names
        .filter(|name| name.ends_with(".sv"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    files.sort();
    files
}

/// Maps the module of the network to cells of UltraScale+, and writes the netlist with each cell as Yosys' own models
/// of the family have it.
fn map(yosys: &Path, rtl: &Path, top: &str) {
    fs::write(rtl.join(PRIMITIVES.0), PRIMITIVES.1).unwrap();
    let mut files = sources(rtl, "library");
    files.extend(sources(rtl, "shapes"));
    files.push(format!("{top}.sv"));
    let write = "write_verilog -noattr mapped.v".to_owned();
    run(yosys, &synthesis_script(top, &files, &[], &[write]), rtl);
    let mapped = fs::read_to_string(rtl.join("mapped.v")).unwrap();
    assert!(mapped.contains(" LUT6 ") && mapped.contains(" FDRE "));
    // The models of cells, as far as they are used; nothing is optimised again.
    let script = [
        "read_verilog mapped.v",
        "read_verilog +/xilinx/cells_sim.v",
        &format!("hierarchy -check -top {top}"),
        "proc",
        "flatten",
        "opt_clean",
        "write_verilog -noattr gates.v",
    ];
    run(yosys, &script.join("\n"), rtl);
}

fn said(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Compiles the netlist with the test bench of the build, and runs it on what the build ran the sources on.
fn simulate(rtl: &Path, top: &str, input: &Path) {
    let mut command = Command::new("verilator");
    command.args([
        "--cc",
        "--exe",
        "--build",
        "-O3",
        "--no-assert",
        "-Wno-fatal",
    ]);
    command.args(["--prefix", "Vdut", "--Mdir", "gates", "-o", "simulate"]);
    command.args(["-CFLAGS", "-O0 -std=c++17 -I..", "--top-module", top]);
    command.args(["gates.v", "testbench.cpp"]);
    said(command.current_dir(rtl));
    let mut command = Command::new("gates/simulate");
    said(command.arg(input).arg("gates.bin").current_dir(rtl));
}

/// What a build says of the chip: every figure against the board's, with the model's beside it.
fn accounted(project: &Project) {
    let account = project.json("cost/cost.json");
    for layer in account["layers"].as_array().unwrap() {
        let [model, measured] = ["model", "synthesis"].map(|from| &layer[from]);
        assert!(measured["lut"].as_u64().unwrap() > 0, "{layer}");
        assert_eq!(measured["bram18"], model["bram18"], "{layer}");
        assert_eq!(measured["dsp"], model["dsp"], "{layer}");
    }
    let total = &project.json("summary.json")["cost"];
    assert_eq!(*total, account["total"]);
    for entry in total.as_array().unwrap() {
        assert_eq!(entry["basis"]["from"], "synthesis", "{entry}");
    }
    let lut = &total[0];
    assert_eq!(lut["figure"], "lut");
    let off = lut["basis"]["off_percent"].as_f64().unwrap();
    assert!(off.abs() < 30.0, "{lut}");
}

#[test]
fn the_netlist_of_digits_is_exact_to_the_cycle() {
    let Some(yosys) = wanted_yosys() else { return };
    if !verilator() {
        return;
    }
    let project = Project::example("digits");
    let mut arguments = vec!["build", "--json", "--set", "target.backend=rtl"];
    arguments.extend(["--set", "target.synthesis=yosys"]);
    if std::env::var_os("FINNP_SWEEP").is_none() {
        // Not so far that weights move to block memories, of which Yosys has no model.
        project.edit("pe = 8 ", "pe = 4 ");
        arguments.extend(["--set", "verify.samples=24"]);
    }
    let mut command = project.command(&arguments);
    Call::of(command.env("YOSYS", &yosys).output().unwrap()).expect_success();
    accounted(&project);

    let build = project.dir().join("build");
    let (rtl, words): (PathBuf, PathBuf) = (build.join("rtl"), build.join("sim/rtl"));
    map(&yosys, &rtl, "digits");
    simulate(&rtl, "digits", &words.join("in.bin"));
    for (found, expected) in [
        ("gates.bin", "out.bin"),
        ("gates.bin.cycles", "out.bin.cycles"),
    ] {
        let [found, expected] =
            [rtl.join(found), words.join(expected)].map(|path| fs::read(path).unwrap());
        assert!(!expected.is_empty());
        assert_eq!(found, expected);
    }
}
