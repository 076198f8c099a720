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
use super::random_residual::branched;

/// Random networks in an ordinary run.
const NETWORKS: u64 = 30;

/// The network as it is; the reason where it is refused.
fn attempt(seed: u64) -> Result<Trial, Error> {
    let case = branched(seed);
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
        bytes: case.bytes,
        network,
        dataflow,
        frames,
    })
}

#[test]
fn branches_part_and_meet_again() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(NETWORKS)).collect(),
    };
    let count = seeds.len();
    let refused: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::default();
    let trials: Vec<Trial> = seeds
        .into_par_iter()
        .flat_map_iter(|seed| {
            let whole = match attempt(seed) {
                Ok(trial) => Some(trial),
                Err(error) if error.kind() == Kind::User => {
                    let reason = error.message().to_owned();
                    refused
                        .lock()
                        .unwrap()
                        .entry(reason)
                        .or_default()
                        .push(seed);
                    None
                }
                Err(error) => panic!("seed {seed}: {error:?}"),
            };
            let case = branched(seed);
            let way = [
                Way::Planned("bcr-col", 0.5),
                Way::Planned("channel", 0.5),
                Way::Scattered,
            ][seed as usize % 3];
            let pruned = || {
                trial(
                    &format!("seed {seed}"),
                    &case.bytes,
                    case.grid.as_ref(),
                    way,
                    random_frames,
                )
            };
            let pruned = whole.is_some().then(pruned).flatten();
            whole.into_iter().chain(pruned)
        })
        .collect();
    let refused = refused.into_inner().unwrap();
    let lost: usize = refused.values().map(Vec::len).sum();
    for (reason, seeds) in &refused {
        println!(
            "{} refused, such as seed {}: {reason}",
            seeds.len(),
            seeds[0]
        );
    }
    println!("{lost} of {count} refused");
    assert!(lost * 5 <= count.max(5), "{lost} of {count} refused");
    // In files of version 9 tract takes a padded convolution wrongly from a constant.
    let exact = verdicts(&trials, false)
        .into_iter()
        .filter(|verdict| verdict.exact);
    println!("{} of them where f32 loses nothing", exact.count());
}
