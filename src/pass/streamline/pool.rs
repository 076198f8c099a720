//! Pooling: sums for averages, and max-pools, which wait for the next quantiser where that makes them narrower.
//! Must not know convolutions.

use super::Builder;
use super::convolution::slide;
use super::flow::{Flow, Pending};
use super::product::on_grid;
use crate::dataflow::{Node as LayerNode, Order, StreamId, Tail};
use crate::error::{Error, Result};
use crate::layer::{Layer, MaxPool, Sliding, SumPool, Tensors};
use crate::network::{Coding, Node, Slope};
use crate::tensor::{DataType, PerChannel, Window};

impl Builder<'_> {
    /// The largest of each window. A max-pool may be moved over any function that never falls.
    pub(super) fn max_pool(&mut self, node: &Node, flow: Flow, window: Window) -> Result<Flow> {
        let (sliding, flow) = slide(flow, window)?;
        let pending = Pending {
            name: node.name.clone(),
            value: self.network.value(node.output).name.clone(),
            picture: sliding.picture,
            window,
            steps: flow.tail.steps.len(),
        };
        let pixels = sliding.places();
        let flow = Flow {
            shape: self.network.value(node.output).shape.clone(),
            order: Order::channels_first(flow.channels, pixels),
            pixels,
            pool: Some(pending),
            ..flow
        };
        // Codes as they are: there is nothing to wait for.
        match flow.tail.steps.is_empty() && self.is_code(&flow) {
            true => self.settled(flow),
            false => Ok(flow),
        }
    }

    /// Whether the flow's integers come from the input or from a quantiser, and not from a product.
    fn is_code(&self, flow: &Flow) -> bool {
        let mut producer = self.dataflow.producer(flow.stream);
        let passes =
            |node: &&LayerNode| matches!(node.layer, Layer::Duplicate(_) | Layer::Upsample(_));
        while let Some(node) = producer.filter(passes) {
            producer = self.dataflow.producer(node.inputs[0]);
        }
        producer.is_none_or(|node| {
            matches!(
                node.layer,
                Layer::Threshold(_) | Layer::MaxPool(_) | Layer::LabelSelect(_)
            )
        })
    }

    /// The flow behind a pool that waits, which then is a layer on the integers as they are.
    ///
    /// # Errors
    /// A user error where the largest real number is not that of the largest integer.
    pub(super) fn settled(&mut self, mut flow: Flow) -> Result<Flow> {
        let Some(pending) = flow.pool.take() else {
            return Ok(flow);
        };
        let before = Tail {
            coding: flow.tail.coding.clone(),
            steps: flow.tail.steps[..pending.steps].to_vec(),
        };
        let falls = |channel: usize| !matches!(before.slope(channel), Slope::Rising | Slope::Flat);
        if (0..before.channels().unwrap_or(1)).any(falls) {
            return Err(Error::user(format!(
                "the max-pool `{}` takes the largest of values that fall as the integers rise",
                pending.name
            ))
            .help(
                "put a quantiser between the max-pool and the negative factor before or behind it",
            ));
        }
        // Behind an operator that is not affine the network's tensor has no integers.
        let coding = before
            .steps
            .iter()
            .try_fold(before.coding.clone(), |coding, step| step.through(&coding));
        let value = match coding {
            Some(_) => pending.value.clone(),
            None => format!("{} as integers", pending.value),
        };
        flow.stream = self.pooled(&flow, &pending, Some(value));
        Ok(flow)
    }

    /// Whether thresholds may come before the pool that waits: what follows it never falls.
    pub(super) fn thresholds_first(&self, flow: &Flow) -> bool {
        let Some(pending) = &flow.pool else {
            return false;
        };
        // A gain that is known to be positive stands for what comes before.
        let behind = Tail {
            coding: Coding::scaled(PerChannel::Same(1.0)),
            steps: flow.tail.steps[pending.steps..].to_vec(),
        };
        let rises = |channel: usize| matches!(behind.slope(channel), Slope::Rising | Slope::Flat);
        (0..behind.channels().unwrap_or(1)).all(rises)
    }

    /// Adds the layer of a pool on the flow's stream; returns the stream that it writes.
    pub(super) fn pooled(
        &mut self,
        flow: &Flow,
        pending: &Pending,
        value: Option<String>,
    ) -> StreamId {
        let before = flow.stream;
        let element = self.dataflow.stream(before).element;
        let layer = Layer::MaxPool(MaxPool {
            sliding: Sliding {
                picture: pending.picture,
                channels: flow.channels,
                window: pending.window,
            },
            input: element,
            pe: 1,
            simd: 1,
        });
        let [rows, columns] = pending.picture;
        let ranges = self.ranges_of(&Flow {
            pixels: rows * columns,
            ..flow.clone()
        });
        let stream = self.add_stream(element, flow, value, ranges);
        self.dataflow.nodes.push(LayerNode {
            name: pending.name.clone(),
            layer,
            tensors: Tensors::default(),
            inputs: vec![before],
            outputs: vec![stream],
        });
        stream
    }

    /// The average of each window: a sum with a smaller scale.
    pub(super) fn average_pool(
        &mut self,
        node: &Node,
        flow: Flow,
        window: Window,
        count_padding: bool,
    ) -> Result<Flow> {
        let (sliding, flow) = slide(flow, window)?;
        let affine = on_grid(&flow)?.clone();
        if window.is_padded() && !(count_padding && affine.bias.uniform() == Some(0.0)) {
            return Err(Error::user(
                "its average is over fewer elements at the edges of the picture",
            )
            .help("use no padding, or count it as elements (`count_include_pad = 1`)"));
        }
        let count = sliding.positions();
        let times = |(low, high): (i64, i64)| {
            let (low, high) = match window.is_padded() {
                true => (low.min(0), high.max(0)),
                false => (low, high),
            };
            Some((
                low.checked_mul(count as i64)?,
                high.checked_mul(count as i64)?,
            ))
        };
        let sums: Option<Vec<(i64, i64)>> = self.ranges_of(&flow).into_iter().map(times).collect();
        let accumulator = sums.as_ref().and_then(|sums| {
            let low = sums.iter().map(|sum| sum.0).min()?;
            let high = sums.iter().map(|sum| sum.1).max()?;
            DataType::spanning(low, high)
        });
        let (Some(sums), Some(accumulator)) = (sums, accumulator) else {
            return Err(Error::user("its sums need more than 63 bits"));
        };
        let layer = Layer::SumPool(SumPool {
            sliding,
            input: self.dataflow.stream(flow.stream).element,
            pad: 0,
            accumulator,
            pe: 1,
            simd: 1,
        });
        let coding = Coding {
            scale: affine.scale.map(|scale| scale / count as f64),
            bias: affine.bias,
        };
        let pixels = sliding.places();
        let flow = Flow {
            shape: self.network.value(node.output).shape.clone(),
            order: Order::channels_first(flow.channels, pixels),
            pixels,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            ..flow
        };
        Ok(self.append(node, layer, Tensors::default(), flow, accumulator, sums))
    }
}
