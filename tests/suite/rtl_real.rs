//! Real networks in RTL, dense and pruned: small ones whole, every distinct layer of large ones with fewer rows of its
//! picture. `FINNP_SWEEP=1` tries all of them, and networks that take minutes.
//! Must not know how modules are built.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use finnp::backend::hls::tag;
use finnp::dataflow::{Dataflow, Node, StreamId};
use finnp::layer::Layer;
use finnp::reference::Integers;

use super::agreement::number;
use super::project::Project;
use super::random::Random;
use super::road::network;
use super::rtl::{Trial, check_at};
use super::rtl_bench::verilator;
use super::rtl_whole::{Whole, built, fed};
use super::vision::{HALF, PIXELS, cnv, project};

/// Half of all weights, rows and columns chosen in blocks.
const BLOCKS: [&str; 2] = ["prune.pattern=\"bcr\"", "prune.density=0.5"];

/// Rows of places that are left of a picture: one at the upper padding, one at the lower, one between.
const ROWS: usize = 3;

/// Pixels that are left of a layer without rows.
const PIXELS_LEFT: usize = 6;

/// Layers of a large network in an ordinary run.
const LAYERS: usize = 3;

/// Frames that a layer is fed.
const FRAMES: usize = 2;

/// The folded network of a project with these settings, with RTL generated.
pub(crate) fn generated(project: &Project, set: &[&str]) -> Dataflow {
    let set = set.iter().flat_map(|set| ["--set", *set]);
    let all: Vec<&str> = ["--to", "generate", "--set", "target.backend=\"rtl\""]
        .into_iter()
        .chain(set)
        .collect();
    project.build(&all).expect_success();
    built(project)
}

/// So many frames through the whole network.
pub(crate) fn whole(name: &str, dataflow: &Dataflow, frames: usize) {
    let frames = fed(&mut Random::new(7), dataflow, frames);
    let count = frames.len();
    let whole = Whole::new(dataflow, frames);
    let began = Instant::now();
    let cycles = whole.check(7, name);
    // What leaves depends on what enters.
    assert!(whole.frames_differ(), "{name}");
    let words = whole.output().words();
    let last: Vec<u64> = cycles.chunks(words).map(|frame| frame[words - 1]).collect();
    println!(
        "{name}: {} layers, {count} frames, first after {} cycles, interval {}; compiled in {:.1} s, run in {:.1} s",
        dataflow.nodes.len(),
        last[0] + 1,
        last[count - 1] - last[count - 2],
        whole.compiled.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
}

#[test]
fn small_networks_are_exact_to_the_cycle() {
    if !verilator() {
        return;
    }
    let digits = Some(Project::example("digits"));
    let ways: [(&str, &[&str]); 3] = [("dense", &[]), ("bcr-col", &HALF), ("bcr", &BLOCKS)];
    // The builds of whole examples have `digits` dense too.
    for (name, project, usual) in [
        ("digits", digits, &[1][..]),
        ("TFC_2W2A", network("TFC_2W2A"), &[0, 2]),
        ("jettagging", network("qkeras_jettagging"), &[0, 1]),
    ] {
        let Some(project) = project else { continue };
        for (at, (way, set)) in ways.into_iter().enumerate() {
            if number("FINNP_SWEEP").is_none() && !usual.contains(&at) {
                continue;
            }
            whole(&format!("{name} {way}"), &generated(&project, set), 8);
        }
    }
}

#[test]
fn cnv_is_exact_to_the_cycle() {
    if !verilator() || number("FINNP_SWEEP").is_none() {
        return;
    }
    let Some(project) = cnv(1) else { return };
    // With few lanes of rows blocks of rows and columns are not as fast.
    let ways: [(&str, &[&str], &str); 3] = [
        ("dense", &[], "target.fps=3000"),
        ("bcr-col", &HALF, "target.fps=3000"),
        ("bcr", &BLOCKS, "target.fps=1000"),
    ];
    for (way, set, fast) in ways {
        let set = [set, &[fast]].concat();
        whole(&format!("cnvW1A1 {way}"), &generated(&project, &set), 3);
    }
}

/// The layer with fewer rows.
fn reduced(node: &Node) -> Layer {
    let pixels = match node.layer.row() {
        Some(row) => ROWS * row,
        None => PIXELS_LEFT,
    };
    node.layer.reduced(pixels)
}

/// By stream, as many elements as its reader is fed: of what flows there for a random frame. A layer is as wide as its
/// inputs can become, which is less than their type allows.
fn recorded(dataflow: &Dataflow, nodes: &[&Node]) -> BTreeMap<StreamId, Vec<i64>> {
    let mut wanted = BTreeMap::new();
    for node in nodes {
        let ports = reduced(node).hardware().inputs().into_iter();
        let elements = ports.map(|port| FRAMES * port.elements());
        wanted.extend(node.inputs.iter().copied().zip(elements));
    }
    let mut found = BTreeMap::new();
    let frames = fed(&mut Random::new(11), dataflow, 1);
    let integers = Integers::new(dataflow);
    let outputs = integers.run(&frames, |stream, values| {
        if let Some(elements) = wanted.get(&stream) {
            found.insert(stream, values[..*elements.min(&values.len())].to_vec());
        }
    });
    outputs.unwrap();
    found
}

/// The layer with fewer rows, and frames for it.
fn trial(node: &Node, recorded: &BTreeMap<StreamId, Vec<i64>>) -> Trial {
    let layer = reduced(node);
    let ports = layer.hardware().inputs().into_iter();
    let inputs = ports.zip(&node.inputs).map(|(port, stream)| {
        let values = &recorded[stream];
        let mut values = values.iter().cycle().copied();
        let frame = |_| values.by_ref().take(port.elements()).collect();
        (0..FRAMES).map(frame).collect()
    });
    Trial {
        inputs: inputs.collect(),
        layer,
        tensors: node.tensors.clone(),
    }
}

/// Nodes whose modules differ.
fn distinct(dataflow: &Dataflow) -> Vec<&Node> {
    let mut seen = BTreeSet::new();
    let nodes = dataflow.nodes.iter();
    nodes
        .filter(|node| seen.insert(tag(&node.layer).unwrap()))
        .collect()
}

/// Every distinct layer of a large network, or a few of them.
fn layers(name: &str, dataflow: &Dataflow) {
    let mut random = Random::new(number("FINNP_SEED").unwrap_or(6));
    let mut nodes = distinct(dataflow);
    let all = nodes.len();
    if number("FINNP_SWEEP").is_none() {
        while nodes.len() > LAYERS {
            nodes.remove(random.below(nodes.len()));
        }
    }
    let began = Instant::now();
    let recorded = recorded(dataflow, &nodes);
    for node in &nodes {
        let began = Instant::now();
        let trial = trial(node, &recorded);
        let cycles = check_at(7, &trial, &[32]);
        println!(
            "{name}, {}: {} words, {} cycles, {:.1} s",
            node.name,
            cycles.len(),
            cycles[cycles.len() - 1] + 1,
            began.elapsed().as_secs_f64()
        );
    }
    println!(
        "{name}: {} of {all} distinct layers ({} in all), {:.1} s",
        nodes.len(),
        dataflow.nodes.len(),
        began.elapsed().as_secs_f64()
    );
}

#[test]
fn layers_of_mobilenet_are_exact_to_the_cycle() {
    if !verilator() {
        return;
    }
    let Some(project) = project("brevitas_random_mobilenet_v1_4w4a", PIXELS) else {
        return;
    };
    let set = ["target.fps=925", "target.clock_mhz=144"];
    layers("MobileNetV1", &generated(&project, &set));
    let set = [&HALF[..], &set].concat();
    layers("MobileNetV1 bcr-col", &generated(&project, &set));
}

#[test]
fn layers_of_resnet_are_exact_to_the_cycle() {
    if !verilator() {
        return;
    }
    let Some(project) = project("brevitas_random_resnet50_1w2a", PIXELS) else {
        return;
    };
    let set = ["target.fps=703", "target.clock_mhz=135"];
    layers("ResNet-50", &generated(&project, &set));
    let whole = ["Conv_0", "MatMul_0"].map(|layer| format!("layer.{layer}.pattern=\"none\""));
    let whole = whole.iter().map(String::as_str);
    let set: Vec<&str> = HALF.into_iter().chain(set).chain(whole).collect();
    layers("ResNet-50 bcr-col", &generated(&project, &set));
}
