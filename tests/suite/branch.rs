//! Networks with branches from the file to the package: sums, streams side by side, pictures that grow, and a value with
//! three readers.
//! Must not know how any stage works.

use std::fs;

use serde_json::Value;

use super::ip::{check, simulate_joined};
use super::project::Project;
use super::proto::{Attribute, File};
use super::random::Random;
use super::tcl::scripts_run;

const HEAD: &str = "[project]\nname = \"branches\"\n[model]\npath = \"model.onnx\"\n\
     [target]\nboard = \"zcu104\"\nfps = 20000\n";

/// A network under construction.
struct Net {
    file: File,
    random: Random,
}

impl Net {
    fn quant(&mut self, at: &str, scale: f32, bits: f32) -> String {
        let values = [scale, 0.0, bits];
        let names = values.map(|value| self.file.constant(&[], &[value], false));
        let inputs = [at, &names[0], &names[1], &names[2]];
        let signed = [("signed", Attribute::Int(1))];
        self.file.custom("Quant", &inputs, &signed)
    }

    fn weights(&mut self, shape: &[usize]) -> String {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| self.random.between(-3, 3) as f32)
            .collect();
        let weights = self.file.constant(shape, &values, false);
        self.quant(&weights, 1.0, 3.0)
    }

    /// A convolution that keeps the size of the picture, and a quantiser.
    fn conv(&mut self, at: &str, [filters, channels, kernel]: [usize; 3], scale: f32) -> String {
        let weights = self.weights(&[filters, channels, kernel, kernel]);
        let pad = (kernel / 2) as i64;
        let pads = [("pads", Attribute::Ints(&[pad; 4]))];
        let at = self.file.node("Conv", &[at, &weights], &pads);
        self.quant(&at, scale, 4.0)
    }

    fn pool(&mut self, at: &str) -> String {
        let window = [
            ("kernel_shape", Attribute::Ints(&[2, 2])),
            ("strides", Attribute::Ints(&[2, 2])),
        ];
        self.file.node("MaxPool", &[at], &window)
    }

    fn twice(&mut self, at: &str) -> String {
        let scales = self.file.constant(&[4], &[1.0, 1.0, 2.0, 2.0], false);
        let way = [
            ("mode", Attribute::Text("nearest")),
            (
                "coordinate_transformation_mode",
                Attribute::Text("asymmetric"),
            ),
            ("nearest_mode", Attribute::Text("floor")),
        ];
        self.file.node("Resize", &[at, "", &scales], &way)
    }
}

/// A residual block, then the same picture three times: as it is, through a convolution, and through a pool and back to
/// its size; two of them side by side with other scales.
fn bytes() -> Vec<u8> {
    let net = &mut Net {
        file: File::new(13, "qonnx.custom_op.general"),
        random: Random::new(11),
    };
    net.file.input("in", &[1, 2, 6, 8]);
    let at = net.quant("in", 0.5, 4.0);
    let at = net.conv(&at, [4, 2, 3], 1.0);
    let inner = net.conv(&at, [4, 4, 3], 2.0);
    let inner = net.conv(&inner, [4, 4, 1], 2.0);
    let sum = net.file.node("Add", &[&inner, &at], &[]);
    let at = net.quant(&sum, 2.0, 4.0);
    let small = net.pool(&at);
    let small = net.conv(&small, [4, 4, 3], 4.0);
    let grown = net.twice(&small);
    let wide = net.conv(&at, [6, 4, 1], 8.0);
    let side = [("axis", Attribute::Int(1))];
    let joined = net.file.node("Concat", &[&grown, &wide, &at], &side);
    let at = net.conv(&joined, [2, 14, 1], 16.0);
    net.file.output(&at, &[1, 2, 6, 8], false);
    let file = std::mem::replace(&mut net.file, File::new(13, ""));
    file.bytes()
}

fn branches() -> Project {
    let project = Project::new(HEAD);
    fs::write(project.dir().join("model.onnx"), bytes()).unwrap();
    project
}

#[test]
fn branches_are_built_simulated_and_packaged() {
    let project = branches();
    project.build(&[]).expect_success();
    let summary = project.json("summary.json");
    let layers = summary["layers"].as_array().unwrap();
    let count = |kind: &str| layers.iter().filter(|layer| layer["kind"] == kind).count();
    let kinds = ["add", "concat", "duplicate", "upsample"];
    assert_eq!(kinds.map(count), [1, 1, 2, 1], "{layers:#?}");
    assert!(summary["levels"]["first"].is_null());
    let simulated = &summary["simulation"];
    let alone = simulated["layers"].as_array().unwrap();
    assert_eq!(alone.len(), layers.len());
    assert!(
        alone
            .iter()
            .all(|layer| layer["pixels"] == layer["of_pixels"])
    );
    assert_eq!(simulated["network"]["status"], "simulated");
    assert_eq!(simulated["network"]["frames"], 16);
    let concat = layers.iter().find(|layer| layer["kind"] == "concat");
    let concat = concat.unwrap();
    assert_eq!((&concat["rows"], &concat["cols"]), (&14.into(), &14.into()));

    // Each input of a join has a file of its own, and each output of a fork an arrow.
    let name = concat["name"].as_str().unwrap();
    for slot in 0..3 {
        let fed = format!("build/sim/expected/fed/{name}/{slot}.npy");
        assert!(project.dir().join(&fed).is_file(), "{fed}");
    }
    let output = project.command(&["graph", "--json"]).output().unwrap();
    let drawn: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = drawn["nodes"].as_array().unwrap();
    let arrows = |end: &str, kind: &str| -> Vec<usize> {
        let of_kind = nodes.iter().filter(|node| node["kind"] == kind);
        of_kind
            .map(|node| {
                let edges = drawn["edges"].as_array().unwrap().iter();
                edges.filter(|edge| edge[end] == node["id"]).count()
            })
            .collect()
    };
    assert_eq!(arrows("to", "add"), [2]);
    assert_eq!(arrows("to", "concat"), [3]);
    assert_eq!(arrows("from", "duplicate"), [2, 3]);

    check(&project);
    simulate_joined(&project);
    scripts_run(&project);
}

/// Forks and joins that are too large are cut like other layers, all inputs alike.
#[test]
fn joins_are_simulated_in_part() {
    let project = Project::new(&HEAD.replace("20000", "1"));
    let net = &mut Net {
        file: File::new(13, "qonnx.custom_op.general"),
        random: Random::new(12),
    };
    net.file.input("in", &[1, 16, 256, 256]);
    let at = net.quant("in", 0.5, 4.0);
    let inner = net.conv(&at, [16, 16, 1], 2.0);
    let sum = net.file.node("Add", &[&inner, &at], &[]);
    let at = net.quant(&sum, 2.0, 4.0);
    net.file.output(&at, &[1, 16, 256, 256], false);
    let file = std::mem::replace(&mut net.file, File::new(13, ""));
    fs::write(project.dir().join("model.onnx"), file.bytes()).unwrap();
    project.build(&["--to", "verify"]).expect_success();
    let verdict = project.json("sim/verdict.json");
    let layers = verdict["layers"].as_array().unwrap();
    assert!(layers.len() >= 4, "{layers:#?}");
    for layer in layers {
        let [some, all] = ["pixels", "of_pixels"].map(|key| layer[key].as_u64().unwrap());
        assert!(0 < some && some < all && all == 65536, "{layer}");
    }
}

/// What cannot be built yet is refused by name, with what to do.
#[test]
fn several_outputs_are_refused_by_name() {
    let project = Project::new(HEAD);
    let net = &mut Net {
        file: File::new(13, "qonnx.custom_op.general"),
        random: Random::new(13),
    };
    net.file.input("in", &[1, 2, 6, 8]);
    let at = net.quant("in", 0.5, 4.0);
    for _ in 0..2 {
        let end = net.conv(&at, [2, 2, 1], 2.0);
        net.file.output(&end, &[1, 2, 6, 8], false);
    }
    let names: Vec<String> = net
        .file
        .graph
        .output
        .iter()
        .map(|o| o.name.clone())
        .collect();
    let file = std::mem::replace(&mut net.file, File::new(13, ""));
    fs::write(project.dir().join("model.onnx"), file.bytes()).unwrap();
    let path = project.dir().join("model.onnx");
    let path = path.to_str().unwrap();
    // Where they are met, and not when everything else is done.
    for arguments in [
        &["build", "--to", "streamline", "--json"][..],
        &["import", path],
    ] {
        let output = project.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for name in &names {
            assert!(said.contains(&format!("`{name}`")), "{said}");
        }
        assert!(
            said.contains("2 outputs") && said.contains("one output"),
            "{said}"
        );
    }
}
