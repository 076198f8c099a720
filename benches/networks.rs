//! The table of networks in the book: `cargo bench --bench networks` measures it and writes `book/src/networks.md`.
//! Reads networks from `../shared`. Must not know how finnp works inside.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A network, and the cycles per frame that its products shall take without pruning.
struct Network {
    name: &'static str,
    file: &'static str,
    /// Lines of `[input]`.
    input: &'static str,
    cycles: u64,
}

const PIXELS: &str = "[input]\ntype = \"uint8\"\nscale = 0.00392156862745098\n";

const NETWORKS: &[Network] = &[
    Network {
        name: "TFC 2W2A",
        file: "TFC_2W2A.onnx",
        input: PIXELS,
        cycles: 512,
    },
    Network {
        name: "CNV 1W1A",
        file: "cnvW1A1_cifar10.onnx",
        input: "",
        cycles: 262_144,
    },
    Network {
        name: "CNV 2W2A",
        file: "cnvW2A2_cifar10.onnx",
        input: "",
        cycles: 262_144,
    },
    Network {
        name: "MobileNetV1 4W4A",
        file: "brevitas_random_mobilenet_v1_4w4a.onnx.gz",
        input: PIXELS,
        cycles: 401_408,
    },
    Network {
        name: "ResNet-50 1W2A",
        file: "brevitas_random_resnet50_1w2a.onnx.gz",
        input: PIXELS,
        cycles: 401_408,
    },
    Network {
        name: "ResNet-50 1W2A, trained, no classifier",
        file: "resnet50_w1a2_backbone.onnx.gz",
        input: "",
        cycles: 401_408,
    },
];

/// Shares of weights that are kept.
const DENSITIES: [f64; 2] = [0.5, 0.25];

const PAGE: &str = "book/src/networks.md";

fn main() {
    let models = Path::new("../shared/models");
    if !models.is_dir() {
        println!("SKIPPED: {} is missing", models.display());
        return;
    }
    let mut rows = String::new();
    for network in NETWORKS {
        let row = measure(network, models);
        print!("{row}");
        rows += &row;
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once("|---|").unwrap();
    let (rule, rest) = rest.split_once('\n').unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    fs::write(PAGE, format!("{before}|---|{rule}\n{rows}\n{after}")).unwrap();
}

/// A project in a folder of its own.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(network: &Network, models: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = models.join(network.file);
        let target = folder.path().join("model.onnx");
        match network.file.ends_with(".gz") {
            true => {
                let unpacked = Command::new("gzip")
                    .arg("-dc")
                    .arg(&model)
                    .output()
                    .unwrap();
                fs::write(target, unpacked.stdout).unwrap();
            }
            false => drop(fs::copy(model, target).unwrap()),
        }
        let text = format!(
            "[project]\nname = \"network\"\n[model]\npath = \"model.onnx\"\n{}[target]\nboard = \"alveo-u280\"\nclock_mhz = 200\n",
            network.input
        );
        fs::write(folder.path().join("accel.toml"), text).unwrap();
        Project { folder }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// What `finnp show --json` says, and the CPU seconds that it takes.
    fn show(&self, set: &[String]) -> (Value, f64) {
        let before = children();
        let mut command = Command::new(env!("CARGO_BIN_EXE_finnp"));
        command
            .arg("show")
            .arg("--json")
            .arg("-C")
            .arg(self.folder.path());
        command.arg("--cache-dir").arg(self.cache());
        command.args(set.iter().flat_map(|set| ["--set", set.as_str()]));
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let last = text.lines().last().unwrap();
        (serde_json::from_str(last).unwrap(), children() - before)
    }
}

/// CPU seconds of all processes that this one started and that have ended.
fn children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(13) + ticks(14)) / 100.0
}

fn layers(shown: &Value) -> &[Value] {
    shown["layers"].as_array().unwrap()
}

fn number(layer: &Value, key: &str) -> u64 {
    layer[key].as_u64().unwrap_or(0)
}

/// Channels of a pixel that a product reads: those of the window in front of it, or all its columns.
fn channels(all: &[Value], layer: &Value) -> u64 {
    let window = format!("{}.window", layer["name"].as_str().unwrap());
    let window = all.iter().find(|other| other["name"] == *window);
    window.map_or_else(|| number(layer, "cols"), |window| number(window, "cols"))
}

/// The fewest lanes with which a product takes at most so many cycles: PE, SIMD and the rows of a block. Columns of
/// a lane divide by 4, so that a quarter of them can be kept; four row folds at least, so that input is no limit.
fn folding(layer: &Value, channels: u64, most: u64) -> Option<[u64; 3]> {
    let [rows, columns, pixels] = ["rows", "cols", "pixels"].map(|key| number(layer, key));
    let wanted = if number(layer, "weight_bits") <= 2 {
        16
    } else {
        4
    };
    let block = (1..=wanted).rev().find(|d| rows.is_multiple_of(*d))?;
    let mut best: Option<([u64; 3], u64)> = None;
    for simd in (1..=channels.min(64)).filter(|d| channels.is_multiple_of(*d)) {
        if !(columns / simd).is_multiple_of(4) {
            continue;
        }
        for pe in (1..=rows / 4).filter(|d| rows.is_multiple_of(*d)) {
            let fits = block.is_multiple_of(pe) || pe.is_multiple_of(block);
            let cycles = pixels * (rows / pe) * (columns / simd);
            if fits && cycles <= most && best.is_none_or(|(_, lanes)| pe * simd < lanes) {
                best = Some(([pe, simd, block], pe * simd));
            }
        }
    }
    best.map(|(found, _)| found)
}

fn measure(network: &Network, models: &Path) -> String {
    let project = Project::new(network, models);
    let least = network.cycles / 4;
    let fps = format!("target.fps={}", 200e6 / least as f64);
    let (free, seconds) = project.show(&[fps]);
    let (mut set, mut pruned) = (Vec::new(), Vec::new());
    // Columns that nothing reads go in any pruned network; a layer that loses some is left out of the comparison.
    let all = ["prune.pattern=\"bcr-col\"", "prune.density=0.25"].map(str::to_owned);
    let (probe, _) = project.show(&all);
    let keeps = |layer: &Value| {
        let mut same = layers(&probe).iter().filter(|l| l["name"] == layer["name"]);
        same.any(|found| found["cols"] == layer["cols"])
    };
    for layer in layers(&free) {
        let name = layer["name"].as_str().unwrap();
        let kind = layer["kind"].as_str().unwrap();
        let fixed = |key: &str, value: u64| format!("layer.{name}.{key}={value}");
        let chosen = folding(layer, channels(layers(&free), layer), network.cycles);
        match (kind, chosen) {
            ("sliding_window" | "width_converter", _) => {}
            ("mvau", Some([pe, simd, block])) if keeps(layer) => {
                set.extend([fixed("pe", pe), fixed("simd", simd)]);
                let depth = number(layer, "cols") / simd;
                pruned.extend([
                    fixed("pattern", 0).replace("=0", "=\"bcr-col\""),
                    format!("layer.{name}.block=[{block}, {depth}]"),
                    fixed("lanes", simd),
                ]);
            }
            _ => {
                let keys = [("pe", &layer["pe"]), ("simd", &layer["simd"])];
                let given = keys
                    .iter()
                    .filter_map(|(key, value)| Some((key, value.as_u64()?)));
                set.extend(given.map(|(key, value)| fixed(key, value)));
            }
        }
    }
    let (dense, _) = project.show(&set);
    let mut cells = vec![
        network.name.to_owned(),
        layers(&dense).len().to_string(),
        format!("{seconds:.2} s"),
        grouped(number(&dense, "cycles")),
    ];
    for density in DENSITIES {
        let names: Vec<String> = pruned
            .iter()
            .filter(|set| set.contains(".lanes="))
            .map(|set| set.rsplit_once(".lanes").unwrap().0.to_owned())
            .collect();
        let densities = names.iter().map(|name| format!("{name}.density={density}"));
        let all: Vec<String> = set
            .iter()
            .chain(&pruned)
            .cloned()
            .chain(densities)
            .collect();
        let (shown, _) = project.show(&all);
        let sum = |key: &str| {
            layers(&shown)
                .iter()
                .map(|layer| number(layer, key))
                .sum::<u64>()
        };
        let compression = sum("dense_products") as f64 / sum("products") as f64;
        let speed_up = number(&dense, "cycles") as f64 / number(&shown, "cycles") as f64;
        cells.push(grouped(number(&shown, "cycles")));
        cells.push(format!("{speed_up:.2} / {compression:.2}"));
        cells.push(format!(
            "`{}`, {}",
            shown["bottleneck"].as_str().unwrap(),
            shown["bound"].as_str().unwrap()
        ));
    }
    format!("| {} |\n", cells.join(" | "))
}

/// Thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
