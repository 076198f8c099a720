//! Random networks: whatever is accepted has every level equal to the f64 reference, and f32 agrees but for rounding.
//! `FINNP_SWEEP=n` tries n seeds, `FINNP_SEED=s` the seed s alone.
//! Must not know how streamlining works.

use std::sync::Mutex;

use finnp::error::{Error, Kind, catch, render};
use finnp::network::Coding;
use finnp::pass::{fuse, streamline};
use finnp::qonnx::{import, onnx_with_qonnx, parse};
use finnp::reference::{Integers, levels, single};
use rayon::prelude::*;
use tract_onnx::prelude::*;

use super::random::Random;
use super::random_network::{Case, case};

/// Samples per network.
const SAMPLES: usize = 30;

/// What a network was good for.
#[derive(Debug, Default)]
struct Found {
    refused: Option<String>,
    far: Option<String>,
    compared: u64,
    single: u64,
}

fn attempt(seed: u64) -> std::result::Result<Found, String> {
    let case = case(seed);
    let shown = |error: finnp::error::Error| format!("seed {seed}: {error:?}");
    let network = import(&case.bytes).map_err(shown)?;
    if number("FINNP_SEED").is_some() {
        describe(&network);
    }
    let dataflow = match streamline(&network, case.grid.as_ref(), false).and_then(fuse) {
        Ok(dataflow) => dataflow,
        Err(error) if error.kind() == Kind::User => {
            return Ok(Found {
                refused: Some(error.message().to_owned()),
                ..Found::default()
            });
        }
        Err(error) => return Err(format!("seed {seed}: {}", render(&error, false))),
    };
    let input = &dataflow.inputs[0];
    let element = dataflow.stream(input.stream).element;
    let (low, high, step) = match &input.quantiser {
        Some(quantiser) => quantiser.codes(),
        None => (element.min(), element.max(), element.step()),
    };
    let mut random = Random::new(seed ^ 0xf00d);
    let length = input.shape.iter().product();
    let frames: Vec<Vec<i64>> = (0..SAMPLES)
        .map(|sample| {
            let number = |_| match sample {
                0 => low,
                1 => high,
                _ => low + step * random.between(0, (high - low) / step),
            };
            (0..length).map(number).collect()
        })
        .collect();
    let levels = levels::compare(&network, &dataflow, &frames).map_err(shown)?;
    if !levels.equal() {
        return Err(format!("seed {seed}: {levels:?}"));
    }
    let single = single::compare(&case.bytes, &network, &dataflow, &frames).map_err(shown)?;
    let mut far = single
        .differences
        .iter()
        .find(|difference| difference.distance > 1e-3)
        .map(|difference| format!("{difference:?}"));
    if single.differences.is_empty() && !case.labels {
        let integers = Integers::new(&dataflow);
        far = outputs(&case, &dataflow.inputs[0].coding, &frames, &integers)
            .map_err(|error| format!("seed {seed}: {error:?}"))?;
    }
    Ok(Found {
        refused: None,
        far: far.map(|far| format!("FINNP_SEED={seed}: f32 is far off: {far}")),
        compared: levels.tensors.iter().map(|tally| tally.compared).sum(),
        single: single.tensors.iter().map(|tally| tally.differing).sum(),
    })
}

/// Real outputs against tract's: the first sample that is far from them.
fn outputs(
    case: &Case,
    coding: &Coding,
    frames: &[Vec<i64>],
    integers: &Integers<'_>,
) -> TractResult<Option<String>> {
    let model = onnx_with_qonnx().parse(&parse(&case.bytes)?, None)?.model;
    let shape = model.input_fact(0)?.shape.as_concrete_finite()?.unwrap();
    let plan = model.into_optimized()?.into_runnable()?;
    let outputs = integers.outputs(frames)?;
    for (frame, ours) in frames.iter().zip(&outputs) {
        let data: Vec<f32> = frame.iter().map(|q| coding.real(*q, 0) as f32).collect();
        let input = tract_onnx::prelude::Tensor::from_shape(&shape, &data)?;
        let result = plan.run(tvec!(input.into_tvalue()))?;
        let theirs: Vec<f64> = result[0]
            .to_plain_array_view::<f32>()?
            .iter()
            .map(|value| f64::from(*value))
            .collect();
        let ours = ours[0].data();
        assert_eq!(ours.len(), theirs.len(), "output {}", case.output);
        let largest = theirs
            .iter()
            .fold(1.0, |most: f64, value| most.max(value.abs()));
        if ours
            .iter()
            .zip(&theirs)
            .any(|(a, b)| (a - b).abs() > 1e-3 * largest)
        {
            return Ok(Some(format!("{ours:?} and {theirs:?}")));
        }
    }
    Ok(None)
}

fn describe(network: &finnp::network::Network) {
    for node in &network.nodes {
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|id| network.value(*id))
            .map(|value| {
                let constant = value
                    .constant
                    .as_ref()
                    .map(|c| c.data().iter().take(4).collect::<Vec<_>>());
                format!(
                    "{} {:?} {}",
                    value.name,
                    value.shape,
                    constant.map_or(String::new(), |c| format!("{c:?}"))
                )
            })
            .collect();
        let output = network.value(node.output);
        println!(
            "{:?} {} -> {} {:?}",
            node.op,
            inputs.join("; "),
            output.name,
            output.shape
        );
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or(1000))
}

#[test]
fn random_networks_are_exact() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (0..count).collect(),
        (None, None) => (0..40).collect(),
    };
    let failed = Mutex::new(Vec::new());
    let found: Vec<Found> = seeds
        .par_iter()
        .filter_map(|&seed| {
            let result: std::result::Result<Found, String> = attempt(seed);
            result
                .map_err(|error| failed.lock().unwrap().push((seed, error)))
                .ok()
        })
        .collect();
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    for (seed, error) in failed.iter().take(20) {
        println!("FINNP_SEED={seed}: {error}");
    }
    let far: Vec<&String> = found.iter().filter_map(|f| f.far.as_ref()).collect();
    far.iter().for_each(|far| println!("{far}"));
    let refused: Vec<&String> = found.iter().filter_map(|f| f.refused.as_ref()).collect();
    let mut reasons = std::collections::BTreeMap::new();
    for reason in &refused {
        let reason = reason
            .rsplit_once(": ")
            .map_or(reason.as_str(), |(_, why)| why);
        *reasons.entry(reason).or_insert(0) += 1;
    }
    println!(
        "{} networks, {} refused ({reasons:?}), {} levels equal, f32 differs in {}",
        seeds.len(),
        refused.len(),
        found.iter().map(|f| f.compared).sum::<u64>(),
        found.iter().map(|f| f.single).sum::<u64>(),
    );
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
    assert!(
        refused.len() * 10 <= seeds.len().max(10),
        "most networks are accepted"
    );
    // A weight within rounding errors of a boundary differs too, and Softplus overflows in f32.
    assert!(
        far.len() * 200 <= seeds.len(),
        "f32 agrees but for rounding"
    );
}

/// Damaged files are refused or read as something else; nothing panics, and it is never called a bug.
#[test]
fn damaged_random_networks_are_refused_calmly() {
    let rounds = number("FINNP_SWEEP").unwrap_or(600);
    let only = number("FINNP_SEED");
    let bad: Vec<String> = (0..rounds)
        .into_par_iter()
        .filter(|round| only.is_none_or(|only| only == *round))
        .filter_map(|round| {
            let case = case(round / 4);
            let mut random = Random::new(round ^ 0xdead);
            let mut bytes = case.bytes;
            for _ in 0..random.between(1, 3) {
                let position = random.below(bytes.len());
                bytes[position] ^= 1 << random.below(8);
            }
            let outcome = catch(|| {
                let network = import(&bytes)?;
                let dataflow = fuse(streamline(&network, case.grid.as_ref(), false)?)?;
                let input = &dataflow.inputs[0];
                let element = dataflow.stream(input.stream).element;
                let low = input
                    .quantiser
                    .as_ref()
                    .map_or(element.min(), |q| q.codes().0);
                let frame = vec![low; input.shape.iter().product()];
                let levels = levels::compare(&network, &dataflow, &[frame])?;
                match levels.equal() {
                    true => Ok(()),
                    false => Err(Error::bug(format!("{levels:?}"))),
                }
            });
            match outcome {
                Ok(Err(error)) if error.kind() != Kind::User => Some(format!("{round}: {error:?}")),
                Err(panic) => Some(format!("{round}: {panic}")),
                Ok(_) => None,
            }
        })
        .collect();
    bad.iter().take(20).for_each(|bad| println!("{bad}"));
    assert!(bad.is_empty(), "{} of {rounds} rounds", bad.len());
}
