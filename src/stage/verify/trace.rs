//! Trace: the streams of the integer network on the inputs, as far as simulations are fed with them or should write
//! them, and the answers.
//! Must not know simulations.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::accuracy::{self, Accuracy};
use super::frames::{self, Recording};
use super::inputs::{INPUT, INPUTS_JOB, LABELS, input_port};
use super::plan::Plan;
use crate::dataflow::{Dataflow, Node, StreamId};
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

/// File of the stream that a layer is fed where it is simulated alone.
pub(super) fn fed(layer: &str) -> String {
    format!("fed/{layer}.npy")
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
            files.insert(fed(&node.name), Recording::new(hardware.input()));
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
        let mut taken = Vec::new();
        let mut failure = None;
        let whole = number < self.plan.network.frames;
        if whole {
            let port = input_port(self.dataflow)?;
            taken.push((NETWORK_INPUT.to_owned(), frames::encode(frame, port)));
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
            None => Ok((taken, self.integers.real(&last)?)),
        }
    }

    /// Takes what is needed of one stream: it is fed to one layer and written by another.
    fn stream(
        &self,
        number: usize,
        id: StreamId,
        values: &[i64],
        taken: &mut Vec<(String, Vec<u8>)>,
    ) -> Result<()> {
        for (node, part) in self.dataflow.nodes.iter().zip(&self.plan.parts) {
            let (reads, writes) = (node.inputs.contains(&id), node.outputs.contains(&id));
            let port = part.layer.hardware().output();
            if number < part.frames && reads {
                let (beginning, result) = self.beginning(node, &part.layer, values)?;
                taken.push((fed(&node.name), beginning));
                taken.extend(result.map(|result| (alone(&node.name), result)));
            }
            if number < part.frames && writes && part.pixels.is_none() {
                taken.push((alone(&node.name), frames::encode(values, port)));
            }
            if number < self.plan.network.frames && writes {
                let port = node.layer.hardware().output();
                taken.push((inside(&node.name), frames::encode(values, port)));
            }
        }
        Ok(())
    }

    /// What `part` of a layer reads of the whole layer's stream, and, where it is less than the layer, what it
    /// makes of that.
    fn beginning(
        &self,
        node: &Node,
        part: &Layer,
        values: &[i64],
    ) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
        let hardware = part.hardware();
        let read = &values[..hardware.input().elements()];
        let result = match *part == node.layer {
            true => None,
            false => {
                let result = hardware.run(&node.tensors, read);
                let result = result.map_err(|error| error.within(format!("layer `{}`", node.name)));
                Some(frames::encode(&result?, hardware.output()))
            }
        };
        Ok((frames::encode(read, hardware.input()), result))
    }
}
