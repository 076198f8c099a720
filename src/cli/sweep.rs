//! The integer network over many samples, batch by batch: threads, signals, progress, warnings.
//! Must not know where the samples come from, nor what becomes of the outputs.

use std::ops::Range;

use super::call::Call;
use crate::data::Samples;
use crate::dataflow::{Dataflow, Input, Output};
use crate::error::{Error, Result};
use crate::reference::Integers;
use crate::tensor::DataType;

/// Most samples that are computed between two looks at signals and the clock.
const MOST_SAMPLES: usize = 256;
/// Most elements of all their inputs together, so that pictures do not fill the memory.
const MOST_ELEMENTS: usize = 1 << 22;

/// Where a network with one input and one output begins and ends.
pub(super) struct Ends<'a> {
    /// Its input.
    pub(super) input: &'a Input,
    /// The type of the integers that arrive.
    pub(super) element: DataType,
    /// Its output.
    pub(super) output: &'a Output,
}

impl<'a> Ends<'a> {
    /// The ends of `dataflow`, for the command of that name.
    ///
    /// # Errors
    /// A user error where it has several inputs or outputs.
    pub(super) fn of(dataflow: &'a Dataflow, command: &str) -> Result<Self> {
        let several = |number: usize, what: &str| {
            Error::user(format!(
                "the network has {number} {what}, and `finnp {command}` takes networks with one"
            ))
        };
        let [input] = &dataflow.inputs[..] else {
            return Err(several(dataflow.inputs.len(), "inputs"));
        };
        let [output] = &dataflow.outputs[..] else {
            return Err(several(dataflow.outputs.len(), "outputs"));
        };
        Ok(Ends {
            input,
            element: dataflow.stream(input.stream).element,
            output,
        })
    }
}

/// Runs `dataflow`, which has one input and one output, on `count` samples. `feed` gives the frames of some
/// samples, `take` gets the outputs of the same samples; both are called on threads of the pool, one at a time,
/// and the samples come in order.
///
/// # Errors
/// Those of `feed`, `take` and the network; [`crate::error::Kind::Interrupted`].
pub(super) fn sweep(
    call: &Call,
    command: &'static str,
    dataflow: &Dataflow,
    count: usize,
    mut feed: impl FnMut(Range<usize>) -> Result<Vec<Vec<i64>>> + Send,
    mut take: impl FnMut(Range<usize>, Vec<Vec<f64>>) -> Result<()> + Send,
) -> Result<()> {
    let ends = Ends::of(dataflow, command)?;
    let stream = dataflow.stream(ends.input.stream);
    let elements = (stream.pixels * stream.channels).max(1);
    let batch = (MOST_ELEMENTS / elements).clamp(1, MOST_SAMPLES);
    let threads = call.options.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|cause| Error::tool(format!("cannot start threads: {cause}")))?;
    let integers = Integers::new(dataflow);
    call.count(command, 0, count);
    for start in (0..count).step_by(batch) {
        call.cancel.check()?;
        let range = start..count.min(start + batch);
        pool.install(|| {
            let frames = feed(range.clone())?;
            let outputs = integers.outputs(&frames)?;
            let values = outputs.into_iter().map(|outputs| {
                let outputs = outputs.into_iter().map(|output| output.into_data());
                outputs.flatten().collect()
            });
            take(range.clone(), values.collect())
        })?;
        call.count(command, range.end, count);
    }
    Ok(())
}

/// How far samples were from the input's grid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Misfits {
    /// See [`Samples::off_grid`].
    pub(super) off_grid: u64,
    /// See [`Samples::clamped`].
    pub(super) clamped: u64,
    /// Of so many elements.
    pub(super) elements: u64,
}

impl Misfits {
    /// Counts those of some samples.
    pub(super) fn add(&mut self, samples: &Samples) {
        self.off_grid += samples.off_grid;
        self.clamped += samples.clamped;
        let elements = samples.frames.iter().map(|frame| frame.len() as u64);
        self.elements += elements.sum::<u64>();
    }

    /// The words about them.
    pub(super) fn warnings(&self) -> Vec<String> {
        let numbers = [
            (
                self.off_grid,
                "rounded from farther than a hundredth of a step",
            ),
            (self.clamped, "clamped from beyond its ends"),
        ];
        let told = numbers.into_iter().filter(|(number, _)| *number > 0);
        told.map(|(number, how)| {
            format!(
                "to fit the input's grid, {number} of {} values had to be {how}",
                self.elements
            )
        })
        .collect()
    }
}
