//! Small real models, damaged bit by bit and field by field: finnp refuses them or reads something, and never breaks.
//! `FINNP_FUZZ=n` tries n of them, `FINNP_SEED=s` that of seed s; `FINNP_BLESS=1` writes the seeds of the fuzzer that
//! are made here. Must not know how files are read.

use std::fs;
use std::path::PathBuf;

use finnp::error::{Error, Kind, catch};
use finnp::pass::streamline;
use finnp::qonnx::{export, import};
use prost::Message;
use rayon::prelude::*;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::random::Random;
use super::random_network::case;

/// Models in an ordinary run.
const MODELS: u64 = 1500;

/// Largest seed, in bytes.
const LARGEST: usize = 10_000;

/// Random networks among the seeds.
const NETWORKS: u64 = 12;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/import")
}

/// The seeds of the fuzzer, in the order of their names.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    files.sort();
    let named = files.into_iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    });
    named.collect()
}

#[test]
fn seeds_of_the_fuzzer_are_models() {
    let mut written = 0;
    for seed in 0.. {
        let bytes = case(seed).bytes;
        if bytes.len() > LARGEST {
            continue;
        }
        let path = corpus().join(format!("random-{seed}.onnx"));
        match std::env::var_os("FINNP_BLESS") {
            Some(_) => fs::write(path, bytes).unwrap(),
            None => assert!(
                fs::read(&path).ok() == Some(bytes),
                "{}: FINNP_BLESS=1 writes it",
                path.display()
            ),
        }
        written += 1;
        if written == NETWORKS {
            break;
        }
    }
    let seeds = seeds();
    assert!(seeds.len() > 30, "{} seeds", seeds.len());
    for (name, bytes) in seeds {
        assert!(bytes.len() <= LARGEST, "{name}");
        import(&bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

/// Flips bits, cuts, repeats and writes over.
fn bits(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..random.between(1, 4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(6) {
            0..=2 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            4 => bytes.truncate(at),
            _ => {
                let end = (at + random.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

/// A number from the edges.
fn edge(random: &mut Random) -> i64 {
    let edges = [
        0,
        1,
        -1,
        2,
        3,
        7,
        255,
        1 << 16,
        1 << 31,
        1 << 40,
        i64::MAX,
        i64::MIN,
        -2,
    ];
    edges[random.below(edges.len())]
}

/// One change of what a file says, which leaves it a protobuf.
fn fields(graph: &mut GraphProto, random: &mut Random) {
    let names: Vec<String> = graph
        .node
        .iter()
        .flat_map(|node| &node.output)
        .chain(graph.initializer.iter().map(|t| &t.name))
        .cloned()
        .collect();
    let operators: Vec<String> = graph.node.iter().map(|node| node.op_type.clone()).collect();
    let count = graph.node.len();
    match random.below(12) {
        0 if count > 0 => drop(graph.node.remove(random.below(count))),
        1 if count > 1 => graph.node.swap(random.below(count), random.below(count)),
        2 if count > 0 => {
            let mut copy = graph.node[random.below(count)].clone();
            copy.name.push('2');
            graph.node.insert(random.below(count), copy);
        }
        3 => dims(graph.initializer.as_mut_slice(), random),
        4 if count > 0 => operator(&mut graph.node[random.below(count)], &operators, random),
        5..=7 if count > 0 => rewired(&mut graph.node[random.below(count)], &names, random),
        8 | 9 if count > 0 => attribute(&mut graph.node[random.below(count)], random),
        10 => numbers(graph.initializer.as_mut_slice(), random),
        _ if !graph.initializer.is_empty() => {
            let at = random.below(graph.initializer.len());
            graph.initializer[at].data_type = random.between(0, 24) as i32;
        }
        _ => {}
    }
}

fn dims(tensors: &mut [TensorProto], random: &mut Random) {
    let Some(tensor) = (!tensors.is_empty()).then(|| random.below(tensors.len())) else {
        return;
    };
    let dims = &mut tensors[tensor].dims;
    match random.below(3) {
        0 => dims.push(1),
        1 => dims.reverse(),
        _ => {
            let at = random.below(dims.len().max(1));
            let value = edge(random);
            dims.get_mut(at)
                .into_iter()
                .for_each(|length| *length = value);
        }
    }
}

fn operator(node: &mut NodeProto, operators: &[String], random: &mut Random) {
    let others = [
        "Relu",
        "MatMul",
        "Conv",
        "Pad",
        "Transpose",
        "Gemm",
        "Concat",
        "Clip",
        "Expand",
        "Reshape",
    ];
    node.op_type = match random.chance(50) {
        true => operators[random.below(operators.len())].clone(),
        false => others[random.below(others.len())].to_owned(),
    };
}

fn rewired(node: &mut NodeProto, names: &[String], random: &mut Random) {
    let name = names[random.below(names.len())].clone();
    match random.below(4) {
        0 => node.input.push(name),
        1 => drop(node.input.pop()),
        2 => node.output = vec![name],
        _ => {
            let at = random.below(node.input.len().max(1));
            node.input
                .get_mut(at)
                .into_iter()
                .for_each(|input| *input = name.clone());
        }
    }
}

fn attribute(node: &mut NodeProto, random: &mut Random) {
    let count = node.attribute.len();
    if count == 0 {
        return;
    }
    let attribute = &mut node.attribute[random.below(count)];
    match random.below(4) {
        0 => attribute.i = edge(random),
        1 => attribute.f = [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40, 1e38][random.below(6)],
        2 => attribute.ints.push(edge(random)),
        _ => {
            let at = random.below(attribute.ints.len().max(1));
            let value = edge(random);
            attribute
                .ints
                .get_mut(at)
                .into_iter()
                .for_each(|i| *i = value);
        }
    }
}

fn numbers(tensors: &mut [TensorProto], random: &mut Random) {
    let Some(tensor) = (!tensors.is_empty()).then(|| random.below(tensors.len())) else {
        return;
    };
    let tensor = &mut tensors[tensor];
    let value = [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40, 3e38, 0.5][random.below(7)];
    if tensor.data_type == 1 && tensor.raw_data.len() >= 4 {
        let at = random.below(tensor.raw_data.len() / 4) * 4;
        tensor.raw_data[at..at + 4].copy_from_slice(&value.to_le_bytes());
    } else if let Some(first) = tensor.int64_data.first_mut() {
        *first = edge(random);
    } else if let Some(first) = tensor.raw_data.first_mut() {
        *first ^= 0xff;
    }
}

fn mutated(seeds: &[(String, Vec<u8>)], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed ^ 0x6d75_7461);
    let (_, bytes) = &seeds[random.below(seeds.len())];
    let mut bytes = bytes.clone();
    let way = random.below(3);
    if way > 0 {
        let mut model = ModelProto::decode(&*bytes).unwrap();
        let graph = model.graph.as_mut().unwrap();
        for _ in 0..random.between(1, 3) {
            fields(graph, &mut random);
        }
        bytes = model.encode_to_vec();
    }
    if way != 1 {
        bits(&mut bytes, &mut random);
    }
    bytes
}

/// Refusals are fine, defects are not.
fn fine<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.kind() == Kind::User => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Whether the bytes were read.
fn read(bytes: &[u8]) -> bool {
    let Some(network) = fine(import(bytes)) else {
        return false;
    };
    fine(streamline(&network, None, false));
    if let Some(written) = fine(export(&network)) {
        fine(import(&written));
    }
    true
}

#[test]
fn damaged_models_never_break_anything() {
    let seeds = seeds();
    let range = match (number("FINNP_SEED"), number("FINNP_FUZZ")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(MODELS),
    };
    let count = range.end - range.start;
    let results: Vec<(u64, Result<bool, String>)> = range
        .into_par_iter()
        .map(|seed| {
            let bytes = mutated(&seeds, seed);
            (seed, catch(|| read(&bytes)))
        })
        .collect();
    let failed: Vec<String> = results
        .iter()
        .filter_map(|(seed, result)| Some(format!("FINNP_SEED={seed}: {}", result.as_ref().err()?)))
        .collect();
    failed.iter().take(20).for_each(|line| println!("{line}"));
    let read = results
        .iter()
        .filter(|(_, result)| matches!(result, Ok(true)))
        .count();
    println!(
        "{count} models, {read} read all the same, {} break it",
        failed.len()
    );
    assert!(failed.is_empty());
    assert!(
        count < 100 || read > 0 && (read as u64) < count,
        "{read} of {count} are read"
    );
}
