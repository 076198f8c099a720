//! A layer between a host that always offers words and one that always wants them.
//! Must not know machines.

use crate::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use crate::layer::{Layer, Port, Tensors};
use crate::network::Coding;
use crate::tensor::PerChannel;

/// A network of one layer, without its integers; each of its FIFOs holds `depth` words.
pub fn alone(layer: &Layer, depth: usize) -> Dataflow {
    let mut dataflow = Dataflow::default();
    let hardware = layer.hardware();
    let mut stream = |port: Port| {
        dataflow.add_stream(Stream {
            element: port.element,
            pixels: port.pixels,
            channels: port.channels,
            depth,
            value: None,
            order: Order::RowMajor,
            kept: None,
        })
    };
    let inputs: Vec<StreamId> = hardware.inputs().into_iter().map(&mut stream).collect();
    let copies = vec![hardware.output(); hardware.copies()];
    let outputs: Vec<StreamId> = copies.into_iter().map(&mut stream).collect();
    let coding = || Coding::scaled(PerChannel::Same(1.0));
    dataflow.inputs = inputs
        .iter()
        .map(|id| Input {
            name: format!("in_{}", id.0),
            stream: *id,
            shape: Vec::new(),
            coding: coding(),
            quantiser: None,
        })
        .collect();
    dataflow.outputs = outputs
        .iter()
        .map(|id| Output {
            name: format!("out_{}", id.0),
            stream: *id,
            shape: Vec::new(),
            order: Order::RowMajor,
            tail: Tail::new(coding()),
            host: Vec::new(),
            host_shape: Vec::new(),
        })
        .collect();
    dataflow.nodes.push(Node {
        name: layer.hardware().kind().to_owned(),
        layer: layer.clone(),
        tensors: Tensors::default(),
        inputs,
        outputs,
    });
    dataflow
}
