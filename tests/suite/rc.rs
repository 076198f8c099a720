//! Networks whose blocks keep rows and columns, all the way: the same function, balanced memories, sparse hardware, its
//! cycles. `FINNP_SWEEP=n` tries n random networks, `FINNP_BUILDS=n` builds n. Must not know how pruning decides.

use finnp::backend::hls::memories;
use finnp::dataflow::Node;
use finnp::error::Kind;
use finnp::layer::{Layer, MvauRc, Range};
use finnp::manifest::{Amount, Pruning};
use finnp::qonnx::import;
use finnp::reference::{Integers, levels};
use finnp::tensor::DataType;
use serde_json::Value;

use super::bcr::pruned;
use super::pruned::random_frames;
use super::random::Random;
use super::random_network::case;
use super::road::network;
use super::vision::{built, cnv};
use crate::project::Project;

/// Random networks in an ordinary run.
const NETWORKS: u64 = 200;
/// Builds of random blocks in an ordinary run.
const BUILDS: u64 = 8;

fn count(name: &str, ordinary: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|n| n.parse().ok());
    given.unwrap_or(ordinary)
}

/// Any pruning of this form that the manifest can say, sensible or not.
fn any_pruning(random: &mut Random) -> Pruning {
    let density = *random.pick(&[0.01, 0.1, 0.25, 0.3, 0.5, 0.5, 0.7, 0.9]);
    let mut pruning = Pruning {
        pattern: Some("bcr".to_owned()),
        density: Some(density),
        ..Pruning::default()
    };
    if random.chance(40) {
        let block = [*random.pick(&[1, 2, 2, 3]), *random.pick(&[1, 2, 2, 3])];
        pruning.block = Some(block);
        pruning.density = None;
        let keep = block.map(|entries| random.between(1, i64::from(entries)) as u32);
        pruning.keep = Some(Amount::Both(keep));
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

/// The sums of one pixel, from the numbers in the memories and the shape alone.
fn read_as_hardware(layer: &MvauRc, files: &[(String, String)], pixel: &[i64]) -> Vec<i64> {
    let (weights, index) = (numbers(files, "weights.dat"), numbers(files, "index.dat"));
    let row_index = numbers(files, "row_index.dat");
    let (rows, columns) = (layer.cross.rows, layer.cross.columns);
    let [down, across] = [
        layer.rows / rows.lanes / rows.entries,
        layer.columns / columns.lanes / columns.entries,
    ];
    let [a_steps, b_steps] = [
        rows.keep * rows.lanes / layer.pe,
        columns.keep * columns.lanes / layer.simd,
    ];
    assert_eq!(weights.len(), down * across * a_steps * b_steps);
    let mut lines = weights.iter();
    let mut sums = vec![0; layer.rows];
    for block in 0..down * across {
        let (top, left) = (
            block / across * rows.lanes * rows.entries,
            block % across * columns.lanes * columns.entries,
        );
        for a in 0..a_steps {
            for b in 0..b_steps {
                for (lane, weight) in lines.next().unwrap().iter().enumerate() {
                    let (p, s) = (lane / layer.simd, lane % layer.simd);
                    let row = row_index[block * a_steps + a][p] as usize;
                    let word = index[block * b_steps + b][s] as usize;
                    assert!(row < rows.lanes * rows.entries / layer.pe);
                    assert!(word < columns.lanes * columns.entries / layer.simd);
                    let weight = match layer.weight {
                        DataType::Bipolar => 2 * weight - 1,
                        _ => *weight,
                    };
                    let x = pixel[left + word * layer.simd + s];
                    sums[top + row * layer.pe + p] += weight * x;
                }
            }
        }
    }
    let bits = |lines: &[Vec<i64>], bits: u32| {
        lines.iter().map(Vec::len).sum::<usize>() as u64 * u64::from(bits)
    };
    let [row_bits, column_bits] = layer.index_bits();
    let stored = bits(&row_index, row_bits) + bits(&index, column_bits);
    assert_eq!(layer.index_memory_bits(), stored);
    // Rows of a bank come back no sooner than is said.
    let distance = layer.revisit().unwrap_or(usize::MAX);
    for block in (1..down * across).filter(|block| block % across > 0) {
        let (last, first) = (&row_index[block * a_steps - 1], &row_index[block * a_steps]);
        let same = last.iter().zip(first).any(|(last, first)| last == first);
        assert!(!same || distance <= b_steps);
    }
    sums
}

fn values(range: Option<Range>) -> Vec<usize> {
    match range {
        Some(Range::OneOf(values)) => values,
        other => panic!("{other:?}"),
    }
}

/// The memories say the same in every parallelism that folding may choose.
fn check(node: &Node, layer: &MvauRc, seed: u64) -> usize {
    let mut random = Random::new(seed);
    let pixel: Vec<i64> = (0..layer.columns).map(|_| random.between(-9, 9)).collect();
    let plain = MvauRc {
        activation: None,
        pixels: 1,
        ..layer.clone()
    };
    let plain = Layer::MvauRc(plain);
    let expected = plain.hardware().run(&node.tensors, &pixel).unwrap();
    let limits = node.layer.hardware().limits();
    let mut tried = 0;
    for pe in values(limits.pe) {
        for simd in values(limits.simd.clone()) {
            let folded = MvauRc {
                pe,
                simd,
                ..layer.clone()
            };
            let files = memories(&Layer::MvauRc(folded.clone()), &node.tensors).unwrap();
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

/// Orders of channels change no output and no level of any random network, and what is kept is where the memories say.
#[test]
fn rows_and_columns_compute_the_same() {
    let (mut sparse, mut tried, mut refused) = (0, 0, 0);
    for seed in 0..count("FINNP_SWEEP", NETWORKS) {
        let case = case(seed);
        let random = std::sync::Mutex::new(Random::new(seed ^ 0xc805));
        let choice = |_: &str| any_pruning(&mut random.lock().unwrap());
        let network = import(&case.bytes).unwrap();
        let (network, dataflow, reordered) = match pruned(network, case.grid.as_ref(), &choice) {
            Ok(found) => found,
            Err(error) if error.kind() == Kind::User => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("seed {seed}: {error:?}"),
        };
        let frames = random_frames(&dataflow);
        let found = levels::compare(&network, &reordered, &frames).unwrap();
        assert!(found.equal(), "seed {seed}: {found:?}");
        let outputs = |dataflow| format!("{:?}", Integers::new(dataflow).outputs(&frames).unwrap());
        assert_eq!(outputs(&dataflow), outputs(&reordered), "seed {seed}");
        for node in &reordered.nodes {
            if let Layer::MvauRc(layer) = &node.layer {
                sparse += 1;
                tried += check(node, layer, seed);
            }
        }
    }
    println!("{sparse} sparse layers, {tried} parallelisms, {refused} networks refused");
    assert!(sparse > 30 && tried > 60);
}

#[test]
fn digits_keeps_rows_and_columns_all_the_way() {
    all_the_way(&Project::example("digits"));
}

#[test]
fn tfc_keeps_rows_and_columns_all_the_way() {
    for name in ["TFC_1W1A", "TFC_2W2A"] {
        if let Some(project) = network(name) {
            all_the_way(&project);
        }
    }
}

fn all_the_way(project: &Project) {
    for density in [0.5, 0.25] {
        let density_line = format!("prune.density={density}");
        let call = project.build(&["--set", "prune.pattern=bcr", "--set", &density_line]);
        call.expect_success();
        let summary = project.json("summary.json");
        let mut sparse = 0;
        for row in summary["layers"].as_array().unwrap() {
            if row["kind"] == "mvau_rc" {
                sparse += 1;
                sparse_row(row, density);
            }
        }
        assert!(sparse >= 3, "{sparse} layers are sparse");
    }
}

fn number(row: &Value, key: &str) -> usize {
    let number = row[key].as_u64();
    number.unwrap_or_else(|| panic!("no `{key}` in {row}")) as usize
}

/// The formulas, from the shape alone.
fn sparse_row(row: &Value, density: f64) {
    let (rows, columns) = (number(row, "rows"), number(row, "cols"));
    let (pe, simd) = (number(row, "pe"), number(row, "simd"));
    let (blocks, facts) = (&row["pruned"]["blocks"], &row["pruned"]);
    let side = |name: &str| ["lanes", "entries", "keep"].map(|key| number(&blocks[name], key));
    let [row_lanes, down, kept_rows] = side("rows");
    let [column_lanes, across, kept_columns] = side("columns");
    assert_eq!((row_lanes % pe, column_lanes % simd), (0, 0));
    assert_eq!(
        rows % (row_lanes * down) + columns % (column_lanes * across),
        0
    );
    let share = (kept_rows * kept_columns) as f64 / (down * across) as f64;
    assert!((share - density).abs() < 0.1, "{row}");
    let blocks = rows / (row_lanes * down) * (columns / (column_lanes * across));
    let steps = blocks * (kept_rows * row_lanes / pe) * (kept_columns * column_lanes / simd);
    let cycles = steps.max(columns / simd).max(rows / pe) * number(row, "pixels");
    assert_eq!(number(row, "cycles"), cycles, "{row}");
    let speed_up = facts["speed_up"].as_f64().unwrap();
    assert_eq!(speed_up, number(row, "dense_cycles") as f64 / cycles as f64);
    match facts["limit"].as_str().unwrap() {
        "compute" => {
            assert!((speed_up / facts["compression"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        }
        "input" => assert!(steps < columns / simd),
        _ => assert!(steps < rows / pe, "{row}"),
    }
    let bits = number(row, "weight_bits") * steps * pe * simd;
    assert_eq!(number(facts, "weight_memory_bits"), bits);
    let all = bits + number(facts, "index_memory_bits");
    assert!(all < number(facts, "dense_memory_bits"), "{row}");
}

fn divisor(random: &mut Random, number: usize) -> usize {
    let divisors: Vec<usize> = (1..=number).filter(|d| number.is_multiple_of(*d)).collect();
    *random.pick(&divisors)
}

/// Any grid, any blocks and any parallelism that divides the lanes is simulated, cycle for cycle.
#[test]
fn every_block_and_parallelism_computes_the_same() {
    let project = Project::example("digits");
    project.edit("fps = 100000", "");
    for seed in 0..count("FINNP_BUILDS", BUILDS) {
        let mut random = Random::new(seed ^ 0xb10c);
        let mut set = vec!["prune.pattern=bcr".to_owned()];
        for (name, rows, columns) in [("fc1", 64, 64), ("fc2", 32, 64), ("fc3", 10, 32)] {
            let mut side = |lines: usize| {
                let lanes = divisor(&mut random, lines);
                let entries = divisor(&mut random, lines / lanes);
                let keep = random.between(1, entries as i64);
                [lanes, entries, keep as usize, divisor(&mut random, lanes)]
            };
            let ([p, er, kr, pe], [s, ec, kc, simd]) = (side(rows), side(columns));
            set.extend([
                format!("layer.{name}.lanes=[{p},{s}]"),
                format!("layer.{name}.block=[{er},{ec}]"),
                format!("layer.{name}.keep=[{kr},{kc}]"),
                format!("layer.{name}.pe={pe}"),
                format!("layer.{name}.simd={simd}"),
            ]);
        }
        let args: Vec<&str> = set.iter().flat_map(|s| ["--set", s.as_str()]).collect();
        let call = project.build(&args);
        assert_eq!(call.code, 0, "seed {seed}: {set:?} {:?}", call.finished());
    }
}

/// Sums that leave more slowly than they are added up are the limit, and finnp says so.
#[test]
fn what_leaves_limits_the_speed_up() {
    let project = Project::example("digits");
    let set = [
        "prune.pattern=bcr",
        "layer.fc1.lanes=[2,32]",
        "layer.fc1.block=[8,2]",
        "layer.fc1.keep=[2,1]",
        "layer.fc1.pe=2",
        "layer.fc1.simd=32",
        "layer.fc2.pattern=none",
        "layer.fc3.pattern=none",
    ];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    project.build(&args).expect_success();
    let layer = &project.json("summary.json")["layers"][0];
    // 4 blocks of 2 steps; 2 words arrive, 32 leave.
    assert_eq!(
        (&layer["cycles"], &layer["dense_cycles"]),
        (&32.into(), &64.into())
    );
    assert_eq!(
        (&layer["bound"], &layer["pruned"]["limit"]),
        (&"output".into(), &"output".into())
    );
    let wrong = [&args[..], &["--set", "layer.fc1.pe=4"]].concat();
    let call = project.build(&wrong);
    assert_eq!(call.code, 2);
    let help = call.finished()["problems"][0]["help"].to_string();
    assert!(help.contains("among 1, 2"), "{help}");
}

/// Lines of `[prune]` that are refused: the line at fault, and what the help says.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "pattern = \"bcr\"\nblock = [4, 7]\nkeep = [1, 1]",
        "block = [4, 7]",
        "the second number can be 1, 2, 4, 8, 16, 32, 64",
    ),
    (
        "pattern = \"bcr\"\nlanes = [3, 4]\ndensity = 0.5",
        "lanes = [3, 4]",
        "lanes of rows can be 1, 2, 4, 8, 16, 32, 64",
    ),
    (
        "pattern = \"bcr\"\nblock = [2, 2]\ndensity = 0.3",
        "density = 0.3",
        "`density` can be 0.25, 0.5, 1",
    ),
    (
        "pattern = \"bcr\"\nblock = [2, 2]\nkeep = [1, 3]",
        "keep = [1, 3]",
        "the second one 1 to 2",
    ),
    (
        "pattern = \"bcr\"\nblock = [2, 2]\nkeep = 1",
        "keep = 1",
        "a pair such as [1, 1]",
    ),
    (
        "pattern = \"bcr\"",
        "pattern = \"bcr\"",
        "add `density = 0.5`",
    ),
    (
        "pattern = \"bcr-col\"\nblock = [4, 4]\nkeep = [1, 1]",
        "keep = [1, 1]",
        "`pattern = \"bcr\"` for rows and columns",
    ),
    (
        "pattern = \"bcr\"\nblock = [2, 2]\nkeep = [1, 2, 3]",
        "keep = [1, 2, 3]",
        "an integer of at least 1, or a list of two of them",
    ),
];

/// Mistakes in `[prune]` are shown where they stand, with what would fit.
#[test]
fn rows_and_columns_that_do_not_fit_are_refused_at_their_characters() {
    for (lines, line, says) in REFUSED {
        let project = Project::example("digits");
        project.edit("[verify]", &format!("[prune]\n{lines}\n\n[verify]"));
        let call = project.build(&[]);
        assert_eq!(call.code, 2, "{lines}: {:?}", call.finished());
        let problem = &call.finished()["problems"][0];
        let help = problem["help"].as_str().unwrap();
        assert!(help.contains(says), "{lines}: {problem}");
        let manifest = std::fs::read_to_string(project.dir().join("accel.toml")).unwrap();
        let place = problem["line"].as_u64().unwrap() as usize;
        assert_eq!(manifest.lines().nth(place - 1), Some(*line), "{problem}");
    }
}

#[test]
fn cnv_keeps_rows_and_columns_and_is_simulated() {
    let Some(project) = cnv(1) else { return };
    let half = built(&project, &["prune.pattern=\"bcr\"", "prune.density=0.5"]);
    let rows = half["layers"].as_array().unwrap();
    let sparse = rows.iter().filter(|row| row["kind"] == "mvau_rc");
    assert_eq!(
        sparse.clone().count(),
        9,
        "all nine layers with weights are sparse"
    );
    sparse.for_each(|row| sparse_row(row, 0.5));
}
