//! Inputs: the user's samples as integers, or samples that are made where there are none.
//! Must not know what they are used for.

use serde::{Deserialize, Serialize};

use super::accuracy;
use super::frames;
use crate::data::{Arrays, samples};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::layer::Port;
use crate::manifest::{Layout, Manifest};
use crate::stage::record::{feed, json, of_inputs, read};
use crate::stage::{Input, Inputs, Job, Outputs};

/// Job that reads or makes the inputs.
pub(in crate::stage) const INPUTS_JOB: &str = "inputs";
/// The inputs, in stream order.
pub(super) const INPUT: &str = "inputs.npy";
/// What is known of the inputs.
pub(in crate::stage) const SAMPLES: &str = "samples.json";

/// The expected classes, in order; `null` where there are none.
pub(super) const LABELS: &str = "labels.json";

/// How many samples are made where the manifest names none.
const MADE: usize = 16;

/// What is known of the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// How many there are.
    pub count: usize,
    /// Whether finnp made them because the manifest names none.
    pub made: bool,
    /// Real numbers farther than a hundredth of a step from the input's grid.
    pub off_grid: u64,
    /// Real numbers beyond the ends of the grid.
    pub clamped: u64,
}

/// The stream that the host feeds, one element per word.
pub(super) fn input_port(dataflow: &Dataflow) -> Result<Port> {
    let input = dataflow
        .inputs
        .first()
        .ok_or_else(|| Error::bug("the network has no input"))?;
    let stream = dataflow.stream(input.stream);
    Ok(Port {
        element: stream.element,
        pixels: stream.pixels,
        channels: stream.channels,
        per_word: 1,
    })
}

/// The job that reads the inputs, or makes some.
pub(super) fn inputs(manifest: &Manifest, integer: &Dataflow) -> Job {
    let layout = manifest.input.layout;
    let verify = manifest.verify.clone();
    let limit = verify
        .as_ref()
        .and_then(|v| v.samples)
        .map_or(usize::MAX, |count| count as usize);
    let given = verify.is_some();
    let place = manifest.place("verify.inputs").label("in this file");
    let name = verify
        .as_ref()
        .and_then(|v| v.inputs.file_name())
        .map(|name| name.to_string_lossy().into_owned());
    let job = Job::compute(INPUTS_JOB, move |inputs| {
        let dataflow = read(&of_inputs(inputs))?;
        match &name {
            Some(name) if given => given_inputs(inputs, &dataflow, name, layout, limit)
                .map_err(|error| error.at(place.clone())),
            _ => made_inputs(&dataflow),
        }
    })
    .line("layout", format!("{layout:?}"))
    .line("samples", limit.to_string());
    let job = feed(job, "reorder", integer, false).shown_in("sim");
    match verify {
        Some(verify) => job.input("samples", Input::File(verify.inputs)),
        None => job,
    }
}

fn given_inputs(
    inputs: &Inputs,
    dataflow: &Dataflow,
    file: &str,
    layout: Layout,
    limit: usize,
) -> Result<Outputs> {
    let mut arrays = Arrays::from_bytes(file, inputs.bytes("samples")?.to_vec())?;
    let array = arrays.input()?;
    let input = &dataflow.inputs[0];
    let stream = dataflow.stream(input.stream);
    let read = samples("x", &array, input, stream.element, layout)?;
    let frames: Vec<Vec<i64>> = read
        .frames
        .iter()
        .take(limit)
        .map(|frame| stream.order.to_stream(frame))
        .collect();
    let labels = accuracy::labels(&mut arrays, read.frames.len())?;
    let samples = Samples {
        count: frames.len(),
        made: false,
        off_grid: read.off_grid,
        clamped: read.clamped,
    };
    let labels = labels.map(|labels| labels[..frames.len()].to_vec());
    outputs(dataflow, &frames, samples, labels)
}

/// Samples that need no seed from anywhere: the ends of the range, then numbers that look random
/// (Weyl sequence through a multiplicative hash).
fn made_inputs(dataflow: &Dataflow) -> Result<Outputs> {
    let port = input_port(dataflow)?;
    let codes = dataflow.inputs[0].codes(port.element);
    let frames: Vec<Vec<i64>> = (0..MADE)
        .map(|sample| {
            (0..port.elements())
                .map(|position| match sample {
                    0 => codes.0,
                    1 => codes.1,
                    _ => scattered(codes, (sample * port.elements() + position) as u64),
                })
                .collect()
        })
        .collect();
    let count = frames.len();
    outputs(
        dataflow,
        &frames,
        Samples {
            count,
            made: true,
            off_grid: 0,
            clamped: 0,
        },
        None,
    )
}

fn scattered((low, high, step): (i64, i64, i64), position: u64) -> i64 {
    let mixed = position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let values = ((high - low) / step) as u64 + 1;
    low + ((mixed >> 32) % values) as i64 * step
}

fn outputs(
    dataflow: &Dataflow,
    frames: &[Vec<i64>],
    samples: Samples,
    labels: Option<Vec<i64>>,
) -> Result<Outputs> {
    Ok(Outputs::from([
        (
            INPUT.to_owned(),
            frames::write(frames, input_port(dataflow)?),
        ),
        (SAMPLES.to_owned(), json(&samples)?),
        (LABELS.to_owned(), json(&labels)?),
    ]))
}
