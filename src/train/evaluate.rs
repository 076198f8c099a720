//! What a network computes with repaired layers.
//! Must not know how they were repaired.

use std::collections::BTreeMap;

use super::batch::fill;
use super::frames::Frames;
use super::layer::model;
use super::model::Model;
use super::start::Start;
use super::step::Mode;
use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::prune::Repair;

/// Elements of values that are held at once.
const HELD: usize = 1 << 26;

/// By frame, the integers at the end of the fused `dataflow` with its layers repaired, in stream order; where it
/// ends with the index of the largest, those from which that is chosen. Exact where sums are below 2^24.
///
/// # Errors
/// As of training: several inputs or outputs, repairs or samples that do not fit.
pub fn results(
    dataflow: &Dataflow,
    repairs: &[Repair],
    frames: &dyn Frames,
) -> Result<Vec<Vec<i64>>> {
    let starts = repairs
        .iter()
        .map(|repair| (repair.layer.clone(), Start::repaired(repair)));
    let starts: BTreeMap<String, Start> = starts.collect();
    let mut model = model(dataflow, &starts)?;
    let numbers: Vec<usize> = (0..frames.count()).collect();
    let mut found = Vec::with_capacity(numbers.len());
    let mut batch = Vec::new();
    for numbers in numbers.chunks(side_by_side(&model)) {
        fill(frames, numbers, None, model.elements[0], &mut batch)?;
        model.forward(Mode::Evaluate, &batch, numbers.len());
        let size = model.elements[model.output];
        let results = model.result().chunks_exact(size.max(1));
        found.extend(results.map(|result| result.iter().map(|x| x.round() as i64).collect()));
    }
    Ok(found)
}

/// How many frames are computed at once.
pub(super) fn side_by_side(model: &Model) -> usize {
    (HELD / model.held().max(1)).clamp(1, 1024)
}
