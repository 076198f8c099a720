//! What a layer of generated SystemVerilog takes on a chip of the family UltraScale+: an analytical model of the
//! library's modules, measured against synthesis.
//!
//! Flip-flops, block memories, memories of look-up tables and DSP slices are counted as the modules are built. The
//! look-up tables that compute are estimated part by part, and each part's estimate is multiplied by a factor that was
//! fitted to what Yosys made of random shapes (`calibration.json`); other shapes say how far the model is off.
//! Must not know graphs, tools or text.

mod arithmetic;
mod calibration;
mod control;
mod edge;
mod figures;
mod matrix;
mod memory;
mod netlist;
mod share;
mod stream;
mod window;

pub use calibration::{Calibration, Row, Spread, calibration, fitted, off};
pub use edge::edges;
pub use figures::{COLUMNS, Column, Figures};
pub use netlist::figures as netlist_figures;

use crate::layer::Layer;
use share::Bill;

/// What modules consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Products.
    Product,
    /// Trees of additions, accumulators, additions of streams.
    Sum,
    /// Comparisons with thresholds, and their count.
    Threshold,
    /// Constants.
    Rom,
    /// Memories that are written, and words on their way to them.
    Bank,
    /// Places and addresses of a window.
    Window,
    /// Choices: multiplexers, largest elements.
    Choice,
    /// Queues behind a layer.
    Fifo,
    /// Counters and marks.
    Control,
}

/// The parts by name, in their order.
pub const PARTS: [&str; 9] = [
    "product",
    "sum",
    "threshold",
    "rom",
    "bank",
    "window",
    "choice",
    "fifo",
    "control",
];

/// Words behind a layer of which is not known how many there will be.
pub const DEPTH: usize = 2;

/// What a layer takes, by the model; `depths` are the words behind each copy of what it writes, [`DEPTH`] where there
/// are none.
pub fn figures(layer: &Layer, depths: &[usize]) -> Figures {
    figures_with(layer, depths, &calibration().factors)
}

/// The same with other factors.
pub fn figures_with(layer: &Layer, depths: &[usize], factors: &[f64; PARTS.len()]) -> Figures {
    bill(layer, depths).figures(factors)
}

/// Look-up tables that compute, by part as in [`PARTS`], before factors are applied; and those that are memories.
pub fn tables(layer: &Layer, depths: &[usize]) -> ([f64; PARTS.len()], u64) {
    let bill = bill(layer, depths);
    (bill.luts(), bill.figures(&[0.0; PARTS.len()]).lut_memory)
}

fn bill(layer: &Layer, depths: &[usize]) -> Bill {
    let mut bill = Bill::default();
    let depth = depths.first().copied().unwrap_or(DEPTH) as u64;
    match layer {
        Layer::Mvau(layer) => matrix::mvau(&mut bill, layer, depth),
        Layer::MvauBcr(layer) => matrix::mvau_bcr(&mut bill, layer, depth),
        Layer::MvauRc(layer) => matrix::mvau_rc(&mut bill, layer, depth),
        Layer::Vvau(layer) => matrix::vvau(&mut bill, layer, depth),
        Layer::SlidingWindow(layer) => stream::sliding_window(&mut bill, layer, depth),
        Layer::MaxPool(layer) => stream::max_pool(&mut bill, layer, depth),
        Layer::SumPool(layer) => stream::sum_pool(&mut bill, layer, depth),
        Layer::Threshold(layer) => stream::threshold(&mut bill, layer, depth),
        Layer::Add(layer) => stream::add(&mut bill, layer, depth),
        Layer::Concat(layer) => stream::concat(&mut bill, layer, depth),
        Layer::Duplicate(layer) => stream::duplicate(&mut bill, layer, depths),
        Layer::Upsample(layer) => stream::upsample(&mut bill, layer, depth),
        Layer::WidthConverter(layer) => stream::width_converter(&mut bill, layer, depth),
        Layer::LabelSelect(layer) => stream::label_select(&mut bill, layer, depth),
    }
    bill
}
