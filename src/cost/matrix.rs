//! Units that multiply: what each of their modules consists of.
//! Must not know other layers.

use super::Part;
use super::arithmetic::{Sums, finish, weights};
use super::control::{bits_of, counter, delay, fifo, index_bits, lists, marks, pixels, places};
use super::memory::{bank, rom};
use super::share::{Bill, Share};
use super::window::Window;
use crate::layer::{Activation, Hardware, Mvau, MvauBcr, MvauRc, Vvau};

/// An activation and the lines of its memory.
fn after(activation: Option<&Activation>, lines: usize) -> Option<(&Activation, u64)> {
    activation.map(|activation| (activation, lines as u64))
}

/// `finnp_mvau`.
pub(super) fn mvau(bill: &mut Bill, layer: &Mvau, depth: u64) {
    let (pe, simd) = (layer.pe as u64, layer.simd as u64);
    let (words, folds) = (layer.column_folds() as u64, layer.row_folds() as u64);
    let word_bits = simd * u64::from(layer.input.bits());
    match folds {
        1 => {
            bill.add(Part::Control, counter(words) + Share::lut(2.0));
            bill.add(Part::Bank, delay(word_bits, 2));
        }
        _ => pixels(bill, word_bits, words, folds),
    }
    let lines = layer.groups as u64 * folds * words;
    weights(bill, pe * simd * u64::from(layer.weight.bits()), lines);
    bill.add(Part::Control, marks(2, 2));
    let packed = layer.multiplier.packed(layer.weight, layer.input, layer.pe);
    Sums {
        pe,
        simd,
        steps: words,
        input: layer.input,
        weight: layer.weight,
        packed: packed as u64,
        shared: pe,
        lines,
        accumulator: layer.accumulator,
        activation: after(layer.activation.as_ref(), layer.groups * layer.row_folds()),
    }
    .add(bill);
    fifo(bill, layer.output().word_bits(), depth);
}

/// Banks of single lanes, of which `lanes` are read, and what delays words and places on their way to them.
struct Lanes {
    lanes: u64,
    /// Bits of an element, and of a word that arrives.
    bits: u64,
    word_bits: u64,
    /// Places of a bank.
    held: u64,
    /// Bits of a block's place that change.
    base: u64,
    /// Whether an index is added to that.
    added: bool,
}

impl Lanes {
    fn add(&self, bill: &mut Bill) {
        let at = bits_of(self.held);
        let places = delay(at + self.base, 2);
        bill.add(Part::Control, marks(1, 2) + marks(2, 3) + places);
        let added = if self.added { at as f64 } else { 0.0 };
        let lane = bank(self.bits, self.held) + Share::lut(added);
        bill.add(Part::Bank, delay(self.word_bits, 2) + lane * self.lanes);
    }
}

/// `finnp_mvau_bcr`.
pub(super) fn mvau_bcr(bill: &mut Bill, layer: &MvauBcr, depth: u64) {
    let (pe, simd) = (layer.pe as u64, layer.simd as u64);
    let (words, folds) = (layer.depth() as u64, layer.row_folds() as u64);
    let (block, groups) = (layer.block() as u64, layer.groups() as u64);
    let blocks = words / block;
    // Where blocks lie in a bank, as the module has it.
    let round = block.next_power_of_two();
    let round_half = round << bits_of(blocks);
    let aligned = round_half <= 16 || round_half == 1 << bits_of(words);
    let (stride, half) = match aligned {
        true => (round, round_half),
        false => (block, 1 << bits_of(words)),
    };
    let held = half + (blocks - 1) * stride + block;
    let at = bits_of(held);
    let (steps, lines) = (layer.steps() as u64, folds * layer.steps() as u64);
    let bits = u64::from(layer.input.bits());

    let sides = places(block, blocks, stride, at) + places(1, blocks, stride, at);
    let both = Share::ff(4) + Share::lut(8.0);
    let line = counter(lines) + Share::ff(index_bits(lines));
    let step = counter(layer.block_steps() as u64);
    bill.add(Part::Control, sides + step + both + line);
    let index = groups * simd * u64::from(layer.index_bits());
    lists(bill, index, steps, folds, layer.sharing() as u64);
    Lanes {
        lanes: groups * simd,
        bits,
        word_bits: simd * bits,
        held,
        base: if aligned { 1 + bits_of(blocks) } else { at },
        added: block > 1 && !aligned,
    }
    .add(bill);
    let weight_bits = pe * simd * u64::from(layer.weight.bits());
    bill.add(Part::Rom, rom(weight_bits, lines));
    let shared = layer.pe / layer.groups();
    let packed = layer.multiplier.packed(layer.weight, layer.input, shared);
    Sums {
        pe,
        simd,
        steps,
        input: layer.input,
        weight: layer.weight,
        packed: packed as u64,
        shared: shared as u64,
        lines,
        accumulator: layer.accumulator,
        activation: after(layer.activation.as_ref(), layer.row_folds()),
    }
    .add(bill);
    fifo(bill, layer.output().word_bits(), depth);
}

/// `finnp_mvau_rc`.
pub(super) fn mvau_rc(bill: &mut Bill, layer: &MvauRc, depth: u64) {
    let (pe, simd) = (layer.pe as u64, layer.simd as u64);
    let [row_bits, _] = layer.index_bits().map(u64::from);
    let lines = crossing(bill, layer);
    let row_lines = lines / layer.column_steps() as u64;
    let weight_bits = pe * simd * u64::from(layer.weight.bits());
    let memories = rom(weight_bits, lines) + rom(pe * row_bits, row_lines);
    bill.add(Part::Rom, memories);
    let packed = layer.multiplier.packed(layer.weight, layer.input, layer.pe);
    Sums {
        pe,
        simd,
        steps: layer.column_steps() as u64,
        input: layer.input,
        weight: layer.weight,
        packed: packed as u64,
        shared: pe,
        lines,
        accumulator: layer.accumulator,
        activation: None,
    }
    .add(bill);
    let tree = bits_of(simd).div_ceil(2) + if packed == 0 { 0 } else { 4 };
    let waits = marks(1, 4 + tree) + marks(2, 4 + tree);
    bill.add(Part::Control, waits);
    row_sums(bill, layer, row_bits, layer.results() as u64);
    fifo(bill, layer.output().word_bits(), depth);
}

/// The engines of `finnp_mvau_rc`, its lists and its banks of words; the lines of its memory of weights.
fn crossing(bill: &mut Bill, layer: &MvauRc) -> u64 {
    let simd = layer.simd as u64;
    let [down, across] = layer.blocks().map(|count| count as u64);
    let [_, index] = layer.index_bits().map(u64::from);
    let (row_steps, column_steps) = (layer.row_steps() as u64, layer.column_steps() as u64);
    let (block, results) = (layer.block_words() as u64, layer.results() as u64);
    let words = across * block;
    let (held, bits) = (
        words.next_power_of_two() + words,
        u64::from(layer.input.bits()),
    );
    let at = bits_of(held);
    let row_lines = down * across * row_steps;
    let lines = row_lines * column_steps;

    let engines = [words, column_steps, row_steps, across, down, results];
    let counters = engines.into_iter().chain([lines, row_lines]).map(counter);
    let counters = counters.fold(Share::default(), |a, b| a + b);
    // Where the present block begins.
    let first = match block.is_power_of_two() || across == 1 {
        true => bits_of(across),
        false => at - 1,
    };
    let control = Share::ff(7 + first + index_bits(lines)) + Share::lut(14.0 + 1.5 * at as f64);
    bill.add(Part::Control, counters + control);
    lists(bill, simd * index, column_steps, row_lines, row_steps);
    Lanes {
        lanes: simd,
        bits,
        word_bits: simd * bits,
        held,
        base: 1 + first,
        added: block > 1,
    }
    .add(bill);
    lines
}

/// `finnp_row_sums`: sums in two banks, and which of them have begun.
fn row_sums(bill: &mut Bill, layer: &MvauRc, row_bits: u64, results: u64) {
    let (pe, acc) = (layer.pe as u64, u64::from(layer.accumulator.bits()));
    let codes = 1 << row_bits;
    let forward = f64::from(u8::from(layer.forwards()));
    bill.add(
        Part::Control,
        counter(results) + Share::ff(5) + Share::lut(6.0),
    );
    let begun = Share::ff(2 * codes + 2) + Share::lut(3.0 * codes as f64 + 2.0);
    let places = Share::ff(row_bits + 2) + Share::lut((3.0 + forward) * row_bits as f64 + 3.0);
    let adds = Share::ff(2 * acc) + Share::lut((3.0 + forward) * acc as f64);
    bill.add(Part::Sum, (begun + places + adds) * pe);
    bill.add(Part::Bank, bank(acc, results) * (2 * pe));
    let activation = after(layer.activation.as_ref(), layer.row_folds());
    finish(bill, pe, acc, activation);
}

/// `finnp_vvau`.
pub(super) fn vvau(bill: &mut Bill, layer: &Vvau, depth: u64) {
    let (pe, simd) = (layer.pe as u64, layer.simd as u64);
    let padding = layer.sliding.window.is_padded().then_some(layer.pad);
    let seen = layer.input.widened(padding);
    Window {
        sliding: &layer.sliding,
        pe,
        group: pe,
        chunk: pe,
        lanes: simd,
        bits: [layer.input, seen].map(|element| u64::from(element.bits())),
    }
    .add(bill);
    let folds = layer.sliding.channels / layer.pe;
    let lines = (folds * layer.steps()) as u64;
    weights(bill, pe * simd * u64::from(layer.weight.bits()), lines);
    bill.add(Part::Control, marks(1, 1) + marks(2, 3));
    Sums {
        pe,
        simd,
        steps: layer.steps() as u64,
        input: seen,
        weight: layer.weight,
        packed: 0,
        shared: 1,
        lines,
        accumulator: layer.accumulator,
        activation: after(layer.activation.as_ref(), folds),
    }
    .add(bill);
    fifo(bill, layer.output().word_bits(), depth);
}
