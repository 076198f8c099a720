//! One row per layer, as `show` prints it and `summary.json` keeps it.
//! Must not know how it is printed.

use serde::{Deserialize, Serialize};

use super::prune::PLAN;
use super::record::{from_json, of_stage, read};
use super::{Artifacts, NETWORK, OutputRef};
use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::{Balance, Layer, MvauRc, Port};
use crate::manifest::Manifest;
use crate::prune::Pruned;

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
    /// Bits of an input element, of the widest one where there are several inputs.
    pub act_bits: u32,
    /// Bits of an output element.
    pub output_bits: u32,
    /// Cycles per frame.
    pub cycles: u64,
    /// What these cycles are bound by.
    pub bound: Limit,
    /// Cycles per frame that the same layer takes with all its weights and the same PE and SIMD.
    pub dense_cycles: u64,
    /// Share of weights that are kept.
    pub density: f64,
    /// Weights that are kept.
    #[serde(default)]
    pub weights: u64,
    /// Products per frame that are left.
    #[serde(default)]
    pub products: u64,
    /// Products per frame with all weights.
    #[serde(default)]
    pub dense_products: u64,
    /// What pruning made of it, where weights were removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<PrunedRow>,
}

/// What pruning made of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrunedRow {
    /// Pattern, as the manifest calls it.
    pub pattern: String,
    /// The balanced form, where there is one.
    pub blocks: Option<Balance>,
    /// Share of the score that the kept weights have.
    pub retained: f64,
    /// Products of the dense layer for each one that is left.
    pub compression: f64,
    /// Bits of the weights' memory, padding included.
    pub weight_memory_bits: u64,
    /// Bits of the index memory, padding included.
    pub index_memory_bits: u64,
    /// Bits of the weights' memory of the dense layer with the same PE and SIMD.
    pub dense_memory_bits: u64,
    /// Cycles of the dense layer for each one that is left.
    pub speed_up: f64,
    /// What keeps it from being faster.
    pub limit: Limit,
}

/// What a layer's cycles are bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Its products: the speed-up is the compression.
    Compute,
    /// The words that arrive: one per cycle.
    Input,
    /// The words that leave: one per cycle.
    Output,
    /// Rows or columns that are left do not fill PE and SIMD.
    Padding,
}

impl Limit {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Limit::Compute => "compute",
            Limit::Input => "input",
            Limit::Output => "output",
            Limit::Padding => "padding",
        }
    }
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
    /// What its cycles are bound by.
    pub bound: Limit,
}

/// All layers of the folded network, in order.
///
/// # Errors
/// A bug if `fold` has not run; errors of the cache.
pub fn layers(done: &dyn Artifacts) -> Result<Vec<LayerRow>> {
    let plan = done.read(&OutputRef {
        stage: "prune",
        job: NETWORK.into(),
        output: PLAN.into(),
    })?;
    let plan: Vec<Pruned> = from_json(&plan)?;
    Ok(rows(&read(&of_stage(done, "fold"))?, &plan))
}

/// All layers of a folded network that was pruned by `plan`, in order.
pub fn rows(dataflow: &Dataflow, plan: &[Pruned]) -> Vec<LayerRow> {
    let of = |name: &str| plan.iter().find(|pruned| pruned.name == name);
    dataflow
        .nodes
        .iter()
        .map(|node| row(node, of(&node.name)))
        .collect()
}

fn row(node: &Node, pruned: Option<&Pruned>) -> LayerRow {
    let hardware = node.layer.hardware();
    let (input, output) = (hardware.input(), hardware.output());
    // Of streams side by side all channels arrive, of those that are added the same ones.
    let channels = match &node.layer {
        Layer::Concat(_) => output.channels,
        _ => input.channels,
    };
    let bits = hardware
        .inputs()
        .iter()
        .map(|port| port.element.bits())
        .max();
    let parallelism = hardware.parallelism();
    let held = held(&node.layer);
    let products = held.map_or(0, |held| held.used * output.pixels as u64);
    let pruned = pruned.filter(|pruned| pruned.density < 1.0);
    let dense_cycles = pruned.map_or(hardware.cycles(), |pruned| {
        let folds = pruned.rows.div_ceil(parallelism.pe.unwrap_or(1));
        (input.pixels * folds * pruned.columns.div_ceil(parallelism.simd.unwrap_or(1))) as u64
    });
    let dense_products = pruned.map_or(products, |pruned| {
        (pruned.rows * pruned.columns * output.pixels) as u64
    });
    LayerRow {
        name: node.name.clone(),
        kind: hardware.kind().to_owned(),
        rows: output.channels,
        cols: held.map_or(channels, |held| held.columns),
        pixels: input.pixels,
        pe: parallelism.pe,
        simd: parallelism.simd,
        weight_bits: held.map(|held| held.bits),
        act_bits: bits.unwrap_or(0),
        output_bits: output.element.bits(),
        cycles: hardware.cycles(),
        bound: bound(&node.layer),
        dense_cycles,
        density: pruned.map_or(1.0, |pruned| pruned.density),
        weights: held.map_or(0, |held| held.weights),
        products,
        dense_products,
        pruned: pruned.map(|pruned| pruned_row(&node.layer, pruned, dense_cycles)),
    }
}

fn bound(layer: &Layer) -> Limit {
    let hardware = layer.hardware();
    let reads = hardware.inputs().iter().map(Port::words).max().unwrap_or(0);
    match layer {
        Layer::MvauBcr(mvau) if mvau.row_folds() * mvau.steps() < mvau.depth() => Limit::Input,
        Layer::MvauRc(mvau) => crossed(mvau),
        Layer::Mvau(_) | Layer::MvauBcr(_) => Limit::Compute,
        Layer::Vvau(vvau)
            if hardware.cycles() > hardware.output().words() as u64 * vvau.steps() as u64 =>
        {
            Limit::Input
        }
        Layer::Vvau(_) => Limit::Compute,
        _ if reads < hardware.output().words() => Limit::Output,
        _ => Limit::Input,
    }
}

/// What bounds a layer whose blocks keep rows and columns.
fn crossed(mvau: &MvauRc) -> Limit {
    let steps = mvau.blocks()[0] * mvau.steps();
    match mvau.depth().max(mvau.row_folds()) {
        words if words <= steps => Limit::Compute,
        words if words == mvau.depth() => Limit::Input,
        _ => Limit::Output,
    }
}

/// The weights of a layer.
#[derive(Clone, Copy)]
struct Held {
    /// All that are stored.
    weights: u64,
    /// Those that are multiplied for one pixel.
    used: u64,
    /// Columns of the matrix, positions of the kernel.
    columns: usize,
    bits: u32,
}

fn held(layer: &Layer) -> Option<Held> {
    let (matrices, used, columns, weight) = match layer {
        Layer::Mvau(mvau) => (
            mvau.groups,
            mvau.rows * mvau.columns,
            mvau.columns,
            mvau.weight,
        ),
        Layer::MvauBcr(mvau) => (
            1,
            mvau.rows * mvau.blocks.lanes * mvau.kept(),
            mvau.columns,
            mvau.weight,
        ),
        Layer::MvauRc(mvau) => {
            let [down, across] = mvau.blocks();
            let used = down * across * mvau.cross.kept();
            (1, used, mvau.columns, mvau.weight)
        }
        Layer::Vvau(vvau) => {
            let positions = vvau.sliding.positions();
            let used = vvau.sliding.channels * positions;
            (1, used, positions, vvau.weight)
        }
        _ => return None,
    };
    Some(Held {
        weights: (matrices * used) as u64,
        used: used as u64,
        columns,
        bits: weight.bits(),
    })
}

fn pruned_row(layer: &Layer, pruned: &Pruned, dense_cycles: u64) -> PrunedRow {
    let hardware = layer.hardware();
    let parallelism = hardware.parallelism();
    let lanes = (parallelism.pe.unwrap_or(1) * parallelism.simd.unwrap_or(1)) as u64;
    let pixels = hardware.input().pixels as u64;
    let speed_up = dense_cycles as f64 / hardware.cycles() as f64;
    let compression = 1.0 / pruned.density;
    let (steps, index_memory_bits, weight_bits, waits) = match layer {
        Layer::MvauBcr(mvau) => {
            let steps = (mvau.row_folds() * mvau.steps()) as u64;
            let waits = (steps < mvau.depth() as u64).then_some(Limit::Input);
            (steps, mvau.index_memory_bits(), mvau.weight.bits(), waits)
        }
        Layer::MvauRc(mvau) => {
            let steps = (mvau.blocks()[0] * mvau.steps()) as u64;
            let bound = crossed(mvau);
            let waits = (bound != Limit::Compute).then_some(bound);
            (steps, mvau.index_memory_bits(), mvau.weight.bits(), waits)
        }
        Layer::Mvau(mvau) => (
            hardware.cycles() / pixels.max(1),
            0,
            mvau.weight.bits(),
            None,
        ),
        _ => (0, 0, 0, None),
    };
    PrunedRow {
        pattern: pruned.pattern.clone(),
        blocks: pruned.blocks,
        retained: pruned.retained,
        compression,
        weight_memory_bits: steps * lanes * u64::from(weight_bits),
        index_memory_bits,
        dense_memory_bits: dense_cycles / pixels.max(1) * lanes * u64::from(pruned.weight_bits),
        speed_up,
        limit: match waits {
            Some(limit) => limit,
            None if speed_up < compression * (1.0 - 1e-9) => Limit::Padding,
            None => Limit::Compute,
        },
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
        bound: slowest.map_or(Limit::Compute, |row| row.bound),
    }
}
