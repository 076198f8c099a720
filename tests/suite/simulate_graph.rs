//! Random graphs of layers, whose words fit each other and whose elements mean nothing.
//! Must not know what is done with them.

use finnp::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use finnp::layer::{
    Add, Blocks, Concat, Cross, Duplicate, LabelSelect, Layer, MaxPool, Mvau, MvauBcr, MvauRc,
    Part, Port, Side, Sliding, SlidingWindow, SumPool, Tensors, Upsample, Vvau, WidthConverter,
};
use finnp::network::Coding;
use finnp::tensor::{DataType, PerChannel, Window};

use super::random::Random;

/// Every element.
const ELEMENT: DataType = DataType::Uint(4);

/// A graph that grows.
pub(crate) struct Growing {
    pub(crate) random: Random,
    pub(crate) dataflow: Dataflow,
    depth: usize,
}

/// Where it grows: the stream, the picture, channels of a pixel, elements of a word.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tip {
    stream: StreamId,
    picture: [usize; 2],
    channels: usize,
    word: usize,
}

impl Tip {
    fn pixels(self) -> usize {
        self.picture[0] * self.picture[1]
    }
}

/// A network of one layer, all of its FIFOs of that depth.
pub(crate) fn alone(layer: Layer, depth: usize) -> Dataflow {
    let mut dataflow = Dataflow::default();
    let hardware = layer.hardware();
    let inputs = hardware.inputs();
    let inputs: Vec<StreamId> = inputs
        .iter()
        .map(|p| stream(&mut dataflow, *p, depth))
        .collect();
    let outputs = vec![hardware.output(); hardware.copies()];
    let outputs: Vec<StreamId> = outputs
        .iter()
        .map(|p| stream(&mut dataflow, *p, depth))
        .collect();
    inputs.iter().for_each(|id| feed(&mut dataflow, *id));
    outputs.iter().for_each(|id| drain(&mut dataflow, *id));
    dataflow.nodes.push(Node {
        name: "alone".into(),
        layer,
        tensors: Tensors::default(),
        inputs,
        outputs,
    });
    dataflow.verify("a test").unwrap();
    dataflow
}

fn stream(dataflow: &mut Dataflow, port: Port, depth: usize) -> StreamId {
    dataflow.add_stream(Stream {
        element: port.element,
        pixels: port.pixels,
        channels: port.channels,
        depth,
        value: None,
        order: Order::RowMajor,
        kept: None,
    })
}

fn feed(dataflow: &mut Dataflow, stream: StreamId) {
    dataflow.inputs.push(Input {
        name: format!("in{}", stream.0),
        stream,
        shape: Vec::new(),
        coding: Coding::scaled(PerChannel::Same(1.0)),
        quantiser: None,
    });
}

fn drain(dataflow: &mut Dataflow, stream: StreamId) {
    dataflow.outputs.push(Output {
        name: format!("out{}", stream.0),
        stream,
        shape: Vec::new(),
        order: Order::RowMajor,
        tail: Tail::new(Coding::scaled(PerChannel::Same(1.0))),
        host: Vec::new(),
        host_shape: Vec::new(),
    });
}

/// A random graph of some layers; FIFOs have `depth` places at most.
pub(crate) fn graph(seed: u64, depth: usize) -> Dataflow {
    let mut growing = Growing {
        random: Random::new(seed ^ 0x7a11),
        dataflow: Dataflow::default(),
        depth,
    };
    let random = &mut growing.random;
    let channels = *random.pick(&[1, 2, 3, 4, 6]);
    let picture = [random.between(1, 6) as usize, random.between(1, 6) as usize];
    let port = Port {
        element: ELEMENT,
        pixels: picture[0] * picture[1],
        channels,
        per_word: divisor(random, channels),
    };
    let stream = growing.stream(port);
    feed(&mut growing.dataflow, stream);
    let mut tip = Tip {
        stream,
        picture,
        channels,
        word: port.per_word,
    };
    for _ in 0..growing.random.between(1, 4) {
        tip = match growing.random.below(3) {
            0 => growing.fork(tip),
            _ => growing.layer(tip),
        };
    }
    if growing.dataflow.nodes.is_empty() {
        tip = growing.dense(tip);
    }
    if growing.random.chance(20) {
        let layer = Layer::LabelSelect(LabelSelect {
            input: ELEMENT,
            channels: tip.channels,
            pixels: tip.pixels(),
            output: ELEMENT,
            pe: tip.word,
        });
        tip = growing.push(layer, &[tip.stream], tip.picture)[0];
    }
    drain(&mut growing.dataflow, tip.stream);
    growing.dataflow.verify("a test").unwrap();
    growing.dataflow
}

fn divisor(random: &mut Random, number: usize) -> usize {
    let divisors: Vec<usize> = (1..=number).filter(|d| number.is_multiple_of(*d)).collect();
    *random.pick(&divisors)
}

impl Growing {
    fn stream(&mut self, port: Port) -> StreamId {
        let depth = match self.random.chance(30) {
            true => self.random.between(1, 3),
            false => self.random.between(1, self.depth as i64),
        };
        stream(&mut self.dataflow, port, depth as usize)
    }

    fn push(&mut self, layer: Layer, inputs: &[StreamId], picture: [usize; 2]) -> Vec<Tip> {
        let (port, copies) = (layer.hardware().output(), layer.hardware().copies());
        let outputs: Vec<StreamId> = (0..copies).map(|_| self.stream(port)).collect();
        let name = format!("{}{}", layer.hardware().kind(), self.dataflow.nodes.len());
        self.dataflow.nodes.push(Node {
            name,
            layer,
            tensors: Tensors::default(),
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
        });
        let tip = |stream: &StreamId| Tip {
            stream: *stream,
            picture,
            channels: port.channels,
            word: port.per_word,
        };
        outputs.iter().map(tip).collect()
    }

    fn converted(&mut self, tip: Tip, word: usize) -> Tip {
        if tip.word == word {
            return tip;
        }
        let layer = Layer::WidthConverter(WidthConverter {
            element: ELEMENT,
            pixels: tip.pixels(),
            channels: tip.channels,
            from: tip.word,
            to: word,
        });
        self.push(layer, &[tip.stream], tip.picture)[0]
    }

    /// A fork whose branches meet again.
    fn fork(&mut self, tip: Tip) -> Tip {
        let layer = Layer::Duplicate(Duplicate {
            element: ELEMENT,
            channels: tip.channels,
            pixels: tip.pixels(),
            copies: 2,
            pe: tip.word,
        });
        let tips = self.push(layer, &[tip.stream], tip.picture);
        let mut ends = Vec::new();
        for start in tips {
            let mut end = start;
            for _ in 0..self.random.below(3) {
                end = self.keeping(end);
            }
            ends.push(end);
        }
        let [mut a, mut b] = [ends[0], ends[1]];
        if a.channels == b.channels && self.random.chance(60) {
            let pe = self.random.between(1, a.channels as i64) as usize;
            [a, b] = [a, b].map(|end| self.converted(end, pe));
            let layer = Layer::Add(Add {
                inputs: [ELEMENT; 2],
                gains: [1; 2],
                channels: a.channels,
                pixels: a.pixels(),
                output: ELEMENT,
                pe,
            });
            return self.push(layer, &[a.stream, b.stream], a.picture)[0];
        }
        let common = (1..=a.channels)
            .filter(|pe| a.channels.is_multiple_of(*pe) && b.channels.is_multiple_of(*pe));
        let common: Vec<usize> = common.collect();
        let pe = *self.random.pick(&common);
        [a, b] = [a, b].map(|end| self.converted(end, pe));
        let part = |end: Tip| Part {
            element: ELEMENT,
            channels: end.channels,
            gain: 1,
        };
        let layer = Layer::Concat(Concat {
            inputs: vec![part(a), part(b)],
            pixels: a.pixels(),
            output: ELEMENT,
            pe,
        });
        self.push(layer, &[a.stream, b.stream], a.picture)[0]
    }

    fn layer(&mut self, tip: Tip) -> Tip {
        match self.random.below(4) {
            0 => self.upsample(tip),
            1 => {
                let window = self.window(tip.picture, false);
                self.windowed(tip, window)
            }
            _ => self.keeping(tip),
        }
    }

    /// A layer that keeps the picture's size.
    fn keeping(&mut self, tip: Tip) -> Tip {
        match self.random.below(5) {
            0 => {
                let word = self.random.between(1, tip.channels as i64) as usize;
                self.converted(tip, word)
            }
            1 | 2 => self.dense(tip),
            _ => {
                let window = self.window(tip.picture, true);
                self.windowed(tip, window)
            }
        }
    }

    fn upsample(&mut self, tip: Tip) -> Tip {
        let pe = divisor(&mut self.random, tip.channels);
        let tip = self.converted(tip, pe);
        let layer = Upsample {
            picture: tip.picture,
            channels: tip.channels,
            factor: *self.random.pick(&[[1, 2], [2, 1], [2, 2]]),
            fill: None,
            input: ELEMENT,
            output: ELEMENT,
            pe,
        };
        let size = layer.size();
        self.push(Layer::Upsample(layer), &[tip.stream], size)[0]
    }

    /// A matrix whose blocks keep rows and columns.
    fn crossed(&mut self, tip: Tip) -> Tip {
        let mut side = |lines: usize| {
            let lanes = divisor(&mut self.random, lines);
            let entries = divisor(&mut self.random, lines / lanes);
            let keep = self.random.between(1, entries as i64) as usize;
            let side = Side {
                lanes,
                entries,
                keep,
            };
            (side, divisor(&mut self.random, lanes))
        };
        let (columns, simd) = side(tip.channels);
        let count = [1, 2, 4, 6][tip.pixels() % 4];
        let (rows, pe) = side(count);
        let tip = self.converted(tip, simd);
        let layer = Layer::MvauRc(MvauRc {
            rows: count,
            columns: tip.channels,
            pixels: tip.pixels(),
            input: ELEMENT,
            weight: ELEMENT,
            accumulator: ELEMENT,
            activation: None,
            cross: Cross { rows, columns },
            pe,
            simd,
            multiplier: finnp::layer::Multiplier::Lut,
        });
        self.push(layer, &[tip.stream], tip.picture)[0]
    }

    fn dense(&mut self, tip: Tip) -> Tip {
        if self.random.chance(30) {
            return self.crossed(tip);
        }
        let rows = self.random.between(1, 6) as usize;
        let pe = self.random.between(1, rows as i64) as usize;
        if self.random.chance(50) {
            let layer = Layer::Mvau(Mvau {
                rows,
                columns: tip.channels,
                pixels: tip.pixels(),
                groups: 1,
                input: ELEMENT,
                weight: ELEMENT,
                accumulator: ELEMENT,
                activation: None,
                pe,
                simd: tip.word,
                multiplier: finnp::layer::Multiplier::Lut,
            });
            return self.push(layer, &[tip.stream], tip.picture)[0];
        }
        let simd = divisor(&mut self.random, tip.channels);
        let tip = self.converted(tip, simd);
        let entries = tip.channels / simd;
        let layer = Layer::MvauBcr(MvauBcr {
            rows,
            columns: tip.channels,
            pixels: tip.pixels(),
            input: ELEMENT,
            weight: ELEMENT,
            accumulator: ELEMENT,
            activation: None,
            blocks: Blocks {
                lanes: simd,
                rows: pe,
                entries,
                keep: self.random.between(1, entries as i64) as usize,
            },
            pe,
            simd,
            multiplier: finnp::layer::Multiplier::Lut,
        });
        self.push(layer, &[tip.stream], tip.picture)[0]
    }

    fn window(&mut self, picture: [usize; 2], keeps: bool) -> Window {
        loop {
            let random = &mut self.random;
            let mut window = Window::dense([0, 1].map(|_| *random.pick(&[1, 2, 3])));
            for axis in 0..2 {
                window.dilation[axis] = *random.pick(&[1, 1, 2]);
                window.stride[axis] = if keeps { 1 } else { *random.pick(&[1, 2, 3]) };
                let around = window.span()[axis] - 1;
                let before = match random.chance(50) {
                    true => around / 2,
                    false => random.below(around + 1),
                };
                window.pads[axis] = before;
                window.pads[axis + 2] = match keeps {
                    true => around - before,
                    false => random.below(3),
                };
            }
            let output = window.output(picture);
            if output.is_some_and(|output| !keeps || output == picture) {
                return window;
            }
        }
    }

    fn windowed(&mut self, tip: Tip, window: Window) -> Tip {
        let pe = divisor(&mut self.random, tip.channels);
        let tip = self.converted(tip, pe);
        let sliding = Sliding {
            picture: tip.picture,
            channels: tip.channels,
            window,
        };
        let simd = self.random.between(1, sliding.positions() as i64) as usize;
        let layer = match self.random.below(4) {
            0 => Layer::SlidingWindow(SlidingWindow {
                sliding,
                groups: 1,
                input: ELEMENT,
                output: ELEMENT,
                pad: 0,
                pe,
                simd: divisor(&mut self.random, tip.channels),
            }),
            1 => Layer::Vvau(Vvau {
                sliding,
                input: ELEMENT,
                pad: 0,
                weight: ELEMENT,
                accumulator: ELEMENT,
                activation: None,
                pe,
                simd,
            }),
            2 => Layer::MaxPool(MaxPool {
                sliding,
                input: ELEMENT,
                pe,
                simd,
            }),
            _ => Layer::SumPool(SumPool {
                sliding,
                input: ELEMENT,
                pad: 0,
                accumulator: ELEMENT,
                pe,
                simd,
            }),
        };
        self.push(layer, &[tip.stream], sliding.output())[0]
    }
}
