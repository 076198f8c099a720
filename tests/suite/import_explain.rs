//! `finnp import --explain`: where layers come from, and all that blocks instead of the first thing.
//! Must not know how it is found out.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use super::project::{Call, Project};
use super::proto::File;
use super::shared::shared;

const DOMAIN: &str = "qonnx.custom_op.general";

/// A file in a folder of its own, and what finnp says of it.
struct Model {
    folder: TempDir,
}

impl Model {
    fn new(bytes: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("model.onnx"), bytes).unwrap();
        Model { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("model.onnx")
    }

    fn call(&self, arguments: &[&str]) -> Call {
        explain(&self.path(), arguments)
    }
}

fn explain(path: &Path, arguments: &[&str]) -> Call {
    let project = Project::new("");
    let path = path.to_str().unwrap();
    let arguments = [&["import", path, "--explain", "--json"], arguments].concat();
    Call::of(project.command(&arguments).output().unwrap())
}

/// Nodes as `Operator name`.
fn parts(value: &Value) -> Vec<String> {
    let part = |part: &Value| {
        format!(
            "{} {}",
            part["operator"].as_str().unwrap(),
            part["node"].as_str().unwrap()
        )
    };
    value.as_array().unwrap().iter().map(part).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect()
}

/// A file under construction, whose nodes have the names that a test gives them.
struct Chain {
    file: File,
}

impl Chain {
    fn new() -> Self {
        let mut file = File::new(13, DOMAIN);
        file.input("x", &[1, 4]);
        Chain { file }
    }

    /// Adds a node; returns its output.
    fn node(&mut self, name: &str, operator: &str, inputs: &[&str]) -> String {
        let output = self.file.node(operator, inputs, &[]);
        let node = self.file.graph.node.last_mut().unwrap();
        node.name = name.to_owned();
        output
    }

    /// Adds a quantiser of 4 bits.
    fn quant(&mut self, name: &str, input: &str) -> String {
        let scale = self.file.constant(&[], &[0.5], false);
        let zero = self.file.constant(&[], &[0.0], false);
        let bits = self.file.constant(&[], &[4.0], false);
        let output = self.node(name, "Quant", &[input, &scale, &zero, &bits]);
        self.file.graph.node.last_mut().unwrap().domain = DOMAIN.to_owned();
        output
    }

    /// Adds a product with weights of 4 bits.
    fn product(&mut self, name: &str, input: &str) -> String {
        let weights: Vec<f32> = (0..16).map(|at| (at % 5) as f32 / 2.0 - 1.0).collect();
        let weights = self.file.constant(&[4, 4], &weights, false);
        let weights = self.quant(&format!("{name}_weights"), &weights);
        self.node(name, "MatMul", &[input, &weights])
    }

    fn end(mut self, output: &str) -> Model {
        self.file.output(output, &[1, 4], false);
        Model::new(&self.file.bytes())
    }
}

/// Operators that block, and the nodes of each.
fn operators(blocked: &[Value]) -> Vec<(&str, Vec<&str>)> {
    let each = blocked.iter();
    each.map(|block| {
        (
            block["operator"].as_str().unwrap(),
            strings(&block["nodes"]),
        )
    })
    .collect()
}

#[test]
fn every_layer_tells_its_nodes() {
    let mut chain = Chain::new();
    let codes = chain.quant("grid", "x");
    let sums = chain.product("first", &codes);
    let half = chain.file.constant(&[], &[0.25], false);
    let scaled = chain.node("scaled", "Mul", &[&sums, &half]);
    let relu = chain.node("relu", "Relu", &[&scaled]);
    let codes = chain.quant("activation", &relu);
    let same = chain.node("same", "Identity", &[&codes]);
    let sums = chain.product("second", &same);
    let last = chain.node("last", "Tanh", &[&sums]);
    let call = chain.end(&last).call(&[]).expect_success();
    let answer = call.finished();
    assert_eq!(answer["blocking"], 0);
    let layers = answer["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    assert_eq!(
        parts(&layers[0]["from"]),
        [
            "MatMul first",
            "Mul scaled",
            "Relu relu",
            "Quant activation"
        ]
    );
    assert_eq!(parts(&layers[0]["constants"]), ["Quant first_weights"]);
    assert_eq!(layers[0]["layer"], "first");
    assert_eq!(layers[0]["kind"], "mvau");
    assert_eq!(layers[0]["input"], "int4");
    assert_eq!(layers[0]["scale"]["scale"], serde_json::json!([0.5, 0.5]));
    // A level for 0 and one for each of the 7 steps above: the activation makes no number below zero.
    assert!(layers[0]["thresholds"].as_u64().unwrap() >= 7);
    assert_eq!(parts(&layers[1]["from"]), ["MatMul second"]);
    assert_eq!(layers[1]["scale"]["scale"], serde_json::json!([0.25, 0.25]));
    assert_eq!(parts(&answer["grid"]), ["Quant grid"]);
    assert_eq!(parts(&answer["folded"]), ["Identity same"]);
    assert_eq!(parts(&answer["host"]), ["Tanh last"]);
}

#[test]
fn every_node_that_blocks_is_listed() {
    let mut chain = Chain::new();
    let codes = chain.quant("grid", "x");
    let odd = chain.node("odd", "Einsum", &[&codes]);
    let behind = chain.product("behind", &odd);
    let odder = chain.node("odder", "Einsum", &[&behind]);
    // A branch that nothing unknown stands in front of, with a product of real numbers, which only the step to
    // integers can refuse.
    let real = chain.file.constant(&[4, 4], &[0.3; 16], false);
    let reals = chain.node("reals", "MatMul", &[&codes, &real]);
    // And one that can only be refused while it is read.
    let places = chain.file.integers(&[0, 1, 2, 3]);
    let picked = chain.node("picked", "Gather", &[&codes, &places]);
    let both = chain.node("both", "Add", &[&picked, &reals]);
    let sum = chain.node("sum", "Add", &[&odder, &both]);
    let model = chain.end(&sum);
    let call = model.call(&[]);
    assert_eq!(call.code, 2);
    let answer = call.finished();
    let blocked = answer["blocked"].as_array().unwrap();
    let found = operators(blocked);
    assert_eq!(found[0], ("Einsum", vec!["odd", "odder"]), "{blocked:?}");
    assert!(
        blocked[0]["remedy"]
            .as_str()
            .unwrap()
            .contains("finnp check --operators")
    );
    assert_eq!(
        found[1..],
        [("Gather", vec!["picked"]), ("MatMul", vec!["reals"])]
    );
    let unreached = strings(&answer["unreached"]);
    assert!(
        unreached.contains(&"behind") && unreached.contains(&"sum"),
        "{unreached:?}"
    );
    assert!(answer["layers"].as_array().unwrap().is_empty());
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("cannot be built")
    );
}

#[test]
fn branches_are_looked_at_although_another_one_is_lost() {
    let mut chain = Chain::new();
    let codes = chain.quant("grid", "x");
    let odd = chain.node("odd", "Einsum", &[&codes]);
    let real = chain.file.constant(&[4, 4], &[0.3; 16], false);
    let one = chain.node("one", "MatMul", &[&codes, &real]);
    let other = chain.node("other", "MatMul", &[&codes, &real]);
    let after = chain.quant("after", &one);
    let sum = chain.node("sum", "Add", &[&after, &other]);
    let all = chain.node("all", "Add", &[&sum, &odd]);
    let call = chain.end(&all).call(&[]);
    let answer = call.finished();
    let blocked = answer["blocked"].as_array().unwrap();
    let found = operators(blocked);
    assert_eq!(
        found,
        [("Einsum", vec!["odd"]), ("MatMul", vec!["one", "other"])]
    );
    assert_eq!(answer["blocking"], 3);
    let mut unreached = strings(&answer["unreached"]);
    unreached.sort_unstable();
    assert_eq!(unreached, ["after", "all", "sum"]);
}

#[test]
fn an_ordinary_command_tells_how_many_more_there_are() {
    let mut chain = Chain::new();
    let codes = chain.quant("grid", "x");
    let real = chain.file.constant(&[4, 4], &[0.3; 16], false);
    let one = chain.node("one", "MatMul", &[&codes, &real]);
    let other = chain.node("other", "MatMul", &[&codes, &real]);
    let sum = chain.node("sum", "Add", &[&one, &other]);
    let model = chain.end(&sum);
    let project = Project::new(
        "[project]\nname = \"p\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n",
    );
    fs::copy(model.path(), project.dir().join("model.onnx")).unwrap();
    let output = project.command(&["check"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("node `one` (MatMul)"), "{said}");
    assert!(
        said.contains("1 more node blocks: `finnp import --explain` lists them"),
        "{said}"
    );
}

#[test]
fn what_is_no_model_is_refused_calmly() {
    for bytes in [&b""[..], b"no model", &[0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
        assert_eq!(Model::new(bytes).call(&[]).code, 2);
    }
    let model = Model::new(b"");
    let packed = model.path().with_extension("onnx.gz");
    fs::write(&packed, b"no gzip file").unwrap();
    assert_eq!(explain(&packed, &[]).code, 2);
    let mut bomb = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
    for _ in 0..257 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    bomb.finish().unwrap();
    let call = explain(&packed, &[]);
    let error = call.finished()["error"].as_str().unwrap();
    assert!(
        call.code == 2 && error.contains("more than 256 MiB"),
        "{error}"
    );
    assert_eq!(explain(&model.path().with_extension("none"), &[]).code, 2);
}

#[test]
fn a_packed_file_and_a_project_say_the_same() {
    let project = Project::example("digits");
    let output = project
        .command(&["import", "--explain", "--json"])
        .output()
        .unwrap();
    let call = Call::of(output).expect_success();
    let layers = call.finished()["layers"].clone();
    assert_eq!(parts(&layers[0]["from"])[0], "MatMul fc1");
    let bytes = fs::read(project.dir().join("model.onnx")).unwrap();
    let packed = project.dir().join("packed.onnx.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();
    let grid = ["--set", "input.type=uint5", "--set", "input.scale=0.0625"];
    let call = explain(&packed, &grid).expect_success();
    assert_eq!(call.finished()["layers"], layers);
    // Without the grid the first product has nothing to compute with.
    let call = explain(&packed, &[]);
    assert_eq!(call.code, 2);
    let block = &call.finished()["blocked"][0];
    assert_eq!(strings(&block["nodes"]), ["fc1"]);
    assert!(block["remedy"].as_str().unwrap().contains("[input]"));
}

#[test]
fn nodes_that_are_not_reached_are_those_of_the_file() {
    let Some(path) = shared("models/mobilenet_v1_0.25_128.onnx") else {
        return;
    };
    let set = ["--set", "input.type=uint8", "--set", "input.scale=0.5"];
    let call = explain(&path, &set);
    assert_eq!(call.code, 2);
    let answer = call.finished();
    let unreached = answer["unreached"].as_array().unwrap().len() as u64;
    let nodes = answer["nodes"].as_u64().unwrap();
    // Its weights are real numbers: the first convolution blocks, all others stand behind it.
    assert_eq!(answer["blocking"], 1);
    assert_eq!(unreached, nodes - 1, "{answer}");
}

/// Every layer of a real network has an origin, no node of it is in two, and all that vary are told of.
#[test]
fn nothing_of_a_real_network_is_forgotten() {
    for (name, grid) in [
        ("TFC_2W2A.onnx", true),
        ("cnvW2A2_cifar10.onnx", true),
        ("brevitas_random_resnet50_1w2a.onnx.gz", true),
    ] {
        let Some(path) = shared(&format!("models/{name}")) else {
            return;
        };
        let set = [
            "--set",
            "input.type=uint8",
            "--set",
            "input.scale=0.00392156862745098",
        ];
        let call = explain(&path, if grid { &set } else { &[] }).expect_success();
        let answer = call.finished();
        let mut told: Vec<String> = Vec::new();
        for layer in answer["layers"].as_array().unwrap() {
            let from = parts(&layer["from"]);
            let kind = layer["kind"].as_str().unwrap();
            assert!(!from.is_empty() || kind == "duplicate", "{name}: {layer}");
            if kind != "sliding_window" {
                told.extend(from);
            }
        }
        for list in ["grid", "folded", "host"] {
            told.extend(parts(&answer[list]));
        }
        let count = told.len();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), count, "{name}: a node is told of twice");
    }
}
