//! `finnp_window`: the rows of a picture that a window looks at, and the addresses of what it sees.
//! Must not know what is made of that.

use super::control::{bits_of, counter, index_bits};
use super::memory::bank;
use super::share::{Bill, Share};
use super::{Part, control};
use crate::layer::Sliding;

/// A window in the library's terms.
pub(super) struct Window<'a> {
    pub(super) sliding: &'a Sliding,
    /// Elements of a word that arrives.
    pub(super) pe: u64,
    /// Channels that are seen before the next position, and those seen at once.
    pub(super) group: u64,
    /// Channels of a step.
    pub(super) chunk: u64,
    /// Positions of a step.
    pub(super) lanes: u64,
    /// Bits of what arrives, and of what is seen.
    pub(super) bits: [u64; 2],
}

/// What follows from a window's shape, named as in the module.
struct Terms {
    steps: u64,
    groups: u64,
    parts: u64,
    banks: u64,
    lines: u64,
    ring: u64,
    together: u64,
    pieces: u64,
    row_bits: u64,
    column_bits: u64,
    line_bits: u64,
    /// Whether a place may lie outside above or below, before or behind.
    outside: [bool; 4],
}

fn common_divisor(a: u64, b: u64) -> u64 {
    match b {
        0 => a,
        _ => common_divisor(b, a % b),
    }
}

impl Window<'_> {
    fn terms(&self) -> Terms {
        let Sliding {
            picture,
            channels,
            window,
        } = self.sliding;
        let pair = |pair: [usize; 2]| pair.map(|value| value as u64);
        let ([rows, columns], channels) = (pair(*picture), *channels as u64);
        let ([kernel_rows, kernel_columns], stride) = (pair(window.kernel), pair(window.stride));
        let (span, places) = (pair(window.span()), pair(self.sliding.output()));
        let [top, left, ..] = window.pads.map(|pad| pad as u64);
        let together = (self.pe / channels).max(1);
        let line = self.pe / common_divisor(self.pe, self.chunk) * self.chunk;
        let ring = span[0] + stride[0];
        let far = [0, 1].map(|axis| (places[axis] - 1) * stride[axis]);
        let far_rows = rows.max(stride[0]).max(top).max(far[0]) + ring;
        let far_columns = columns.max(left.max(far[1]) + span[1]);
        let pixel_lines = if together > 1 { 1 } else { channels / line };
        Terms {
            steps: (kernel_rows * kernel_columns).div_ceil(self.lanes),
            groups: channels / self.group,
            parts: self.group / self.chunk,
            banks: line / self.pe,
            lines: columns * channels / line,
            ring,
            together,
            pieces: line / self.chunk / together,
            row_bits: bits_of(far_rows + 1) + 1,
            column_bits: bits_of(far_columns + 1) + 1,
            line_bits: bits_of((far_columns / together + 2) * pixel_lines + 1) + 1,
            outside: [
                top > 0,
                far[0] + span[0] > rows + top,
                left > 0,
                far[1] + span[1] > columns + left,
            ],
        }
    }

    /// `finnp_window`.
    pub(super) fn add(&self, bill: &mut Bill) {
        let terms = self.terms();
        let arriving = self.pe * self.bits[0];
        let at = index_bits(terms.ring * terms.lines);
        let rows = terms.row_bits;
        let line = terms.line_bits;
        let piece = bits_of(terms.pieces);
        let rest = bits_of(terms.together);
        let banks = if terms.banks > 1 { terms.banks } else { 0 };
        let fill = Share::ff(bits_of(terms.banks) + line + at + rows + 1 + banks + at + arriving)
            + Share::lut(1.5 * (line + at) as f64 + 2.5 * rows as f64 + banks as f64);
        let counters = counter(terms.parts) + counter(terms.steps) + counter(terms.groups);
        let row_side = Share::ff(3 * rows + 2) + Share::lut(6.0 * rows as f64 + 8.0);
        let column_side = Share::ff(terms.column_bits + 2 * line + 2 * rest)
            + Share::lut(1.5 * terms.column_bits as f64 + 3.0 * line as f64 + 6.0 * rest as f64);
        let place = Share::ff(2 * line + 2 * piece)
            + Share::lut(3.0 * line as f64 + 2.5 * piece as f64 + 4.0);
        let slot = bits_of(terms.ring);
        let slots = Share::ff(slot) + Share::lut(2.5 * slot as f64);
        let waits = Share::lut(1.6 * (rows + line) as f64);
        bill.add(Part::Control, counters);
        bill.add(
            Part::Window,
            fill + row_side + column_side + place + slots + waits,
        );
        self.lane(bill, &terms, at);
    }

    /// Each lane has a copy of the memory.
    fn lane(&self, bill: &mut Bill, terms: &Terms, at: u64) {
        let (slot, piece, rest) = (
            bits_of(terms.ring),
            bits_of(terms.pieces),
            bits_of(terms.together),
        );
        let [above, under, before, behind] = terms.outside.map(|out| f64::from(u8::from(out)));
        let rows_out = 0.8 * (above + under) * terms.row_bits as f64;
        let columns_out = 0.8 * (before + behind) * terms.column_bits as f64;
        let seen = if terms.outside.contains(&true) { 2 } else { 0 };
        let lanes = self.lanes;
        // Where every step looks at the same positions, lanes share what concerns their row or column.
        let still = terms.steps == 1;
        let [rows, columns] = match still {
            true => self
                .sliding
                .window
                .kernel
                .map(|size| (size as u64).min(lanes)),
            false => [lanes; 2],
        };
        let looked = if still { 0.4 } else { 1.0 };
        let shared = Share::lut(looked * 3.0 * slot as f64 + rows_out) * rows
            + Share::lut(columns_out) * columns;
        let address = looked * terms.line_bits as f64 + 2.2 * at as f64 + 2.0 * rest as f64;
        // A row's lines that are a power of two: an address is a slot beside a line.
        let places = match still && terms.lines.is_power_of_two() {
            true => {
                Share::ff(rows * slot + columns * (at - slot))
                    + Share::lut(1.2 * (rows * slot + columns * (at - slot)) as f64)
            }
            false => (Share::ff(at) + Share::lut(address)) * lanes,
        };
        let shift = Share::ff(2 * piece + 2 * rest + seen) * lanes;
        bill.add(Part::Window, shared + places + shift);
        let memory = bank(self.pe * self.bits[0], terms.ring * terms.lines);
        bill.add(Part::Bank, memory * (terms.banks * lanes));
        let choices = terms.together * terms.pieces;
        let chosen = control_choice(choices) * (self.chunk * self.bits[0]) as f64;
        let chunk = Share::ff(self.chunk * self.bits[1]) + Share::lut(chosen);
        bill.add(Part::Choice, chunk * lanes);
    }
}

/// Look-up tables of a choice of one bit.
fn control_choice(count: u64) -> f64 {
    match count {
        0 | 1 => 0.0,
        _ => (count as f64 / 4.0).ceil() + if count > 4 { 0.3 } else { 0.0 },
    }
}

/// `finnp_tap`: where along an axis a pixel lies in windows that lie side by side.
pub(super) fn tap(sliding: &Sliding, axis: usize) -> Share {
    let window = &sliding.window;
    let size = bits_of(sliding.picture[axis] as u64);
    let stride = bits_of(window.stride[axis] as u64);
    let gap = bits_of(window.dilation[axis] as u64);
    let met = bits_of(window.kernel[axis] as u64 + 1);
    let rest = sliding.output()[axis] * window.stride[axis] < sliding.picture[axis];
    let bits = size + stride + gap + met + u64::from(rest);
    Share::ff(bits) + Share::lut(1.6 * bits as f64 + 4.0)
}

/// The windows of a pool that lie side by side, `finnp_pool_beside` without what it keeps.
pub(super) fn beside(bill: &mut Bill, sliding: &Sliding, pe: u64, bits: u64) {
    let words = sliding.channels as u64 / pe;
    let kept = sliding.output()[1] as u64 * words;
    let (word, at) = (bits_of(words), bits_of(kept));
    let place = Share::ff(word + 3 * at) + Share::lut(1.2 * word as f64 + 3.0 * at as f64);
    bill.add(
        Part::Window,
        tap(sliding, 0) + tap(sliding, 1) + place + Share::ff(9 + pe * bits) + Share::lut(8.0),
    );
    bill.add(Part::Control, control::marks(1, 1));
}
