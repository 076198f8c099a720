//! Exported networks in the Python executor of QONNX: operators mean the same, and pruned networks have the same
//! levels and outputs, but for values that lie where rounding decides. `FINNP_PRUNED=n` tries n random networks,
//! `FINNP_SEED=s` that of seed s. Must not know how a network becomes a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use finnp::data::{Array, Arrays, samples};
use finnp::dataflow::Dataflow;
use finnp::manifest::Layout;
use finnp::network::{Coding, Network, Op, ValueId};
use finnp::pass::Grid;
use finnp::qonnx::export;
use finnp::reference::{Integers, Known, Real, single};
use finnp::tensor::{PerChannel, Tensor};
use rayon::prelude::*;

use super::operator::every_operator;
use super::other_executor::{Answer, Job, execute};
use super::pruned::{SAMPLES, Trial, Way, random_frames, trial};
use super::random::Random;
use super::random_network::case;
use super::shared::{arrays, shared};

/// Random networks in an ordinary run.
const NETWORKS: u64 = 6;

/// The file of a trial, and all its quantisers and outputs.
fn job(trial: &Trial) -> Job {
    let real = Real::new(&trial.network).unwrap();
    let quantisers = trial.network.nodes.iter().filter(|n| n.op.is_quantiser());
    let mut ids: BTreeSet<ValueId> = quantisers.map(|node| node.output).collect();
    ids.extend(&trial.network.outputs);
    let (once, each): (Vec<ValueId>, Vec<ValueId>) =
        ids.iter().partition(|id| real.constant(**id).is_some());
    let names = |ids: Vec<ValueId>| {
        let names = ids.iter().map(|id| trial.network.value(*id).name.clone());
        names.collect()
    };
    Job {
        bytes: trial.bytes.clone(),
        shape: trial.dataflow.inputs[0].shape.clone(),
        samples: trial.frames.iter().map(|frame| trial.real(frame)).collect(),
        each: names(each),
        once: names(once),
    }
}

/// How a trial went.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// f32 loses nothing, so everything was exactly equal.
    pub(crate) exact: bool,
    /// Levels that differ because rounding decides.
    differing: u64,
    /// A weight lies where rounding decides, so that nothing else can be compared.
    weight: bool,
}

/// All laws; an error says which one does not hold.
fn judge(trial: &Trial, theirs: &Answer, by_tract: bool) -> Result<Verdict, String> {
    let real = Real::new(&trial.network).unwrap();
    let mut equal = true;
    for (place, value) in trial.network.values.iter().enumerate() {
        let (Some(theirs), Some(ours)) = (theirs.get(&value.name), real.constant(ValueId(place)))
        else {
            continue;
        };
        equal &= ours.real.data() == theirs[0];
        if !near(ours.real.data(), &theirs[0], 1e-5) {
            return Ok(Verdict {
                weight: true,
                ..Verdict::default()
            });
        }
    }
    let exact = equal && trial.is_lossless();
    let mut differing = 0;
    let mut different = BTreeSet::new();
    for (sample, frame) in trial.frames.iter().enumerate() {
        let frame = std::slice::from_ref(frame);
        let found = single::compare_with(&trial.network, &trial.dataflow, frame, |names| {
            let narrow = |values: &Vec<f64>| values.iter().map(|value| *value as f32).collect();
            let tensors = names.iter().map(|name| narrow(&theirs[*name][sample]));
            let tensors: Vec<Vec<f32>> = tensors.collect();
            Ok(Box::new(move |_, _| Ok(tensors.clone())))
        });
        let count = explained(&found.map_err(|error| format!("{error:?}"))?, exact)?;
        differing += count;
        if count > 0 {
            different.insert(sample);
        }
    }
    if by_tract {
        tract_agrees(trial, exact)?;
    }
    for (place, output) in trial.dataflow.outputs.iter().enumerate() {
        let ours = Integers::new(&trial.dataflow)
            .outputs(&trial.frames)
            .map_err(|error| format!("{error:?}"))?;
        for (sample, theirs) in theirs[&output.name].iter().enumerate() {
            let ours = ours[sample][place].data();
            let same = match exact {
                true => ours == theirs,
                false => different.contains(&sample) || near(ours, theirs, 1e-5),
            };
            if !same {
                return Err(format!(
                    "sample {sample}, exact {exact}: {ours:?} and {theirs:?}"
                ));
            }
        }
    }
    Ok(Verdict {
        exact,
        differing,
        weight: false,
    })
}

/// What tract makes of the file.
fn tract_agrees(trial: &Trial, exact: bool) -> Result<u64, String> {
    let found = single::compare(&trial.bytes, &trial.network, &trial.dataflow, &trial.frames);
    let found = found.map_err(|error| format!("tract: {error:?}"))?;
    explained(&found, exact).map_err(|error| format!("tract: {error}"))
}

/// The number of levels that differ, each because its value lies next to the boundary between two levels.
fn explained(found: &single::Single, exact: bool) -> Result<u64, String> {
    let differing: u64 = found.tensors.iter().map(|tally| tally.differing).sum();
    let far = found.differences.iter().find(|d| d.ulp > 4096.0);
    match far {
        Some(far) => Err(format!("{far:?}")),
        None if exact && differing > 0 => Err(format!("{found:?}")),
        None => Ok(differing),
    }
}

/// Whether two lists are equal but for a part of the largest number.
fn near(ours: &[f64], theirs: &[f64], part: f64) -> bool {
    let largest = theirs
        .iter()
        .fold(0.0, |most: f64, value| most.max(value.abs()));
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|(a, b)| (a - b).abs() <= part * largest || a.is_nan() && b.is_nan())
}

pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The ways in which networks are pruned.
const WAYS: [Way; 8] = [
    Way::Scattered,
    Way::Planned("bcr-col", 0.5),
    Way::Planned("bcr-col", 0.25),
    Way::Planned("bcr", 0.25),
    Way::Planned("channel", 0.5),
    Way::Learnt("bcr-col", 0.5),
    Way::Learnt("bcr", 0.25),
    Way::Learnt("channel", 0.5),
];

/// The network of a seed, pruned; `None` where it is refused.
fn random_trial(seed: u64, way: Way) -> Option<Trial> {
    let case = case(seed);
    let name = format!("seed {seed}");
    trial(&name, &case.bytes, case.grid.as_ref(), way, random_frames)
}

/// Judges all, by tract too if asked for; empty without Python.
pub(crate) fn verdicts(trials: &[Trial], by_tract: bool) -> Vec<Verdict> {
    let parts = trials.par_chunks(trials.len().div_ceil(2).clamp(1, 50));
    let verdicts: Vec<Result<Verdict, String>> = parts
        .filter_map(|part| Some((part, execute(&part.iter().map(job).collect::<Vec<Job>>())?)))
        .flat_map_iter(|(part, theirs)| {
            let pairs = part.iter().zip(theirs);
            pairs.map(|(trial, theirs)| {
                judge(trial, &theirs, by_tract).map_err(|error| format!("{}: {error}", trial.name))
            })
        })
        .collect();
    let failed: Vec<&String> = verdicts.iter().filter_map(|v| v.as_ref().err()).collect();
    failed.iter().take(20).for_each(|line| println!("{line}"));
    assert!(failed.is_empty(), "{} of {}", failed.len(), verdicts.len());
    let verdicts: Vec<Verdict> = verdicts.into_iter().flatten().collect();
    println!(
        "{} networks; {} exact, {} levels where rounding decides, {} such weights",
        verdicts.len(),
        verdicts.iter().filter(|verdict| verdict.exact).count(),
        verdicts.iter().map(|v| v.differing).sum::<u64>(),
        verdicts.iter().filter(|verdict| verdict.weight).count(),
    );
    verdicts
}

#[test]
fn every_operator_means_the_same() {
    let mut random = Random::new(5);
    // NumPy has no integers of four bits: the executor cannot pass them from node to node.
    let passes = |network: &Network| match network.nodes[0].op {
        Op::QuantizeLinear(linear) => linear.element.bits() >= 8,
        _ => true,
    };
    let networks: Vec<Network> = every_operator().into_iter().filter(passes).collect();
    let jobs: Vec<Job> = networks
        .iter()
        .map(|network| {
            let (input, output) = (network.inputs[0], network.outputs[0]);
            let elements: usize = network.value(input).shape.iter().product();
            // Both signs, and ties of all quantisers.
            let mut number = || random.between(-24, 24) as f64 / 8.0;
            let mut sample = || (0..elements).map(|_| number()).collect();
            Job {
                bytes: export(network).unwrap(),
                shape: network.value(input).shape.clone(),
                samples: (0..8).map(|_| sample()).collect(),
                each: vec![network.value(output).name.clone()],
                once: Vec::new(),
            }
        })
        .collect();
    let Some(answers) = execute(&jobs) else {
        return;
    };
    for ((network, job), answer) in networks.iter().zip(jobs).zip(answers) {
        let real = Real::new(network).unwrap();
        for (sample, theirs) in job.samples.into_iter().zip(&answer["y"]) {
            let input = Known::real(Tensor::new(job.shape.clone(), sample).unwrap());
            let ours = real.run(vec![input], |_, _| ()).unwrap();
            let same = near(ours[0].real.data(), theirs, 1e-6);
            assert!(same, "{:?}: {ours:?} and {theirs:?}", network.nodes[0].op);
        }
    }
}

#[test]
fn random_pruned_networks() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_PRUNED")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(NETWORKS)).collect(),
    };
    let trials: Vec<Trial> = seeds
        .into_par_iter()
        .flat_map_iter(|seed| {
            let other = WAYS[1 + seed as usize % (WAYS.len() - 1)];
            [Way::Scattered, other].map(|way| random_trial(seed, way))
        })
        .flatten()
        .collect();
    let verdicts = verdicts(&trials, true);
    let weights = verdicts.iter().filter(|verdict| verdict.weight).count();
    assert!(weights * 50 <= verdicts.len(), "{weights} are not compared");
}

/// Where all scales are powers of two and no operator rounds, nothing at all may differ.
#[test]
fn pruned_networks_are_exact_where_nothing_is_rounded() {
    let trials = (1000..1500u64)
        .into_par_iter()
        .filter_map(|seed| random_trial(seed, WAYS[seed as usize % WAYS.len()]));
    let trials: Vec<Trial> = trials.filter(Trial::is_lossless).collect();
    assert!(trials.len() >= 10, "only {} lose nothing", trials.len());
    let verdicts = verdicts(&trials, true);
    // A weight that f32 rounds and a mask removes is no difference that anything sees.
    let exact = verdicts.iter().filter(|verdict| verdict.exact).count();
    assert!(exact >= 10 && exact * 10 >= verdicts.len() * 9, "{exact}");
    assert!(verdicts.iter().all(|verdict| verdict.differing == 0));
}

/// One network and its data, pruned in all ways.
fn real_network(name: &str, model: &Path, grid: &Grid, data: Option<&Array>) {
    let bytes = fs::read(model).unwrap();
    let frames = |dataflow: &Dataflow| {
        let Some(data) = data else {
            return random_frames(dataflow);
        };
        let input = &dataflow.inputs[0];
        let element = dataflow.stream(input.stream).element;
        let samples = samples("x", data, input, element, Layout::Nchw).unwrap();
        samples.frames[..SAMPLES].to_vec()
    };
    let trials = WAYS.map(|way| trial(name, &bytes, Some(grid), way, frames).unwrap());
    let Some(answers) = execute(&trials.each_ref().map(job)) else {
        return;
    };
    for (trial, answer) in trials.iter().zip(&answers) {
        let verdict = judge(trial, answer, true).unwrap();
        println!("{}: {verdict:?}", trial.name);
        assert!(!verdict.weight);
    }
}

fn grid(element: &str, scale: f64) -> Grid {
    Grid {
        element: element.parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(scale)),
    }
}

fn mnist(name: &str) {
    let (Some(path), Some(mut data)) = (
        shared(&format!("models/{name}.onnx")),
        arrays("data/mnist.npz"),
    ) else {
        return;
    };
    let images = data.read("x_test").unwrap();
    real_network(name, &path, &grid("uint8", 1.0 / 255.0), Some(&images));
}

#[test]
fn pruned_tfc_1w1a() {
    mnist("TFC_1W1A");
}

#[test]
fn pruned_tfc_2w2a() {
    mnist("TFC_2W2A");
}

#[test]
fn pruned_jet_tagging() {
    if let Some(path) = shared("models/qkeras_jettagging.onnx") {
        real_network("jettagging", &path, &grid("int12", 1.0 / 256.0), None);
    }
}

#[test]
fn pruned_digits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let mut data = Arrays::open(&folder.join("test.npz")).unwrap();
    let model = folder.join("model.onnx");
    let images = data.input().unwrap();
    real_network("digits", &model, &grid("uint5", 0.0625), Some(&images));
}
