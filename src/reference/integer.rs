//! `Integers`: a whole `Dataflow` evaluated layer by layer in integers, and the host's part after it.
//! Must not know the network that the dataflow was made from.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::fast::{Arena, Plan};
use super::known::Known;
use super::node::evaluate;
use crate::dataflow::{Dataflow, Output, StreamId};
use crate::error::{Error, Result};
use crate::network::{Node, ValueId};
use crate::tensor::Tensor;

/// Elements of streams that are held at once, in frames that are computed side by side.
const HELD: usize = 1 << 26;

/// A dataflow that can be run.
pub struct Integers<'a> {
    dataflow: &'a Dataflow,
    /// Layers prepared for many frames, once these are asked for; none where they are no simple chain.
    plan: OnceLock<Option<Plan<'a>>>,
}

impl<'a> Integers<'a> {
    /// Prepares `dataflow`, which is verified.
    pub fn new(dataflow: &'a Dataflow) -> Self {
        Integers {
            dataflow,
            plan: OnceLock::new(),
        }
    }

    /// How many frames may be computed side by side where all their streams are held.
    pub fn side_by_side(&self) -> usize {
        let streams = self.dataflow.streams.iter();
        let elements: usize = streams.map(|stream| stream.pixels * stream.channels).sum();
        (HELD / elements.max(1)).max(1)
    }

    /// Computes one frame. `inputs` holds one frame in stream order for each of the dataflow's inputs;
    /// `visit` is called with every stream, the inputs first. Returns one frame in stream order for each of
    /// the dataflow's outputs; [`Integers::real`] makes real numbers of them.
    ///
    /// # Errors
    /// A bug where frames do not fit their streams.
    pub fn run(
        &self,
        inputs: &[Vec<i64>],
        mut visit: impl FnMut(StreamId, &[i64]),
    ) -> Result<Vec<Vec<i64>>> {
        if inputs.len() != self.dataflow.inputs.len() {
            return Err(Error::bug(format!("{} inputs were fed", inputs.len())));
        }
        let mut frames: Vec<Vec<i64>> = vec![Vec::new(); self.dataflow.streams.len()];
        for (input, frame) in self.dataflow.inputs.iter().zip(inputs) {
            self.check(input.stream, frame)?;
            visit(input.stream, frame);
            frames[input.stream.0].clone_from(frame);
        }
        for node in &self.dataflow.nodes {
            let read: Vec<&[i64]> = node.inputs.iter().map(|id| &frames[id.0][..]).collect();
            let result = node.layer.hardware().join(&node.tensors, &read);
            let result = result.map_err(|error| error.within(format!("layer `{}`", node.name)))?;
            // A stream has one reader.
            node.inputs.iter().for_each(|id| frames[id.0] = Vec::new());
            for to in &node.outputs {
                visit(*to, &result);
                frames[to.0].clone_from(&result);
            }
        }
        let outputs = self.dataflow.outputs.iter();
        Ok(outputs
            .map(|output| std::mem::take(&mut frames[output.stream.0]))
            .collect())
    }

    /// Many frames of a dataflow with one input, on all cores: what [`Integers::run`] computes, faster. Frames are
    /// in row-major order of the network's input tensor; the results are its output tensors, sample by sample.
    ///
    /// # Errors
    /// A bug where frames do not fit, a user error where the dataflow has several inputs.
    pub fn outputs(&self, frames: &[Vec<i64>]) -> Result<Vec<Vec<Tensor<f64>>>> {
        frames
            .par_iter()
            .map_init(Arena::default, |arena, frame| self.output(arena, frame))
            .collect()
    }

    /// One of [`Integers::outputs`].
    fn output(&self, arena: &mut Arena, frame: &[i64]) -> Result<Vec<Tensor<f64>>> {
        let Some(plan) = self.plan.get_or_init(|| Plan::new(self.dataflow)) else {
            return self.real(&self.run(&self.streamed(frame)?, |_, _| ())?);
        };
        self.check(self.dataflow.inputs[0].stream, frame)?;
        self.real(&[plan.run(arena, frame)?])
    }

    /// The inputs of [`Integers::run`] for one frame in row-major order of the network's only input.
    ///
    /// # Errors
    /// A user error where the dataflow has several inputs, a bug where the frame does not fit.
    pub fn streamed(&self, frame: &[i64]) -> Result<Vec<Vec<i64>>> {
        let [input] = &self.dataflow.inputs[..] else {
            return Err(Error::user("networks with exactly one input are supported"));
        };
        self.check(input.stream, frame)?;
        let order = self.dataflow.stream(input.stream).order;
        Ok(vec![order.to_stream(frame)])
    }

    fn check(&self, stream: StreamId, frame: &[i64]) -> Result<()> {
        let stream = self.dataflow.stream(stream);
        let wrong = frame.iter().find(|value| !stream.element.contains(**value));
        match wrong {
            _ if frame.len() != stream.pixels * stream.channels => Err(Error::bug(format!(
                "a frame of {} elements was fed to {stream:?}",
                frame.len()
            ))),
            Some(value) => Err(Error::bug(format!("{value} was fed to {stream:?}"))),
            None => Ok(()),
        }
    }

    /// What the host makes of the outputs of [`Integers::run`]: the network's output tensors.
    ///
    /// # Errors
    /// A bug where a frame does not fit its output.
    pub fn real(&self, outputs: &[Vec<i64>]) -> Result<Vec<Tensor<f64>>> {
        let outputs = self.dataflow.outputs.iter().zip(outputs);
        outputs
            .map(|(output, frame)| finish(output, frame))
            .collect()
    }
}

/// One output's real values in the network's order, through the operators that are left to the host.
fn finish(output: &Output, frame: &[i64]) -> Result<Tensor<f64>> {
    let channels = output.tail.channels().unwrap_or(1);
    let real: Vec<f64> = frame
        .iter()
        .enumerate()
        .map(|(position, value)| output.tail.real(*value, position % channels))
        .collect();
    let values = Tensor::new(output.host_shape.clone(), output.order.to_tensor(&real))?;
    let mut known = Known::real(values);
    for (position, op) in output.host.iter().enumerate() {
        let node = Node {
            name: output.name.clone(),
            onnx: "host".into(),
            op: *op,
            permutation: Vec::new(),
            inputs: vec![ValueId(0)],
            output: ValueId(0),
        };
        let shape = match position + 1 == output.host.len() {
            true => &output.shape,
            false => &output.host_shape,
        };
        known = evaluate(&node, &[&known], shape)?;
    }
    known.real.reshaped(output.shape.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::{Input, Order, Stream, Tail};
    use crate::network::{Coding, Op};
    use crate::tensor::{DataType, PerChannel};

    /// A wire from the input to the output, which the host turns into labels.
    fn wire(host: Vec<Op>, shape: Vec<usize>) -> Dataflow {
        let mut dataflow = Dataflow::default();
        let order = Order::channels_first(2, 3);
        let stream = dataflow.add_stream(Stream {
            element: DataType::Int(4),
            pixels: 3,
            channels: 2,
            depth: 2,
            value: None,
            order,
            kept: None,
        });
        let coding = Coding {
            scale: PerChannel::Each(vec![1.0, 10.0]),
            bias: PerChannel::Same(0.5),
        };
        dataflow.inputs.push(Input {
            name: "x".into(),
            stream,
            shape: vec![1, 2, 3, 1],
            coding: Coding::scaled(PerChannel::Same(1.0)),
            quantiser: None,
        });
        dataflow.outputs.push(Output {
            name: "y".into(),
            stream,
            shape,
            order,
            tail: Tail::new(coding),
            host,
            host_shape: vec![1, 2, 3, 1],
        });
        dataflow
    }

    #[test]
    fn outputs_come_back_in_the_networks_order() {
        let dataflow = wire(Vec::new(), vec![1, 6]);
        let integers = Integers::new(&dataflow);
        let frame = vec![1, 2, 3, 4, 5, 6];
        let streamed = integers.streamed(&frame).expect("fits");
        assert_eq!(streamed, [[1, 4, 2, 5, 3, 6]]);
        let outputs = integers.outputs(&[frame]).expect("runs");
        assert_eq!(outputs[0][0].data(), [1.5, 2.5, 3.5, 40.5, 50.5, 60.5]);
        assert_eq!(outputs[0][0].shape(), [1, 6]);
        assert!(integers.outputs(&[vec![8; 6]]).is_err());
        assert!(integers.outputs(&[vec![0; 5]]).is_err());
    }

    #[test]
    fn the_host_finishes() {
        let dataflow = wire(vec![Op::ArgMax { axis: 2 }], vec![1, 2, 1]);
        let outputs = Integers::new(&dataflow).outputs(&[vec![1, 3, 2, 4, 5, 5]]);
        assert_eq!(outputs.expect("runs")[0][0].data(), [1.0, 1.0]);
    }
}
