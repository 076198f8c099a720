//! `Thresholds`: an activation on blocks of accumulators, many channels at once.
//! Must not know which layer the accumulators come from.

use pulp::{Arch, Simd, WithSimd};

use super::reach::{Reach, counts_are_exact};
use crate::layer::{Activation, Tensors};

/// Lanes of the widest registers of this machine.
pub(super) fn lanes(arch: Arch) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    arch.dispatch(Lanes)
}

/// A prepared activation. Element i of a block belongs to row `i % rows` of the thresholds.
#[derive(Debug)]
pub(super) struct Thresholds {
    /// Elements after which thresholds repeat.
    period: usize,
    levels: usize,
    /// `[registers, levels, lanes]`.
    table: Vec<f32>,
    /// `[registers, lanes]`: result of count 0, and what each step adds.
    start: Vec<f32>,
    gain: Vec<f32>,
}

impl Thresholds {
    /// Prepares an activation of accumulators in `input`; `None` where it is not known to be exact.
    pub(super) fn new(
        arch: Arch,
        activation: &Activation,
        tensors: &Tensors,
        input: Reach,
    ) -> Option<Self> {
        let Activation {
            levels, base, step, ..
        } = *activation;
        let output = Reach::steps(base, step, levels);
        let exact = input.is_exact() && output.is_exact() && counts_are_exact(step, levels);
        let (thresholds, flip) = tensors.thresholds(activation.rows, levels).ok()?;
        if !exact || flip.is_empty() {
            return None;
        }
        let lanes = lanes(arch);
        // Few channels repeat until they fill registers.
        let period = match flip.len() < lanes {
            true => flip.len() * lanes,
            false => flip.len(),
        };
        let padded = period.next_multiple_of(lanes);
        let mut prepared = Thresholds {
            period,
            levels,
            table: vec![f32::INFINITY; padded * levels],
            start: vec![0.0; padded],
            gain: vec![0.0; padded],
        };
        for at in 0..period {
            let row = at % flip.len();
            let (register, lane) = (at / lanes, at % lanes);
            let list = &thresholds[row * levels..(row + 1) * levels];
            for (level, threshold) in list.iter().enumerate() {
                prepared.table[(register * levels + level) * lanes + lane] =
                    clamped(*threshold, input);
            }
            let (start, gain) = match flip[row] {
                1 => (base + step * levels as i64, -step),
                _ => (base, step),
            };
            prepared.start[at] = start as f32;
            prepared.gain[at] = gain as f32;
        }
        Some(prepared)
    }

    /// Applies it to a block that begins at row 0.
    pub(super) fn run(&self, arch: Arch, block: &mut [f32]) {
        struct Run<'a>(&'a Thresholds, &'a mut [f32]);
        impl WithSimd for Run<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.0.apply(simd, self.1);
            }
        }
        arch.dispatch(Run(self, block));
    }

    /// The same as part of a larger kernel.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(&self, simd: S, block: &mut [f32]) {
        let (table, _) = S::as_simd_f32s(&self.table);
        let (start, _) = S::as_simd_f32s(&self.start);
        let (gain, _) = S::as_simd_f32s(&self.gain);
        for (register, (start, gain)) in start.iter().zip(gain).enumerate() {
            let list = &table[register * self.levels..][..self.levels];
            let first = register * S::F32_LANES;
            for line in block.chunks_mut(self.period) {
                let Some(line) = line.get_mut(first..) else {
                    continue;
                };
                let end = line.len().min(S::F32_LANES);
                let line = &mut line[..end];
                match S::as_mut_simd_f32s(line) {
                    ([value], _) => *value = count(simd, *value, list, *start, *gain),
                    (_, []) => {}
                    (_, rest) => {
                        let value = simd.partial_load_f32s(rest);
                        simd.partial_store_f32s(rest, count(simd, value, list, *start, *gain));
                    }
                }
            }
        }
    }
}

/// `start + gain * count` of the thresholds at or below `value`.
#[inline(always)]
fn count<S: Simd>(
    simd: S,
    value: S::f32s,
    list: &[S::f32s],
    start: S::f32s,
    gain: S::f32s,
) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let mut count = simd.splat_f32s(0.0);
    for threshold in list {
        let reached = simd.less_than_or_equal_f32s(*threshold, value);
        count = simd.select_f32s(reached, simd.add_f32s(count, one), count);
    }
    simd.mul_add_e_f32s(gain, count, start)
}

/// The threshold as an f32 that compares alike with every integer in `input`.
fn clamped(threshold: i64, input: Reach) -> f32 {
    match threshold {
        t if t > input.high => f32::INFINITY,
        t if t <= input.low => f32::NEG_INFINITY,
        t => t as f32,
    }
}
