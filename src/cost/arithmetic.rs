//! What computes: products, sums, comparisons.
//! Must not know where numbers come from.

use super::control::{bits_of, counter, delay, marks};
use super::memory::rom;
use super::share::{Bill, Share};
use super::{Part, memory};
use crate::layer::Activation;
use crate::tensor::DataType;

/// Look-up tables and bits of a product.
#[derive(Clone, Copy)]
pub(super) struct Product {
    lut: f64,
    /// Bits of a product.
    pub(super) bits: u64,
    /// Whether products are counted, where both factors are +1 or -1.
    pub(super) agrees: bool,
}

/// Bits of an element, and whether it is bipolar or ternary.
fn shape(of: DataType) -> (u64, bool, bool) {
    let bits = u64::from(of.bits());
    (bits, of == DataType::Bipolar, of == DataType::Ternary)
}

/// `finnp_product`, which takes other ways for other types.
pub(super) fn product(input: DataType, weight: DataType) -> Product {
    let ((x, x_bipolar, _), (w, w_bipolar, w_ternary)) = (shape(input), shape(weight));
    let signs = w_bipolar || w_ternary;
    let bits = match (x_bipolar, signs) {
        (true, _) if w_bipolar => 1,
        (true, _) if w_ternary => 2,
        (true, _) => w + 1,
        (false, true) => x + 1,
        (false, false) => x + w,
    };
    let (narrow, wide) = (x.min(w), x.max(w));
    let lut = match narrow {
        _ if x_bipolar && w_bipolar => 1.0,
        // The lowest bit is that of the weight.
        _ if x_bipolar && !signs => (bits - 1) as f64,
        _ if signs || x + w <= 6 => bits as f64,
        1..=4 => {
            let cut = 6 - narrow;
            let parts = wide.div_ceil(cut);
            (6 * parts) as f64 + 5.5 * (parts - 1) as f64
        }
        _ => 1.76 * (x * w) as f64,
    };
    Product {
        lut,
        bits,
        agrees: x_bipolar && w_bipolar,
    }
}

/// `finnp_tree`: sums of four with a register behind each.
pub(super) fn tree(count: u64, term_bits: u64, most_bits: u64) -> Share {
    let mut share = Share::default();
    let (mut left, mut below, mut covers) = (count, term_bits.min(most_bits), 1);
    while left > 1 {
        covers *= 4;
        let sums = left.div_ceil(4);
        for sum in 0..sums {
            let terms = (left - 4 * sum).min(4);
            let covered = (count - sum * covers).min(covers);
            let bits = (term_bits + bits_of(covered)).min(most_bits);
            let carries = if terms == 4 && below > 1 { 2 } else { 0 };
            share += Share::lut(((terms - 1) * below + carries) as f64) + Share::ff(bits);
        }
        left = sums;
        below = (term_bits + bits_of(covers.min(count))).min(most_bits);
    }
    share
}

/// What a unit adds up, and how.
pub(super) struct Sums<'a> {
    /// Rows, and products of each, a step.
    pub(super) pe: u64,
    /// Products of a row a step.
    pub(super) simd: u64,
    /// Steps of a sum.
    pub(super) steps: u64,
    /// Type of inputs.
    pub(super) input: DataType,
    /// Type of weights.
    pub(super) weight: DataType,
    /// Rows that a DSP slice multiplies at once; 0: look-up tables multiply.
    pub(super) packed: u64,
    /// Rows that share their inputs.
    pub(super) shared: u64,
    /// Words of the memory of weights.
    pub(super) lines: u64,
    /// Type of accumulators.
    pub(super) accumulator: DataType,
    /// What follows, and the lines of its memory.
    pub(super) activation: Option<(&'a Activation, u64)>,
}

impl Sums<'_> {
    /// Rows of products that differ, where few words of weights make rows equal.
    fn rows_apart(&self) -> u64 {
        let weight = u64::from(self.weight.bits());
        let functions = (self.lines * weight).min(32);
        match functions < 24 {
            true => {
                let groups = self.pe.div_ceil(self.shared);
                let of = 2_f64.powi(functions as i32);
                let apart = of * (1.0 - (1.0 - 1.0 / of).powf(self.shared as f64));
                (apart.round() as u64 * groups).clamp(1, self.pe)
            }
            false => self.pe,
        }
    }

    fn products_of_tables(&self, bill: &mut Bill, sum_bits: u64) {
        let product = product(self.input, self.weight);
        let bits = product.bits.min(sum_bits);
        let apart = self.rows_apart() * self.simd;
        bill.add(
            Part::Product,
            (Share::lut(product.lut) + Share::ff(bits)) * apart,
        );
        bill.add(Part::Sum, tree(self.simd, bits, sum_bits) * self.pe);
    }

    /// `finnp_packed_dot`: slices, and what puts the bits right that they overlap in.
    fn products_of_slices(&self, bill: &mut Bill, sum_bits: u64) {
        let product_bits = u64::from(self.input.bits() + self.weight.bits());
        let groups = self.pe / self.shared;
        for slice in 0..self.shared.div_ceil(self.packed) {
            let rows = (self.shared - slice * self.packed).min(self.packed);
            let more = rows - 1;
            let overlap = Share::lut(2.0 * more as f64) + delay(more, 4);
            let slices = Share { dsp: 1, ..overlap };
            let sums = tree(self.simd, product_bits, sum_bits) * rows;
            let corrections = tree(self.simd, 1, sum_bits) * more;
            let totals = Share::ff(rows * sum_bits) + Share::lut((more * sum_bits) as f64);
            bill.add(Part::Product, slices * (self.simd * groups));
            bill.add(Part::Sum, (sums + corrections + totals) * groups);
        }
    }

    /// `finnp_sums`.
    pub(super) fn add(&self, bill: &mut Bill) {
        let acc = u64::from(self.accumulator.bits());
        let agrees = product(self.input, self.weight).agrees;
        let sum_bits = if agrees { (acc - 1).max(1) } else { acc };
        let mut summed = 1 + bits_of(self.simd).div_ceil(2);
        match self.packed {
            0 => self.products_of_tables(bill, sum_bits),
            _ => {
                summed += 4;
                self.products_of_slices(bill, sum_bits);
            }
        }
        let several = self.steps > 1;
        bill.add(Part::Control, marks(1, summed) + marks(1, summed - 1));
        if several {
            bill.add(Part::Control, marks(1, 2));
        }
        let adds = match (several, agrees) {
            (true, _) => 2.0,
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        let accumulator = Share::lut(adds * sum_bits as f64) + Share::ff(sum_bits);
        bill.add(Part::Sum, accumulator * self.pe);
        finish(bill, self.pe, acc, self.activation);
    }
}

/// `finnp_finish`: accumulators, or what thresholds make of them.
pub(super) fn finish(bill: &mut Bill, pe: u64, bits: u64, activation: Option<(&Activation, u64)>) {
    let Some((activation, lines)) = activation else {
        bill.add(Part::Control, marks(1, 2));
        return;
    };
    bill.add(Part::Control, marks(1, 4) + counter(lines));
    thresholds(bill, pe, bits, activation, lines);
}

/// The memories of thresholds and flips, and `finnp_thresholds`.
pub(super) fn thresholds(bill: &mut Bill, pe: u64, bits: u64, activation: &Activation, lines: u64) {
    let (levels, threshold) = (
        activation.levels as u64,
        u64::from(activation.threshold.bits()),
    );
    bill.add(Part::Rom, rom(pe * levels * threshold, lines));
    bill.add(Part::Rom, memory::rom(pe, lines));
    let compared = bits.max(threshold) as f64;
    // Against a constant there is less to compare.
    let constant = if lines == 1 { 0.5 } else { 1.0 };
    let each = match levels {
        1 => 0.7 * compared + 1.4,
        _ => 0.7 * compared + 2.3,
    };
    let output = u64::from(activation.output.bits());
    let one = Share::lut(constant * levels as f64 * each) + Share::ff(levels + output);
    bill.add(Part::Threshold, one * pe);
}

/// Look-up tables that find the larger of two, or add them.
pub(super) fn both(bits: u64, largest: bool) -> f64 {
    match (largest, bits) {
        (true, 1) => 0.4,
        (true, _) => 1.4 + 1.6 * bits as f64,
        (false, _) => bits as f64,
    }
}

/// `finnp_gather`: one value of several, four at a time.
pub(super) fn gather(pe: u64, count: u64, bits: u64, largest: bool) -> Share {
    let mut share = Share::default();
    let mut left = count;
    while left > 1 {
        let nodes = left.div_ceil(4);
        share += Share::lut((left - nodes) as f64 * both(bits, largest)) + Share::ff(nodes * bits);
        left = nodes;
    }
    share * pe
}

/// `finnp_running`: what grows from step to step in so many places.
pub(super) fn running(bill: &mut Bill, pe: u64, bits: u64, words: u64, largest: bool) {
    let grows = match (largest, words) {
        (true, 1) => 0.8 * bits as f64 + 0.6,
        (true, _) => both(bits, true),
        (false, _) => 2.0 * bits as f64,
    };
    let share = Share::lut(grows) + Share::ff(bits);
    bill.add(Part::Choice, share * pe);
    if words > 1 {
        bill.add(Part::Control, Share::ff(bits_of(words)));
        bill.add(Part::Bank, memory::bank(pe * bits, words));
    }
}

/// `finnp_scaled`: adders of a factor that is constant; a power of two needs none.
pub(super) fn scaled(bits: u64, gain: i64) -> f64 {
    let ones = gain.unsigned_abs().count_ones().saturating_sub(1);
    let negative = u32::from(gain < 0);
    f64::from(ones + negative) * bits as f64
}

/// Weights, and the counter through them.
pub(super) fn weights(bill: &mut Bill, bits: u64, lines: u64) {
    bill.add(Part::Control, counter(lines));
    bill.add(Part::Rom, rom(bits, lines));
}
