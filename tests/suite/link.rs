//! The stage `link` with made-up tools: present, missing, failing, of another version.
//! Must not know what real tools print beyond their first and last lines.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use super::project::{Call, Project, path};
use super::rtl_bench::verilator;
use super::tcl::{recorder, tclsh};

const HLS: &str = "****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v2022.1 (64-bit)";
const VIVADO: &str = "Vivado v2022.1 (64-bit)";

/// Leaves an archive after it has looked at its arguments and sources.
const SYNTHESISES: &str = r#"
[ "$*" = "-f vitis_hls.tcl" ] || { echo "ERROR: called with $*"; exit 1; }
for file in top.cpp top.hpp library/finnp/mvau.hpp layers/fc1/weights.dat; do
  [ -f "$file" ] || { echo "ERROR: there is no $file"; exit 1; }
done
[ ! -e library/bundled ] || { echo "ERROR: headers of the tool are replaced"; exit 1; }
# Archives hold dates; this one holds a number that is different in every run.
echo "archive $$" > digits.zip
echo "INFO: [HLS 200-1] done"
"#;

/// Leaves reports and a checkpoint; SLACK stands for the slack.
const IMPLEMENTS: &str = r#"
[ "$*" = "-mode batch -nolog -nojournal -notrace -source synth.tcl -tclargs network.zip route" ] ||
  { echo "ERROR: called with $*"; exit 1; }
grep -q '^archive' network.zip && grep -q 6.944 clock.xdc || { echo "ERROR: inputs"; exit 1; }
cat > utilization.rpt <<END
| Site Type             | Used | Fixed | Prohibited | Available | Util% |
| CLB LUTs*             | 8123 |     0 |          0 |   1303680 |  0.62 |
|   Register as Flip Flop | 9000 |   0 |          0 |   2607360 |  0.35 |
| Block RAM Tile        | 14.5 |     0 |          0 |      2016 |  0.72 |
| URAM                  |    0 |     0 |          0 |       960 |  0.00 |
| DSPs                  |   12 |     0 |          0 |      9024 |  0.13 |
END
cat > timing.rpt <<END
    WNS(ns)      TNS(ns)  TNS Failing Endpoints
    -------      -------  ---------------------
      SLACK        0.000                      0
END
echo "checkpoint $$" > accelerator.dcp
"#;

/// A project and a folder for made-up tools.
struct World {
    project: Project,
    tools: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        World {
            project: Project::example("digits"),
            tools: tempfile::TempDir::new().unwrap(),
        }
    }

    /// Installs a tool that says its version and else does `body`.
    fn tool(&self, name: &str, version: &str, body: &str) {
        let file = self.tools.path().join(name);
        let text = format!(
            "#!/bin/sh\ncase \"$1\" in -version|--version) echo; echo '{version}'; exit;; esac\n{body}"
        );
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Both tools, as they should be.
    fn both(&self, hls: &str, vivado: &str, slack: &str) {
        self.tool("vitis_hls", hls, SYNTHESISES);
        self.tool("vivado", vivado, &IMPLEMENTS.replace("SLACK", slack));
    }

    fn path(&self) -> OsString {
        let folders = [self.tools.path().to_owned()].into_iter();
        std::env::join_paths(folders.chain(std::env::split_paths(&path()))).unwrap()
    }

    fn build(&self, args: &[&str]) -> Call {
        let args: Vec<&str> = [&["build", "--json"], args].concat();
        let mut command = self.project.command(&args);
        Call::of(command.env("PATH", self.path()).output().unwrap())
    }

    /// What it prints for people: everything, and the errors.
    fn says(&self, args: &[&str]) -> (String, String) {
        let args: Vec<&str> = [&["build"], args].concat();
        let mut command = self.project.command(&args);
        let output = command.env("PATH", self.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }
}

fn of_link(call: &Call) -> Vec<String> {
    let mut ran = call.ran();
    ran.retain(|job| job.starts_with("link "));
    ran
}

const ALL: [&str; 3] = [
    "link implement the network",
    "link result",
    "link synthesise the network",
];

#[test]
fn figures_of_the_tools_are_in_the_summary() {
    let world = World::new();
    world.both(HLS, VIVADO, "0.125");
    let call = world.build(&["--require", "link"]).expect_success();
    assert_eq!(of_link(&call), ALL);
    let expected = json!({
        "status": "done",
        "tools": {"vitis_hls": HLS, "vivado": VIVADO},
        "clock_mhz": 144.0,
        "timing_met": true,
        "lut": 8123, "ff": 9000, "bram": 14.5, "uram": 0, "dsp": 12, "wns_ns": 0.125,
        "warnings": [],
    });
    assert_eq!(world.project.json("link/link.json"), expected);
    assert_eq!(world.project.json("summary.json")["link"], expected);
    assert_eq!(call.finished()["link"], expected);
    assert_eq!(call.finished()["warnings"], json!([]));
    let built = world.project.built();
    for file in [
        "utilization.rpt",
        "timing.rpt",
        "accelerator.dcp",
        "digits.zip",
    ] {
        assert!(built.contains_key(&format!("link/{file}")), "{file}");
    }
    // What it proves has not changed: nothing was simulated.
    assert_eq!(
        world.project.json("summary.json")["proof"],
        "function verified (C simulation), timing not verified"
    );
    let (said, _) = world.says(&[]);
    let line = "link done (out of context): 8,123 LUT, 9,000 FF, 14.5 BRAM, 12 DSP; 144 MHz met, WNS 0.125 ns\n";
    assert!(said.contains(line), "{said}");
}

#[test]
fn another_version_runs_again_and_the_same_does_not() {
    let world = World::new();
    world.both(HLS, VIVADO, "0.125");
    world.build(&[]).expect_success();
    assert_eq!(world.build(&[]).expect_success().ran(), [""; 0]);
    world.both(HLS, "vivado v2023.2 (64-bit)", "0.250");
    let call = world.build(&[]).expect_success();
    assert_eq!(of_link(&call), ALL[..2]);
    assert_eq!(world.project.json("link/link.json")["wns_ns"], 0.25);
    world.both(HLS, VIVADO, "0.125");
    let call = world.build(&[]).expect_success();
    assert_eq!(call.ran(), [""; 0], "the first version's results are lost");
    assert_eq!(world.project.json("link/link.json")["wns_ns"], 0.125);
}

#[test]
fn a_clock_that_is_not_reached_and_a_strange_version_are_warned_of() {
    let world = World::new();
    world.both(HLS, "Vivado v2021.2 (64-bit)", "-0.300");
    let call = world.build(&[]).expect_success();
    assert_eq!(
        call.finished()["warnings"],
        json!([
            "release 2021.2 of `vivado` is not among those that the scripts are written for: 2022.1 to 2025.x",
            "144 MHz are not reached: 0.3 ns are missing on the slowest path",
        ])
    );
    assert_eq!(call.finished()["link"]["timing_met"], false);
    let (said, warned) = world.says(&[]);
    assert!(said.contains("144 MHz NOT met, WNS -0.3 ns"), "{said}");
    assert!(warned.contains("2021.2"), "{warned}");
}

#[test]
fn missing_tools_are_named_and_may_be_required() {
    let world = World::new();
    for (present, reason) in [
        (None, "vivado not found, vitis_hls not found"),
        (Some("vitis_hls"), "vivado not found"),
    ] {
        if let Some(tool) = present {
            world.tool(tool, HLS, SYNTHESISES);
        }
        let call = world.build(&[]).expect_success();
        let expected = json!({"status": "not run", "reason": reason});
        assert_eq!(call.finished()["link"], expected);
        assert_eq!(world.project.json("summary.json")["link"], expected);
        let (said, _) = world.says(&[]);
        assert!(
            said.contains(&format!("link not run: {reason}\n")),
            "{said}"
        );
        let call = world.build(&["--require", "link"]);
        assert_eq!(call.code, 3);
        let problem = &call.finished()["problems"][0];
        assert_eq!(
            problem["message"],
            format!("`link` is required and cannot run: {reason}")
        );
        assert!(
            problem["help"]
                .as_str()
                .unwrap()
                .contains("install AMD Vivado")
        );
        assert_eq!(of_link(&call), [""; 0]);
    }
}

#[test]
fn only_stages_that_are_built_can_be_required() {
    let world = World::new();
    for (args, code) in [
        (
            &["--to", "fold", "--require", "fold", "--require", "import"][..],
            0,
        ),
        (&["--to", "fold", "--require", "link"], 2),
        (&["--require", "lnik"], 2),
    ] {
        assert_eq!(world.build(args).code, code, "{args:?}");
    }
}

#[test]
fn the_first_error_of_a_failing_tool_is_shown_with_its_log() {
    let world = World::new();
    world.both(HLS, VIVADO, "0.125");
    let error = "ERROR: [Place 30-640] Place Check: too many LUTs";
    let body = format!("echo 'INFO: begin'\necho '{error}'\necho 'ERROR: second'\nexit 1\n");
    world.tool("vivado", VIVADO, &body);
    let call = world.build(&[]);
    assert_eq!(call.code, 3);
    let problem = &call.finished()["problems"][0];
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains(error), "{message}");
    assert!(!message.contains("second"), "{message}");
    let log = "build/logs/link/implement the network.log";
    assert!(problem["help"].as_str().unwrap().contains(log), "{problem}");
    let log = fs::read_to_string(world.project.dir().join(log)).unwrap();
    assert!(log.starts_with("INFO: begin\nERROR"), "{log}");
    assert!(!world.project.dir().join("build/summary.json").exists());
    // What was synthesised is kept.
    world.both(HLS, VIVADO, "0.125");
    assert_eq!(of_link(&world.build(&[]).expect_success()), ALL[..2]);
}

#[test]
fn a_tool_that_leaves_nothing_is_an_error() {
    let world = World::new();
    world.both(HLS, VIVADO, "0.125");
    world.tool("vitis_hls", HLS, "exit 0\n");
    let call = world.build(&[]);
    assert_eq!(call.code, 3);
    let message = call.finished()["error"].as_str().unwrap();
    assert!(message.contains("left no file"), "{message}");
    world.both(HLS, VIVADO, "NA");
    let call = world.build(&[]);
    assert_eq!(call.code, 3);
    let message = call.finished()["error"].as_str().unwrap();
    assert!(message.contains("WNS(ns)"), "{message}");
}

/// The generated scripts themselves, in the very folders in which the tools would run them, with the newer
/// command for the first; for C++, for SystemVerilog, which needs no other tool than Vivado, and for both.
#[test]
fn the_scripts_run_where_link_runs_them() {
    if tclsh().is_none() || !verilator() {
        return;
    }
    let recorder: PathBuf = recorder();
    let recorder = recorder.display();
    let mixed = ["target.backend=rtl", "layer.fc2.backend=hls"];
    for (set, cpp, synthesised) in [
        (&[][..], true, 1),
        (&mixed[..1], false, 0),
        (&mixed[..], true, 1),
    ] {
        let world = World::new();
        if cpp {
            world.tool(
                "vitis-run",
                "****** vitis-run v2025.1 (64-bit)",
                &format!("[ \"$1 $2 $3\" = '--mode hls --tcl' ] && exec tclsh {recorder} hls $4"),
            );
        }
        let vivado = format!(
            "shift 6\nscript=$1\n[ $# -gt 0 ] && shift\n\
             if [ $# -gt 0 ]; then\n[ \"$1\" = -tclargs ] && [ $# -gt 1 ] || {{ echo \"ERROR: $*\"; exit 1; }}\nshift\nfi\n\
             exec tclsh {recorder} vivado \"$script\" \"$@\""
        );
        world.tool("vivado", VIVADO, &vivado);
        let set: Vec<&str> = set.iter().flat_map(|value| ["--set", value]).collect();
        let args = [&["--require", "link"], &set[..]].concat();
        let call = world.build(&args).expect_success();
        let ran = of_link(&call);
        assert_eq!(ran.len(), synthesised + 2, "{ran:?}");
        let link = world.project.json("link/link.json");
        assert_eq!(
            (&link["lut"], &link["bram"], &link["wns_ns"]),
            (&json!(1234), &json!(2.5), &json!(0.125))
        );
        assert_eq!(
            link["tools"].as_object().unwrap().len(),
            1 + usize::from(cpp)
        );
        let log = "build/logs/link/implement the network.log";
        let log = fs::read_to_string(world.project.dir().join(log)).unwrap();
        assert!(log.contains("\nroute_design\n"), "{log}");
        assert_eq!(world.build(&args).expect_success().ran(), [""; 0]);
    }
}
