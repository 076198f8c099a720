//! Random networks whose branches part and meet again: whatever is accepted has every level equal to the f64 reference,
//! dense and pruned, on the plain and on the fast road; comes back from its export as it was; and the executor of
//! QONNX makes the same of its file, but for values that lie where rounding decides.
//! `FINNP_SWEEP=n` tries n networks, `FINNP_SEED=s` that of seed s. Must not know how branches are joined.

use std::collections::BTreeMap;
use std::sync::Mutex;

use finnp::error::{Error, Kind};
use finnp::pass::{fuse, streamline};
use finnp::qonnx::{export, import};
use finnp::reference::{Integers, levels};
use rayon::prelude::*;

use super::agreement::{number, verdicts};
use super::export::difference;
use super::pruned::{Trial, Way, random_frames, trial};
use super::random_network::Case;
use super::random_residual::{branched, branched_exactly};

/// Random networks in an ordinary run.
const NETWORKS: u64 = 30;

/// Makes the network of a seed.
type Make = fn(u64) -> Case;

/// The network as it is; the reason where it is refused.
fn attempt(seed: u64, case: &Case) -> Result<Trial, Error> {
    let network = import(&case.bytes)?;
    let dataflow = fuse(streamline(&network, case.grid.as_ref(), false)?)?;
    let frames = random_frames(&dataflow);
    let found = levels::compare(&network, &dataflow, &frames)?;
    assert!(found.equal(), "seed {seed}: {found:?}");
    let integers = Integers::new(&dataflow);
    let outputs = integers.outputs(&frames)?;
    for (frame, output) in frames.iter().zip(outputs) {
        let plain = integers.run(&integers.streamed(frame)?, |_, _| ())?;
        assert_eq!(integers.real(&plain)?, output, "seed {seed}");
    }
    let written = export(&network)?;
    let again = import(&written)?;
    assert_eq!(difference(&network, &again), None, "seed {seed}");
    assert!(export(&again)? == written, "seed {seed}: the bytes differ");
    Ok(Trial {
        name: format!("seed {seed}"),
        bytes: case.bytes.clone(),
        network,
        dataflow,
        frames,
    })
}

/// The ways in which networks are pruned, each by one seed of six.
const WAYS: [Way; 6] = [
    Way::Planned("bcr-col", 0.5),
    Way::Planned("bcr", 0.5),
    Way::Planned("channel", 0.5),
    Way::Learnt("bcr-col", 0.5),
    Way::Learnt("bcr", 0.5),
    Way::Scattered,
];

/// The networks of a run, whole and pruned; few are refused, each at a node and with what to do.
fn trials(make: Make) -> Vec<Trial> {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(NETWORKS)).collect(),
    };
    let count = seeds.len();
    let refused: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::default();
    let trials: Vec<Trial> = seeds
        .into_par_iter()
        .flat_map_iter(|seed| {
            let case = make(seed);
            let whole = match attempt(seed, &case) {
                Ok(trial) => Some(trial),
                Err(error) if error.kind() == Kind::User => {
                    let said = format!("{error:?}");
                    assert!(said.contains("node `"), "seed {seed}: no node: {said}");
                    assert!(said.contains("help"), "seed {seed}: no remedy: {said}");
                    let message = error.message();
                    let reason = message.split_once("): ").map_or(message, |(_, why)| why);
                    let mut refused = refused.lock().unwrap();
                    refused.entry(reason.to_owned()).or_default().push(seed);
                    None
                }
                Err(error) => panic!("seed {seed}: {error:?}"),
            };
            let way = WAYS[seed as usize % WAYS.len()];
            let (name, grid) = (format!("seed {seed}"), case.grid.as_ref());
            let pruned = || trial(&name, &case.bytes, grid, way, random_frames);
            let pruned = whole.is_some().then(pruned).flatten();
            whole.into_iter().chain(pruned)
        })
        .collect();
    let refused = refused.into_inner().unwrap();
    let lost: usize = refused.values().map(Vec::len).sum();
    for (reason, seeds) in &refused {
        let some = &seeds[..seeds.len().min(12)];
        println!("{} refused, seeds {some:?}: {reason}", seeds.len());
    }
    println!("{lost} of {count} refused");
    assert!(lost * 20 <= count.max(20) * 3, "{lost} of {count} refused");
    trials
}

#[test]
fn branches_part_and_meet_again() {
    // In files of version 9 tract takes a padded convolution wrongly from a constant.
    let exact = verdicts(&trials(branched), false)
        .into_iter()
        .filter(|verdict| verdict.exact);
    println!("{} of them where f32 loses nothing", exact.count());
}

/// Where all scales are powers of two and no operator rounds, nothing at all may differ.
#[test]
fn branches_are_exact_where_nothing_is_rounded() {
    let all = trials(branched_exactly);
    let lossless = all.iter().filter(|trial| trial.is_lossless()).count();
    println!("{lossless} of {} lose nothing in f32", all.len());
    assert!(
        lossless * 10 >= all.len() * 8,
        "{lossless} of {}",
        all.len()
    );
    let verdicts = verdicts(&all, false);
    let exact = verdicts.iter().filter(|verdict| verdict.exact).count();
    println!("{exact} of {} equal bit for bit", verdicts.len());
    assert!(verdicts.is_empty() || exact * 10 >= lossless * 9, "{exact}");
}
