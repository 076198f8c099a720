//! Random convolutions and pools with every attribute, on reals and on grids: the reference computes what the Python
//! executor of QONNX and tract compute, exactly where nothing is rounded; the exported file is read as the same.
//! `FINNP_SWEEP=n` tries n seeds, `FINNP_SEED=s` the seed s alone. Must not know how windows are read.

use finnp::error::{Kind, catch, render};
use finnp::network::{Network, Op};
use finnp::qonnx::{export, import, onnx_with_qonnx, parse};
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;
use tract_onnx::prelude::*;

use super::other_executor::{Job, execute};
use super::random::Random;
use super::random_operator::{Case, case};

/// Networks in an ordinary run.
const NETWORKS: u64 = 120;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn evaluate(network: &Network, shape: &[usize], sample: &[f64]) -> Vec<f64> {
    let x = Known::real(Tensor::new(shape.to_vec(), sample.to_vec()).unwrap());
    let real = Real::new(network).unwrap();
    let mut outputs = real.run(vec![x], |_, _| ()).unwrap();
    outputs.remove(0).real.into_data()
}

fn by_tract(bytes: &[u8], shape: &[usize], sample: &[f64]) -> TractResult<Vec<f64>> {
    let model = onnx_with_qonnx().parse(&parse(bytes)?, None)?.model;
    let plan = model.into_optimized()?.into_runnable()?;
    let data: Vec<f32> = sample.iter().map(|v| *v as f32).collect();
    let input = tract_onnx::prelude::Tensor::from_shape(shape, &data)?;
    let result = plan.run(tvec!(input.into_tvalue()))?;
    let view = result[0].to_plain_array_view::<f32>()?;
    Ok(view.iter().map(|value| f64::from(*value)).collect())
}

fn same(ours: &[f64], theirs: &[f64], exact: bool) -> bool {
    let near =
        |(a, b): (&f64, &f64)| (a - b).abs() <= if exact { 0.0 } else { 1e-5 * b.abs().max(1.0) };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(near)
}

/// The first sample on which the other executor computes something else.
fn differs(
    (seed, network, case): &(u64, Network, Case),
    job: &Job,
    theirs: &[Vec<f64>],
) -> Option<String> {
    let mut pairs = job.samples.iter().zip(theirs);
    pairs.find_map(|(sample, theirs)| {
        let ours = evaluate(network, &case.shape, sample);
        let said = || {
            format!(
                "FINNP_SEED={seed}: {:?} {ours:?} and {theirs:?}",
                network.nodes
            )
        };
        (!same(&ours, theirs, case.exact)).then(said)
    })
}

/// On two samples: what is exported computes the same, and tract does.
fn checked(seed: u64, network: &Network, case: &Case) -> Vec<Vec<f64>> {
    let again = import(&export(network).unwrap()).unwrap();
    let mut random = Random::new(seed);
    let length = case.shape.iter().product();
    let mut sample = || {
        let numbers = (0..length).map(|_| random.between(-24, 24) as f64 / 8.0);
        numbers.collect::<Vec<f64>>()
    };
    let samples = vec![sample(), sample()];
    for sample in &samples {
        let ours = evaluate(network, &case.shape, sample);
        let exported = evaluate(&again, &case.shape, sample);
        assert_eq!(ours, exported, "FINNP_SEED={seed}: exported");
        let theirs = by_tract(&case.bytes, &case.shape, sample).unwrap();
        let tract = same(&ours, &theirs, case.exact);
        assert!(tract, "FINNP_SEED={seed}: tract {ours:?} {theirs:?}");
    }
    samples
}

#[test]
fn random_windows_mean_the_same() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(NETWORKS)).collect(),
    };
    let (mut jobs, mut networks, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut coded = 0;
    for seed in &seeds {
        let case = case(*seed);
        let network = match import(&case.bytes) {
            Ok(network) => network,
            Err(error) => {
                assert_eq!(error.kind(), Kind::User, "{error:?}");
                refused.push(format!("{seed}: {}", render(&error, false)));
                continue;
            }
        };
        let samples = checked(*seed, &network, &case);
        let quantised = network
            .nodes
            .iter()
            .any(|node| matches!(node.op, Op::Quant(_)));
        coded += usize::from(quantised);
        jobs.push(Job {
            bytes: case.bytes.clone(),
            shape: case.shape.clone(),
            samples,
            each: vec![case.output.clone()],
            once: Vec::new(),
        });
        networks.push((*seed, network, case));
    }
    refused.iter().take(10).for_each(|line| println!("{line}"));
    println!(
        "{} networks, {} refused, {coded} with grids",
        seeds.len(),
        refused.len()
    );
    assert!(refused.len() * 8 <= seeds.len().max(8), "{refused:?}");
    let Some(answers) = execute(&jobs) else {
        return;
    };
    let each = networks.iter().zip(&jobs).zip(&answers);
    let failed: Vec<String> = each
        .filter_map(|((one, job), answer)| differs(one, job, &answer[&one.2.output]))
        .collect();
    failed.iter().take(20).for_each(|line| println!("{line}"));
    assert!(
        failed.is_empty(),
        "{} of {} differ",
        failed.len(),
        networks.len()
    );
}

/// Damaged files are refused or read as something else; nothing panics, and it is never called a bug.
#[test]
fn damaged_windows_are_refused_calmly() {
    let rounds = number("FINNP_SWEEP").unwrap_or(600);
    for round in 0..rounds {
        let case = case(round / 4);
        let mut random = Random::new(round ^ 0xbad);
        let mut bytes = case.bytes;
        for _ in 0..random.between(1, 3) {
            let position = random.below(bytes.len());
            bytes[position] ^= 1 << random.below(8);
        }
        let outcome = catch(|| {
            let network = import(&bytes)?;
            let shapes = network
                .inputs
                .iter()
                .map(|id| network.value(*id).shape.clone());
            let zeros = |shape: Vec<usize>| {
                let count = shape.iter().product();
                Ok(Known::real(Tensor::new(shape, vec![0.0; count])?))
            };
            let inputs = shapes.map(zeros).collect::<finnp::error::Result<_>>()?;
            Real::new(&network)?.run(inputs, |_, _| ()).map(|_| ())
        });
        match outcome {
            Ok(Err(error)) => assert_eq!(error.kind(), Kind::User, "{round}: {error:?}"),
            Err(panic) => panic!("{round}: {panic}"),
            Ok(Ok(())) => {}
        }
    }
}
