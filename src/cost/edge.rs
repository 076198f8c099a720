//! What lies around the layers of a network: registers with their counters, and the streams' ends.
//! Must not know layers.

use super::control::{bits_of, counter};
use super::share::{Bill, Share};
use super::{Figures, PARTS, Part};
use crate::layer::Port;

/// `finnp_control` and `finnp_edge`, for so many streams whose stalls are counted, and for what enters and leaves. Not
/// part of the calibration.
pub fn edges(streams: usize, entering: Port, leaving: Port) -> Figures {
    let (streams, at) = (streams as u64, bits_of(entering.words() as u64));
    // Frames that entered and left, cycles, and the stalls of every stream; each bit is a step of an addition.
    let counted = 32 * (2 + 2 + streams);
    let answer = 32;
    let chosen = answer as f64 * ((8 + streams) as f64 / 4.0).ceil();
    let state = Share::ff(counted + answer + at + 5);
    let logic = Share::lut(counted as f64 + chosen + 40.0 + 1.5 * at as f64);
    let mut bill = Bill::default();
    bill.add(Part::Control, state + logic);
    let (words, pixel) = (leaving.words() as u64, leaving.words_per_pixel() as u64);
    bill.add(Part::Control, counter(words) + counter(pixel));
    bill.figures(&[1.0; PARTS.len()])
}
