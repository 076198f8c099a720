//! Pictures with more pixels: nearest upsampling, and transposed convolutions, which are convolutions over pixels
//! that are moved apart.
//! Must not know quantisers.

use super::Builder;
use super::convolution::{Kernels, padding, slide, with_padding};
use super::flow::Flow;
use super::product::on_grid;
use crate::dataflow::{Node as LayerNode, Order};
use crate::error::{Error, Result};
use crate::layer::{Layer, Tensors, Upsample};
use crate::network::{Node, picture, shape_of};
use crate::reference::{Known, mirrored};
use crate::tensor::Window;

impl Builder<'_> {
    /// Every pixel so many times along rows and columns.
    pub(super) fn upsample(&mut self, node: &Node, flow: Flow, factor: [usize; 2]) -> Result<Flow> {
        let (sliding, flow) = slide(flow, Window::dense([1; 2]))?;
        let element = self.dataflow.stream(flow.stream).element;
        let layer = Upsample {
            picture: sliding.picture,
            channels: sliding.channels,
            factor,
            fill: None,
            input: element,
            output: element,
            pe: 1,
        };
        let ranges = self.ranges_of(&flow);
        let [rows, columns] = layer.size();
        let pixels = rows * columns;
        let flow = Flow {
            shape: self.network.value(node.output).shape.clone(),
            order: Order::channels_first(flow.channels, pixels),
            pixels,
            ..flow
        };
        // Behind operators of the tail the network's tensor has other integers.
        let plain = flow.tail.steps.is_empty();
        let flow = self.append(
            node,
            Layer::Upsample(layer),
            Tensors::default(),
            flow,
            element,
            ranges,
        );
        if !plain {
            let value = &mut self.dataflow.streams[flow.stream.0].value;
            *value = value.take().map(|value| format!("{value} as integers"));
        }
        Ok(flow)
    }

    /// The transpose of a convolution that slides `window` over the output.
    pub(super) fn transposed_convolution(
        &mut self,
        node: &Node,
        flow: Flow,
        (window, group): (Window, usize),
        weights: &Known,
    ) -> Result<Flow> {
        let shape = &self.network.value(node.output).shape;
        let dense = picture(shape).and_then(|(_, picture)| window.transposed(picture));
        let dense = dense.ok_or_else(|| {
            Error::user("its padding crops more than its kernel spans")
                .help("use less padding: what is cropped is at most the kernel's span less 1")
        })?;
        let flow = match window.stride {
            [1, 1] => flow,
            stride => self.apart(node, flow, stride)?,
        };
        let weights = mirrored(weights, group)?;
        self.convolution(node, flow, (dense, group), (&weights, Kernels::Mirrored))
    }

    /// Moves pixels apart, real zeros between them.
    fn apart(&mut self, node: &Node, flow: Flow, factor: [usize; 2]) -> Result<Flow> {
        let (sliding, flow) = slide(flow, Window::dense([1; 2]))?;
        let fill = padding(on_grid(&flow)?)?;
        let input = self.dataflow.stream(flow.stream).element;
        let output = with_padding(input, fill)?;
        let layer = Upsample {
            picture: sliding.picture,
            channels: sliding.channels,
            factor,
            fill: Some(fill),
            input,
            output,
            pe: 1,
        };
        let ranges = self.ranges_of(&flow).into_iter();
        let ranges = ranges.map(|(low, high)| (low.min(fill), high.max(fill)));
        let ranges = ranges.collect();
        let size @ [rows, columns] = layer.size();
        let shape = shape_of(flow.shape.len(), flow.channels, size);
        let mut next = Flow {
            shape,
            order: Order::channels_first(flow.channels, rows * columns),
            pixels: rows * columns,
            ..flow.clone()
        };
        next.stream = self.add_stream(output, &next, None, ranges);
        self.dataflow.nodes.push(LayerNode {
            name: self.dataflow.free_name(format!("{}.apart", node.name)),
            layer: Layer::Upsample(layer),
            tensors: Tensors::default(),
            inputs: vec![flow.stream],
            outputs: vec![next.stream],
        });
        Ok(next)
    }
}
