//! The boards: facts about each part, as data in one TOML file per board.
//! Knows nothing of tools, networks or what a design needs.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The files, by name: adding a board is one new file and its line here.
const FILES: &[(&str, &str)] = &[
    ("alveo-u250", include_str!("alveo-u250.toml")),
    ("alveo-u280", include_str!("alveo-u280.toml")),
    ("pynq-z2", include_str!("pynq-z2.toml")),
    ("zcu104", include_str!("zcu104.toml")),
];

/// The boards that finnp knows, by name. A file that does not parse is left out: a test forbids it.
static BOARDS: LazyLock<Vec<Board>> = LazyLock::new(|| {
    let boards = FILES.iter().map(|(_, text)| toml::from_str(text));
    boards.filter_map(Result::ok).collect()
});

/// A board: its part, what the part holds, its clocks, memories and shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name by which a manifest calls the board.
    pub name: String,
    /// Name by which its maker calls it.
    pub title: String,
    /// Full part number as the vendor's tools want it.
    pub part: String,
    /// Family of the part; decides primitives and their attributes.
    pub family: Family,
    /// Clocks of the accelerator, in MHz.
    pub clock: Clock,
    /// What lies between the accelerator and the host.
    pub shell: Shell,
    /// Super logic regions from the bottom up, whole, shell included; one for a part in one piece.
    #[schemars(length(min = 1))]
    pub slr: Vec<Slr>,
    /// Memories outside the part.
    #[serde(default)]
    pub memory: Vec<Memory>,
    /// Documents that the figures are taken from.
    #[schemars(length(min = 1))]
    pub source: Vec<Source>,
}

/// Family of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// 7 series and Zynq-7000: DSP48E1, RAMB18E1, no UltraRAM.
    #[serde(rename = "7-series")]
    Series7,
    /// UltraScale+: DSP48E2, RAMB18E2, and UltraRAM in most parts.
    UltrascalePlus,
}

/// Clocks of the accelerator, in MHz.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Clock of a manifest that gives none: finnp's choice, not a property of the board.
    #[schemars(range(min = 1))]
    pub default_mhz: f64,
    /// Fastest clock that the global clock network of the part carries in its speed grade.
    #[schemars(range(min = 1))]
    pub maximum_mhz: f64,
}

/// What lies between the accelerator and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shell {
    /// A PCI Express platform that Vitis links kernels into.
    Xrt,
    /// Arm processors on the same die, over AXI ports.
    Zynq,
}

/// What one super logic region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slr {
    /// Look-up tables with six inputs.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// DSP48 slices.
    pub dsp: u64,
    /// Block RAMs of 18 kbit: two per 36 kbit block.
    pub bram18: u64,
    /// UltraRAMs of 288 kbit.
    pub uram: u64,
}

/// One kind of memory outside the part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Kind, such as `HBM2` or `DDR4`.
    pub name: String,
    /// Size of all ports together, in MiB.
    pub size_mib: u64,
    /// AXI ports through which an accelerator may reach it.
    #[schemars(range(min = 1))]
    pub ports: u32,
    /// Width of the data of one port, in bits.
    #[schemars(range(min = 8))]
    pub port_bits: u32,
}

/// A document that figures are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Number of the document.
    pub document: String,
    /// What it is the authority for.
    pub gives: String,
    /// How far the figures were compared with it.
    pub checked: Checked,
}

/// How far figures were compared with the document that is the authority for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// With the document itself.
    Document,
    /// With other published material only.
    Secondary,
    /// Not at all: look them up before you rely on them.
    No,
}

impl Board {
    /// Sum over the super logic regions.
    pub fn total(&self) -> Slr {
        self.slr.iter().fold(Slr::default(), |sum, slr| Slr {
            lut: sum.lut + slr.lut,
            ff: sum.ff + slr.ff,
            dsp: sum.dsp + slr.dsp,
            bram18: sum.bram18 + slr.bram18,
            uram: sum.uram + slr.uram,
        })
    }
}

/// The boards that finnp knows, sorted by name.
pub fn all() -> &'static [Board] {
    &BOARDS
}

/// The board of that name.
pub fn find(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}

/// JSON Schema of a board's file, ending in a line break.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Board);
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn every_file_is_in_the_table_under_its_own_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/board");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let table: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, table);
        for (name, text) in FILES {
            let board: Board = toml::from_str(text).expect(name);
            assert_eq!(&board.name, name);
            assert_eq!(find(name), Some(&board));
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn figures_are_plausible() {
        for board in all() {
            assert!(board.clock.default_mhz <= board.clock.maximum_mhz);
            assert!(!board.slr.is_empty() && !board.source.is_empty());
            // A look-up table has two flip-flops beside it in both families.
            assert!(board.slr.iter().all(|slr| slr.ff == 2 * slr.lut));
        }
        // Device totals of DS963.
        let total = find("alveo-u280").unwrap().total();
        assert_eq!((total.lut, total.ff), (1_303_680, 2_607_360));
        assert_eq!((total.dsp, total.bram18, total.uram), (9_024, 4_032, 960));
    }
}
