//! Trace: the streams of the integer network on the inputs, as far as simulations are fed with them or should write
//! them, and the answers.
//! Must not know simulations.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::accuracy::{self, Accuracy};
use super::frames::{self, Recording};
use super::inputs::{INPUT, INPUTS_JOB, LABELS, input_port};
use super::plan::Plan;
use crate::dataflow::{Dataflow, StreamId};
use crate::error::Result;
use crate::layer::Layer;
use crate::reference::Integers;
use crate::stage::record::{add_tensors, feed, from_json, json, of_inputs, read};
use crate::stage::{Job, Outputs};
use crate::tensor::Tensor;

/// Job that runs the integer network.
pub(in crate::stage) const TRACE_JOB: &str = "trace";
/// How many are right; `null` where there are no labels.
pub(in crate::stage) const ACCURACY: &str = "accuracy.json";
/// What the network is fed where it is simulated as a whole.
pub(super) const NETWORK_INPUT: &str = "inputs.npy";

/// Files of the streams that a layer is fed where it is simulated alone, one for each that it reads.
pub(super) fn fed(name: &str, layer: &Layer) -> Vec<String> {
    match layer.hardware().inputs().len() {
        1 => vec![format!("fed/{name}.npy")],
        // No layer's name has a stroke.
        count => (0..count)
            .map(|slot| format!("fed/{name}/{slot}.npy"))
            .collect(),
    }
}

/// File of the stream that it should write then.
pub(super) fn alone(layer: &str) -> String {
    format!("alone/{layer}.npy")
}

/// File of the stream that it should write inside the network.
pub(super) fn inside(layer: &str) -> String {
    format!("inside/{layer}.npy")
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

/// The job that runs the integer network and records what `plan` needs.
pub(super) fn trace(integer: &Dataflow, plan: &Plan) -> Job {
    let mut lines: Vec<(String, String)> = plan
        .parts
        .iter()
        .map(|part| (format!("simulation of {}", part.name), part.words()))
        .collect();
    let whole = format!("{} frames", plan.network.frames);
    lines.push(("simulation of the network".to_owned(), whole));
    let plan = plan.clone();
    let mut job = Job::compute(TRACE_JOB, move |inputs| {
        let mut dataflow = read(&of_inputs(inputs))?;
        add_tensors(&mut dataflow, &of_inputs(inputs))?;
        let frames = frames::split(
            &frames::read(inputs.bytes(INPUT)?)?,
            input_port(&dataflow)?.elements(),
        );
        let labels: Option<Vec<i64>> = from_json(inputs.bytes(LABELS)?)?;
        record(&dataflow, &plan, &frames, labels.as_deref())
    });
    job.lines = lines;
    feed(job, "reorder", integer, true)
        .output_of(INPUT, "verify", INPUTS_JOB, INPUT)
        .output_of(LABELS, "verify", INPUTS_JOB, LABELS)
        .shown_in("sim/expected")
}

/// What one frame contributes: elements by file, as stored, and the real outputs.
type Frame = (Vec<(String, Vec<u8>)>, Vec<Tensor<f64>>);

fn record(
    dataflow: &Dataflow,
    plan: &Plan,
    frames: &[Vec<i64>],
    labels: Option<&[i64]>,
) -> Result<Outputs> {
    let recorder = Recorder {
        dataflow,
        plan,
        integers: Integers::new(dataflow),
    };
    let mut recordings = recorder.recordings()?;
    // Answers are worth computing only where there is something to compare them with.
    let wanted = match labels {
        Some(_) => frames.len(),
        None => frames.len().min(plan.frames()),
    };
    let together = recorder.integers.side_by_side();
    let mut answers = Vec::with_capacity(wanted);
    for (turn, some) in frames[..wanted].chunks(together).enumerate() {
        let computed = some
            .par_iter()
            .enumerate()
            .map(|(position, frame)| recorder.frame(turn * together + position, frame))
            .collect::<Result<Vec<Frame>>>()?;
        for (streams, answer) in computed {
            for (file, bytes) in streams {
                if let Some(recording) = recordings.get_mut(&file) {
                    recording.add(&bytes);
                }
            }
            answers.push(answer);
        }
    }
    let accuracy: Option<Accuracy> = labels.map(|labels| accuracy::count(&answers, labels));
    let mut outputs = Outputs::from([(ACCURACY.to_owned(), json(&accuracy)?)]);
    outputs.extend(recordings.into_iter().map(|(file, r)| (file, r.finish())));
    Ok(outputs)
}

/// Takes from each frame what the plan needs.
struct Recorder<'a> {
    dataflow: &'a Dataflow,
    plan: &'a Plan,
    integers: Integers<'a>,
}

impl Recorder<'_> {
    /// The files, without any frame yet.
    fn recordings(&self) -> Result<BTreeMap<String, Recording>> {
        let mut files = BTreeMap::new();
        for (node, part) in self.dataflow.nodes.iter().zip(&self.plan.parts) {
            let hardware = part.layer.hardware();
            let inputs = fed(&node.name, &node.layer).into_iter();
            let ports = hardware.inputs().into_iter();
            files.extend(inputs.zip(ports.map(Recording::new)));
            files.insert(alone(&node.name), Recording::new(hardware.output()));
        }
        if self.plan.network.frames > 0 {
            let input = input_port(self.dataflow)?;
            files.insert(NETWORK_INPUT.to_owned(), Recording::new(input));
            for node in &self.dataflow.nodes {
                let port = node.layer.hardware().output();
                files.insert(inside(&node.name), Recording::new(port));
            }
        }
        Ok(files)
    }

    /// Computes frame `number`.
    fn frame(&self, number: usize, frame: &Vec<i64>) -> Result<Frame> {
        let mut taken = Taken::default();
        let mut failure = None;
        let whole = number < self.plan.network.frames;
        if whole {
            let port = input_port(self.dataflow)?;
            taken.add(NETWORK_INPUT.to_owned(), frames::encode(frame, port));
        }
        let last = self
            .integers
            .run(std::slice::from_ref(frame), |id, values| {
                if let Err(error) = self.stream(number, id, values, &mut taken) {
                    failure.get_or_insert(error);
                }
            })?;
        match failure {
            Some(error) => Err(error),
            None => Ok((taken.files, self.integers.real(&last)?)),
        }
    }

    /// Takes what is needed of one stream: it is fed to one layer and written by another.
    fn stream(&self, number: usize, id: StreamId, values: &[i64], taken: &mut Taken) -> Result<()> {
        for (at, (node, part)) in self.dataflow.nodes.iter().zip(&self.plan.parts).enumerate() {
            // Streams that carry the same are one.
            let writes = node.outputs.first() == Some(&id);
            let hardware = part.layer.hardware();
            if number < part.frames {
                for slot in (0..node.inputs.len()).filter(|slot| node.inputs[*slot] == id) {
                    let port = hardware.inputs()[slot];
                    let beginning = &values[..port.elements()];
                    let file = fed(&node.name, &node.layer).swap_remove(slot);
                    taken.add(file, frames::encode(beginning, port));
                    if part.layer != node.layer {
                        self.part(at, slot, beginning, taken)?;
                    }
                }
                if writes && part.pixels.is_none() {
                    taken.add(alone(&node.name), frames::encode(values, hardware.output()));
                }
            }
            if number < self.plan.network.frames && writes {
                let port = node.layer.hardware().output();
                taken.add(inside(&node.name), frames::encode(values, port));
            }
        }
        Ok(())
    }

    /// Computes what a part of layer `at` makes of the beginnings of its streams, once there are all of them.
    fn part(&self, at: usize, slot: usize, beginning: &[i64], taken: &mut Taken) -> Result<()> {
        let (node, hardware) = (
            &self.dataflow.nodes[at],
            self.plan.parts[at].layer.hardware(),
        );
        let beginnings = taken.beginnings.entry(at).or_default();
        beginnings.insert(slot, beginning.to_vec());
        if beginnings.len() < node.inputs.len() {
            return Ok(());
        }
        let read: Vec<&[i64]> = beginnings.values().map(Vec::as_slice).collect();
        let result = hardware.join(&node.tensors, &read);
        let result = result.map_err(|error| error.within(format!("layer `{}`", node.name)))?;
        taken.beginnings.remove(&at);
        taken.add(
            alone(&node.name),
            frames::encode(&result, hardware.output()),
        );
        Ok(())
    }
}

/// What is taken from one frame.
#[derive(Default)]
struct Taken {
    /// Elements by file, as stored.
    files: Vec<(String, Vec<u8>)>,
    /// By layer and by input: the beginning of its stream, until those of all inputs are there.
    beginnings: BTreeMap<usize, BTreeMap<usize, Vec<i64>>>,
}

impl Taken {
    fn add(&mut self, file: String, elements: Vec<u8>) {
        self.files.push((file, elements));
    }
}
