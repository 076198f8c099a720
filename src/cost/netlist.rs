//! Figures of a netlist, as Yosys counts its cells.
//! Must not know how the netlist was made, or what it is for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Figures;
use crate::error::{Error, Result};

/// Cells of UltraScale+ that are counted, and what each of them is. Carry chains, wide multiplexers and buffers lie
/// beside the look-up tables and cost none.
const CELLS: &[(&str, Figures)] = &[
    // Often drawn into what follows, but not always.
    ("INV", lut(1)),
    ("LUT1", lut(1)),
    ("LUT2", lut(1)),
    ("LUT3", lut(1)),
    ("LUT4", lut(1)),
    ("LUT5", lut(1)),
    ("LUT6", lut(1)),
    ("SRL16E", memory(1)),
    ("SRLC32E", memory(1)),
    ("RAM32X1S", memory(1)),
    ("RAM64X1S", memory(1)),
    ("RAM128X1S", memory(2)),
    ("RAM256X1S", memory(4)),
    ("RAM512X1S", memory(8)),
    ("RAM32X1D", memory(2)),
    ("RAM64X1D", memory(2)),
    ("RAM128X1D", memory(4)),
    ("RAM256X1D", memory(8)),
    ("RAM32M", memory(4)),
    ("RAM64M", memory(4)),
    ("RAM32M16", memory(8)),
    ("RAM64M8", memory(8)),
    ("RAM32X16DR8", memory(8)),
    ("RAM64X8SW", memory(8)),
    ("FDRE", FLIP_FLOP),
    ("FDSE", FLIP_FLOP),
    ("FDCE", FLIP_FLOP),
    ("FDPE", FLIP_FLOP),
    ("RAMB18E2", block(1)),
    ("RAMB36E2", block(2)),
    ("DSP48E2", SLICE),
];

/// Cells that cost nothing of what is counted.
const FREE: &[&str] = &[
    "BUFG",
    "CARRY4",
    "CARRY8",
    "GND",
    "MUXF7",
    "MUXF8",
    "MUXF9",
    "VCC",
    "$scopeinfo",
];

const NONE: Figures = Figures {
    lut: 0,
    lut_memory: 0,
    ff: 0,
    bram18: 0,
    uram: 0,
    dsp: 0,
};

const FLIP_FLOP: Figures = Figures { ff: 1, ..NONE };

const SLICE: Figures = Figures { dsp: 1, ..NONE };

const fn lut(count: u64) -> Figures {
    Figures { lut: count, ..NONE }
}

const fn memory(count: u64) -> Figures {
    Figures {
        lut: count,
        lut_memory: count,
        ..NONE
    }
}

const fn block(count: u64) -> Figures {
    Figures {
        bram18: count,
        ..NONE
    }
}

/// What `stat -json` says of a whole design.
#[derive(Deserialize)]
struct Stat {
    design: Design,
}

#[derive(Deserialize)]
struct Design {
    #[serde(default)]
    num_cells_by_type: BTreeMap<String, u64>,
}

/// The figures of a mapped netlist, from what the command `stat -json` of Yosys 0.70 wrote of it.
///
/// # Errors
/// A tool error where it is something else, or where the netlist has a cell that is not known.
pub fn figures(stat: &[u8]) -> Result<Figures> {
    let stat: Stat = serde_json::from_slice(stat)
        .map_err(|cause| Error::tool(format!("the figures of Yosys cannot be read: {cause}")))?;
    let cells = stat.design.num_cells_by_type.iter();
    cells.map(|(cell, count)| of_cells(cell, *count)).sum()
}

fn of_cells(cell: &str, count: u64) -> Result<Figures> {
    if FREE.contains(&cell) {
        return Ok(NONE);
    }
    let known = CELLS.iter().find(|(name, _)| *name == cell);
    let (_, one) = known.ok_or_else(|| {
        Error::tool(format!("Yosys mapped a layer to the unknown cell `{cell}`"))
            .help("use Yosys 0.70, or remove `synthesis` from the manifest")
    })?;
    Ok(Figures {
        lut: one.lut * count,
        lut_memory: one.lut_memory * count,
        ff: one.ff * count,
        bram18: one.bram18 * count,
        uram: one.uram * count,
        dsp: one.dsp * count,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cells_are_counted_as_what_they_are() {
        let text = br#"{"creator": "Yosys", "design": {"num_cells": 9, "num_cells_by_type":
            {"LUT6": 3, "LUT2": 1, "RAM64M8": 2, "FDRE": 7, "RAMB36E2": 2, "RAMB18E2": 1, "CARRY4": 5, "DSP48E2": 4}}}"#;
        let expected = Figures {
            lut: 20,
            lut_memory: 16,
            ff: 7,
            bram18: 5,
            uram: 0,
            dsp: 4,
        };
        assert_eq!(figures(text).unwrap(), expected);
    }

    #[test]
    fn what_is_not_known_is_not_counted_as_nothing() {
        let text = br#"{"design": {"num_cells_by_type": {"$mul": 1}}}"#;
        assert!(figures(text).unwrap_err().message().contains("$mul"));
        assert!(figures(b"Yosys").is_err());
    }
}
