//! Trace: the user's inputs as integers, and every stream of the integer network on them.
//! Must not know simulations.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::accuracy::{self, Accuracy};
use super::frames;
use crate::data::{Arrays, samples};
use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::{Layer, Port};
use crate::manifest::{Layout, Manifest};
use crate::reference::Integers;
use crate::stage::record::{add_tensors, feed, from_json, json, of_inputs, read};
use crate::stage::{Input, Inputs, Job, Outputs};

/// Job that reads or makes the inputs.
pub(in crate::stage) const INPUTS_JOB: &str = "inputs";
/// Job that runs the integer network.
pub(in crate::stage) const TRACE_JOB: &str = "trace";
/// The inputs, in stream order.
pub(super) const INPUT: &str = "inputs.npy";
/// What is known of the inputs.
pub(in crate::stage) const SAMPLES: &str = "samples.json";

/// The expected classes, in order; `null` where there are none.
const LABELS: &str = "labels.json";
/// How many are right; `null` where there are no labels.
pub(in crate::stage) const ACCURACY: &str = "accuracy.json";

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

/// File of the stream that a layer writes.
pub(super) fn file(layer: &str) -> String {
    format!("{layer}.npy")
}

/// The layer whose integers flow in `stream`, seen through width converters; `None` for the input.
pub(super) fn source(dataflow: &Dataflow, stream: StreamId) -> Option<&str> {
    let mut stream = stream;
    loop {
        let node = dataflow.producer(stream)?;
        match (&node.layer, node.inputs.first()) {
            (Layer::WidthConverter(_), Some(before)) => stream = *before,
            _ => return Some(&node.name),
        }
    }
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

/// The job that runs the integer network and records every stream.
pub(super) fn trace(integer: &Dataflow) -> Job {
    let job = Job::compute(TRACE_JOB, |inputs| {
        let mut dataflow = read(&of_inputs(inputs))?;
        add_tensors(&mut dataflow, &of_inputs(inputs))?;
        let frames = frames::split(
            &frames::read(inputs.bytes(INPUT)?)?,
            input_port(&dataflow)?.elements(),
        );
        let labels: Option<Vec<i64>> = from_json(inputs.bytes(LABELS)?)?;
        record(&dataflow, &frames, labels.as_deref())
    });
    feed(job, "reorder", integer, true)
        .output_of(INPUT, "verify", INPUTS_JOB, INPUT)
        .output_of(LABELS, "verify", INPUTS_JOB, LABELS)
        .shown_in("sim/expected")
}

fn record(dataflow: &Dataflow, frames: &[Vec<i64>], labels: Option<&[i64]>) -> Result<Outputs> {
    let integers = Integers::new(dataflow);
    let recorded = frames
        .par_iter()
        .map(|frame| {
            let mut streams = vec![Vec::new(); dataflow.streams.len()];
            let last = integers.run(std::slice::from_ref(frame), |id, values| {
                streams[id.0] = values.to_vec()
            })?;
            Ok((streams, integers.real(&last)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let (recorded, answers): (Vec<Vec<Vec<i64>>>, Vec<_>) = recorded.into_iter().unzip();
    let accuracy: Option<Accuracy> = labels.map(|labels| accuracy::count(&answers, labels));
    let mut outputs = Outputs::from([(ACCURACY.to_owned(), json(&accuracy)?)]);
    for node in &dataflow.nodes {
        let stream = node.outputs[0].0;
        let frames: Vec<Vec<i64>> = recorded
            .iter()
            .map(|streams| streams[stream].clone())
            .collect();
        outputs.insert(
            file(&node.name),
            frames::write(&frames, node.layer.hardware().output()),
        );
    }
    Ok(outputs)
}
