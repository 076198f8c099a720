//! Chains of hardware layers with random weights, built layer by layer.
//! Must not know which chain is wanted.

use finnp::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use finnp::layer::{
    Activation, Blocks, Cross, LabelSelect, Layer, MaxPool, Mvau, MvauBcr, MvauRc, Side, Sliding,
    SlidingWindow, SumPool, Tensors, Threshold, Vvau, WidthConverter,
};
use finnp::network::Coding;
use finnp::tensor::{DataType, PerChannel, Tensor, Window};

use super::random::Random;

/// A chain so far, and the picture that leaves it.
pub(crate) struct Pipeline {
    pub(crate) random: Random,
    dataflow: Dataflow,
    at: StreamId,
    pub(crate) element: DataType,
    pub(crate) picture: [usize; 2],
    pub(crate) channels: usize,
}

/// What an activation makes of accumulators.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) output: DataType,
    pub(crate) levels: usize,
    pub(crate) base: i64,
    pub(crate) step: i64,
    /// One row of thresholds for all channels.
    pub(crate) shared: bool,
}

impl Steps {
    /// All values of a type, thresholds channel by channel.
    pub(crate) fn all(output: DataType) -> Self {
        let levels = (output.max() - output.min()) / output.step();
        Steps {
            output,
            levels: levels as usize,
            base: output.min(),
            step: output.step(),
            shared: false,
        }
    }
}

/// An element of a type, its ends more often than others.
pub(crate) fn element(random: &mut Random, of: DataType) -> i64 {
    match (of, random.below(6)) {
        (_, 0) => of.min(),
        (_, 1) | (DataType::Bipolar, 2..4) => of.max(),
        (DataType::Bipolar, _) => of.min(),
        _ => random.between(of.min(), of.max()),
    }
}

impl Pipeline {
    pub(crate) fn new(
        random: Random,
        element: DataType,
        picture: [usize; 2],
        channels: usize,
    ) -> Self {
        let mut pipeline = Pipeline {
            random,
            dataflow: Dataflow::default(),
            at: StreamId(0),
            element,
            picture,
            channels,
        };
        let pixels = picture[0] * picture[1];
        let order = Order::channels_first(channels, pixels);
        pipeline.stream(order);
        pipeline.dataflow.inputs.push(Input {
            name: "x".into(),
            stream: StreamId(0),
            shape: vec![1, channels, picture[0], picture[1]],
            coding: Coding::scaled(PerChannel::Same(1.0)),
            quantiser: None,
        });
        pipeline
    }

    fn stream(&mut self, order: Order) {
        self.at = self.dataflow.add_stream(Stream {
            element: self.element,
            pixels: self.pixels(),
            channels: self.channels,
            depth: 2,
            value: None,
            order,
            kept: None,
        });
    }

    pub(crate) fn pixels(&self) -> usize {
        self.picture[0] * self.picture[1]
    }

    fn push(&mut self, layer: Layer, tensors: Tensors, picture: [usize; 2], channels: usize) {
        let from = self.at;
        self.element = layer.hardware().output().element;
        (self.picture, self.channels) = (picture, channels);
        self.stream(Order::RowMajor);
        self.dataflow.nodes.push(Node {
            name: format!("layer{}", self.dataflow.nodes.len()),
            layer,
            tensors,
            inputs: vec![from],
            outputs: vec![self.at],
        });
    }

    /// The chain as a dataflow.
    pub(crate) fn finish(mut self) -> Dataflow {
        let shape = vec![1, self.pixels(), self.channels];
        self.dataflow.outputs.push(Output {
            name: "y".into(),
            stream: self.at,
            shape: shape.clone(),
            order: Order::RowMajor,
            tail: Tail::new(Coding::scaled(PerChannel::Same(1.0))),
            host: Vec::new(),
            host_shape: shape,
        });
        self.dataflow.verify("pipeline").unwrap();
        self.dataflow
    }

    fn weights(&mut self, count: usize, of: DataType) -> Vec<i32> {
        let random = &mut self.random;
        (0..count).map(|_| element(random, of) as i32).collect()
    }

    /// Type of sums of so many products with weights of a type, padding included.
    fn accumulator(&self, terms: usize, weight: DataType, pad: i64) -> DataType {
        let (low, high) = (self.element.min().min(pad), self.element.max().max(pad));
        let products = [low, high].map(|x| [weight.min() * x, weight.max() * x]);
        let products = products.as_flattened();
        let end = |value: Option<&i64>| value.unwrap() * terms as i64;
        DataType::spanning(end(products.iter().min()), end(products.iter().max())).unwrap()
    }

    /// An activation of so many channels, most of its thresholds where sums of `terms` products are.
    fn activation(
        &mut self,
        steps: Option<Steps>,
        (accumulator, terms): (DataType, usize),
        channels: usize,
        tensors: &mut Tensors,
    ) -> Option<Activation> {
        let steps = steps?;
        let rows = if steps.shared { 1 } else { channels };
        let (low, high) = (accumulator.min(), accumulator.max());
        let narrow = ((high - low) as f64 / (terms as f64).sqrt() / 2.0) as i64 + 2;
        let mut thresholds = Vec::new();
        for _ in 0..rows {
            let far = self.random.chance(10);
            let near = [
                low / 2 + high / 2 - narrow / 2,
                low / 2 + high / 2 + narrow / 2,
            ];
            let [from, to] = if far { [low, high] } else { near };
            let mut row: Vec<i64> = (0..steps.levels)
                .map(|_| self.random.between(from - 1, to + 1))
                .collect();
            if far && self.random.chance(30) && steps.levels > 0 {
                row[0] = *self
                    .random
                    .pick(&[i64::MIN, i64::MAX, (1 << 24) + 1, -(1 << 24)]);
            }
            row.sort_unstable();
            thresholds.extend(row);
        }
        let flip = (0..rows).map(|_| i32::from(self.random.chance(30)));
        tensors.flip = Some(Tensor::new(vec![rows], flip.collect()).unwrap());
        tensors.thresholds = Some(Tensor::new(vec![rows, steps.levels], thresholds).unwrap());
        Some(Activation {
            output: steps.output,
            levels: steps.levels,
            base: steps.base,
            step: steps.step,
            threshold: DataType::Int(63),
            rows,
        })
    }

    pub(crate) fn sliding(&self, window: Window) -> Sliding {
        Sliding {
            picture: self.picture,
            channels: self.channels,
            window,
        }
    }

    /// A sliding window alone. Places follow each other in a row where there are groups.
    pub(crate) fn window(&mut self, window: Window, pad: i64, groups: usize) {
        let sliding = self.sliding(window);
        let (low, high) = (self.element.min().min(pad), self.element.max().max(pad));
        let output = match window.is_padded() && !self.element.contains(pad) {
            true => DataType::spanning(low, high).unwrap(),
            false => self.element,
        };
        let layer = SlidingWindow {
            sliding,
            groups,
            input: self.element,
            output,
            pad,
            pe: 1,
            simd: 1,
        };
        let [rows, columns] = sliding.output();
        let channels = sliding.positions() * self.channels / groups;
        let layer = Layer::SlidingWindow(layer);
        self.push(
            layer,
            Tensors::default(),
            [rows, columns * groups],
            channels,
        );
    }

    /// A matrix product; `groups` pixels become one.
    pub(crate) fn mvau(
        &mut self,
        rows: usize,
        groups: usize,
        weight: DataType,
        steps: Option<Steps>,
    ) {
        let columns = self.channels;
        let accumulator = self.accumulator(columns, weight, 0);
        let weights = self.weights(groups * rows * columns, weight);
        let mut tensors = Tensors {
            weights: Some(Tensor::new(vec![groups * rows, columns], weights).unwrap()),
            ..Tensors::default()
        };
        let terms = (accumulator, columns);
        let activation = self.activation(steps, terms, groups * rows, &mut tensors);
        let layer = Layer::Mvau(Mvau {
            rows,
            columns,
            pixels: self.pixels(),
            groups,
            input: self.element,
            weight,
            accumulator,
            activation,
            pe: 1,
            simd: 1,
            multiplier: finnp::layer::Multiplier::Lut,
        });
        let picture = [self.picture[0], self.picture[1] / groups];
        self.push(layer, tensors, picture, rows * groups);
    }

    /// A matrix product that keeps weights in the balanced form.
    pub(crate) fn mvau_bcr(
        &mut self,
        rows: usize,
        blocks: Blocks,
        weight: DataType,
        steps: Option<Steps>,
    ) {
        let columns = self.channels;
        let (kept, lists) = (blocks.kept(columns), blocks.lists(rows));
        let mut index = Vec::new();
        for _ in 0..lists * blocks.lanes {
            for block in 0..blocks.per_lane(columns) {
                let mut entries: Vec<i32> = (0..blocks.entries as i32).collect();
                while entries.len() > blocks.keep {
                    let out = self.random.below(entries.len());
                    entries.remove(out);
                }
                index.extend(entries.iter().map(|e| (block * blocks.entries) as i32 + e));
            }
        }
        let weights = self.weights(rows * blocks.lanes * kept, weight);
        let shape = |first| vec![first, blocks.lanes, kept];
        let mut tensors = Tensors {
            weights: Some(Tensor::new(shape(rows), weights).unwrap()),
            index: Some(Tensor::new(shape(lists), index).unwrap()),
            ..Tensors::default()
        };
        let accumulator = self.accumulator(columns, weight, 0);
        let activation = self.activation(steps, (accumulator, columns), rows, &mut tensors);
        let layer = Layer::MvauBcr(MvauBcr {
            rows,
            columns,
            pixels: self.pixels(),
            input: self.element,
            weight,
            accumulator,
            activation,
            blocks,
            pe: 1,
            simd: 1,
            multiplier: finnp::layer::Multiplier::Lut,
        });
        self.push(layer, tensors, self.picture, rows);
    }

    /// A matrix product whose blocks keep rows and columns.
    pub(crate) fn mvau_rc(
        &mut self,
        rows: usize,
        cross: Cross,
        weight: DataType,
        steps: Option<Steps>,
    ) {
        let columns = self.channels;
        let [down, across] = cross.blocks(rows, columns);
        let row_index = self.entries(down * across * cross.rows.lanes, cross.rows);
        let index = self.entries(down * across * cross.columns.lanes, cross.columns);
        let weights = self.weights(down * across * cross.kept(), weight);
        let lists = |side: Side, index| {
            Some(Tensor::new(vec![down, across, side.lanes, side.keep], index).unwrap())
        };
        let shape = vec![down * across, cross.rows.kept(), cross.columns.kept()];
        let mut tensors = Tensors {
            weights: Some(Tensor::new(shape, weights).unwrap()),
            index: lists(cross.columns, index),
            row_index: lists(cross.rows, row_index),
            ..Tensors::default()
        };
        let accumulator = self.accumulator(columns, weight, 0);
        let activation = self.activation(steps, (accumulator, columns), rows, &mut tensors);
        let layer = Layer::MvauRc(MvauRc {
            rows,
            columns,
            pixels: self.pixels(),
            input: self.element,
            weight,
            accumulator,
            activation,
            cross,
            pe: 1,
            simd: 1,
            multiplier: finnp::layer::Multiplier::Lut,
        });
        self.push(layer, tensors, self.picture, rows);
    }

    /// So many lists of kept entries.
    fn entries(&mut self, lists: usize, side: Side) -> Vec<i32> {
        let mut index = Vec::new();
        for _ in 0..lists {
            let mut entries: Vec<i32> = (0..side.entries as i32).collect();
            while entries.len() > side.keep {
                let out = self.random.below(entries.len());
                entries.remove(out);
            }
            index.extend(entries);
        }
        index
    }

    /// A depthwise convolution.
    pub(crate) fn vvau(
        &mut self,
        window: Window,
        pad: i64,
        weight: DataType,
        steps: Option<Steps>,
    ) {
        let sliding = self.sliding(window);
        let (channels, positions) = (self.channels, sliding.positions());
        let accumulator = self.accumulator(positions, weight, pad);
        let weights = self.weights(channels * positions, weight);
        let mut tensors = Tensors {
            weights: Some(Tensor::new(vec![channels, positions], weights).unwrap()),
            ..Tensors::default()
        };
        let activation = self.activation(steps, (accumulator, positions), channels, &mut tensors);
        let layer = Layer::Vvau(Vvau {
            sliding,
            input: self.element,
            pad,
            weight,
            accumulator,
            activation,
            pe: 1,
            simd: 1,
        });
        self.push(layer, tensors, sliding.output(), channels);
    }

    pub(crate) fn max_pool(&mut self, window: Window) {
        let sliding = self.sliding(window);
        let layer = Layer::MaxPool(MaxPool {
            sliding,
            input: self.element,
            pe: 1,
            simd: 1,
        });
        self.push(layer, Tensors::default(), sliding.output(), self.channels);
    }

    pub(crate) fn sum_pool(&mut self, window: Window, pad: i64) {
        let sliding = self.sliding(window);
        let layer = Layer::SumPool(SumPool {
            sliding,
            input: self.element,
            pad,
            accumulator: self.accumulator(sliding.positions(), DataType::Uint(1), pad),
            pe: 1,
            simd: 1,
        });
        self.push(layer, Tensors::default(), sliding.output(), self.channels);
    }

    pub(crate) fn threshold(&mut self, steps: Steps) {
        let mut tensors = Tensors::default();
        let input = (self.element, 1);
        let activation = self.activation(Some(steps), input, self.channels, &mut tensors);
        let layer = Layer::Threshold(Threshold {
            channels: self.channels,
            pixels: self.pixels(),
            input: self.element,
            activation: activation.unwrap(),
            pe: 1,
        });
        self.push(layer, tensors, self.picture, self.channels);
    }

    pub(crate) fn converter(&mut self) {
        let layer = Layer::WidthConverter(WidthConverter {
            element: self.element,
            pixels: self.pixels(),
            channels: self.channels,
            from: 1,
            to: self.channels,
        });
        self.push(layer, Tensors::default(), self.picture, self.channels);
    }

    pub(crate) fn labels(&mut self) {
        let layer = Layer::LabelSelect(LabelSelect {
            input: self.element,
            channels: self.channels,
            pixels: self.pixels(),
            output: DataType::spanning(0, self.channels as i64 - 1).unwrap(),
            pe: 1,
        });
        self.push(layer, Tensors::default(), self.picture, 1);
    }

    /// The picture as one pixel.
    pub(crate) fn flatten(&mut self) {
        self.channels *= self.pixels();
        self.picture = [1, 1];
    }
}

/// A random frame in the order of the network's input.
pub(crate) fn frame(random: &mut Random, dataflow: &Dataflow) -> Vec<i64> {
    let stream = dataflow.stream(dataflow.inputs[0].stream);
    let elements = stream.pixels * stream.channels;
    (0..elements)
        .map(|_| element(random, stream.element))
        .collect()
}
