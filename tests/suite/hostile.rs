//! Files that mean harm, or that an accident made: each is refused in words of finnp's own, with exit code 2, within a
//! gigabyte of memory. Must not know how files are checked.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::hostile_file::{
    Case, begun, changed, damaged, dense, ended, fine, refused, sizes, whole,
};
use super::hostile_name::{missing, names, references};
use super::hostile_operator::{attributes, growth, operators};
use super::project::Project;

/// Bytes of address space that finnp gets.
const MEMORY: u64 = 1 << 30;

/// Longest time for a file.
const LONGEST: Duration = Duration::from_secs(60);

/// Words that only tract says.
const FOREIGN: [&str; 6] = ["tract", "Failed", "unify", "#0", "wire", "panicked"];

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
    for more in [
        sizes(),
        references(),
        names(),
        missing(),
        operators(),
        attributes(),
        growth(),
        many(),
    ] {
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
