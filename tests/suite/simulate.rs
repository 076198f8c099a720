//! Simulation by words: single layers take as many cycles as they say, and whole graphs do in every cycle what the
//! contract between layers says, also where they stand still.
//! Must not know how cycles are found.

use std::collections::BTreeMap;
use std::fs;

use finnp::dataflow::Dataflow;
use finnp::layer::Layer;
use finnp::simulate::{Cause, Load, depths, run};

use super::random_window::layer_case;
use super::simulate_graph::{alone, graph};
use super::simulate_naive::cycles;
use super::vision::{PIXELS, project};
use crate::project::Project;

/// How many random cases are tried: `FINNP_SWEEP`, or this.
fn count(usual: u64) -> u64 {
    let wanted = std::env::var("FINNP_SWEEP").ok();
    wanted.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
fn layers_alone_take_the_cycles_that_they_say() {
    let (mut tried, mut causes) = (0, BTreeMap::new());
    for seed in 0..count(1500) {
        let layer = layer_case(seed).layer;
        let hardware = layer.hardware();
        let words = hardware.inputs()[0].words().max(hardware.output().words());
        let load = Load {
            alike: true,
            ..Load::until_steady(400)
        };
        let found = run(&alone(layer.clone(), 4 * words + 64), &load).unwrap();
        assert_eq!(found.deadlock, [], "seed {seed}: {layer:?}");
        let cycles = hardware.cycles();
        assert_eq!(found.interval, Some(cycles), "seed {seed}: {layer:?}");
        assert!(found.alike, "seed {seed}: {layer:?}");
        let [busy] = found.busy[..] else {
            panic!("seed {seed}: {layer:?}");
        };
        let (taken, made) = (hardware.inputs()[0].words(), hardware.output().words());
        let fits = match busy.cause {
            Cause::Input => cycles == taken as u64,
            Cause::Output => cycles == made as u64,
            Cause::Compute => cycles > made as u64,
            Cause::Window => cycles > words as u64,
        };
        assert!(fits, "seed {seed}: {layer:?} {busy:?}");
        *causes.entry(format!("{:?}", busy.cause)).or_insert(0) += 1;
        tried += usize::from(!matches!(layer, Layer::Mvau(_)));
    }
    println!("{causes:?}");
    assert!(tried > 500 && causes.len() == 4);
}

/// Every word of every stream is made and taken in the cycle in which registers and counters do it.
#[test]
fn graphs_do_in_every_cycle_what_registers_do() {
    let (mut stuck, mut through, mut events) = (0, 0, 0);
    for seed in 0..count(600) {
        let depth = [2, 5, 20, 200][seed as usize % 4];
        let dataflow = graph(seed, depth);
        let period = if seed % 3 == 0 { 40 } else { 0 };
        let frames = 1 + seed as usize % 4;
        let seen = cycles(&dataflow, frames, period);
        let load = Load {
            period,
            trace: true,
            ..Load::frames(frames)
        };
        let found = run(&dataflow, &load).unwrap();
        let inputs: Vec<usize> = dataflow.inputs.iter().map(|input| input.stream.0).collect();
        for (stream, usage) in found.streams.iter().enumerate() {
            assert_eq!(
                usage.taken, seen.taken[stream],
                "seed {seed}, stream {stream}"
            );
            events += usage.taken.len();
            if !inputs.contains(&stream) {
                assert_eq!(
                    usage.made, seen.made[stream],
                    "seed {seed}, stream {stream}"
                );
                assert_eq!(
                    usage.peak, seen.peaks[stream],
                    "seed {seed}, stream {stream}"
                );
            }
        }
        assert_eq!(found.outputs[0], seen.taken[dataflow.outputs[0].stream.0]);
        match found.deadlock.is_empty() {
            true => through += 1,
            false => stuck += 1,
        }
        let waits = || found.deadlock.iter().filter(|wait| wait.node.is_some());
        if waits().next().is_some() {
            // Who stands still in the network lacks something, and somebody lacks room: frames never end by themselves.
            assert!(
                waits().all(|wait| wait.words.len() + wait.room.len() > 0),
                "seed {seed}"
            );
            assert!(waits().any(|wait| !wait.room.is_empty()), "seed {seed}");
        }
        assert_eq!(found.deadlock.is_empty(), found.frames.len() == frames);
    }
    println!("{through} came through, {stuck} stood still, {events} words");
    assert!(stuck > 20 && through > 200);
}

/// Cycles that so many frames take once as many have passed; `None` if they do not come through.
fn pace(dataflow: &Dataflow, frames: usize) -> Option<u64> {
    let found = run(dataflow, &Load::frames(2 * frames)).unwrap();
    let last = found.frames.get(2 * frames - 1)?.last;
    Some(last - found.frames[frames - 1].last)
}

/// With these depths a graph is as fast as with endless FIFOs. How many FIFOs of more than one word there are, how many
/// of more than 10, and how many could lose a word.
fn checked(mut dataflow: Dataflow, found: &[usize], frames: usize, what: &str) -> [usize; 3] {
    let inputs: Vec<usize> = dataflow.inputs.iter().map(|input| input.stream.0).collect();
    dataflow
        .streams
        .iter_mut()
        .for_each(|stream| stream.depth = 1_000_000);
    let endless = pace(&dataflow, frames);
    assert!(endless.is_some(), "{what}");
    let pairs = dataflow.streams.iter_mut().zip(found);
    pairs.for_each(|(stream, depth)| stream.depth = *depth);
    assert_eq!(pace(&dataflow, frames), endless, "{what}: {found:?}");
    let [mut streams, mut deeper, mut spare] = [0; 3];
    for (stream, depth) in found.iter().enumerate() {
        if inputs.contains(&stream) || *depth == 1 {
            continue;
        }
        dataflow.streams[stream].depth = depth - 1;
        let less = pace(&dataflow, frames);
        if less.is_some_and(|less| less <= endless.unwrap_or(0)) {
            println!("{what}: stream {stream} could be less deep: {found:?}");
            spare += 1;
        }
        dataflow.streams[stream].depth = *depth;
        streams += 1;
        deeper += usize::from(*depth > 10);
    }
    [streams, deeper, spare]
}

#[test]
fn fifos_are_as_deep_as_they_must_be() {
    let [mut streams, mut deeper, mut spare] = [0; 3];
    for seed in 0..count(150) {
        let dataflow = graph(seed, 2);
        let found = depths(&dataflow).unwrap();
        let [all, deep, more] = checked(dataflow, &found, 60, &format!("seed {seed}"));
        (streams, deeper, spare) = (streams + all, deeper + deep, spare + more);
    }
    println!("{streams} streams, {deeper} of more than 10 words, {spare} with a word to spare");
    assert!(streams > 500 && deeper > 20);
    // That a part is too slow is told from a few frames of it, which is seldom wrong.
    assert!(spare * 200 <= streams);
}

/// A folded network as it is built.
fn folded(project: &Project) -> Dataflow {
    project.build(&["--to", "fold"]).expect_success();
    let folder = project.dir().join("build/dataflow/folded");
    let bytes = fs::read(folder.join("graph.json")).unwrap();
    let mut dataflow: Dataflow = serde_json::from_slice(&bytes).unwrap();
    for node in &mut dataflow.nodes {
        let record = folder.join(format!("layers/{}/layer.json", node.name));
        node.layer = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    }
    dataflow
}

#[test]
fn fifos_of_cnv_are_as_deep_as_they_must_be() {
    let Some(project) = project("cnvW1A1_cifar10", "") else {
        return;
    };
    let dataflow = folded(&project);
    let found = depths(&dataflow).unwrap();
    assert_eq!(found, depths(&dataflow).unwrap());
    let [streams, _, spare] = checked(dataflow, &found, 5, "CNV");
    println!("{found:?}");
    assert!(streams > 5 && spare == 0);
}

/// Frames that are offered as soon as the network can take them are alike in every step after few of them.
#[test]
fn mobilenet_keeps_its_pace_with_the_depths_that_are_found() {
    let Some(project) = project("brevitas_random_mobilenet_v1_4w4a", PIXELS) else {
        return;
    };
    let mut dataflow = folded(&project);
    let slowest = dataflow
        .nodes
        .iter()
        .map(|node| node.layer.hardware().cycles());
    let slowest = slowest.max().unwrap();
    let shallow = run(&dataflow, &Load::until_steady(12)).unwrap();
    let found = depths(&dataflow).unwrap();
    let pairs = dataflow.streams.iter_mut().zip(&found);
    pairs.for_each(|(stream, depth)| stream.depth = *depth);
    let load = Load {
        period: slowest,
        alike: true,
        ..Load::until_steady(12)
    };
    let deep = run(&dataflow, &load).unwrap();
    assert_eq!((deep.interval, deep.alike), (Some(slowest), true));
    assert!(deep.latency() < shallow.latency());
    println!(
        "{:?} cycles, {:?} before; {found:?}",
        deep.latency(),
        shallow.latency()
    );
    // Each FIFO uses all of its places.
    let used = deep.streams.iter().zip(&found);
    let inputs = dataflow.inputs.len();
    assert_eq!(
        used.filter(|(usage, depth)| usage.peak == **depth).count(),
        found.len() - inputs
    );
}
