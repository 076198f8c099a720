//! `Figures`: what something takes of a chip.
//! Must not know what it is.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::board::Slr;

/// Look-up tables, flip-flops, block memories and DSP slices of UltraScale+.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Look-up tables with six inputs, those that are memories included.
    pub lut: u64,
    /// Of these the ones that are memories or shift registers.
    pub lut_memory: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Block memories of 18 kbit; one of 36 kbit is two of them.
    pub bram18: u64,
    /// UltraRAMs. Nothing asks for them yet.
    pub uram: u64,
    /// DSP slices.
    pub dsp: u64,
}

impl Add for Figures {
    type Output = Figures;

    fn add(self, other: Figures) -> Figures {
        Figures {
            lut: self.lut + other.lut,
            lut_memory: self.lut_memory + other.lut_memory,
            ff: self.ff + other.ff,
            bram18: self.bram18 + other.bram18,
            uram: self.uram + other.uram,
            dsp: self.dsp + other.dsp,
        }
    }
}

impl Sum for Figures {
    fn sum<I: Iterator<Item = Figures>>(all: I) -> Figures {
        all.fold(Figures::default(), Figures::add)
    }
}

/// A figure by name: how to read it, and what a board has of it.
pub struct Column {
    /// Its name, as in [`Figures`] and in a board's record.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// The figure.
    pub of: fn(&Figures) -> u64,
    /// What a board has.
    pub budget: fn(&Slr) -> u64,
}

/// The figures that a board limits.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "lut",
        title: "LUT",
        of: |figures| figures.lut,
        budget: |slr| slr.lut,
    },
    Column {
        name: "ff",
        title: "FF",
        of: |figures| figures.ff,
        budget: |slr| slr.ff,
    },
    Column {
        name: "bram18",
        title: "BRAM18",
        of: |figures| figures.bram18,
        budget: |slr| slr.bram18,
    },
    Column {
        name: "uram",
        title: "URAM",
        of: |figures| figures.uram,
        budget: |slr| slr.uram,
    },
    Column {
        name: "dsp",
        title: "DSP",
        of: |figures| figures.dsp,
        budget: |slr| slr.dsp,
    },
];
