//! What stands in the memories of sparse layers, read as the hardware reads it: for every PE and SIMD.
//! Must not know how the memories were written.

use finnp::backend::hls::memories;
use finnp::dataflow::Node;
use finnp::layer::{Layer, MvauBcr, Range};
use finnp::manifest::{Amount, Pruning};
use finnp::qonnx::import;
use finnp::tensor::DataType;

use super::bcr::pruned;
use super::random::Random;
use super::random_network::case;

/// Random networks in an ordinary run.
const NETWORKS: u64 = 300;

/// Any pruning that the manifest can say, sensible or not.
fn any_pruning(random: &mut Random) -> Pruning {
    let pattern = *random.pick(&["none", "bcr-col", "bcr-col", "bcr-col", "channel"]);
    let density = *random.pick(&[0.001, 0.01, 0.1, 0.25, 0.3, 0.5, 0.5, 0.9, 0.999, 1.0]);
    let mut pruning = Pruning {
        pattern: Some(pattern.to_owned()),
        density: Some(density),
        ..Pruning::default()
    };
    if pattern == "bcr-col" {
        let entries = *random.pick(&[1, 1, 2, 3, 4, 7]);
        if random.chance(20) {
            pruning.block = Some([*random.pick(&[1, 1, 2, 3, 5]), entries]);
            if random.chance(70) {
                pruning.density = None;
                let keep = random.between(1, i64::from(entries)) as u32;
                pruning.keep = Some(Amount::Columns(keep));
            }
        }
        if random.chance(10) {
            pruning.lanes = Some(Amount::Columns(*random.pick(&[1, 1, 2, 3, 4])));
        }
    }
    pruning
}

/// Numbers of a memory, line by line.
fn numbers(files: &[(String, String)], name: &str) -> Vec<Vec<i64>> {
    let (_, text) = files.iter().find(|(file, _)| file == name).unwrap();
    let line = |line: &str| {
        let numbers = line.split_terminator(',');
        numbers.map(|number| number.parse().unwrap()).collect()
    };
    text.lines().map(line).collect()
}

fn values(range: Option<Range>) -> Vec<usize> {
    match range {
        Some(Range::OneOf(values)) => values,
        other => panic!("{other:?}"),
    }
}

/// The sums of one pixel, from the numbers in the memories and the shape alone; as many as is said are stored.
fn read_as_hardware(layer: &MvauBcr, files: &[(String, String)], pixel: &[i64]) -> Vec<i64> {
    let (weights, index) = (numbers(files, "weights.dat"), numbers(files, "index.dat"));
    let steps = layer.columns / layer.simd * layer.blocks.keep / layer.blocks.entries;
    let block = layer.blocks.entries * layer.blocks.lanes / layer.simd;
    let block_steps = layer.blocks.keep * layer.blocks.lanes / layer.simd;
    let sharing = (layer.blocks.rows / layer.pe).max(1);
    assert_eq!(weights.len(), layer.rows.div_ceil(layer.pe) * steps);
    let mut sums = vec![0; layer.rows.next_multiple_of(layer.pe)];
    for (at, line) in weights.iter().enumerate() {
        let (fold, step) = (at / steps, at % steps);
        let words = &index[fold / sharing * steps + step];
        for (lane, weight) in line.iter().enumerate() {
            let (row, column) = (lane / layer.simd, lane % layer.simd);
            let list = row / layer.blocks.rows * layer.simd;
            let word = words[list + column];
            assert!((0..block as i64).contains(&word));
            assert!(word < 1 << layer.index_bits());
            let word = step / block_steps * block + word as usize;
            let weight = match layer.weight {
                DataType::Bipolar => 2 * weight - 1,
                _ => *weight,
            };
            sums[fold * layer.pe + row] += weight * pixel[word * layer.simd + column];
        }
    }
    let stored: usize = index.iter().map(Vec::len).sum();
    let bits = stored as u64 * u64::from(layer.index_bits());
    assert_eq!(layer.index_memory_bits(), bits);
    let stored: usize = weights.iter().map(Vec::len).sum();
    assert_eq!(
        stored,
        layer.row_folds() * layer.steps() * layer.pe * layer.simd
    );
    sums.truncate(layer.rows);
    sums
}

/// Every step of every list reads a word of its own, in every parallelism that folding may choose.
fn check(node: &Node, layer: &MvauBcr, seed: u64) -> usize {
    let mut random = Random::new(seed);
    let pixel: Vec<i64> = (0..layer.columns).map(|_| random.between(-9, 9)).collect();
    let plain = MvauBcr {
        activation: None,
        pixels: 1,
        ..layer.clone()
    };
    let expected = Layer::MvauBcr(plain)
        .hardware()
        .run(&node.tensors, &pixel)
        .unwrap();
    let limits = node.layer.hardware().limits();
    let mut tried = 0;
    for pe in values(limits.pe) {
        for simd in values(limits.simd.clone()) {
            let folded = MvauBcr {
                pe,
                simd,
                ..layer.clone()
            };
            let files = memories(&Layer::MvauBcr(folded.clone()), &node.tensors).unwrap();
            let found = read_as_hardware(&folded, &files, &pixel);
            assert_eq!(
                found, expected,
                "seed {seed}: `{}` at {pe} x {simd}",
                node.name
            );
            tried += 1;
        }
    }
    tried
}

#[test]
fn memories_say_the_same_for_every_parallelism() {
    let sweep = std::env::var("FINNP_SWEEP")
        .ok()
        .and_then(|n| n.parse().ok());
    let (mut tried, mut refused) = (0, 0);
    for seed in 0..sweep.unwrap_or(NETWORKS) {
        let case = case(seed);
        let network = import(&case.bytes).unwrap();
        let random = std::sync::Mutex::new(Random::new(seed ^ 0xda7));
        let choice = |_: &str| any_pruning(&mut random.lock().unwrap());
        let Ok((_, _, dataflow)) = pruned(network, case.grid.as_ref(), &choice) else {
            refused += 1;
            continue;
        };
        for node in &dataflow.nodes {
            if let Layer::MvauBcr(layer) = &node.layer {
                tried += check(node, layer, seed);
            }
        }
    }
    println!("{tried} parallelisms, {refused} networks refused");
    assert!(tried > 100);
}
