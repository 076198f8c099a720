//! Pruned networks all the way: masks, orders of channels, sparse hardware, its cycles.
//! `FINNP_SWEEP=n` tries n random networks. Must not know how pruning decides.

use std::collections::BTreeMap;

use finnp::dataflow::Dataflow;
use finnp::error::{Error, Kind};
use finnp::layer::Layer;
use finnp::manifest::Pruning;
use finnp::network::Network;
use finnp::pass::{Grid, fuse, reorder, streamline};
use finnp::prune::{Planned, apply, plan};
use finnp::qonnx::import;
use finnp::reference::{Integers, levels};
use serde_json::Value;

use super::pruned::random_frames;
use super::random::Random;
use super::random_network::case;
use super::road::network;
use crate::project::Project;

/// Random networks in an ordinary run.
const NETWORKS: u64 = 150;

/// The pruned network, its integers as streamlining leaves them, and these in their new order.
pub(crate) fn pruned(
    network: Network,
    grid: Option<&Grid>,
    choice: &dyn Fn(&str) -> Pruning,
) -> Result<(Network, Dataflow, Dataflow), Error> {
    let choices = |name: &str| (choice(name), BTreeMap::new());
    let Planned { plan, masks, .. } = plan(&network, grid, false, &choices, None)?;
    for layer in &plan.layers {
        assert!((0.0..=1.0 + 1e-9).contains(&layer.retained), "{layer:?}");
    }
    let network = apply(network, &masks)?;
    let dataflow = streamline(&network, grid, false).and_then(fuse)?;
    let reordered = reorder(dataflow.clone(), &plan.rearrangement)?;
    Ok((network, dataflow, reordered))
}

/// Orders of channels change no output and no level of any random network, however it is pruned.
#[test]
fn channels_in_another_order_compute_the_same() {
    let sweep = std::env::var("FINNP_SWEEP")
        .ok()
        .and_then(|n| n.parse().ok());
    let (mut sparse, mut moved, mut smaller) = (0, 0, 0);
    for seed in 0..sweep.unwrap_or(NETWORKS) {
        let case = case(seed);
        let random = std::sync::Mutex::new(Random::new(seed ^ 0x9a57));
        let choice = |_: &str| {
            let mut random = random.lock().unwrap();
            let pattern = *random.pick(&["none", "bcr-col", "bcr-col", "bcr-col", "channel"]);
            Pruning {
                pattern: Some(pattern.to_owned()),
                density: Some(*random.pick(&[0.5, 0.25, 0.7])),
                ..Pruning::default()
            }
        };
        let network = import(&case.bytes).unwrap();
        let (network, dataflow, reordered) = match pruned(network, case.grid.as_ref(), &choice) {
            Ok(found) => found,
            Err(error) if error.kind() == Kind::User => continue,
            Err(error) => panic!("seed {seed}: {error:?}"),
        };
        let frames = random_frames(&dataflow);
        let found = levels::compare(&network, &reordered, &frames).unwrap();
        assert!(found.equal(), "seed {seed}: {found:?}");
        let outputs = |dataflow| format!("{:?}", Integers::new(dataflow).outputs(&frames).unwrap());
        assert_eq!(outputs(&dataflow), outputs(&reordered), "seed {seed}");
        let layers = reordered.nodes.iter().map(|node| &node.layer);
        sparse += layers
            .filter(|layer| matches!(layer, Layer::MvauBcr(_)))
            .count();
        let kept = reordered
            .streams
            .iter()
            .filter_map(|stream| stream.kept.as_ref());
        for kept in kept {
            moved += usize::from(!kept.order.is_sorted());
            smaller += usize::from(kept.order.len() < kept.of);
        }
    }
    println!(
        "{sparse} sparse layers, {moved} streams in another order, {smaller} with fewer channels"
    );
    assert!(sparse > 20 && moved > 10 && smaller > 5);
}

#[test]
fn digits_is_sparse_all_the_way() {
    all_the_way(&Project::example("digits"));
}

#[test]
fn tfc_1w1a_is_sparse_all_the_way() {
    shared_network("TFC_1W1A");
}

#[test]
fn tfc_2w2a_is_sparse_all_the_way() {
    shared_network("TFC_2W2A");
}

#[test]
fn qkeras_jettagging_is_sparse_all_the_way() {
    shared_network("qkeras_jettagging");
}

fn shared_network(name: &str) {
    if let Some(project) = network(name) {
        all_the_way(&project);
    }
}

/// Builds at two densities and in whole channels: C simulation equals the executor, and that the reference of
/// the masked network, or the build fails; what is said of cycles and bits follows from the shapes.
fn all_the_way(project: &Project) {
    for (pattern, density) in [("bcr-col", 0.5), ("bcr-col", 0.25), ("channel", 0.5)] {
        let set = [
            format!("prune.pattern={pattern}"),
            format!("prune.density={density}"),
        ];
        project
            .build(&["--set", &set[0], "--set", &set[1]])
            .expect_success();
        let summary = project.json("summary.json");
        let tensors = summary["levels"]["tensors"].as_array().unwrap().clone();
        assert!(tensors.len() >= 2 && tensors.iter().all(|t| t["differing"] == 0));
        assert!(tensors.iter().all(|t| t["compared"].as_u64() > Some(0)));
        let mut removed = 0;
        for row in summary["layers"].as_array().unwrap() {
            removed += usize::from(row["pruned"].is_object());
            if row["kind"] == "mvau_bcr" {
                sparse_row(row, density);
            }
        }
        assert!(removed >= 3, "{removed} layers are pruned");
    }
}

fn number(row: &Value, key: &str) -> usize {
    row[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no `{key}` in {row}")) as usize
}

/// The formulas, from the shape alone.
fn sparse_row(row: &Value, density: f64) {
    let (rows, columns) = (number(row, "rows"), number(row, "cols"));
    let (pe, simd) = (number(row, "pe"), number(row, "simd"));
    let (blocks, facts) = (&row["pruned"]["blocks"], &row["pruned"]);
    let [lanes, block_rows, entries, keep] =
        ["lanes", "rows", "entries", "keep"].map(|key| number(blocks, key));
    assert_eq!(
        (lanes % simd, columns % lanes, columns / lanes % entries),
        (0, 0, 0)
    );
    assert!(pe % block_rows == 0 || block_rows % pe == 0);
    assert!(
        (keep as f64 / entries as f64 - density).abs() < 0.1,
        "{row}"
    );
    let folds = rows.div_ceil(pe);
    let steps = folds * columns / simd * keep / entries;
    let cycles = number(row, "pixels") * steps.max(columns / simd);
    assert_eq!(number(row, "cycles"), cycles, "{row}");
    let speed_up = facts["speed_up"].as_f64().unwrap();
    assert_eq!(speed_up, number(row, "dense_cycles") as f64 / cycles as f64);
    match facts["limit"].as_str().unwrap() {
        "compute" => {
            assert!((speed_up / facts["compression"].as_f64().unwrap() - 1.0).abs() < 1e-9)
        }
        "input" => assert!(steps < columns / simd),
        _ => assert!(rows % pe > 0 || columns % simd > 0 || density < 1.0),
    }
    let bits = number(row, "weight_bits") * steps * pe * simd;
    assert_eq!(number(facts, "weight_memory_bits"), bits);
    assert!(
        bits + number(facts, "index_memory_bits") < number(facts, "dense_memory_bits"),
        "{row}"
    );
}

/// Where the words of a pixel take longer to arrive than its products to be added, more sparsity gains nothing,
/// and finnp says so.
#[test]
fn what_arrives_limits_the_speed_up() {
    let project = Project::example("digits");
    let set = [
        "prune.pattern=bcr-col",
        "prune.density=0.25",
        "layer.fc1.pe=64",
    ];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    project.build(&args).expect_success();
    let layers = &project.json("summary.json")["layers"];
    assert_eq!(
        (&layers[0]["cycles"], &layers[0]["dense_cycles"]),
        (&8.into(), &8.into())
    );
    assert_eq!(layers[0]["pruned"]["limit"], "input");
}

/// The grid allows every SIMD that divides the lanes and every PE that fits the rows of a block.
#[test]
fn every_parallelism_of_the_grid_computes_the_same() {
    let project = Project::example("digits");
    project.edit("fps = 100000", "");
    for (pe, simd) in [(1, 1), (2, 4), (4, 2), (12, 8), (64, 1), (20, 4)] {
        let set = [
            "prune.pattern=bcr-col".to_owned(),
            "prune.density=0.25".to_owned(),
            format!("layer.fc1.pe={pe}"),
            format!("layer.fc1.simd={simd}"),
            "layer.fc2.block=[4,4]".to_owned(),
            format!("layer.fc2.pe={}", pe.min(32)),
            format!("layer.fc3.simd={}", simd.min(4)),
        ];
        let args: Vec<&str> = set.iter().flat_map(|s| ["--set", s.as_str()]).collect();
        project.build(&args).expect_success();
    }
    let wrong = ["layer.fc1.simd=3", "layer.fc1.pe=6"];
    for wrong in wrong {
        let call = project.build(&[
            "--set",
            "prune.pattern=bcr-col",
            "--set",
            "prune.density=0.5",
            "--set",
            wrong,
        ]);
        assert_eq!(call.code, 2, "{wrong}");
        let help = call.finished()["problems"][0]["help"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(help.contains("among 1, 2, 4, 8"), "{help}");
    }
}

/// Lines of `[prune]` that are refused: the line at fault, and what the help says.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "pattern = \"bcr-col\"\nblock = [4, 7]\nkeep = 1",
        "block = [4, 7]",
        "the second number can be 1, 2, 4, 8, 16, 32, 64",
    ),
    (
        "pattern = \"bcr-col\"\nlanes = 7\ndensity = 0.5",
        "lanes = 7",
        "`lanes` can be 1, 2, 4, 8, 16, 32, 64",
    ),
    (
        "pattern = \"bcr-col\"\nblock = [4, 4]\ndensity = 0.3",
        "density = 0.3",
        "`density` can be 0.25, 0.5, 0.75, 1",
    ),
    (
        "pattern = \"bcr-col\"\nblock = [4, 4]\nkeep = 5",
        "keep = 5",
        "`keep` can be 1 to 4",
    ),
    (
        "pattern = \"bcr-col\"",
        "pattern = \"bcr-col\"",
        "add `density = 0.5`",
    ),
    (
        "pattern = \"channel\"",
        "pattern = \"channel\"",
        "add `density = 0.5`",
    ),
    (
        "density = 0.5",
        "density = 0.5",
        "say `pattern = \"bcr-col\"`",
    ),
    (
        "pattern = \"channel\"\ndensity = 0.5\nlanes = 8",
        "lanes = 8",
        "say `pattern = \"bcr-col\"`",
    ),
    (
        "pattern = \"bcr-col\"\ndensity = 0.25\nlanes = 32",
        "density = 0.25",
        "`density` can be 0.5, 1",
    ),
    (
        "pattern = \"bcr-col\"\ndensity = 0.5\nblock = [4, 4]\nkeep = 1",
        "keep = 1",
        "remove one of the two",
    ),
    (
        "pattern = \"bcr-col\"\ndensity = 1.5",
        "density = 1.5",
        "above 0 and at most 1",
    ),
    (
        "pattern = \"bcr-col\"\nblock = [4]\nkeep = 1",
        "block = [4]",
        "a list of two integers",
    ),
];

/// Mistakes in `[prune]` are shown where they stand, with what would fit.
#[test]
fn blocks_that_do_not_fit_are_refused_at_their_characters() {
    for (lines, line, says) in REFUSED {
        let project = Project::example("digits");
        project.edit("[verify]", &format!("[prune]\n{lines}\n\n[verify]"));
        let call = project.build(&[]);
        assert_eq!(call.code, 2, "{lines}: {:?}", call.finished());
        let problem = &call.finished()["problems"][0];
        assert!(
            problem["help"].as_str().unwrap().contains(says),
            "{lines}: {problem}"
        );
        let manifest = std::fs::read_to_string(project.dir().join("accel.toml")).unwrap();
        let place = problem["line"].as_u64().unwrap() as usize;
        assert_eq!(manifest.lines().nth(place - 1), Some(*line), "{problem}");
    }
}

/// Entries exempt and adjust single layers; where all is kept nothing is sparse.
#[test]
fn layers_decide_for_themselves() {
    let project = Project::example("digits");
    let set = [
        "prune.pattern=bcr-col",
        "prune.density=0.5",
        "layer.fc3.pattern=none",
        "layer.fc2.density=1",
        "layer.fc1.keep=1",
        "layer.fc1.block=[4,4]",
    ];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    project.build(&args).expect_success();
    let layers = project.json("summary.json")["layers"]
        .as_array()
        .unwrap()
        .clone();
    let kind = |name: &str| {
        let layer = layers.iter().find(|layer| layer["name"] == name).unwrap();
        (
            layer["kind"].as_str().unwrap().to_owned(),
            layer["density"].as_f64().unwrap(),
        )
    };
    assert_eq!(kind("fc1"), ("mvau_bcr".to_owned(), 0.25));
    assert_eq!(kind("fc2"), ("mvau".to_owned(), 1.0));
    assert_eq!(kind("fc3"), ("mvau".to_owned(), 1.0));
    let call = project.build(&[
        "--set",
        "layer.nothing.density=0.5",
        "--set",
        "prune.pattern=bcr-col",
        "--set",
        "prune.density=0.5",
    ]);
    assert_eq!(call.code, 2);
}
