//! Files that mean harm, or that an accident made: each is refused in words of finnp's own, with exit code 2, within a
//! gigabyte of memory. Must not know how files are checked.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

use super::project::Project;
use super::proto::{Attribute, File};

/// Bytes of address space that finnp gets.
const MEMORY: u64 = 1 << 30;

/// Longest time for a file.
const LONGEST: Duration = Duration::from_secs(60);

/// Words that only tract says.
const FOREIGN: [&str; 6] = ["tract", "Failed", "unify", "#0", "wire", "panicked"];

/// A file, and what must be said of it; `None` where it is read all the same.
struct Case {
    title: &'static str,
    bytes: Vec<u8>,
    said: Option<&'static str>,
}

fn refused(title: &'static str, bytes: Vec<u8>, said: &'static str) -> Case {
    Case {
        title,
        bytes,
        said: Some(said),
    }
}

fn fine(title: &'static str, bytes: Vec<u8>) -> Case {
    Case {
        title,
        bytes,
        said: None,
    }
}

/// A network of one dense layer between quantisers, still open.
fn begun() -> (File, String) {
    let mut file = File::new(13, "onnx.brevitas");
    file.input("x", &[1, 4]);
    let q = quantised(&mut file, "x", 0.5);
    (file, q)
}

fn quantised(file: &mut File, x: &str, scale: f32) -> String {
    let scale = file.constant(&[], &[scale], true);
    let zero = file.constant(&[], &[0.0], true);
    let bits = file.constant(&[], &[4.0], true);
    file.custom("Quant", &[x, &scale, &zero, &bits], &[])
}

fn dense(file: &mut File, x: &str) -> String {
    let weights = file.constant(
        &[4, 3],
        &[1.0, -2.0, 3.0, 0.5, 1.5, -1.0, 2.0, 0.0, 1.0, 2.0, 3.0, 4.0],
        true,
    );
    let weights = quantised(file, &weights, 0.5);
    let sums = file.node("MatMul", &[x, &weights], &[]);
    quantised(file, &sums, 0.25)
}

fn ended(mut file: File, last: &str, shape: &[usize]) -> Vec<u8> {
    file.output(last, shape, false);
    file.bytes()
}

fn whole() -> Vec<u8> {
    let (mut file, q) = begun();
    let y = dense(&mut file, &q);
    ended(file, &y, &[1, 3])
}

/// The whole network, changed.
fn changed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(&*whole()).unwrap();
    change(model.graph.as_mut().unwrap());
    model.encode_to_vec()
}

/// One operator more, before the end.
fn with(
    op: &str,
    constants: &[(&[usize], &[f32])],
    attributes: &[(&str, Attribute<'_>)],
) -> Vec<u8> {
    let (mut file, q) = begun();
    let constants: Vec<String> = constants
        .iter()
        .map(|(shape, values)| file.constant(shape, values, true))
        .collect();
    let inputs: Vec<&str> = [q.as_str()]
        .into_iter()
        .chain(constants.iter().map(String::as_str))
        .collect();
    let y = file.node(op, &inputs, attributes);
    ended(file, &y, &[1, 4])
}

fn weights(graph: &mut GraphProto) -> &mut TensorProto {
    graph
        .initializer
        .iter_mut()
        .find(|tensor| tensor.dims.len() == 2)
        .unwrap()
}

fn damaged() -> Vec<Case> {
    let good = whole();
    let claim = |length: u64| {
        // Field 7 of the model, the graph, with a length that nothing follows.
        let mut bytes = vec![0x3a];
        prost::encoding::encode_varint(length, &mut bytes);
        bytes.extend([0x0a, 0x01]);
        bytes
    };
    vec![
        fine("the network itself", good.clone()),
        refused("empty", Vec::new(), "is empty"),
        refused(
            "cut in the middle",
            good[..good.len() / 2].to_vec(),
            "cut short",
        ),
        refused(
            "no protobuf",
            b"PK\x03\x04 not a model at all".to_vec(),
            "not ONNX",
        ),
        refused("a graph of 2 GB", claim(1 << 31), "cut short"),
        refused("a graph of 16 EB", claim(u64::MAX), "not ONNX"),
        refused("zeros", vec![0; 4096], "not ONNX"),
    ]
}

fn sizes() -> Vec<Case> {
    let dims = |dims: Vec<i64>| changed(|graph| weights(graph).dims = dims);
    let scale =
        |bits: f32| changed(|graph| graph.initializer[0].raw_data = bits.to_le_bytes().to_vec());
    let weight = |value: f32| {
        changed(|graph| weights(graph).raw_data[..4].copy_from_slice(&value.to_le_bytes()))
    };
    vec![
        refused(
            "weights of 2 GB",
            dims(vec![1 << 15, 1 << 14]),
            "claims the shape",
        ),
        refused(
            "dims that overflow",
            dims(vec![1 << 40, 1 << 40]),
            "claims the shape",
        ),
        refused("a negative length", dims(vec![-4, -3]), "claims the shape"),
        refused("fewer elements", dims(vec![4, 2]), "claims the shape"),
        refused("dims swapped", dims(vec![3, 4]), "do not fit"),
        refused("NaN in the weights", weight(f32::NAN), "holds NaN"),
        refused("infinite weights", weight(f32::INFINITY), "holds inf"),
        refused("a scale of zero", scale(0.0), "scale 0"),
        refused("a negative scale", scale(-0.5), "scale -0.5"),
        refused("a scale of NaN", scale(f32::NAN), "holds NaN"),
        refused(
            "a type that nobody knows",
            changed(|graph| weights(graph).data_type = 99),
            "type number 99",
        ),
        refused(
            "an input of 2^60 elements",
            changed(|graph| lengths(graph, &[1, 1 << 30, 1 << 30])),
            "too large",
        ),
        refused(
            "an open length",
            changed(|graph| lengths(graph, &[1, 0])),
            "no fixed length",
        ),
        refused(
            "two samples at once",
            changed(|graph| lengths(graph, &[2, 4])),
            "batch size 2",
        ),
        fine("an open batch", changed(|graph| lengths(graph, &[0, 4]))),
        refused(
            "an input of another size",
            changed(|graph| lengths(graph, &[1, 5])),
            "do not fit",
        ),
    ]
}

fn lengths(graph: &mut GraphProto, shape: &[usize]) {
    let mut file = File::new(13, "");
    file.input("x", shape);
    graph.input = file.graph.input;
}

fn references() -> Vec<Case> {
    let duplicate = |graph: &mut GraphProto| {
        let copy = graph.node[0].clone();
        graph.node.push(copy);
    };
    vec![
        refused(
            "a cycle",
            changed(|graph| graph.node[1].input[0] = graph.node[2].output[0].clone()),
            "before it is made",
        ),
        refused(
            "no initializer",
            changed(|graph| drop(graph.initializer.remove(0))),
            "nothing makes",
        ),
        refused(
            "an initializer twice",
            changed(|graph| {
                let copy = graph.initializer[0].clone();
                graph.initializer.push(copy);
            }),
            "the same name",
        ),
        refused(
            "an input twice",
            changed(|graph| {
                let copy = graph.input[0].clone();
                graph.input.push(copy);
            }),
            "the same name",
        ),
        refused(
            "a tensor twice",
            changed(|graph| {
                duplicate(graph);
                graph.node.last_mut().unwrap().name = "other".into();
            }),
            "more than once",
        ),
        refused(
            "node names twice",
            changed(|graph| {
                for node in &mut graph.node {
                    node.name = "same".into();
                }
            }),
            "two nodes are called",
        ),
        refused(
            "no input",
            changed(|graph| graph.input.clear()),
            "nothing makes",
        ),
        refused(
            "no output",
            changed(|graph| graph.output.clear()),
            "no output",
        ),
        refused(
            "an output that nothing makes",
            changed(|graph| graph.output[0].name = "z".into()),
            "made by no node",
        ),
        refused(
            "no nodes",
            changed(|graph| graph.node.clear()),
            "holds no network",
        ),
        refused(
            "a node without outputs",
            changed(|graph| graph.node[1].output.clear()),
            "no output",
        ),
        refused(
            "too few operands",
            changed(|graph| graph.node[2].input.truncate(1)),
            "inputs",
        ),
        fine(
            "stale shapes inside",
            changed(|graph| {
                let mut file = File::new(13, "");
                file.input(&graph.node[0].output[0], &[7, 7, 7]);
                graph.value_info = file.graph.input;
            }),
        ),
    ]
}

fn operators() -> Vec<Case> {
    let far = i64::MAX;
    let ints = Attribute::Ints;
    vec![
        refused(
            "operands that do not fit",
            with("Add", &[(&[1, 5], &[1.0; 5])], &[]),
            "do not fit",
        ),
        refused(
            "a matrix that does not fit",
            with("MatMul", &[(&[5, 2], &[1.0; 10])], &[]),
            "do not fit",
        ),
        refused(
            "a kernel that does not fit",
            with("Conv", &[(&[1, 1, 3, 3], &[1.0; 9])], &[]),
            "node",
        ),
        refused(
            "an axis far away",
            with("Softmax", &[], &[("axis", Attribute::Int(far))]),
            "axis",
        ),
        refused(
            "an axis before the first",
            with("Flatten", &[], &[("axis", Attribute::Int(i64::MIN))]),
            "node",
        ),
        refused(
            "no permutation",
            with("Transpose", &[], &[("perm", ints(&[0, far]))]),
            "no permutation",
        ),
        refused(
            "huge pads",
            with(
                "MaxPool",
                &[],
                &[
                    ("kernel_shape", ints(&[2, 2])),
                    ("pads", ints(&[far, far, far, far])),
                ],
            ),
            "node",
        ),
        refused(
            "huge steps",
            with(
                "MaxPool",
                &[],
                &[
                    ("kernel_shape", ints(&[far, 2])),
                    ("strides", ints(&[far, far])),
                ],
            ),
            "node",
        ),
        refused(
            "no groups",
            with(
                "Conv",
                &[(&[1, 1, 1, 1], &[1.0])],
                &[("group", Attribute::Int(0))],
            ),
            "node",
        ),
        refused(
            "an operator that nobody knows",
            with("Exec", &[], &[]),
            "`Exec` is not supported",
        ),
        refused(
            "elements from nowhere",
            growing("Reshape", &[1, 1 << 40]),
            "node",
        ),
        refused(
            "a constant of terabytes",
            growing("ConstantOfShape", &[1 << 20, 1 << 20]),
            "too large",
        ),
        refused(
            "a tensor of terabytes",
            growing("Expand", &[1 << 20, 1 << 20, 1, 4]),
            "too large",
        ),
        refused("a broadcast of terabytes", broadcast("Add"), "too large"),
        refused("a product of terabytes", broadcast("MatMul"), "too large"),
        refused("a constant that doubles", doubling(), "too large"),
    ]
}

/// An operator with a shape as its last operand.
fn growing(op: &str, shape: &[i64]) -> Vec<u8> {
    let (mut file, q) = begun();
    let shape = file.integers(shape);
    let made = match op {
        "ConstantOfShape" => file.node(op, &[&shape], &[]),
        _ => file.node(op, &[&q, &shape], &[]),
    };
    if op == "Reshape" {
        return ended(file, &made, &[1, 4]);
    }
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

fn broadcast(op: &str) -> Vec<u8> {
    let (mut file, q) = begun();
    let ones = vec![1.0; 1 << 18];
    let column = file.constant(&[1 << 18, 1], &ones, true);
    let row = file.constant(&[1, 1 << 18], &ones, true);
    let made = file.node(op, &[&column, &row], &[]);
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

fn doubling() -> Vec<u8> {
    let (mut file, q) = begun();
    let mut made = file.constant(&[1, 4], &[1.0; 4], true);
    for _ in 0..40 {
        made = file.node("Concat", &[&made, &made], &[("axis", Attribute::Int(0))]);
    }
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

/// An `If` inside an `If`, and so on.
fn nested(depth: usize) -> Vec<u8> {
    // Written from the inside, as a recursive writer would not survive it.
    let field = |number: u64, bytes: &[u8]| {
        let mut out = Vec::with_capacity(bytes.len() + 12);
        prost::encoding::encode_varint(number << 3 | 2, &mut out);
        prost::encoding::encode_varint(bytes.len() as u64, &mut out);
        out.extend_from_slice(bytes);
        out
    };
    let mut graph = Vec::new();
    for _ in 0..depth {
        let attribute = field(6, &graph);
        let mut node = field(4, b"If");
        node.extend(field(5, &attribute));
        graph = field(1, &node);
    }
    field(7, &graph)
}

fn chain(count: usize, op: &str) -> Vec<u8> {
    let (mut file, q) = begun();
    let constant = file.constant(&[], &[1.0], true);
    let mut last = q;
    for _ in 0..count {
        last = match op {
            "Add" => file.node(op, &[&last, &constant], &[]),
            _ => file.node(op, &[&last], &[]),
        };
    }
    let y = dense(&mut file, &last);
    ended(file, &y, &[1, 3])
}

fn many() -> Vec<Case> {
    let subgraph = |graph: &mut GraphProto| {
        graph.node.push(NodeProto {
            op_type: "Loop".into(),
            name: "loop".into(),
            input: vec![graph.node[0].output[0].clone()],
            output: vec!["looped".into()],
            attribute: vec![AttributeProto {
                name: "body".into(),
                g: Some(GraphProto::default()),
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        });
    };
    let constants = changed(|graph| {
        for number in 0..100_000 {
            graph.initializer.push(TensorProto {
                name: format!("spare{number}"),
                data_type: 1,
                float_data: vec![1.0],
                ..TensorProto::default()
            });
        }
    });
    vec![
        refused("a hundred levels", nested(120), "nested"),
        refused("ten thousand levels", nested(10_000), "nested"),
        refused("a loop", changed(subgraph), "`Loop` is not supported"),
        refused("100 000 nodes in a row", chain(100_000, "Relu"), "nodes"),
        refused("100 000 additions", chain(100_000, "Add"), "nodes"),
        fine("1000 nodes in a row", chain(1000, "Identity")),
        fine("100 000 constants", constants),
    ]
}

/// Many gigabytes of zeros behind the beginning of a model.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..3000 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// finnp with little memory, where the system can say so.
pub(crate) fn limited(command: &Command) -> Command {
    let limits = Path::new("/usr/bin/prlimit");
    if !limits.exists() {
        eprintln!("SKIPPED: no limit of memory without {}", limits.display());
        let mut plain = Command::new(command.get_program());
        plain.args(command.get_args());
        return plain;
    }
    let mut limited = Command::new(limits);
    limited
        .arg(format!("--as={MEMORY}"))
        .arg(command.get_program());
    limited.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(key, value),
            None => limited.env_remove(key),
        };
    }
    limited
}

fn check(project: &Project, case: &Case) -> Option<String> {
    fs::write(project.dir().join("model.onnx"), &case.bytes).unwrap();
    let started = Instant::now();
    let command = project.command(&["build", "--to", "fold"]);
    let output = limited(&command).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let code = output.status.code();
    let wrong = match case.said {
        None => code != Some(0),
        Some(words) => {
            let plain = said
                .replace('│', "")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            code != Some(2)
                || !plain.contains(words)
                || FOREIGN.iter().any(|word| said.contains(word))
        }
    };
    let slow = started.elapsed() > LONGEST;
    let shown: String = said.chars().take(700).collect();
    (wrong || slow).then(|| {
        format!(
            "{}: {code:?} after {:?}, not {:?}: {shown}",
            case.title,
            started.elapsed(),
            case.said
        )
    })
}

const MANIFEST: &str = "[project]\nname = \"hostile\"\n\n[model]\npath = \"model.onnx\"\n\n\
    [target]\nboard = \"alveo-u280\"\nclock_mhz = 100\nfps = 1\n";

#[test]
fn hostile_files_are_refused_in_a_gigabyte() {
    let project = Project::new(MANIFEST);
    let mut cases = damaged();
    for more in [sizes(), references(), operators(), many()] {
        cases.extend(more);
    }
    cases.push(refused("a gzip bomb", bomb(), "too large"));
    cases.push(refused(
        "half a gzip file",
        zipped(&whole())[..60].to_vec(),
        "gzip",
    ));
    cases.push(fine("the network gzipped", zipped(&whole())));
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| check(&project, case))
        .collect();
    failed.iter().for_each(|line| println!("{line}\n"));
    println!("{} files, {} wrong", cases.len(), failed.len());
    assert!(failed.is_empty());
}
