//! The index of the largest channel, decided in integers or left to the host.
//! Must not know how the channels were computed.

use super::flow::{Flow, channel_axis};
use super::{Builder, Meaning};
use crate::dataflow::{Node as LayerNode, Order, StreamId, Tail};
use crate::error::{Error, Result};
use crate::layer::{LabelSelect, Layer, Tensors};
use crate::network::{Coding, Op};
use crate::tensor::{DataType, PerChannel};

impl Builder<'_> {
    /// An arg-max at the end: in integers where the scales allow, else by the host.
    /// `shape` is that of the indices.
    pub(super) fn arg_max(&mut self, flow: Flow, axis: usize, shape: &[usize]) -> Meaning {
        match self.label(flow.clone(), Some(axis)) {
            Ok(label) => Meaning::Flow(label.reshaped(shape)),
            Err(_) => Meaning::Host(flow, vec![Op::ArgMax { axis }]),
        }
    }

    /// Whether `flow` already is an index of classes.
    pub(super) fn is_label(&self, flow: &Flow) -> bool {
        matches!(
            self.dataflow.producer(flow.stream).map(|node| &node.layer),
            Some(Layer::LabelSelect(_))
        )
    }

    /// Ends with the index of the largest channel, decided in integers.
    pub(super) fn label(&mut self, mut flow: Flow, axis: Option<usize>) -> Result<Flow> {
        let affine = flow.affine.clone();
        let affine = affine.as_ref();
        let scale = affine.and_then(|coding| coding.scale.uniform());
        let bias = affine.and_then(|coding| coding.bias.uniform());
        if !(scale.is_some_and(|scale| scale > 0.0) && bias.is_some()) {
            return Err(Error::user("the classes have different scales or offsets, so integers cannot be compared")
                .help("leave the arg-max to the host: remove it from the model, and `labels` from the manifest"));
        }
        let (along, classes) = channel_axis(&flow.shape, flow.order);
        if classes < 2 {
            return Err(Error::user(format!(
                "a tensor of shape {:?} has no classes to choose from",
                flow.shape
            )));
        }
        if axis.is_some_and(|axis| axis != along) || !flow.is_grouped() {
            return Err(Error::user("it does not run along the channels"));
        }
        flow.pixels = flow.pixels * flow.channels / classes.max(1);
        flow.channels = classes;
        let input = self.dataflow.stream(flow.stream).element;
        if !tells_apart(&flow.tail, input) {
            return Err(Error::user(
                "the real values of the classes are so close that neighbouring integers are equal",
            ));
        }
        let last = flow.channels as i64 - 1;
        let output = DataType::spanning(0, last).ok_or_else(|| Error::bug("too many classes"))?;
        let layer = Layer::LabelSelect(LabelSelect {
            input,
            channels: flow.channels,
            pixels: flow.pixels,
            output,
            pe: 1,
        });
        let coding = Coding::scaled(PerChannel::Same(1.0));
        let stream = StreamId(self.dataflow.streams.len());
        let next = Flow::begin(stream, &[flow.pixels, 1], Order::RowMajor, coding);
        self.add_stream(output, &next, None, vec![(0, last)]);
        self.dataflow.nodes.push(LayerNode {
            name: self.dataflow.free_name("label".into()),
            layer,
            tensors: Tensors::default(),
            inputs: vec![flow.stream],
            outputs: vec![stream],
        });
        Ok(next)
    }
}

/// Whether neighbouring integers of `element` stand for different real numbers, with room to spare, behind
/// every operator of an affine `tail`: what one of them rounds away no later one brings back.
fn tells_apart(tail: &Tail, element: DataType) -> bool {
    let clear = |coding: &Coding| {
        (0..coding.channels().unwrap_or(1)).all(|channel| {
            let ends = [element.min(), element.max(), 0];
            let largest = ends
                .map(|end| coding.real(end, channel).abs())
                .into_iter()
                .fold(0.0, f64::max);
            coding.scale.at(channel).abs() > largest * f64::EPSILON * 16.0
        })
    };
    let mut coding = Some(tail.coding.clone());
    for step in &tail.steps {
        coding = coding
            .filter(clear)
            .and_then(|coding| step.through(&coding));
    }
    coding.is_some_and(|coding| clear(&coding))
}
