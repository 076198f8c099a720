//! `Share`: what a part of a module takes, before factors are applied; and `Bill`, the sum of parts.
//! Must not know modules.

use std::ops::{Add, AddAssign, Mul};

use super::{Figures, PARTS, Part};

/// What a part takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Share {
    /// Look-up tables that compute, on average.
    pub(super) lut: f64,
    /// Look-up tables that are memories.
    pub(super) memory: u64,
    /// Flip-flops.
    pub(super) ff: u64,
    /// Block memories of 18 kbit.
    pub(super) bram18: u64,
    /// DSP slices.
    pub(super) dsp: u64,
}

impl Share {
    /// Look-up tables alone.
    pub(super) fn lut(lut: f64) -> Self {
        Share {
            lut,
            ..Share::default()
        }
    }

    /// Flip-flops alone.
    pub(super) fn ff(ff: u64) -> Self {
        Share {
            ff,
            ..Share::default()
        }
    }
}

impl Add for Share {
    type Output = Share;

    fn add(self, other: Share) -> Share {
        Share {
            lut: self.lut + other.lut,
            memory: self.memory + other.memory,
            ff: self.ff + other.ff,
            bram18: self.bram18 + other.bram18,
            dsp: self.dsp + other.dsp,
        }
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Share) {
        *self = *self + other;
    }
}

impl Mul<u64> for Share {
    type Output = Share;

    fn mul(self, count: u64) -> Share {
        Share {
            lut: self.lut * count as f64,
            memory: self.memory * count,
            ff: self.ff * count,
            bram18: self.bram18 * count,
            dsp: self.dsp * count,
        }
    }
}

/// Shares by part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bill([Share; PARTS.len()]);

impl Bill {
    /// Adds what one part takes.
    pub(super) fn add(&mut self, part: Part, share: Share) {
        self.0[part as usize] += share;
    }

    /// Takes flip-flops back that are those of others.
    pub(super) fn spare(&mut self, part: Part, ff: u64) {
        let share = &mut self.0[part as usize];
        share.ff = share.ff.saturating_sub(ff);
    }

    /// Look-up tables that compute, by part.
    pub(super) fn luts(&self) -> [f64; PARTS.len()] {
        self.0.map(|share| share.lut)
    }

    /// The sum, each part's computing look-up tables times its factor.
    pub(super) fn figures(&self, factors: &[f64; PARTS.len()]) -> Figures {
        let all = self
            .0
            .iter()
            .fold(Share::default(), |sum, share| sum + *share);
        let shares = self.0.iter().zip(factors);
        let lut: f64 = shares.map(|(share, factor)| share.lut * factor).sum();
        Figures {
            lut: lut.round().max(0.0) as u64 + all.memory,
            lut_memory: all.memory,
            ff: all.ff,
            bram18: all.bram18,
            uram: 0,
            dsp: all.dsp,
        }
    }
}
