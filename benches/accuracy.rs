//! What networks keep of their accuracy: `cargo bench --bench accuracy` measures the rows of a table of the book, those
//! whose names hold an argument if there is one (`-- obs`), and writes `book/src/accuracy.json` and `accuracy.md`.
//! Training takes up to an hour a row. Reads networks and data from `../shared`. Must not know how finnp works inside.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

/// Where a network comes from, and what it sees.
struct Subject {
    name: &'static str,
    file: &'static str,
    /// Lines of the manifest; `@` stands for the folder of data.
    lines: &'static str,
    /// Layers whose blocks have four rows, with the entries of a lane that a block has.
    fine: &'static [(&'static str, u32)],
    /// Layers that stay whole.
    whole: &'static [&'static str],
}

const MNIST: &str = "[input]\ntype = \"uint8\"\nscale = 0.00392156862745098\n\
    [data]\npath = \"@/mnist.npz\"\nx = \"x_test\"\ny = \"y_test\"\nmean = 0\n\
    [calibration]\npath = \"@/mnist.npz\"\nx = \"x_train\"\ny = \"y_train\"\n";

const CIFAR: &str = "[data]\npath = \"@/cifar10_test.npz\"\nx = \"x_test\"\ny = \"y_test\"\n\
    mean = 0.5019607843137255\nstd = 0.5019607843137255\n\
    [calibration]\npath = \"@/cifar10_train20k.npz\"\nx = \"x_train\"\ny = \"y_train\"\n";

const CNV: &[(&str, u32)] = &[
    ("Conv_1", 18),
    ("Conv_2", 18),
    ("Conv_3", 18),
    ("Conv_4", 18),
    ("Conv_5", 36),
    ("MatMul_6", 8),
    ("MatMul_7", 8),
];

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "TFC 2W2A",
        file: "TFC_2W2A.onnx",
        lines: MNIST,
        fine: &[("MatMul_20", 16), ("MatMul_32", 8), ("MatMul_44", 8)],
        whole: &["MatMul_56"],
    },
    Subject {
        name: "CNV 2W2A",
        file: "cnvW2A2_cifar10.onnx",
        lines: CIFAR,
        fine: CNV,
        whole: &["Conv_0", "MatMul_8"],
    },
    Subject {
        name: "CNV 1W1A",
        file: "cnvW1A1_cifar10.onnx",
        lines: CIFAR,
        fine: CNV,
        whole: &["Conv_0", "MatMul_8"],
    },
];

/// How one of them is pruned.
struct Row {
    subject: usize,
    pattern: &'static str,
    method: &'static str,
    density: f64,
    /// Whether blocks have four rows.
    fine: bool,
    /// Further settings.
    set: &'static [&'static str],
}

/// Samples of calibration.
const FEW: &[&str] = &["calibration.samples=1000"];
const DIGITS: &[&str] = &["train.epochs=30", "train.batch=256"];
const PICTURES: &[&str] = &["train.epochs=40", "train.flip=true", "train.shift=2"];

const fn row(
    subject: usize,
    pattern: &'static str,
    method: &'static str,
    density: f64,
    fine: bool,
    set: &'static [&'static str],
) -> Row {
    Row {
        subject,
        pattern,
        method,
        density,
        fine,
        set,
    }
}

const ROWS: &[Row] = &[
    row(0, "none", "magnitude", 1.0, false, &[]),
    row(0, "bcr-col", "magnitude", 0.25, true, &[]),
    row(0, "bcr-col", "obs", 0.25, false, FEW),
    row(0, "bcr-col", "obs", 0.25, true, FEW),
    row(0, "bcr-col", "gradual", 0.25, false, DIGITS),
    row(0, "bcr-col", "gradual", 0.25, true, DIGITS),
    row(0, "bcr-col", "admm", 0.25, true, DIGITS),
    row(0, "bcr-col", "gradual", 0.125, true, DIGITS),
    row(0, "bcr-col", "admm", 0.125, true, DIGITS),
    row(1, "none", "magnitude", 1.0, false, &[]),
    row(1, "bcr-col", "magnitude", 0.5, true, &[]),
    row(1, "bcr-col", "obs", 0.5, true, FEW),
    row(1, "bcr-col", "obs", 0.5, false, FEW),
    row(1, "bcr-col", "obs", 0.25, true, FEW),
    row(1, "bcr-col", "gradual", 0.5, true, PICTURES),
    row(1, "bcr-col", "gradual", 0.5, false, PICTURES),
    row(1, "bcr-col", "gradual", 0.25, true, PICTURES),
    row(2, "none", "magnitude", 1.0, false, &[]),
    row(2, "bcr-col", "magnitude", 0.5, true, &[]),
    row(2, "bcr-col", "obs", 0.5, true, FEW),
    row(2, "bcr", "obs", 0.5, false, FEW),
    row(2, "bcr-col", "gradual", 0.5, true, PICTURES),
    row(2, "bcr", "gradual", 0.5, false, PICTURES),
];

impl Row {
    fn name(&self) -> String {
        let rows = if self.fine { ", 4 rows" } else { "" };
        let subject = SUBJECTS[self.subject].name;
        match self.pattern {
            "none" => format!("{subject} dense"),
            pattern => format!("{subject} {pattern} {} {}{rows}", self.density, self.method),
        }
    }

    /// Settings of the command line.
    fn settings(&self) -> Vec<String> {
        let subject = &SUBJECTS[self.subject];
        let mut set: Vec<String> = self.set.iter().map(|set| (*set).to_owned()).collect();
        if self.pattern != "none" {
            set.push(format!("prune.pattern=\"{}\"", self.pattern));
            set.push(format!("prune.method=\"{}\"", self.method));
            set.push(format!("prune.density={}", self.density));
            let whole = subject.whole.iter();
            set.extend(whole.map(|layer| format!("layer.{layer}.pattern=\"none\"")));
        }
        if self.fine {
            let fine = subject.fine.iter();
            set.extend(fine.map(|(layer, entries)| format!("layer.{layer}.block=[4,{entries}]")));
        }
        set
    }
}

/// Right answers of a row, and the seconds that it took from the file on.
fn measured(row: &Row) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let subject = &SUBJECTS[row.subject];
    let folder = tempfile::tempdir().unwrap();
    let data = root.join("../shared/data").canonicalize().unwrap();
    let lines = subject.lines.replace('@', data.to_str().unwrap());
    let manifest = format!(
        "[project]\nname = \"accuracy\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n{lines}"
    );
    fs::write(folder.path().join("accel.toml"), manifest).unwrap();
    let model = root.join("../shared/models").join(subject.file);
    fs::copy(model, folder.path().join("model.onnx")).unwrap();
    let settings = row.settings();
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_finnp"))
        .args(["eval", "--json", "-C"])
        .arg(folder.path())
        .args(settings.iter().flat_map(|set| ["--set", set]))
        .env("FINNP_CACHE_DIR", folder.path().join("cache"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}: {text}", row.name());
    let answer: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    json!({
        "right": answer["top1"]["right"],
        "samples": answer["samples"],
        "low": answer["top1"]["low"],
        "high": answer["top1"]["high"],
        "seconds": begun.elapsed().as_secs(),
        "settings": settings,
    })
}

/// The page with all rows that were ever measured.
fn page(found: &BTreeMap<String, Value>) -> String {
    let mut text = "# Accuracy, measured\n\n\
        Right answers of the integer network on all 10,000 test pictures of MNIST (TFC) and CIFAR-10 (CNV), with 95 %\n\
        confidence; nothing of these was learnt from. First and last convolution of CNV and the last layer of TFC stay\n\
        whole. \"4 rows\": blocks have four rows, else finnp chooses, which for weights of one or two bits is about 16.\n\
        `obs` learns from 1,000 training pictures, training from all that are shared (60,000 and 20,000). The command\n\
        `cargo bench --bench accuracy` measures rows again; the settings of each are in [accuracy.json](accuracy.json).\n\n\
        | network, pattern, density, method | accuracy | 95 % confidence | seconds |\n|---|---|---|---|\n"
        .to_owned();
    for row in ROWS {
        let name = row.name();
        if let Some(found) = found.get(&name) {
            let number = |key: &str| found[key].as_f64().unwrap();
            text += &format!(
                "| {name} | {:.2} % | {:.2} to {:.2} % | {} |\n",
                100.0 * number("right") / number("samples"),
                100.0 * number("low"),
                100.0 * number("high"),
                found["seconds"]
            );
        }
    }
    text
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src");
    let file = book.join("accuracy.json");
    let text = fs::read_to_string(&file).unwrap_or("{}".to_owned());
    let mut found: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    for row in ROWS {
        let name = row.name();
        if !wanted.iter().all(|part| name.contains(part.as_str())) {
            continue;
        }
        let result = measured(row);
        println!(
            "{name}: {} of {}, {} s",
            result["right"], result["samples"], result["seconds"]
        );
        found.insert(name, result);
        let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
        fs::write(&file, text).unwrap();
        fs::write(book.join("accuracy.md"), page(&found)).unwrap();
    }
}
