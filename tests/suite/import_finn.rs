//! `finnp import-finn`: configurations in FINN's form become tables that finnp accepts, and nothing is lost silently.
//! Must not know how names are matched.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::project::{Call, Project};
use super::shared::shared;

/// The example with a window, a depthwise convolution and both pools, and a configuration beside it.
struct Case {
    project: Project,
    file: PathBuf,
}

impl Case {
    fn new(project: Project, name: &str, text: &str) -> Self {
        let file = project.dir().parent().unwrap().join(name);
        fs::write(&file, text).unwrap();
        Case { project, file }
    }

    /// What a call with `--json` says in the end.
    fn call(&self, arguments: &[&str]) -> Call {
        let file = self.file.to_str().unwrap();
        let arguments = [&["import-finn", "--json", file], arguments].concat();
        Call::of(self.project.command(&arguments).output().unwrap())
    }

    fn answer(&self) -> Value {
        self.call(&[]).expect_success().finished().clone()
    }
}

fn cnv(config: &Value) -> Case {
    Case::new(Project::example("cnv"), "folding.json", &config.to_string())
}

/// FINN's name, finnp's name, PE and SIMD.
fn layers(answer: &Value) -> Vec<(String, String, Value, Value)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let layers = answer["layers"].as_array().unwrap().iter();
    layers
        .map(|one| {
            (
                text(&one["finn"]),
                text(&one["layer"]),
                one["pe"].clone(),
                one["simd"].clone(),
            )
        })
        .collect()
}

/// Why a key of a layer, or of a build, was left out.
fn left(answer: &Value, key: &str, layer: &str) -> Option<(String, String)> {
    let has = |list: &Value, name: &str| list.as_array().unwrap().iter().any(|one| one == name);
    let found = answer["left"].as_array().unwrap().iter().find(|left| {
        has(&left["keys"], key) && (layer.is_empty() || has(&left["layers"], layer))
    })?;
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    Some((text("why"), text("words")))
}

fn folding() -> Value {
    json!({
        "Defaults": {},
        "ConvolutionInputGenerator_0": {"SIMD": 1, "parallel_window": 1, "ram_style": "distributed"},
        "MatrixVectorActivation_0": {"PE": 4, "SIMD": 3, "mem_mode": "decoupled", "resType": "lut"},
        "ConvolutionInputGenerator_1": {"SIMD": 2},
        "VectorVectorActivation_0": {"PE": 2, "SIMD": 3},
        "MatrixVectorActivation_1": {"PE": 8, "SIMD": 2, "inFIFODepths": [32], "outFIFODepths": [2]},
        "StreamingMaxPool_0": {"PE": 2},
        "ConvolutionInputGenerator_2": {"SIMD": 16},
        "MatrixVectorActivation_2": {"PE": 3, "SIMD": 16},
        "Thresholding_Batch_0": {"PE": 1},
        "MatrixVectorActivation_3": {"PE": 5, "SIMD": 2, "runtime_writeable_weights": 1, "flavour": "mild"},
        "StreamingFIFO_0": {"depth": 32, "impl_style": "rtl"},
        "Reactor_hls_0": {"PE": 2},
    })
}

#[test]
fn layers_of_a_project_get_their_own_names() {
    let case = cnv(&folding());
    let answer = case.answer();
    let expected = [
        (
            "ConvolutionInputGenerator_0",
            "conv1.window",
            json!(1),
            json!(9),
        ),
        ("MatrixVectorActivation_0", "conv1", json!(4), json!(3)),
        ("VectorVectorActivation_0", "depthwise", json!(2), json!(3)),
        ("MatrixVectorActivation_1", "pointwise", json!(8), json!(2)),
        ("StreamingMaxPool_0", "pool.MaxPool", json!(2), Value::Null),
        (
            "ConvolutionInputGenerator_2",
            "conv2.window",
            json!(16),
            json!(16),
        ),
        ("MatrixVectorActivation_2", "conv2", json!(3), json!(16)),
        (
            "Thresholding_Batch_0",
            "average.trunc_quant.export_handler.Trunc",
            json!(1),
            Value::Null,
        ),
        ("MatrixVectorActivation_3", "scores", json!(5), json!(2)),
    ];
    let found: BTreeSet<String> = layers(&answer)
        .iter()
        .map(|one| format!("{one:?}"))
        .collect();
    let wanted = expected.iter().map(|one| format!("{one:?}"));
    assert_eq!(found, wanted.collect());
    // What was taken over is accepted, and it is what is built.
    let path = case.project.dir().join("accel.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + answer["manifest"].as_str().unwrap()).unwrap();
    case.project.edit("fps = 20000", "fps = 1000");
    let show = case.project.command(&["show", "--json"]).output().unwrap();
    let show = Call::of(show).expect_success();
    let rows = show.finished()["layers"].as_array().unwrap();
    for (finn, name, pe, simd) in layers(&answer) {
        let row = rows.iter().find(|row| row["name"] == *name).unwrap();
        assert_eq!(row["pe"], pe, "{finn}");
        assert!(simd.is_null() || row["simd"] == simd, "{finn}");
    }
}

#[test]
fn everything_else_is_told_by_name() {
    let answer = cnv(&folding()).answer();
    for (key, layer, why) in [
        ("SIMD", "ConvolutionInputGenerator_1", "decided"),
        ("ram_style", "ConvolutionInputGenerator_0", "decided"),
        ("mem_mode", "MatrixVectorActivation_0", "decided"),
        ("outFIFODepths", "MatrixVectorActivation_1", "decided"),
        ("impl_style", "StreamingFIFO_0", "decided"),
        (
            "runtime_writeable_weights",
            "MatrixVectorActivation_3",
            "not_yet",
        ),
        ("flavour", "MatrixVectorActivation_3", "unknown"),
        ("PE", "Reactor_hls_0", "unknown"),
    ] {
        let found = left(&answer, key, layer).unwrap_or_else(|| panic!("{key} of {layer}"));
        assert_eq!(found.0, why, "{key} of {layer}: {}", found.1);
    }
}

#[test]
fn what_does_not_fit_is_told_and_not_written() {
    let mut config = folding();
    config["MatrixVectorActivation_0"]["PE"] = json!(17);
    config["VectorVectorActivation_0"]["PE"] = json!(3);
    config["ConvolutionInputGenerator_2"]["SIMD"] = json!(5);
    config["MatrixVectorActivation_1"]["SIMD"] = json!("all");
    config["MatrixVectorActivation_2"]["PE"] = json!(0);
    config["LabelSelect_Batch_0"] = json!({"PE": 2});
    let answer = cnv(&config).answer();
    for (key, layer, words) in [
        (
            "PE",
            "MatrixVectorActivation_0",
            "layer `conv1` has 16 rows, so `pe` cannot be 17",
        ),
        (
            "PE",
            "VectorVectorActivation_0",
            "layer `depthwise` is a vvau that does not allow `pe = 3`",
        ),
        (
            "SIMD",
            "ConvolutionInputGenerator_2",
            "layer `conv2.window` is a sliding_window that does not allow `pe = 5`",
        ),
        (
            "SIMD",
            "MatrixVectorActivation_1",
            "\"all\" is no whole number above 0",
        ),
        (
            "PE",
            "MatrixVectorActivation_2",
            "0 is no whole number above 0",
        ),
        (
            "PE",
            "LabelSelect_Batch_0",
            "the network has no label selections: `[output] labels = true` adds one",
        ),
    ] {
        let (why, said) = left(&answer, key, layer).unwrap_or_else(|| panic!("{key} of {layer}"));
        assert_eq!((why.as_str(), said.as_str()), ("does_not_fit", words));
    }
    let of = |finn: &str| layers(&answer).into_iter().find(|layer| layer.0 == finn);
    let (_, _, pe, simd) = of("MatrixVectorActivation_0").unwrap();
    assert_eq!((pe, simd), (Value::Null, json!(3)), "the other value stays");
    assert!(of("ConvolutionInputGenerator_2").is_none());
    let manifest = answer["manifest"].as_str().unwrap();
    assert!(!manifest.contains("pe = 17") && !manifest.contains("pe = 0"));
}

#[test]
fn numbers_that_mean_another_network_are_not_guessed() {
    let config = json!({
        "MVAU_hls_0": {"PE": 1}, "MVAU_hls_4": {"PE": 2},
        "VVAU_rtl_1": {"PE": 2},
    });
    let answer = cnv(&config).answer();
    assert!(layers(&answer).is_empty());
    let (_, words) = left(&answer, "PE", "MVAU_hls_0").unwrap();
    assert_eq!(
        words,
        "the network has 4 matrix products, the file counts up to 5: nobody can tell which is which"
    );
    assert!(left(&answer, "PE", "VVAU_rtl_1").is_some());
}

#[test]
fn layers_in_hls_and_in_rtl_are_counted_together() {
    let mixed = |last: &str| {
        json!({
            "MVAU_rtl_0": {"PE": 1}, "MVAU_hls_0": {"PE": 2}, "MVAU_rtl_1": {"PE": 3},
            last: {"PE": 5},
        })
    };
    // The order of the file is that of the network; this text keeps it.
    let text = "{\"MVAU_rtl_0\": {\"PE\": 1}, \"MVAU_hls_0\": {\"PE\": 2}, \"MVAU_rtl_1\": {\"PE\": 3}, \"MVAU_hls_1\": {\"PE\": 5}}";
    let answer = Case::new(Project::example("cnv"), "f.json", text).answer();
    let pairs: Vec<(String, Value)> = layers(&answer)
        .into_iter()
        .map(|one| (one.1, one.2))
        .collect();
    let expected = [("conv1", 1), ("pointwise", 2), ("conv2", 3), ("scores", 5)];
    assert_eq!(
        pairs,
        expected.map(|(name, pe)| (name.to_owned(), json!(pe)))
    );
    // One is left out: the others may be any.
    let answer = cnv(&mixed("MVAU_hls_2")).answer();
    assert!(layers(&answer).is_empty());
    assert!(
        left(&answer, "PE", "MVAU_rtl_0")
            .unwrap()
            .1
            .contains("apart")
    );
}

#[test]
fn defaults_hold_for_the_operators_that_they_name() {
    let config = json!({
        "Defaults": {"PE": [2, ["MVAU_hls"]], "ram_style": ["block", "all"]},
        "MVAU_hls_0": {"SIMD": 3}, "MVAU_hls_1": {"PE": 4},
        "VVAU_hls_0": {"SIMD": 3},
    });
    let answer = cnv(&config).answer();
    let found = |finn: &str| {
        layers(&answer)
            .into_iter()
            .find(|one| one.0 == finn)
            .unwrap()
    };
    assert_eq!(found("MVAU_hls_0").2, json!(2));
    assert_eq!(found("MVAU_hls_1").2, json!(4));
    assert_eq!(found("VVAU_hls_0").2, Value::Null);
    assert!(left(&answer, "ram_style", "Defaults").is_some());
    assert!(
        answer["manifest"]
            .as_str()
            .unwrap()
            .contains("What finnp does not")
    );
    let said = cnv(&config).project.command(&["show"]).output().unwrap();
    assert!(said.status.success());
}

#[test]
fn branches_have_their_layers_too() {
    let Some(packed) = shared("models/brevitas_random_resnet50_1w2a.onnx.gz") else {
        return;
    };
    let project = Project::new(
        "[project]\nname = \"r\"\n[model]\npath = \"model.onnx\"\n[input]\ntype = \"uint8\"\n\
         scale = 0.00392156862745098\n[target]\nboard = \"alveo-u250\"\n",
    );
    let mut model = fs::File::create(project.dir().join("model.onnx")).unwrap();
    let mut packed = flate2::read::GzDecoder::new(fs::File::open(packed).unwrap());
    std::io::copy(&mut packed, &mut model).unwrap();
    let sixteen = |name: &str, value: Value| {
        (0..16)
            .map(|at| (format!("{name}_hls_{at}"), value.clone()))
            .collect::<Vec<_>>()
    };
    let layers_of = [
        sixteen("AddStreams", json!({"PE": 4})),
        sixteen("DuplicateStreams", json!({"PE": 2})),
    ];
    let config: serde_json::Map<String, Value> = layers_of.concat().into_iter().collect();
    let answer = Case::new(project, "f.json", &Value::Object(config).to_string()).answer();
    let found = layers(&answer);
    let count = |end: &str| found.iter().filter(|one| one.0.starts_with(end)).count();
    assert_eq!(
        (count("AddStreams"), count("DuplicateStreams")),
        (16, 16),
        "{answer}"
    );
    let of = |finn: &str| found.iter().find(|one| one.0 == finn).unwrap();
    assert!(of("DuplicateStreams_hls_3").1.ends_with(".duplicate"));
    assert_eq!(of("AddStreams_hls_3").2, json!(4));
}

/// A folder that is no project, with a file in it.
fn alone(name: &str, text: &str) -> Case {
    let case = Case::new(Project::new(""), name, text);
    fs::remove_file(case.project.dir().join("accel.toml")).unwrap();
    case
}

#[test]
fn without_a_project_layers_are_comments() {
    let case = alone("folding.json", &folding().to_string());
    let answer = case.answer();
    let manifest = answer["manifest"].as_str().unwrap();
    let table: toml::Table = manifest.parse().unwrap();
    assert!(table.is_empty(), "{table:?}");
    assert!(
        manifest.contains(
            "# [[layer]]\n# match = \"MatrixVectorActivation_1\"\n# pe = 8\n# simd = 2\n"
        )
    );
    let file = case.file.to_str().unwrap();
    let output = case
        .project
        .command(&["import-finn", file])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("FINN's names of layers stay, as comments"),
        "{said}"
    );
}

/// A build in YAML with every option that finnp knows of, and one that it does not.
const BUILD: &str = "\
output_dir: out
synth_clk_period_ns: 5.0
hls_clk_period_ns: 4.0
target_fps: 2000
board: ZCU104
fpga_part: xczu7ev-ffvc1156-2-e
mvau_wwidth_max: 36
generate_outputs: [estimate_reports, bitfile]
verify_steps:
  - folded_hls_cppsim
verify_input_npy: input.npy
auto_fifo_depths: true
auto_fifo_strategy: largefifo_rtlsim
shell_flow_type: vivado_zynq
standalone_thresholds: true
steps: [step_tidy_up]
save_intermediate_models: false
stop_step: null
colour: red
";

#[test]
fn a_build_becomes_a_target() {
    let case = alone("build.yaml", BUILD);
    let output = case.project.dir().join("accel.toml");
    let answer = case
        .call(&["-o", output.to_str().unwrap()])
        .expect_success();
    let answer = answer.finished().clone();
    let text = fs::read_to_string(&output).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let target = table["target"].as_table().unwrap();
    assert_eq!(target["board"].as_str(), Some("zcu104"));
    assert_eq!(target["clock_mhz"].as_integer(), Some(200));
    assert_eq!(target["fps"].as_integer(), Some(2000));
    assert_eq!((table.len(), target.len()), (1, 3));
    let taken = [
        "board",
        "fpga_part",
        "synth_clk_period_ns",
        "target_fps",
        "stop_step",
    ];
    let keys = BUILD
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, _)| key.trim());
    for key in keys.filter(|key| !taken.contains(key)) {
        assert!(left(&answer, key, "").is_some(), "`{key}` is lost");
        assert!(text.contains(key), "`{key}` is not in the file");
    }
    assert_eq!(left(&answer, "colour", "").unwrap().0, "unknown");
    assert_eq!(left(&answer, "generate_outputs", "").unwrap().0, "not_yet");
    assert_eq!(left(&answer, "stop_step", ""), None);
    // A manifest that is there is nobody's to overwrite.
    let again = case.call(&["-o", output.to_str().unwrap()]);
    assert_eq!(again.code, 2);
    assert_eq!(fs::read_to_string(&output).unwrap(), text);
}

#[test]
fn boards_and_clocks_that_finnp_has_not_are_left() {
    let build = json!({
        "output_dir": "out", "board": "Pynq-Z1", "synth_clk_period_ns": -1, "target_fps": "many",
    });
    let answer = alone("build.json", &build.to_string()).answer();
    for key in ["board", "clock_mhz", "fps"] {
        assert!(answer[key].is_null(), "{key}");
    }
    assert!(left(&answer, "board", "").unwrap().1.contains("pynq-z2"));
    let build = json!({"fpga_part": "XCU250-figd2104-2L-e", "synth_clk_period_ns": 0.5, "a": 1});
    let answer = alone("build.json", &build.to_string()).answer();
    assert_eq!(answer["board"], "alveo-u250");
    assert_eq!(
        left(&answer, "synth_clk_period_ns", "").unwrap().0,
        "does_not_fit"
    );
}

#[test]
fn a_build_brings_its_folding_along() {
    let case = Case::new(
        Project::example("cnv"),
        "build.json",
        "{\"output_dir\": \"o\", \"target_fps\": 10, \"folding_config_file\": \"fold.json\"}",
    );
    let warned = case
        .project
        .command(&["import-finn", case.file.to_str().unwrap()])
        .output();
    let said = String::from_utf8_lossy(&warned.unwrap().stderr).into_owned();
    assert!(
        said.contains("is not there: no layers were taken over"),
        "{said}"
    );
    assert_eq!(case.answer()["fps"], 10.0);
    fs::write(case.file.with_file_name("fold.json"), folding().to_string()).unwrap();
    let answer = case.answer();
    assert_eq!(layers(&answer).len(), 9);
    assert!(answer["fps"].is_null() && left(&answer, "target_fps", "").is_some());
}

#[test]
fn what_is_no_configuration_is_refused() {
    for (name, text, words) in [
        (
            "a.json",
            "{\"a\": {\"PE\": 1}, \"a\": {}}",
            "`a` is there twice",
        ),
        ("a.json", "{", "cannot be read as JSON"),
        ("a.json", "[1]", "cannot be read as JSON"),
        ("a.json", "{}", "says nothing"),
        ("a.yaml", "a: [1", "cannot be read as YAML"),
        ("a.yml", "a: &a [*a, *a]", "cannot be read as YAML"),
        ("build.py", "import finn", "is a program"),
    ] {
        let call = alone(name, text).call(&[]);
        let error = call.finished()["error"].as_str().unwrap();
        assert!(
            call.code == 2 && error.contains(words),
            "{name} {text}: {error}"
        );
    }
}
