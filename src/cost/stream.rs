//! Units that do not multiply: what each of their modules consists of.
//! Must not know other layers.

use super::Part;
use super::arithmetic::{both, gather, running, scaled, thresholds};
use super::control::{bits_of, counter, delay, fifo, marks};
use super::memory::bank;
use super::share::{Bill, Share};
use super::window::{Window, beside};
use crate::layer::{
    Add, Concat, Duplicate, Hardware, LabelSelect, MaxPool, Sliding, SlidingWindow, SumPool,
    Threshold, Upsample, WidthConverter, grouping,
};
use crate::tensor::DataType;

fn bits(element: DataType) -> u64 {
    u64::from(element.bits())
}

/// `finnp_sliding_window`.
pub(super) fn sliding_window(bill: &mut Bill, layer: &SlidingWindow, depth: u64) {
    let (group, simd) = (layer.group_channels() as u64, layer.simd as u64);
    let chunk = simd.min(group);
    Window {
        sliding: &layer.sliding,
        pe: layer.pe as u64,
        group,
        chunk,
        lanes: simd / chunk,
        bits: [bits(layer.input), bits(layer.output)],
    }
    .add(bill);
    bill.add(Part::Control, marks(1, 3));
    fifo(bill, layer.output().word_bits(), depth);
}

/// A pool of either kind.
struct Pool<'a> {
    sliding: &'a Sliding,
    pe: u64,
    simd: u64,
    input: DataType,
    output: DataType,
    pad: i64,
    absent: i64,
    largest: bool,
}

/// `finnp_pool` or `finnp_pool_beside` of largest elements.
pub(super) fn max_pool(bill: &mut Bill, layer: &MaxPool, depth: u64) {
    let pool = Pool {
        sliding: &layer.sliding,
        pe: layer.pe as u64,
        simd: layer.simd as u64,
        input: layer.input,
        output: layer.input,
        pad: layer.input.min(),
        absent: layer.input.min(),
        largest: true,
    };
    pool.add(bill);
    fifo(bill, layer.output().word_bits(), depth);
}

/// The same of sums.
pub(super) fn sum_pool(bill: &mut Bill, layer: &SumPool, depth: u64) {
    let pool = Pool {
        sliding: &layer.sliding,
        pe: layer.pe as u64,
        simd: layer.simd as u64,
        input: layer.input,
        output: layer.accumulator,
        pad: layer.pad,
        absent: 0,
        largest: false,
    };
    pool.add(bill);
    fifo(bill, layer.output().word_bits(), depth);
}

impl Pool<'_> {
    fn add(&self, bill: &mut Bill) {
        let window = &self.sliding.window;
        let (pe, output) = (self.pe, bits(self.output));
        if window.is_disjoint() {
            beside(bill, self.sliding, pe, bits(self.input));
            let words = self.sliding.channels as u64 / pe;
            let kept = self.sliding.output()[1] as u64 * words;
            running(bill, pe, output, words, self.largest);
            running(bill, pe, output, kept, self.largest);
            return;
        }
        let lacks = !window.positions().is_multiple_of(self.simd as usize);
        let padding = window.is_padded().then_some(self.pad);
        let others = padding.into_iter().chain(lacks.then_some(self.absent));
        let seen = self.input.widened(others);
        Window {
            sliding: self.sliding,
            pe,
            group: pe,
            chunk: pe,
            lanes: self.simd,
            bits: [bits(self.input), bits(seen)],
        }
        .add(bill);
        let levels = bits_of(self.simd).div_ceil(2);
        bill.add(Part::Control, marks(3, 3 + levels) + marks(1, 1));
        bill.add(Part::Choice, gather(pe, self.simd, output, self.largest));
        running(bill, pe, output, 1, self.largest);
    }
}

/// `finnp_threshold`.
pub(super) fn threshold(bill: &mut Bill, layer: &Threshold, depth: u64) {
    let (pe, word) = (layer.pe as u64, layer.input().word_bits());
    let value = match layer.input {
        DataType::Int(_) | DataType::Ternary => bits(layer.input),
        DataType::Uint(_) | DataType::Bipolar => bits(layer.input) + 1,
    };
    let (channels, _) = grouping(layer);
    let lines = channels.div_ceil(layer.pe) as u64;
    let at = bits_of(lines);
    let line = Share::ff(at) + Share::lut(1.5 * at as f64 + 1.0);
    bill.add(Part::Control, line + marks(1, 4));
    bill.add(Part::Bank, delay(word, 2));
    thresholds(bill, pe, value, &layer.activation, lines);
    fifo(bill, layer.output().word_bits(), depth);
}

/// Bits of an element times a gain; those that only repeat a sign are kept once.
fn grown(element: DataType, gain: i64) -> u64 {
    bits(element) + bits_of(gain.unsigned_abs()) + u64::from(gain < 0)
}

/// `finnp_add`.
pub(super) fn add(bill: &mut Bill, layer: &Add, depth: u64) {
    let output = bits(layer.output);
    let inputs = layer.inputs.iter().zip(layer.gains);
    let mut share = Share::lut(output as f64) + Share::ff(output);
    for (element, gain) in inputs {
        let used = grown(*element, gain).min(output);
        share += Share::lut(scaled(used, gain)) + Share::ff(used);
    }
    bill.add(Part::Sum, share * layer.pe as u64);
    bill.add(Part::Control, marks(1, 2) + Share::lut(2.0));
    fifo(bill, layer.output().word_bits(), depth);
}

/// `finnp_concat`.
pub(super) fn concat(bill: &mut Bill, layer: &Concat, depth: u64) {
    let inputs = layer.inputs.len() as u64;
    let value = match layer.output {
        DataType::Bipolar => 2,
        other => bits(other),
    };
    let most = layer
        .inputs()
        .iter()
        .map(|port| port.words_per_pixel())
        .max();
    let count = bits_of(most.unwrap_or(1) as u64);
    let turn = Share::ff(inputs + count) + Share::lut(2.0 * count as f64 + 3.0 * inputs as f64);
    bill.add(Part::Control, turn + marks(1, 2));
    let used = |part: &crate::layer::Part| grown(part.element, part.gain).min(value);
    let widest = layer.inputs.iter().map(used).max().unwrap_or(value);
    let mut share = Share::ff(widest) + Share::lut((inputs as f64 / 6.0).ceil() * widest as f64);
    for part in &layer.inputs {
        let used = used(part);
        share += Share::lut(scaled(used, part.gain)) + Share::ff(used);
    }
    bill.add(Part::Choice, share * layer.pe as u64);
    fifo(bill, layer.output().word_bits(), depth);
}

/// `finnp_duplicate`.
pub(super) fn duplicate(bill: &mut Bill, layer: &Duplicate, depths: &[usize]) {
    let word = layer.input().word_bits();
    let depth = |copy: usize| depths.get(copy).copied().unwrap_or(super::DEPTH) as u64;
    bill.add(
        Part::Control,
        marks(1, 1) + Share::ff(word) + Share::lut(1.0),
    );
    for copy in 0..layer.copies {
        fifo(bill, word, depth(copy));
    }
    // Where queues hold two words, the first one lies in a register, and all of these hold the same.
    let registers = (0..layer.copies).filter(|copy| depth(*copy) <= 2).count() as u64;
    bill.spare(Part::Fifo, word * registers.saturating_sub(1));
}

/// `finnp_upsample`.
pub(super) fn upsample(bill: &mut Bill, layer: &Upsample, depth: u64) {
    let [rows, columns] = layer.picture.map(|size| size as u64);
    let words = (layer.channels / layer.pe) as u64;
    let [down, right] = layer.factor.map(|factor| factor as u64);
    let counts = [rows, columns, words, down, right];
    let counters: u64 = counts.into_iter().map(bits_of).sum();
    bill.add(
        Part::Control,
        Share::ff(counters) + Share::lut(1.7 * counters as f64 + 4.0) + marks(1, 2),
    );
    let word = layer.input().word_bits();
    let result = Share::ff(layer.output().word_bits());
    bill.add(Part::Choice, result + Share::ff(word + 1));
    match layer.fill {
        Some(_) => bill.add(
            Part::Choice,
            Share::lut(layer.output().word_bits() as f64 / 2.0),
        ),
        None => {
            let kept = if down > 1 { columns * words } else { words };
            let at = bits_of(kept);
            bill.add(
                Part::Control,
                Share::ff(2 * at) + Share::lut(3.0 * at as f64),
            );
            bill.add(Part::Choice, Share::lut(word as f64));
            bill.add(Part::Bank, bank(word, kept));
        }
    }
    fifo(bill, layer.output().word_bits(), depth);
}

/// `finnp_width_converter`.
pub(super) fn width_converter(bill: &mut Bill, layer: &WidthConverter, depth: u64) {
    let common = (1..=layer.from.min(layer.to)).rev();
    let unit = common
        .into_iter()
        .find(|unit| layer.from.is_multiple_of(*unit) && layer.to.is_multiple_of(*unit));
    let unit = unit.unwrap_or(1);
    let (arriving, leaving) = (layer.from / unit, layer.to / unit);
    let slots = leaving - 1 + arriving;
    let held = bits_of(slots as u64 + 1);
    let count = bits_of(layer.channels.div_ceil(layer.from) as u64);
    let control =
        Share::ff(held + count + 2) + Share::lut(4.0 * held as f64 + 1.5 * count as f64 + 5.0);
    bill.add(Part::Control, control);
    // A slot is filled from so many units of a word, or keeps what it has, or takes what moves down.
    let unit_bits = unit as u64 * bits(layer.element);
    for slot in 0..slots {
        let from = (0..arriving)
            .filter(|at| *at <= slot && slot - at < leaving)
            .count();
        let moves = slot + leaving < slots;
        let sources = from as f64 + if moves { 1.0 } else { 0.0 };
        let each = if sources > 1.0 { sources * 0.6 } else { 0.0 };
        let choice = Share::lut(each * unit_bits as f64 + 1.5);
        bill.add(Part::Choice, choice + Share::ff(unit_bits));
    }
    fifo(bill, layer.output().word_bits(), depth);
}

/// `finnp_label_select`.
pub(super) fn label_select(bill: &mut Bill, layer: &LabelSelect, depth: u64) {
    let (pe, input, output) = (layer.pe as u64, bits(layer.input), bits(layer.output));
    let words = layer.channels.div_ceil(layer.pe) as u64;
    bill.add(Part::Control, counter(words) + Share::lut(2.0));
    let padded = !layer.channels.is_multiple_of(layer.pe);
    let masks = if padded {
        0.3 * (input * pe) as f64
    } else {
        0.0
    };
    bill.add(Part::Choice, Share::ff(pe * input) + Share::lut(masks));
    let (mut left, mut lane) = (pe, 0);
    while left > 1 {
        let nodes = left.div_ceil(4);
        lane += 2;
        let choices = (left - nodes) as f64 * (both(input, true) + 0.8 * lane as f64);
        bill.add(
            Part::Choice,
            Share::lut(choices) + Share::ff(nodes * (input + lane)),
        );
        left = nodes;
    }
    let levels = bits_of(pe).div_ceil(2);
    bill.add(Part::Control, marks(2, 1 + levels) + marks(1, 1));
    let first = if words > 1 { output } else { 0 };
    let best = Share::ff(input + output + first + 1)
        + Share::lut(0.8 * input as f64 + output as f64 + 1.2 * first as f64 + 2.0);
    bill.add(Part::Choice, best);
    fifo(bill, layer.output().word_bits(), depth);
}
