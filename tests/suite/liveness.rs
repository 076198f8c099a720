//! Forks whose branches meet again never stand still: pixels are passed through the network one at a time, each layer
//! reads no earlier than it must, and FIFOs hold no more than they have room for.
//! Must not know how depths are found.

use finnp::dataflow::{Dataflow, Node};
use finnp::layer::Parallelism;
use finnp::network::Coding;
use finnp::pass::{self, Grid};
use finnp::qonnx;
use finnp::tensor::{DataType, PerChannel};

use crate::convolution::model;

/// A layer on its way through the frames.
struct Layer {
    needs: Vec<usize>,
    /// By input: pixels of a frame, and pixels read.
    pixels: Vec<usize>,
    read: Vec<usize>,
    written: usize,
}

impl Layer {
    fn new(node: &Node) -> Self {
        let ports = node.layer.hardware().inputs();
        Layer {
            needs: node.layer.needs(),
            pixels: ports.iter().map(|port| port.pixels).collect(),
            read: vec![0; ports.len()],
            written: 0,
        }
    }

    /// Takes what the next pixel needs, and what is left of frames before it; whether it has all, and whether
    /// anything was taken.
    fn take(&mut self, frames: usize, waiting: &mut [usize], node: &Node) -> (bool, bool) {
        let (frame, pixel) = (
            self.written / self.needs.len(),
            self.written % self.needs.len(),
        );
        let more = if frame == frames {
            0
        } else {
            self.needs[pixel] + 1
        };
        let (mut ready, mut moved) = (frame < frames, false);
        for (slot, id) in node.inputs.iter().enumerate() {
            let wanted = frame * self.pixels[slot] + more;
            while self.read[slot] < wanted && waiting[id.0] > 0 {
                waiting[id.0] -= 1;
                self.read[slot] += 1;
                moved = true;
            }
            ready &= self.read[slot] >= wanted;
        }
        (ready, moved)
    }
}

/// Pixels that leave the network in `frames` frames before nothing moves any more.
fn delivered(dataflow: &Dataflow, frames: usize, room: impl Fn(usize) -> usize) -> usize {
    let mut waiting = vec![0; dataflow.streams.len()];
    let [input, output] = [dataflow.inputs[0].stream, dataflow.outputs[0].stream];
    let mut fed = dataflow.stream(input).pixels * frames;
    let mut layers: Vec<Layer> = dataflow.nodes.iter().map(Layer::new).collect();
    let mut left = 0;
    loop {
        let mut moved = false;
        if fed > 0 && waiting[input.0] < room(input.0) {
            (fed, moved) = (fed - 1, true);
            waiting[input.0] += 1;
        }
        for (node, layer) in dataflow.nodes.iter().zip(&mut layers) {
            let (ready, taken) = layer.take(frames, &mut waiting, node);
            moved |= taken;
            if ready && node.outputs.iter().all(|id| waiting[id.0] < room(id.0)) {
                node.outputs.iter().for_each(|id| waiting[id.0] += 1);
                layer.written += 1;
                moved = true;
            }
        }
        if waiting[output.0] > 0 {
            waiting[output.0] -= 1;
            left += 1;
            moved = true;
        }
        if !moved {
            return left;
        }
    }
}

/// A stream's room in pixels of whoever reads it: as its FIFO has it, at least the pixel that is passing.
fn rooms(dataflow: &Dataflow) -> Vec<usize> {
    let mut rooms = vec![1; dataflow.streams.len()];
    for node in &dataflow.nodes {
        for (id, port) in node.inputs.iter().zip(node.layer.hardware().inputs()) {
            let depth = dataflow.stream(*id).depth;
            rooms[id.0] = (depth / port.words_per_pixel()).max(1);
        }
    }
    rooms
}

#[test]
fn resnet_50_never_stands_still() {
    let Some(bytes) = model("brevitas_random_resnet50_1w2a") else {
        return;
    };
    let network = qonnx::import(&bytes).unwrap();
    let grid = Grid {
        element: DataType::Uint(8),
        coding: Coding::scaled(PerChannel::Same(1.0 / 255.0)),
    };
    let dataflow = pass::fuse(pass::streamline(&network, Some(&grid), false).unwrap()).unwrap();
    let free = vec![Parallelism::default(); dataflow.nodes.len()];
    let dataflow = pass::adopt(dataflow, &free, u64::MAX).unwrap();
    let dataflow = pass::depth(pass::connect(dataflow).unwrap()).unwrap();
    let pixels = dataflow.stream(dataflow.outputs[0].stream).pixels;
    let rooms = rooms(&dataflow);
    assert_eq!(delivered(&dataflow, 2, |stream| rooms[stream]), 2 * pixels);
    // Sixteen joins, and none of them gets through with FIFOs of a pixel.
    let joins = dataflow.nodes.iter().filter(|node| node.inputs.len() > 1);
    assert_eq!(joins.count(), 16);
    assert_eq!(delivered(&dataflow, 1, |_| 1), 0);
}
