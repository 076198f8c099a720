//! Matrix units of many shapes, dense and pruned: what each row of the sweep is, and how its figures are derived.
//! Must not know what the figures should be.

pub(crate) mod area;
mod case;
pub(crate) mod page;
pub(crate) mod shape;

use std::fs;
use std::path::Path;

use finnp::layer::{Layer, Tensors};
use finnp::stage::{Limit, rows};
use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::rtl_bench::Bench;
use area::Area;
use case::Case;
use shape::Shape;

/// The figures of all rows, beside the pages of the book.
pub(crate) const FILE: &str = "book/src/mvau.json";

/// Pixels that follow each other without a gap.
const PIXELS: usize = 10;
/// The last ones of them, between which cycles are counted.
const STEADY: usize = 4;
/// Words of the FIFO behind a module: more than its pipeline holds.
const DEPTH: usize = 64;

/// The sweep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// Cycles of modules that Verilator compiled.
    pub(crate) speed: Vec<Speed>,
    /// Resources of modules that Yosys mapped.
    pub(crate) area: Vec<Area>,
}

impl Sweep {
    /// The committed one.
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// One row a line, so that a change shows.
    pub(crate) fn text(&self) -> String {
        fn lines<T: Serialize>(rows: &[T]) -> String {
            let rows: Vec<String> = rows
                .iter()
                .map(|row| format!("    {}", serde_json::to_string(row).unwrap()))
                .collect();
            rows.join(",\n")
        }
        format!(
            "{{\n  \"speed\": [\n{}\n  ],\n  \"area\": [\n{}\n  ]\n}}\n",
            lines(&self.speed),
            lines(&self.area)
        )
    }
}

/// The cycles of one shape, dense and pruned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Speed {
    /// What is derived from.
    #[serde(flatten)]
    pub(crate) shape: Shape,
    /// Share of weights that are kept.
    pub(crate) density: f64,
    /// Products of the dense module for each one that is left.
    pub(crate) compression: f64,
    /// Cycles from pixel to pixel of the dense module, counted in Verilator.
    pub(crate) dense_cycles: u64,
    /// Those of the pruned module.
    pub(crate) cycles: u64,
    /// The ratio of the two.
    pub(crate) speed_up: f64,
    /// Speed-up for each unit of compression.
    pub(crate) efficiency: f64,
    /// What `show` says keeps it from being faster.
    pub(crate) limit: Limit,
    /// Bits of the dense module's memory of weights.
    pub(crate) dense_memory_bits: u64,
    /// Those of the pruned module.
    pub(crate) weight_memory_bits: u64,
    /// Bits of its memory of indices.
    pub(crate) index_memory_bits: u64,
}

/// Derives the cycles of a shape: prunes, generates, runs.
pub(crate) fn speed(shape: &Shape) -> Speed {
    let case = Case::new(shape);
    let [dense_cycles, cycles] = [case.dense(), case.pruned()].map(|(layer, tensors)| {
        let found = steady(shape, layer, tensors, &Bench::new(layer, tensors, DEPTH));
        assert_eq!(found, layer.hardware().cycles(), "{shape:?}");
        found
    });
    let all = rows(&case.sparse, &case.plan);
    let [row] = &all[..] else {
        panic!("{shape:?}: {all:?}")
    };
    assert_eq!(row.dense_cycles, dense_cycles, "{shape:?}");
    let pruned = row.pruned.as_ref().unwrap();
    let speed_up = dense_cycles as f64 / cycles as f64;
    Speed {
        shape: *shape,
        density: row.density,
        compression: pruned.compression,
        dense_cycles,
        cycles,
        speed_up,
        efficiency: speed_up / pruned.compression,
        limit: pruned.limit,
        dense_memory_bits: pruned.dense_memory_bits,
        weight_memory_bits: pruned.weight_memory_bits,
        index_memory_bits: pruned.index_memory_bits,
    }
}

/// The pruned module of a shape is as right and as fast where its banks share primitives.
pub(crate) fn shared(shape: &Shape) {
    let case = Case::new(shape);
    let (layer, tensors) = case.pruned();
    let bench = Bench::with(layer, tensors, DEPTH, &[area::SHARED], &area::PRIMITIVES);
    assert_eq!(
        steady(shape, layer, tensors, &bench),
        layer.hardware().cycles()
    );
}

/// Cycles from pixel to pixel of a layer's module, whose results are its integers.
fn steady(shape: &Shape, layer: &Layer, tensors: &Tensors, bench: &Bench) -> u64 {
    let hardware = layer.hardware();
    let input = hardware.input();
    let mut random = Random::new(shape.seed ^ 0xf4a3);
    let mut value = || match input.element.min() {
        // Bipolar inputs have no 0.
        -1 if input.element.max() == 1 && input.element.bits() == 1 => 2 * random.between(0, 1) - 1,
        low => random.between(low, input.element.max()),
    };
    let frame = |_| -> Vec<i64> { (0..input.elements()).map(|_| value()).collect() };
    let frames: Vec<Vec<i64>> = (0..PIXELS).map(frame).collect();
    let expected = frames.iter().map(|frame| hardware.run(tensors, frame));
    let expected: Vec<i64> = expected.flat_map(Result::unwrap).collect();
    let written = bench.run(&[frames], &[]).unwrap().remove(0);
    assert_eq!(written.elements, expected, "{shape:?}");
    let words = written.cycles.len() / PIXELS;
    let lasts: Vec<u64> = written.cycles.chunks(words).map(|c| c[words - 1]).collect();
    let steps: Vec<u64> = lasts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let steady = &steps[steps.len() - STEADY..];
    assert!(
        steady.iter().all(|step| *step == steady[0]),
        "{shape:?}: {steps:?}"
    );
    steady[0]
}
