//! Exported networks: the same network comes back, the same bytes, the same levels.
//! `FINNP_SWEEP=n` tries n random networks, `FINNP_SEED=s` that of seed s alone.
//! Must not know how a file is laid out.

use std::path::Path;

use finnp::error::{Kind, render};
use finnp::network::{Binary, Coding, Network, Node, Op, Unary, Value, ValueId};
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::{export, import, operators};
use finnp::reference::{levels, single};
use finnp::tensor::PerChannel;
use rayon::prelude::*;

use super::operator::{every_operator, single_operator};
use super::random::Random;
use super::random_network::case;
use super::shared::shared;

/// The first thing in which two networks differ, but for what must: the order of values and constants that
/// nothing reads (the bounds of a `Clip` are attributes inside and inputs in the file), and the ONNX type
/// of operators that a network does not tell apart, where the file of the first had another one.
pub(crate) fn difference(first: &Network, second: &Network) -> Option<String> {
    let ids = |a: &[ValueId], b: &[ValueId]| {
        let same = |(a, b): (&ValueId, &ValueId)| first.value(*a) == second.value(*b);
        a.len() == b.len() && a.iter().zip(b).all(same)
    };
    if !ids(&first.inputs, &second.inputs) || !ids(&first.outputs, &second.outputs) {
        return Some("inputs or outputs".into());
    }
    if first.nodes.len() != second.nodes.len() {
        return Some("the number of nodes".into());
    }
    let pairs = first.nodes.iter().zip(&second.nodes);
    let differ = |(a, b): &(&Node, &Node)| {
        (&a.name, &a.op, &a.permutation) != (&b.name, &b.op, &b.permutation)
            || !ids(&a.inputs, &b.inputs)
            || !ids(&[a.output], &[b.output])
            || !same_type(&a.onnx, &b.onnx)
    };
    let found = pairs.into_iter().find(differ);
    found.map(|(a, b)| format!("{a:?} and {b:?}"))
}

/// Whether an operator of ONNX type `written` may stand for one of type `read`.
fn same_type(read: &str, written: &str) -> bool {
    let variants: &[(&str, &[&str])] = &[
        ("Gemm", &["Transpose", "MatMul", "Mul", "Add"]),
        ("Flatten", &["Reshape"]),
        ("Squeeze", &["Reshape"]),
        ("Unsqueeze", &["Reshape"]),
        ("Dropout", &["Identity"]),
        ("Cast", &["Identity"]),
        ("Expand", &["Identity"]),
        ("IntQuant", &["Quant"]),
        ("Conv", &["Conv", "Reshape", "Add"]),
        ("ConvTranspose", &["ConvTranspose", "Reshape", "Add"]),
        ("GlobalMaxPool", &["MaxPool"]),
        ("GlobalAveragePool", &["AveragePool"]),
        ("ReduceMean", &["AveragePool", "Reshape"]),
        ("Pad", &["Identity"]),
    ];
    let variant = variants.iter().find(|(name, _)| *name == read);
    variant.map_or(read == written, |(_, types)| types.contains(&written))
}

fn grid(element: &str, scale: f64) -> Grid {
    Grid {
        element: element.parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(scale)),
    }
}

/// All laws on one file: what is refused as a dataflow is compared as a network only.
fn check(bytes: &[u8], grid: Option<&Grid>) -> Result<u64, String> {
    let shown = |error: finnp::error::Error| render(&error, false);
    let network = import(bytes).map_err(shown)?;
    let exported = export(&network).map_err(shown)?;
    let again = import(&exported).map_err(shown)?;
    if let Some(difference) = difference(&network, &again) {
        return Err(difference);
    }
    let twice = export(&again).map_err(shown)?;
    if export(&network).map_err(shown)? != exported || twice != exported {
        return Err("the bytes differ".into());
    }
    if import(&twice).map_err(shown)? != again {
        return Err("the network of the second export differs".into());
    }
    let both = |network: &Network| streamline(network, grid, false).and_then(fuse);
    let (ours, theirs) = match (both(&network), both(&again)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(a), Err(b)) if a.kind() == Kind::User && b.kind() == Kind::User => return Ok(0),
        (a, b) => return Err(format!("{:?} and {:?}", a.err(), b.err())),
    };
    if ours != theirs {
        return Err("the dataflows differ".into());
    }
    let element = theirs.stream(theirs.inputs[0].stream).element;
    let (low, high, step) = match &theirs.inputs[0].quantiser {
        Some(quantiser) => quantiser.codes(),
        None => (element.min(), element.max(), element.step()),
    };
    let mut random = Random::new(11);
    let length: usize = theirs.inputs[0].shape.iter().product();
    let mut number = || low + step * random.between(0, (high - low) / step);
    let frames: Vec<Vec<i64>> = (0..8)
        .map(|_| (0..length).map(|_| number()).collect())
        .collect();
    let found = levels::compare(&network, &theirs, &frames).map_err(shown)?;
    if !found.equal() {
        return Err(format!("{found:?}"));
    }
    let exported = single::compare(&exported, &network, &theirs, &frames).map_err(shown)?;
    let original = single::compare(bytes, &network, &theirs, &frames).map_err(shown)?;
    let names = |single: &single::Single| -> Vec<(String, u64)> {
        let tensors = single.tensors.iter();
        tensors.map(|t| (t.tensor.clone(), t.compared)).collect()
    };
    if names(&exported) != names(&original) {
        return Err(format!("f32 sees {exported:?}, not {original:?}"));
    }
    Ok(found.tensors.iter().map(|tally| tally.compared).sum())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn random_networks_come_back() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(60)).collect(),
    };
    let results: Vec<(u64, Result<u64, String>)> = seeds
        .into_par_iter()
        .map(|seed| {
            let case = case(seed);
            (seed, check(&case.bytes, case.grid.as_ref()))
        })
        .collect();
    let failed = results
        .iter()
        .filter_map(|(seed, r)| Some((seed, r.as_ref().err()?)));
    let failed: Vec<String> = failed
        .map(|(seed, error)| format!("FINNP_SEED={seed}: {error}"))
        .collect();
    failed.iter().take(20).for_each(|line| println!("{line}"));
    let compared: u64 = results.iter().filter_map(|(_, r)| r.as_ref().ok()).sum();
    println!("{} networks, {compared} levels equal", results.len());
    assert!(
        failed.is_empty(),
        "{} of {} fail",
        failed.len(),
        results.len()
    );
}

fn file(path: &Path, grid: &Grid) {
    let compared = check(&std::fs::read(path).unwrap(), Some(grid)).unwrap();
    assert!(compared > 0);
    println!("{}: {compared} levels equal", path.display());
}

#[test]
fn real_networks_come_back() {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits/model.onnx");
    file(&digits, &grid("uint5", 0.0625));
    for (name, grid) in [
        ("TFC_1W1A", grid("uint8", 1.0 / 255.0)),
        ("TFC_2W2A", grid("uint8", 1.0 / 255.0)),
        ("qkeras_jettagging", grid("int16", 1.0 / 1024.0)),
    ] {
        let Some(path) = shared(&format!("models/{name}.onnx")) else {
            return;
        };
        file(&path, &grid);
    }
}

#[test]
fn every_operator_comes_back() {
    let networks = every_operator();
    let mut written: Vec<String> = Vec::new();
    for mut network in networks {
        let bytes = export(&network).unwrap();
        let again = import(&bytes).unwrap_or_else(|e| panic!("{:?}: {e:?}", network.nodes));
        // The name that ONNX has for it is all that the import adds.
        network.nodes[0].onnx.clone_from(&again.nodes[0].onnx);
        written.push(again.nodes[0].onnx.clone());
        assert_eq!(difference(&network, &again), None);
        assert_eq!(export(&again).unwrap(), bytes);
    }
    // These are read as others.
    let others = [
        "IntQuant",
        "Gemm",
        "Dropout",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "GlobalMaxPool",
        "GlobalAveragePool",
        "ReduceMean",
        "Pad",
        "DequantizeLinear",
        "Cast",
        "Expand",
        "Upsample",
        "QLinearConv",
        "QLinearMatMul",
        "ConvInteger",
        "MatMulInteger",
        "QGemm",
        "QLinearAdd",
        "QLinearMul",
        "QLinearConcat",
        "QLinearGlobalAveragePool",
        "QLinearAveragePool",
        "QLinearSigmoid",
        "QLinearLeakyRelu",
    ];
    let missing: Vec<&str> = operators()
        .filter(|name| !others.contains(name) && !written.iter().any(|own| own == name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn names_are_unique_in_the_file() {
    let mut network = single_operator(Op::Binary(Binary::Add), &[1, 3], &[1, 3], &[(&[3], 2.0)]);
    for value in &mut network.values {
        value.name = "t".into();
    }
    let last = network.add_value(Value {
        name: String::new(),
        shape: vec![3, 1],
        constant: None,
    });
    let node = network.nodes[0].clone();
    network.nodes.push(Node {
        op: Op::Reshape,
        inputs: vec![node.output],
        output: last,
        ..node
    });
    network.outputs = vec![last];
    let again = import(&export(&network).unwrap()).unwrap();
    let names: Vec<&str> = again
        .values
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    assert_eq!(names, ["t", "t_", "t__", "_"]);
    assert_eq!(again.nodes[1].output, again.outputs[0]);
}

#[test]
fn what_onnx_cannot_say_is_refused() {
    let clip = |low| {
        Op::Unary(Unary::Clip {
            low,
            high: f64::INFINITY,
        })
    };
    let slope = |alpha| Op::Unary(Unary::Elu { alpha });
    for (op, kind) in [
        (clip(f64::INFINITY), Kind::User),
        (clip(0.1), Kind::Bug),
        (slope(0.1), Kind::Bug),
    ] {
        let error = export(&single_operator(op, &[1, 3], &[1, 3], &[])).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().starts_with("node `node`"), "{error:?}");
    }
    let mut network = single_operator(Op::ArgMax { axis: 1 }, &[1, 3], &[1], &[]);
    let sum = network.add_value(Value {
        name: "sum".into(),
        shape: vec![1],
        constant: None,
    });
    let label = network.outputs[0];
    network.nodes.push(Node {
        name: "add".into(),
        onnx: "Add".into(),
        op: Op::Binary(Binary::Add),
        permutation: Vec::new(),
        inputs: vec![label, label],
        output: sum,
    });
    let error = export(&network).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert_eq!(
        error.message(),
        "node `add` (Add) computes with the index of a class"
    );
}
