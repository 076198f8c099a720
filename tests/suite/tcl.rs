//! Tcl for Vivado and Vitis HLS, run to its end against a recorder that refuses what those tools would.
//! Must not know how scripts are written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::backend::Language;
use finnp::backend::hls::Target;
use finnp::dataflow::Dataflow;
use finnp::package::{Core, Cores, network};

use super::project::Project;
use super::shared::copy;

/// The program that runs Tcl; `None`, said aloud, where there is none.
pub(crate) fn tclsh() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("tclsh"))
        .find(|file| file.is_file());
    if found.is_none() {
        let ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!ci, "there is no `tclsh`: run the tests with `tests/run`");
        eprintln!("SKIPPED: there is no `tclsh`, which runs Tcl (`tests/run` installs it)");
    }
    found
}

/// The recorder.
pub(crate) fn recorder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/tcl/recorder.tcl")
}

/// What a script called, one line per call; or what it was refused.
fn run(tool: &str, folder: &Path, script: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
    let mut command = Command::new("tclsh");
    command.arg(recorder()).args([tool, script]).args(arguments);
    let output = command.current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    match (output.status.success(), lines.pop().as_deref()) {
        (true, Some("END")) => Ok(lines),
        _ => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

fn count(calls: &[String], start: &str) -> usize {
    calls.iter().filter(|call| call.starts_with(start)).count()
}

fn cores(build: &Path) -> Vec<String> {
    let entries = fs::read_dir(build.join("ip/cores")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A copy of the build of `digits`, up to its packages.
fn digits() -> (tempfile::TempDir, PathBuf) {
    let project = Project::example("digits");
    project.build(&["--to", "package"]).expect_success();
    let scratch = tempfile::TempDir::new().unwrap();
    let build = scratch.path().join("build");
    fs::create_dir(&build).unwrap();
    copy(&project.dir().join("build"), &build);
    (scratch, build)
}

/// Synthesises every core, as far as the recorder does.
fn synthesise(build: &Path) {
    for core in cores(build) {
        let calls = run("hls", build, &format!("ip/cores/{core}/vitis_hls.tcl"), &[]).unwrap();
        for call in [
            &format!("set_top {core}"),
            "set_part xcu280-fsvh2892-2L-e",
            "create_clock -period 6.944 -name default",
        ] {
            assert!(calls.iter().any(|found| found == call), "{calls:?}");
        }
    }
}

/// The scripts of a build, up to the network that is joined from its cores.
pub(crate) fn scripts_run(project: &Project) {
    if tclsh().is_none() {
        return;
    }
    let build = project.dir().join("build");
    for core in cores(&build) {
        let script = format!("ip/cores/{core}/vitis_hls.tcl");
        if build.join(&script).is_file() {
            run("hls", &build, &script, &[]).unwrap();
        }
    }
    run("vivado", &build, "ip/package_ip.tcl", &[]).unwrap();
    let calls = run("vivado", &build, "ip/stitch.tcl", &[]).unwrap();
    assert_eq!(count(&calls, "validate_bd_design"), 1, "{calls:#?}");
    run("hls", &build.join("hls"), "vitis_hls.tcl", &[]).unwrap();
}

#[test]
fn every_script_runs_to_its_end() {
    if tclsh().is_none() {
        return;
    }
    let (_scratch, build) = digits();
    synthesise(&build);
    let packaged = run("vivado", &build, "ip/package_ip.tcl", &[]).unwrap();
    assert_eq!(count(&packaged, "update_ip_catalog -add_ip"), 6);

    let stitched = run("vivado", &build, "ip/stitch.tcl", &[]).unwrap();
    for (start, expected) in [
        ("create_bd_cell -type ip -vlnv finnp:accelerator:", 6),
        ("create_bd_cell", 6),
        ("connect_bd_intf_net", 5),
        ("connect_bd_net ap_clk", 6),
        ("connect_bd_net ap_rst_n", 6),
        ("make_bd_intf_pins_external", 2),
        (
            "create_bd_port -dir I -type clk -freq_hz 144000000 ap_clk",
            1,
        ),
        ("validate_bd_design", 1),
        ("ipx::save_core", 1),
    ] {
        assert_eq!(count(&stitched, start), expected, "{start}: {stitched:#?}");
    }

    run("hls", &build.join("hls"), "vitis_hls.tcl", &[]).unwrap();
    let archive = "hls/digits.zip";
    for (what, step, steps) in [
        ("digits_stitched", "synth", 0),
        (archive, "synth", 0),
        (archive, "route", 1),
    ] {
        let calls = run("vivado", &build, "ip/synth.tcl", &[what, step]).unwrap();
        let synthesis =
            "synth_design -top accelerator -part xcu280-fsvh2892-2L-e -mode out_of_context";
        assert_eq!(count(&calls, synthesis), 1, "{calls:#?}");
        assert_eq!(
            count(&calls, "create_clock -name ap_clk -period 6.944 ap_clk"),
            1
        );
        assert_eq!(count(&calls, "route_design"), steps);
        for file in ["utilization.rpt", "timing.rpt", "accelerator.dcp"] {
            fs::remove_file(build.join(file)).unwrap();
        }
    }
}

#[test]
fn what_the_tools_would_refuse_is_refused() {
    if tclsh().is_none() {
        return;
    }
    let (_scratch, build) = digits();
    let refused = |tool: &str, script: &str, from: &str, to: &str, why: &str| {
        let path = build.join(script);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{script} has no `{from}`");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = run(tool, &build, script, &[]).unwrap_err();
        assert!(error.contains(why), "{script}, {from} -> {to}: {error}");
        fs::write(&path, text).unwrap();
    };
    let script = format!("ip/cores/{}/vitis_hls.tcl", cores(&build)[0]);
    for (from, to, why) in [
        ("csynth_design", "csynthesise", "no command"),
        ("-reset", "-clean", "no option -clean"),
        ("set_part", "# set_part", "before set_part"),
        (".cpp", ".c", "no file"),
        ("set_top ", "set_top x", "no file defines"),
        ("exit", "", "does not end"),
        ("ip_catalog", "ip", "no format"),
    ] {
        refused("hls", &script, from, to, why);
    }
    let archive = build.join("ip/package_ip.tcl");
    assert!(archive.is_file());
    let error = run("vivado", &build, "ip/package_ip.tcl", &[]).unwrap_err();
    assert!(error.contains("is missing: run vitis_hls"), "{error}");
    synthesise(&build);
    run("vivado", &build, "ip/package_ip.tcl", &[]).unwrap();
    for (from, to, why) in [
        ("stream u_fc1/m_axis", "# ", "connected to nothing"),
        (
            "stream u_fc1/m_axis",
            "stream u_fc2/m_axis",
            "connected twice",
        ),
        ("stream u_fc1/m_axis", "stream u_fc9/m_axis", "no cell"),
        (
            "stream u_fc1/m_axis",
            "stream u_fc1/s_axis",
            "is not written",
        ),
        ("core u_fc1 ", "core u_fc1 x", "catalogue has no"),
        (
            "[get_bd_pins $cell/$reset]",
            "[get_bd_pins $cell/reset]",
            "no pin",
        ),
        ("ACTIVE_LOW", "LOW", "no polarity"),
        ("validate_bd_design", "", "before validate_bd_design"),
    ] {
        refused("vivado", "ip/stitch.tcl", from, to, why);
    }
    run("vivado", &build, "ip/stitch.tcl", &[]).unwrap();
    let error = run("vivado", &build, "ip/synth.tcl", &["digits_stitched"]).unwrap_err();
    assert!(error.contains("STEP"), "{error}");
}

/// The folded network of a build, with its layers.
pub(crate) fn folded(build: &Path) -> Dataflow {
    let read = |file: &str| fs::read(build.join("dataflow/folded").join(file)).unwrap();
    let mut dataflow: Dataflow = serde_json::from_slice(&read("graph.json")).unwrap();
    for node in &mut dataflow.nodes {
        let record = read(&format!("layers/{}/layer.json", node.name));
        node.layer = serde_json::from_slice(&record).unwrap();
    }
    dataflow
}

/// A stream that is deeper than what its ends hold gets a FIFO of the next size that there is.
#[test]
fn deep_streams_get_fifos() {
    if tclsh().is_none() {
        return;
    }
    let (_scratch, build) = digits();
    synthesise(&build);
    run("vivado", &build, "ip/package_ip.tcl", &[]).unwrap();
    let mut dataflow = folded(&build);
    let deep = dataflow.nodes[0].outputs[0].0;
    dataflow.streams[deep].depth = 50;
    dataflow.streams[dataflow.inputs[0].stream.0].depth = 3;
    let (first, last) = (&dataflow.nodes[0], dataflow.nodes.last().unwrap());
    let names = cores(&build);
    let layer = |node: &finnp::dataflow::Node| {
        let unnamed = Core::layer(&node.layer, &BTreeMap::new(), Language::Cpp).unwrap();
        let (tag, _) = unnamed.name.rsplit_once('_').unwrap();
        let name = names.iter().find(|name| name.starts_with(tag)).unwrap();
        Core::named(&node.layer, name, Language::Cpp).unwrap()
    };
    let all = Cores {
        input: Core::input(first.layer.hardware().input(), Language::Cpp).unwrap(),
        layers: dataflow.nodes.iter().map(layer).collect(),
        output: Core::output(last.layer.hardware().output(), Language::Cpp).unwrap(),
    };
    let target = Target {
        project: "digits".into(),
        part: "xcu280-fsvh2892-2L-e".into(),
        clock_mhz: 144.0,
    };
    for (file, text) in network(&dataflow, &all, &target).unwrap() {
        fs::write(build.join("ip").join(file), text).unwrap();
    }
    let calls = run("vivado", &build, "ip/stitch.tcl", &[]).unwrap();
    assert_eq!(count(&calls, "create_bd_cell"), 8);
    assert_eq!(count(&calls, "connect_bd_intf_net"), 7);
    let hardware = dataflow.nodes[0].layer.hardware();
    for (fifo, depth, port) in [
        ("u_fc1_out", 64, hardware.output()),
        ("u_input_out", 16, hardware.input()),
    ] {
        let bytes = port.word_bits().div_ceil(8);
        let call = format!(
            "set_property -dict {{CONFIG.FIFO_DEPTH {depth} CONFIG.TDATA_NUM_BYTES {bytes}}} {fifo}"
        );
        assert!(calls.contains(&call), "{call}: {calls:#?}");
    }
    dataflow.streams[deep].depth = 40_000;
    let error = network(&dataflow, &all, &target).unwrap_err();
    assert_eq!(error.kind().exit_code(), 1);
}
