//! One row per layer, as `show` prints it and `summary.json` keeps it.
//! Must not know how it is printed.

use serde::{Deserialize, Serialize};

use super::Artifacts;
use super::record::{of_stage, read};
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::Layer;
use crate::manifest::Manifest;

/// A layer in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerRow {
    /// Stable name.
    pub name: String,
    /// Kind of layer.
    pub kind: String,
    /// Output channels.
    pub rows: usize,
    /// Input channels.
    pub cols: usize,
    /// Pixels in a frame.
    pub pixels: usize,
    /// Rows per cycle.
    pub pe: Option<usize>,
    /// Columns per cycle.
    pub simd: Option<usize>,
    /// Bits of a weight.
    pub weight_bits: Option<u32>,
    /// Bits of an input element.
    pub act_bits: u32,
    /// Bits of an output element.
    pub output_bits: u32,
    /// Share of weights that are kept.
    pub density: f64,
    /// Cycles per frame.
    pub cycles: u64,
    /// Cycles per frame that the same layer takes with all its weights.
    pub dense_cycles: u64,
}

/// What follows from the rows and the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Clock in MHz.
    pub clock_mhz: f64,
    /// Cycles between two frames: those of the slowest layer.
    pub cycles: u64,
    /// Frames per second at that clock.
    pub fps: f64,
    /// The slowest layer, the first of equals.
    pub bottleneck: String,
}

/// All layers of the folded network, in order.
///
/// # Errors
/// A bug if `fold` has not run; errors of the cache.
pub fn layers(done: &dyn Artifacts) -> Result<Vec<LayerRow>> {
    Ok(rows(&read(&of_stage(done, "fold"))?))
}

/// All layers of a folded network, in order.
pub(super) fn rows(dataflow: &Dataflow) -> Vec<LayerRow> {
    dataflow.nodes.iter().map(row).collect()
}

fn row(node: &Node) -> LayerRow {
    let hardware = node.layer.hardware();
    let (input, output) = (hardware.input(), hardware.output());
    let parallelism = hardware.parallelism();
    let weight_bits = match &node.layer {
        Layer::Mvau(mvau) => Some(mvau.weight.bits()),
        Layer::MvauBcr(mvau) => Some(mvau.weight.bits()),
        _ => None,
    };
    LayerRow {
        name: node.name.clone(),
        kind: hardware.kind().to_owned(),
        rows: output.channels,
        cols: input.channels,
        pixels: input.pixels,
        pe: parallelism.pe,
        simd: parallelism.simd,
        weight_bits,
        act_bits: input.element.bits(),
        output_bits: output.element.bits(),
        density: 1.0,
        cycles: hardware.cycles(),
        dense_cycles: hardware.cycles(),
    }
}

/// Throughput of the rows at the manifest's clock.
pub fn facts(manifest: &Manifest, rows: &[LayerRow]) -> Facts {
    let slowest = rows.iter().rev().max_by_key(|row| row.cycles);
    let cycles = slowest.map_or(1, |row| row.cycles.max(1));
    let clock_mhz = manifest.target.clock_mhz;
    Facts {
        clock_mhz,
        cycles,
        fps: clock_mhz * 1e6 / cycles as f64,
        bottleneck: slowest.map_or_else(String::new, |row| row.name.clone()),
    }
}
