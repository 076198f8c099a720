//! What keeps words in order: counters, delays, queues, banks of pixels.
//! Must not know what words hold.

use super::memory::{bank, queue};
use super::share::{Bill, Share};
use super::{Part, memory};

/// Bits that count to below `count`.
pub(super) fn bits_of(count: u64) -> u64 {
    u64::from(count.max(1).next_power_of_two().ilog2())
}

/// The same, at least one.
pub(super) fn index_bits(count: u64) -> u64 {
    bits_of(count).max(1)
}

/// `finnp_counter`: the count, and whether it is the last one.
pub(super) fn counter(count: u64) -> Share {
    if count <= 1 {
        return Share::default();
    }
    let bits = bits_of(count);
    let lut = match bits {
        1 => 1.0,
        _ => 1.0 + bits as f64 * 7.0 / 6.0,
    };
    Share::lut(lut) + Share::ff(bits + 1)
}

/// `finnp_delay` of marks, which reset clears.
pub(super) fn marks(width: u64, cycles: u64) -> Share {
    Share::ff(width * cycles) + Share::lut(0.5 * (width * cycles.min(1)) as f64)
}

/// `finnp_delay` of words: three registers or more in a row are a shift register.
pub(super) fn delay(width: u64, cycles: u64) -> Share {
    match cycles {
        0..=2 => Share::ff(width * cycles),
        _ => Share {
            memory: width * cycles.div_ceil(32),
            ..Share::default()
        },
    }
}

/// Look-up tables of a counter around a ring that is no power of two, over those of one that is.
const UNEVEN: f64 = 1.75;

/// `finnp_fifo`.
pub(super) fn fifo(bill: &mut Bill, width: u64, depth: u64) {
    let words = if depth > 2 { depth - 1 } else { 1 };
    let (count, at) = (bits_of(depth + 1), bits_of(words));
    let uneven = if words.is_power_of_two() { 0.0 } else { UNEVEN };
    let lut = (2 * count + at + 2) as f64 + uneven * at as f64;
    let control = Share::lut(lut) + Share::ff(2 * count + 2 * at + 1);
    bill.add(Part::Fifo, control + queue(width, words));
}

/// `finnp_pixels`: two banks of words that are read several times.
pub(super) fn pixels(bill: &mut Bill, width: u64, words: u64, folds: u64) {
    let at = bits_of(2 * words);
    let counters = counter(words) * 2 + counter(folds);
    let uneven = if words.is_power_of_two() { 0.0 } else { 4.0 };
    let control = Share::lut(5.0 + 2.2 * at as f64 + uneven) + Share::ff(2 * at + 3);
    bill.add(Part::Control, counters + control);
    bill.add(Part::Bank, bank(width, 2 * words) + delay(width, 1));
}

/// `finnp_places`: places in a bank, block after block.
pub(super) fn places(block: u64, blocks: u64, stride: u64, at: u64) -> Share {
    match stride {
        _ if stride == block => counter(block * blocks),
        _ if stride.is_power_of_two() => counter(block) + counter(blocks),
        _ => counter(blocks) + Share::lut(1.2 * at as f64) + Share::ff(at),
    }
}

/// `finnp_lists`: the index memory and what goes through it.
pub(super) fn lists(bill: &mut Bill, width: u64, steps: u64, folds: u64, sharing: u64) {
    let lists = folds.div_ceil(sharing);
    let lines = lists * steps;
    let control = match lists == 1 || sharing == 1 {
        true => counter(lines),
        false => {
            let at = index_bits(lines);
            counter(sharing) + Share::lut(2.2 * at as f64 + 2.0) + Share::ff(2 * at)
        }
    };
    bill.add(Part::Control, control);
    bill.add(Part::Rom, memory::rom(width, lines));
}
