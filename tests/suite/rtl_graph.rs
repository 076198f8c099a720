//! Random graphs as whole networks in RTL: every word is the executor's and leaves in the cycle that simulation by
//! words says, with FIFOs as deep as it finds them. `FINNP_SWEEP=n` tries n of each kind, `FINNP_SEED=s` those of seed
//! s alone.
//! Must not know how modules are built.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use finnp::dataflow::{Dataflow, StreamId};
use finnp::error::catch;
use finnp::simulate::depths;
use rayon::prelude::*;

use super::agreement::number;
use super::project::Project;
use super::random::Random;
use super::random_network::{Case, case};
use super::random_residual::branched;
use super::rtl_bench::verilator;
use super::rtl_whole::{Whole, built, deepen, fed};
use super::simulate_graph::graph;

/// Graphs of a kind in an ordinary run.
const GRAPHS: u64 = 8;

/// Frames that follow each other.
const FRAMES: usize = 4;

/// Says what a network is made of.
fn tell(dataflow: &Dataflow) {
    let depth = |id: &StreamId| (id.0, dataflow.stream(*id).depth);
    for node in &dataflow.nodes {
        let read: Vec<_> = node.inputs.iter().map(depth).collect();
        let written: Vec<_> = node.outputs.iter().map(depth).collect();
        println!("{read:?} -> {written:?} {:?}", node.layer);
    }
}

/// Tries all seeds; says which fail and how, and of which layers the networks were made. `make` gives none where a
/// network is refused.
fn sweep(make: fn(u64) -> Option<Dataflow>) -> BTreeMap<&'static str, usize> {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(GRAPHS)).collect(),
    };
    let kinds: Mutex<BTreeMap<&str, usize>> = Mutex::default();
    let failed: Vec<String> = seeds
        .par_iter()
        .filter_map(|seed| {
            let attempt = || {
                let Some(dataflow) = make(*seed) else { return };
                if number("FINNP_SEED").is_some() {
                    tell(&dataflow);
                }
                let frames = fed(&mut Random::new(*seed), &dataflow, FRAMES);
                Whole::new(&dataflow, frames).check(*seed, &format!("FINNP_SEED={seed}"));
                let mut kinds = kinds.lock().unwrap();
                *kinds.entry("network").or_default() += 1;
                for node in &dataflow.nodes {
                    *kinds.entry(node.layer.hardware().kind()).or_default() += 1;
                }
            };
            let error = catch(attempt).err()?;
            println!("FINNP_SEED={seed}: {error}");
            Some(format!("FINNP_SEED={seed}"))
        })
        .collect();
    let kinds = kinds.into_inner().unwrap();
    println!("{} seeds: {kinds:?}", seeds.len());
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
    kinds
}

/// Layers with random integers, joined as no compiler would join them.
#[test]
fn graphs_of_layers_are_exact_to_the_cycle() {
    if !verilator() {
        return;
    }
    let kinds = sweep(|seed| {
        let mut dataflow = graph(seed, 2);
        let found = depths(&dataflow).unwrap();
        deepen(&mut dataflow, &found);
        Some(dataflow)
    });
    assert!(number("FINNP_SEED").is_some() || kinds.len() > 8);
}

/// A network with branches for two seeds of three, a chain for the third.
fn network(seed: u64) -> Case {
    match seed % 3 {
        0 => case(seed),
        _ => branched(seed),
    }
}

/// The network of a seed as finnp builds it: dense or pruned, in any folding, with look-up tables or DSP slices.
fn generated(seed: u64) -> Option<Dataflow> {
    let case = network(seed);
    let mut random = Random::new(seed ^ 0x9ea7);
    let mut manifest = case.manifest();
    let multiplier = random.pick(&["lut", "dsp"]);
    let fps = random.pick(&[10_000, 300_000, 1_000_000, 5_000_000]);
    manifest += &format!(
        "[target]\nboard = \"zcu104\"\nbackend = \"rtl\"\nmultiplier = \"{multiplier}\"\nfps = {fps}\n"
    );
    if let pattern @ ("bcr-col" | "bcr") = *random.pick(&["none", "bcr-col", "bcr"]) {
        let density = random.pick(&[0.5, 0.25, 0.8]);
        manifest += &format!("[prune]\npattern = \"{pattern}\"\ndensity = {density}\n");
    }
    let project = Project::new(&manifest);
    fs::write(project.dir().join("model.onnx"), &case.bytes).unwrap();
    let call = project.build(&["--to", "generate"]);
    match call.code {
        0 => Some(built(&project)),
        // Too fast for the layers, or not supported.
        1 | 2 => {
            println!("seed {seed}: {}", call.finished()["error"]);
            None
        }
        code => panic!("ended with {code}: {:?} {}", call.finished(), call.stderr),
    }
}

#[test]
fn networks_are_exact_to_the_cycle() {
    if !verilator() {
        return;
    }
    let kinds = sweep(generated);
    assert!(number("FINNP_SEED").is_some() || kinds.len() > 8);
}
