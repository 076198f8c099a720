//! Networks of which some layers are C++ and some SystemVerilog.
//! Must not know how either is generated.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::backend::rtl::core_memory;
use finnp::package::accelerator_memory;
use serde_json::json;

use super::ip::{check, simulate_joined};
use super::project::Project;
use super::rtl_bench::{compiler, runtime, verilator};
use super::tcl::{folded, scripts_run};

/// Names of the cores of a build that are modules of Verilog.
pub(crate) fn modules(build: &Path) -> BTreeSet<String> {
    let cores = fs::read_dir(build.join("ip/cores")).unwrap();
    let names = cores.map(|core| core.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| build.join(format!("ip/cores/{name}/{name}.v")).is_file())
        .collect()
}

/// Words of a frame in each stream that a cell reads, and in each that it writes.
fn words(build: &Path, cell: &str) -> [Vec<usize>; 2] {
    let nodes = folded(build).nodes;
    let ports = |at: usize| nodes[at].layer.hardware();
    match cell {
        "u_input_edge" => {
            let words = ports(0).input().words();
            [vec![words], vec![words]]
        }
        "u_output_edge" => {
            let words = ports(nodes.len() - 1).output().words();
            [vec![words], vec![words]]
        }
        _ => {
            let name = |name: &str| format!("u_{}", name.replace(['.', '-'], "_"));
            let node = nodes.iter().find(|node| name(&node.name) == cell);
            let hardware = node
                .unwrap_or_else(|| panic!("no layer is {cell}"))
                .layer
                .hardware();
            let inputs = hardware.inputs();
            let read = inputs.iter().map(|port| port.words());
            [
                read.collect(),
                vec![hardware.output().words(); hardware.copies()],
            ]
        }
    }
}

/// The function that stands for a core which is a module of Verilog: `kinds` are its streams.
pub(crate) fn function(build: &Path, cell: &str, core: &str, kinds: &[String]) -> String {
    let [read, written] = words(build, cell);
    let sides = [("reads", "s_axis", &read), ("writes", "m_axis", &written)];
    let (mut declared, mut calls) = (Vec::new(), String::new());
    for (call, side, words) in sides {
        for (at, words) in words.iter().enumerate() {
            let port = match sides.iter().find(|each| each.1 == side).unwrap().2.len() {
                1 => side.to_owned(),
                _ => format!("{side}_{at}"),
            };
            let stream = format!("stream_{}", declared.len());
            let last = match call == "writes" && cell == "u_output_edge" {
                true => format!(", dut.{port}_TLAST"),
                false => String::new(),
            };
            calls += &format!(
                "    core.{call}({stream}, {words}, dut.{port}_TVALID, dut.{port}_TREADY, dut.{port}_TDATA{last});\n"
            );
            declared.push(format!("{}& {stream}", kinds[declared.len()]));
        }
    }
    format!(
        "#include \"V{core}.h\"\nvoid {core}({}) {{\n    static V{core} dut;\n    static bool started = false;\n    \
         mixed::Core<V{core}> core(dut, started);\n{calls}    core.run();\n}}\n",
        declared.join(", ")
    )
}

/// The line that includes what such functions are made of, where there are any.
pub(crate) fn header(modules: &BTreeSet<String>) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/mixed.hpp");
    match modules.is_empty() {
        true => String::new(),
        false => format!("#include \"{}\"\n", file.display()),
    }
}

/// Compiles the modules of `cores` and adds them to a program: sources see their headers, and `folder` gets their
/// memories.
pub(crate) fn verilate(build: &Path, cores: &BTreeSet<String>, folder: &Path, cxx: &mut Command) {
    let rtl = build.join("rtl");
    for core in cores {
        let own = build.join("ip/cores").join(core);
        let objects = folder.join(core);
        let mut verilate = Command::new("verilator");
        verilate.args(["--cc", "--build", "-Wall", "-O3", "--no-assert"]);
        verilate.args(["--x-assign", "unique", "--x-initial", "unique"]);
        verilate.args(["--prefix", &format!("V{core}"), "--top-module", core]);
        verilate.arg("--Mdir").arg(&objects);
        for library in ["library", "shapes"] {
            verilate.arg("-y").arg(rtl.join(library));
        }
        let output = verilate
            .arg(own.join(format!("{core}.v")))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{core}: {said}");
        cxx.arg("-I").arg(&objects);
        cxx.arg(objects.join(format!("V{core}__ALL.a")));
        for file in fs::read_dir(&own).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "mem") {
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    if !cores.is_empty() {
        let (include, object) = runtime();
        let arguments: Vec<_> = compiler(&include)
            .get_args()
            .map(ToOwned::to_owned)
            .collect();
        cxx.args(arguments).arg(object).arg("-lpthread");
    }
}

#[test]
fn layers_of_both_languages_compute_the_network() {
    if !verilator() {
        return;
    }
    let project = Project::example("digits");
    let set = ["target.backend=\"auto\"", "layer.fc2.backend=\"hls\""];
    let set: Vec<&str> = set.iter().flat_map(|value| ["--set", value]).collect();
    project.build(&set).expect_success();
    let summary = project.json("summary.json");
    let layers = summary["layers"].as_array().unwrap().len();
    assert_eq!(
        summary["proof"],
        format!(
            "function verified (C simulation), timing not verified; {} of {layers} layers: function and timing \
             verified (RTL simulation)",
            layers - 1
        )
    );
    assert_eq!(summary["rtl"]["network"], json!(null));
    let simulated = summary["rtl"]["layers"].as_array().unwrap();
    assert!(
        simulated.iter().all(|layer| layer["name"] != "fc2"),
        "{simulated:?}"
    );
    // Of C++ nothing is known: it is in no sum, and neither are edges, which are cores.
    let account = project.json("cost/cost.json");
    assert_eq!(account["cpp"], json!(["fc2"]));
    assert_eq!(account["edges"], json!(null));
    let counted = account["layers"].as_array().unwrap();
    assert_eq!(counted.len(), layers - 1, "{counted:?}");
    let luts = counted.iter().map(|layer| layer["model"]["lut"].as_u64());
    let luts: Option<u64> = luts.sum();
    assert_eq!(account["total"][0]["used"].as_u64(), luts);
    let said = summary["left_out"].as_array().unwrap().last().unwrap();
    assert!(said.as_str().unwrap().starts_with("resources"), "{said}");
    let build = project.dir().join("build");
    // Nothing joins all layers in SystemVerilog; cores of both languages are joined instead.
    assert!(!build.join("rtl/digits.sv").exists());
    let tcl = fs::read_to_string(build.join("ip/stitch.tcl")).unwrap();
    assert_eq!(
        modules(&build).len(),
        tcl.matches("\ncore u_").count() - 1,
        "{tcl}"
    );
    check(&project);
    scripts_run(&project);
    simulate_joined(&project);
    let again = project.build(&set);
    assert_eq!(again.expect_success().ran(), Vec::<String>::new());
}

/// Another language of a layer is another account, though the folded network is the same.
#[test]
fn resources_follow_the_languages() {
    let project = Project::example("digits");
    let accounts = [&[][..], &["fc1"], &["fc2"]].map(|cpp| {
        let mut set = vec!["target.backend=rtl".to_owned()];
        set.extend(cpp.iter().map(|layer| format!("layer.{layer}.backend=hls")));
        let mut args = vec!["--to", "cost"];
        args.extend(set.iter().flat_map(|value| ["--set", value]));
        project.build(&args).expect_success();
        project.json("cost/cost.json")
    });
    let [all, first, second] = &accounts;
    assert_eq!(all["cpp"], json!(null));
    assert!(all["edges"]["lut"].as_u64().unwrap() > 0, "{all}");
    assert_eq!(first["cpp"], json!(["fc1"]));
    assert_eq!(second["cpp"], json!(["fc2"]));
    assert_ne!(first["total"], second["total"]);
    let set = ["target.backend=rtl", "layer.fc2.backend=hls"];
    let args = ["show", "--set", set[0], "--set", set[1]];
    let shown = project.command(&args).output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("not counted, as C++: `fc2`\n"), "{shown}");
    assert!(!shown.contains("registers, edges"), "{shown}");
}

/// A pattern may match layers of both languages, but not C++ alone.
#[test]
fn patterns_for_slices_may_match_cpp_too() {
    let project = Project::example("digits");
    let build = |layer: &str| {
        project.build(&[
            "--set",
            "target.backend=rtl",
            "--set",
            "layer.fc2.backend=hls",
            "--set",
            &format!("layer.\"{layer}\".multiplier=dsp"),
            "--to",
            "fold",
        ])
    };
    build("fc*").expect_success();
    for layer in ["fc2", "fc2*"] {
        let call = build(layer);
        assert_eq!(call.code, 2, "{layer}");
        let problem = &call.finished()["problems"][0];
        assert_eq!(
            problem["message"], "HLS chooses multipliers by itself",
            "{layer}"
        );
    }
}

/// Layers whose names and memories, joined, would be one: `a_row` + `index`, `a` + `row_index`.
#[test]
fn memories_of_two_layers_have_two_names() {
    let name = |layer: &str, file: &str| accelerator_memory("digits", layer, file);
    assert_eq!(name("fc1", "weights.mem"), "digits_fc1.weights.mem");
    assert_ne!(name("a_row", "index.mem"), name("a", "row_index.mem"));
    assert_ne!(
        core_memory("a_row", "index.mem"),
        core_memory("a", "row_index.mem")
    );
}

/// The whole network in SystemVerilog is one IP, with registers.
#[test]
fn the_network_in_systemverilog_is_one_ip() {
    if !verilator() {
        return;
    }
    let project = Project::example("digits");
    project
        .build(&["--set", "target.backend=rtl", "--to", "package"])
        .expect_success();
    check(&project);
    let build = project.dir().join("build");
    assert!(!build.join("ip/cores").exists());
    let component = fs::read_to_string(build.join("ip/component.xml")).unwrap();
    for expected in [
        "s_axilite_awaddr",
        "AXI4LITE",
        "<spirit:range>4096",
        "digits_fc1.weights.mem",
    ] {
        assert!(component.contains(expected), "{expected}");
    }
}
