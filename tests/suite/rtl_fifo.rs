//! FIFOs of networks with forks are as deep as they must be, in RTL too: with a word less in any of them frames follow
//! each other more slowly, or nothing moves any more, as simulation by words says.
//! Must not know how depths are found.

use std::fs;

use finnp::dataflow::Dataflow;
use finnp::qonnx::{export, import};
use finnp::simulate::{Load, depths, run};

use super::convolution::model;
use super::project::Project;
use super::random::Random;
use super::resnet::between;
use super::rtl_bench::verilator;
use super::rtl_large::resized;
use super::rtl_real::generated;
use super::rtl_whole::{Whole, deepen, fed};
use super::simulate_graph::graph;

/// FIFOs of a network that are made less deep.
const FIFOS: usize = 3;

/// Cycles that the last half of all frames took.
fn pace(cycles: &[u64], words: usize) -> u64 {
    let ends: Vec<u64> = cycles.chunks(words).map(|frame| frame[words - 1]).collect();
    ends[ends.len() - 1] - ends[ends.len() / 2 - 1]
}

/// Runs so many frames with the depths that the streams have: the pace if they come through. Verilator and simulation
/// by words agree in every word, also where they stand still.
fn paced(dataflow: &Dataflow, frames: usize) -> Option<u64> {
    let whole = Whole::new(dataflow, fed(&mut Random::new(3), dataflow, frames));
    let said = whole.said();
    let found = whole.run(&[]);
    match said.deadlock.is_empty() {
        true => {
            let found = found.unwrap();
            assert_eq!(found.cycles, said.outputs[0]);
            Some(pace(&found.cycles, whole.output().words()))
        }
        false => {
            let error = found.err().unwrap();
            assert!(error.contains("nothing moved since"), "{error}");
            assert_eq!(whole.left(), said.outputs[0]);
            None
        }
    }
}

/// The deepest FIFO and some others that hold more than one word.
fn sample(random: &mut Random, dataflow: &Dataflow) -> Vec<usize> {
    let inputs: Vec<usize> = dataflow.inputs.iter().map(|input| input.stream.0).collect();
    let streams = 0..dataflow.streams.len();
    let mut deep: Vec<usize> = streams
        .filter(|at| dataflow.streams[*at].depth > 1 && !inputs.contains(at))
        .collect();
    deep.sort_by_key(|at| std::cmp::Reverse(dataflow.streams[*at].depth));
    while deep.len() > FIFOS {
        deep.remove(1 + random.below(deep.len() - 1));
    }
    deep
}

/// With the depths that were found frames follow each other as the slowest layer allows.
fn check(name: &str, mut dataflow: Dataflow, frames: usize) {
    let layers = dataflow.nodes.iter().map(|node| node.layer.hardware());
    let slowest = layers.map(|layer| layer.cycles()).max().unwrap();
    let most = slowest * (frames - frames / 2) as u64;
    assert_eq!(paced(&dataflow, frames), Some(most), "{name}");
    let sample = sample(&mut Random::new(5), &dataflow);
    assert!(!sample.is_empty(), "{name}");
    for at in sample {
        let depth = dataflow.streams[at].depth;
        dataflow.streams[at].depth = depth - 1;
        let less = paced(&dataflow, frames);
        println!("{name}: {depth} words less one: {less:?} cycles instead of {most}");
        assert!(less.is_none_or(|less| less > most), "{name}, stream {at}");
        dataflow.streams[at].depth = depth;
    }
}

/// The first random graph that has layers of a kind and a FIFO of many words.
fn with(kind: &str) -> (u64, Dataflow) {
    let found = (0..).find_map(|seed| {
        let mut dataflow = graph(seed, 2);
        let mut layers = dataflow.nodes.iter();
        if !layers.any(|node| node.layer.hardware().kind() == kind) {
            return None;
        }
        let found = depths(&dataflow).unwrap();
        deepen(&mut dataflow, &found);
        let steady = run(&dataflow, &Load::frames(4)).unwrap().frames[3].last;
        let fits = found.iter().any(|depth| *depth > 12) && steady < 4000;
        fits.then_some((seed, dataflow))
    });
    found.unwrap()
}

#[test]
fn a_sum_of_branches_needs_all_words() {
    if verilator() {
        let (seed, dataflow) = with("add");
        check(&format!("sum, seed {seed}"), dataflow, 120);
    }
}

#[test]
fn branches_side_by_side_need_all_words() {
    if verilator() {
        let (seed, dataflow) = with("concat");
        check(&format!("concatenation, seed {seed}"), dataflow, 120);
    }
}

/// The first residual block of ResNet-50, which adds a projection, on a picture of 8 x 8 pixels.
#[test]
fn a_residual_block_needs_all_words() {
    let Some(bytes) = model("brevitas_random_resnet50_1w2a").filter(|_| verilator()) else {
        return;
    };
    let network = import(&resized(&bytes, 32)).unwrap();
    let block = export(&between(&network, "MaxPool_0_out0", "Quant_7_out0")).unwrap();
    let project = Project::new(
        "[project]\nname = \"block\"\n[model]\npath = \"model.onnx\"\n[input]\ntype = \"uint2\"\n\
         scale = 1.9075897932052612\n[target]\nboard = \"alveo-u280\"\nclock_mhz = 135\nfps = 2000\n",
    );
    fs::write(project.dir().join("model.onnx"), block).unwrap();
    check("residual block", generated(&project, &[]), 12);
}
