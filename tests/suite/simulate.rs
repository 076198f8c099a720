//! Simulation by words: single layers take as many cycles as they say, and whole graphs do in every cycle what the
//! contract between layers says, also where they stand still.
//! Must not know how cycles are found.

use finnp::dataflow::Dataflow;
use finnp::layer::Layer;
use finnp::simulate::{Load, depths, run};

use super::random_window::layer_case;
use super::simulate_graph::{alone, graph};
use super::simulate_naive::cycles;

/// How many random cases are tried: `FINNP_SWEEP`, or this.
fn count(usual: u64) -> u64 {
    let wanted = std::env::var("FINNP_SWEEP").ok();
    wanted.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
fn layers_alone_take_the_cycles_that_they_say() {
    let mut tried = 0;
    for seed in 0..count(1500) {
        let layer = layer_case(seed).layer;
        let hardware = layer.hardware();
        let words = hardware.inputs()[0].words().max(hardware.output().words());
        let found = run(
            &alone(layer.clone(), 4 * words + 64),
            &Load::until_steady(400),
        )
        .unwrap();
        assert_eq!(found.deadlock, [], "seed {seed}: {layer:?}");
        let interval = found.interval;
        assert_eq!(interval, Some(hardware.cycles()), "seed {seed}: {layer:?}");
        assert!(!found.busy.is_empty(), "seed {seed}: {layer:?}");
        tried += usize::from(!matches!(layer, Layer::Mvau(_)));
    }
    assert!(tried > 500);
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
        assert_eq!(found.deadlock.is_empty(), found.frames.len() == frames);
    }
    println!("{through} came through, {stuck} stood still, {events} words");
    assert!(stuck > 20 && through > 200);
}

/// Cycles that so many frames take once many have passed; `None` if they do not come through.
fn pace(dataflow: &Dataflow) -> Option<u64> {
    let found = run(dataflow, &Load::frames(2 * MANY)).unwrap();
    let frames = found.frames.get(2 * MANY - 1)?;
    Some(frames.last - found.frames[MANY - 1].last)
}

/// Frames after which a small graph has found its pace.
const MANY: usize = 60;

/// With the depths that are found graphs are as fast as with endless FIFOs, and none of them can lose a word.
#[test]
fn fifos_are_as_deep_as_they_must_be() {
    let (mut deeper, mut streams) = (0, 0);
    for seed in 0..count(150) {
        let mut dataflow = graph(seed, 2);
        let found = depths(&dataflow).unwrap();
        dataflow
            .streams
            .iter_mut()
            .for_each(|stream| stream.depth = 100_000);
        let endless = pace(&dataflow);
        assert!(endless.is_some());
        let pairs = dataflow.streams.iter_mut().zip(&found);
        pairs.for_each(|(stream, depth)| stream.depth = *depth);
        assert_eq!(pace(&dataflow), endless, "seed {seed}: {found:?}");
        let inputs: Vec<usize> = dataflow.inputs.iter().map(|input| input.stream.0).collect();
        for (stream, depth) in found.iter().enumerate() {
            if inputs.contains(&stream) || *depth == 1 {
                continue;
            }
            dataflow.streams[stream].depth = depth - 1;
            let less = pace(&dataflow);
            assert!(
                less.is_none() || less > endless,
                "seed {seed}, stream {stream}: {found:?}"
            );
            dataflow.streams[stream].depth = *depth;
            streams += 1;
            deeper += usize::from(*depth > 10);
        }
    }
    println!("{streams} streams, {deeper} of more than 10 words");
    assert!(streams > 500 && deeper > 20);
}
