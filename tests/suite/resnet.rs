//! ResNet-50 at its real size, from the file to packaged sources, dense and with half of its one-bit weights; and its
//! residual blocks, simulated whole.
//! Must not know how any stage works.

use std::collections::BTreeSet;
use std::fs;

use finnp::network::Network;
use finnp::qonnx::{export, import};
use serde_json::Value;

use super::convolution::model;
use super::vision::{HALF, PIXELS, built, project, runs_as};
use crate::project::Project;

/// Both have sixteen residual blocks.
const JOINS: usize = 16;

/// What holds for the build of a whole network, dense or not.
fn checked(summary: &Value, sparse: usize) {
    let layers = summary["layers"].as_array().unwrap();
    let simulated = summary["simulation"]["layers"].as_array().unwrap();
    assert_eq!(simulated.len(), layers.len());
    let count = |kind: &str| layers.iter().filter(|layer| layer["kind"] == kind).count();
    assert_eq!((count("add"), count("duplicate")), (JOINS, JOINS));
    assert_eq!(count("mvau_bcr"), sparse);
    assert!(
        summary["fps"].as_f64().unwrap() >= 703.0,
        "{}",
        summary["fps"]
    );
}

/// `dense` are the layers of more than one bit.
fn resnet(file: &str, lines: &str, most: f64, dense: &[&str], sparse: usize) {
    let Some(project) = project(file, lines) else {
        return;
    };
    runs_as(&project, file, most);
    let set = ["target.fps=703", "target.clock_mhz=135"];
    checked(&built(&project, &set), 0);
    let whole: Vec<String> = dense
        .iter()
        .map(|layer| format!("layer.{layer}.pattern=\"none\""))
        .collect();
    let mut all = [&HALF[..], &set].concat();
    all.extend(whole.iter().map(String::as_str));
    checked(&built(&project, &all), sparse);
}

#[test]
fn resnet_50_of_brevitas_is_built_dense_and_pruned() {
    resnet(
        "brevitas_random_resnet50_1w2a",
        PIXELS,
        1e-4,
        &["Conv_0", "MatMul_0"],
        52,
    );
}

#[test]
fn resnet_50_of_thresholds_is_built_dense_and_pruned() {
    resnet("resnet50_w1a2_backbone", "", 1e-4, &["Conv_0"], 52);
}

/// The part of the network between two of its tensors.
pub(crate) fn between(network: &Network, from: &str, to: &str) -> Network {
    let find = |name: &str| {
        let found = network.values.iter().position(|value| value.name == name);
        finnp::network::ValueId(found.unwrap_or_else(|| panic!("no tensor {name}")))
    };
    let (from, to) = (find(from), find(to));
    let mut wanted = BTreeSet::from([to]);
    let mut nodes = Vec::new();
    for node in network.nodes.iter().rev() {
        if node.output != from && wanted.contains(&node.output) {
            wanted.extend(&node.inputs);
            nodes.push(node.clone());
        }
    }
    nodes.reverse();
    Network {
        nodes,
        inputs: vec![from],
        outputs: vec![to],
        values: network.values.clone(),
    }
}

/// The first block adds a projection of its input, the second one its input itself.
#[test]
fn residual_blocks_are_simulated_whole() {
    let Some(bytes) = model("brevitas_random_resnet50_1w2a") else {
        return;
    };
    let network = import(&bytes).unwrap();
    for (from, to, scale, depth) in [
        ("MaxPool_0_out0", "Quant_7_out0", 1.907_589_793_205_261_2, 2),
        (
            "Quant_7_out0",
            "Quant_11_out0",
            2.324_097_394_943_237_3,
            100,
        ),
    ] {
        let text = format!(
            "[project]\nname = \"block\"\n[model]\npath = \"model.onnx\"\n[input]\ntype = \"uint2\"\nscale = {scale}\n\
             [target]\nboard = \"alveo-u280\"\nclock_mhz = 135\nfps = 703\n"
        );
        let project = Project::new(&text);
        let block = export(&between(&network, from, to)).unwrap();
        fs::write(project.dir().join("model.onnx"), block).unwrap();
        for set in [&[][..], &HALF] {
            let set: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
            let all = [&["--full"][..], &set].concat();
            project.build(&all).expect_success();
            let summary = project.json("summary.json");
            assert!(summary["levels"]["first"].is_null());
            assert!(summary["simulation"]["network"]["frames"].as_u64() >= Some(2));
            assert!(summary["simulation"]["network"]["elements"].as_u64() > Some(0));
            // The shorter branch waits for rows of the longer one.
            let graph = project.json("dataflow/folded/graph.json");
            let depths = graph["streams"].as_array().unwrap().iter();
            let deepest = depths.filter_map(|stream| stream["depth"].as_u64()).max();
            assert!(deepest >= Some(depth), "{deepest:?}");
        }
    }
}
