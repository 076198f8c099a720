//! Training: a fused integer network learns on the processor, with its own grids of weights and its own thresholds.
//! What is learnt are levels, masks and a straight line behind each sum. Must not know stages, files or manifests.

mod adam;
mod admm;
mod augment;
mod batch;
mod depthwise;
#[cfg(test)]
mod difference;
mod evaluate;
mod frames;
mod gemm;
mod gradual;
mod grouped;
mod join;
mod lanes;
mod layer;
mod loss;
mod method;
mod model;
mod moments;
mod norm;
mod pool;
mod product;
mod random;
mod schedule;
mod session;
mod settings;
mod spare;
mod staircase;
mod start;
mod state;
mod step;
mod taps;
#[cfg(test)]
mod test;
mod upsample;
mod weights;
mod window;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use evaluate::results;
pub use frames::Frames;
pub use method::Project;
pub use settings::{METHODS, Method, Settings};
pub use start::Start;

use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::prune::Repair;

/// What is trained, and on what.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The dense network: fused, one input, one output. It is the teacher too. Grouped convolutions, and layers
    /// without a start, stay as they are.
    pub dataflow: &'a Dataflow,
    /// By stable name, where layers begin that learn.
    pub starts: &'a BTreeMap<String, Start>,
    /// The samples.
    pub frames: &'a dyn Frames,
    /// Their classes, where they are known.
    pub labels: Option<&'a [i64]>,
    /// The nearest that the pattern of a layer allows; asked for layers that have a density below 1.
    pub project: Project<'a>,
}

/// How far a training is, told after every step.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Steps that are done.
    pub step: usize,
    /// All steps.
    pub steps: usize,
    /// What the last step was like.
    pub now: Point,
    /// After an epoch, gives the bytes from which the training can go on.
    pub state: Option<&'a dyn Fn() -> Result<Vec<u8>>>,
}

/// What some steps were like, on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epochs that are done, or begun.
    pub epoch: usize,
    /// The loss, per sample.
    pub loss: f64,
    /// Share of samples that were right, as they were seen; where there are labels.
    pub accuracy: Option<f64>,
    /// Share of the weights of layers that learn which are kept, at the end.
    pub density: f64,
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// By layer that has a start, in the order of layers; those of depthwise layers are `[channels, positions]`.
    pub repairs: Vec<Repair>,
    /// By stable name, `[rows, columns]`: which weights are kept.
    pub masks: BTreeMap<String, Vec<bool>>,
    /// Epoch by epoch.
    pub curve: Vec<Point>,
}

/// Trains a network. `watch` is told after every step, and stops the training with an error. With the bytes of
/// an earlier call on the same task and settings it goes on from there, and ends with the same bits. The number
/// of threads changes no bit either.
///
/// # Errors
/// Those of `watch`; user errors for settings out of their ranges, labels that are no classes, samples that are no
/// pictures where these are changed, too few samples; a bug where parts of the task, or bytes, do not fit.
pub fn train(
    task: &Task<'_>,
    settings: &Settings,
    watch: &dyn Fn(Progress<'_>) -> Result<()>,
    resume: Option<&[u8]>,
) -> Result<Trained> {
    let mut session = session::Session::begin(task, settings)?;
    if let Some(bytes) = resume {
        session.load(bytes)?;
    }
    session.run(watch)?;
    session.finish()
}
