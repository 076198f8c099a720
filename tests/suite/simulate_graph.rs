//! Random graphs of layers with their integers, whose words fit each other.
//! Must not know what is done with them.

use finnp::dataflow::{Dataflow, Input, Node, Order, Output, Stream, StreamId, Tail};
use finnp::layer::{
    Add, Concat, Duplicate, LabelSelect, Layer, Part, Port, Tensors, Upsample, WidthConverter,
};
use finnp::network::Coding;
use finnp::tensor::{DataType, PerChannel, Window};

use super::random::Random;
use super::random_unit::{Read, Unit, divisor, matrix, threshold, windowed};
use super::random_window::TYPES;

/// Bits of elements that are wide enough for a threshold layer.
const WIDE: u32 = 8;

/// A graph that grows.
pub(crate) struct Growing {
    pub(crate) random: Random,
    pub(crate) dataflow: Dataflow,
    depth: usize,
}

/// Where it grows: the stream and its elements, the picture, channels of a pixel, elements of a word.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tip {
    stream: StreamId,
    element: DataType,
    picture: [usize; 2],
    channels: usize,
    word: usize,
}

impl Tip {
    fn pixels(self) -> usize {
        self.picture[0] * self.picture[1]
    }

    fn read(self) -> Read {
        Read {
            element: self.element,
            picture: self.picture,
            channels: self.channels,
            word: self.word,
        }
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
        element: *random.pick(TYPES),
        pixels: picture[0] * picture[1],
        channels,
        per_word: divisor(random, channels),
    };
    let stream = growing.stream(port);
    feed(&mut growing.dataflow, stream);
    let mut tip = Tip {
        stream,
        element: port.element,
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
            input: tip.element,
            channels: tip.channels,
            pixels: tip.pixels(),
            output: DataType::spanning(0, tip.channels as i64 - 1).unwrap(),
            pe: tip.word,
        });
        tip = growing.push(plain(layer), &[tip.stream], tip.picture)[0];
    }
    drain(&mut growing.dataflow, tip.stream);
    growing.dataflow.verify("a test").unwrap();
    growing.dataflow
}

/// A layer without integers.
fn plain(layer: Layer) -> Unit {
    (layer, Tensors::default())
}

impl Growing {
    fn stream(&mut self, port: Port) -> StreamId {
        let depth = match self.random.chance(30) {
            true => self.random.between(1, 3),
            false => self.random.between(1, self.depth as i64),
        };
        stream(&mut self.dataflow, port, depth as usize)
    }

    fn push(
        &mut self,
        (layer, tensors): Unit,
        inputs: &[StreamId],
        picture: [usize; 2],
    ) -> Vec<Tip> {
        let (port, copies) = (layer.hardware().output(), layer.hardware().copies());
        let outputs: Vec<StreamId> = (0..copies).map(|_| self.stream(port)).collect();
        let name = format!("{}{}", layer.hardware().kind(), self.dataflow.nodes.len());
        self.dataflow.nodes.push(Node {
            name,
            layer,
            tensors,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
        });
        let tip = |stream: &StreamId| Tip {
            stream: *stream,
            element: port.element,
            picture,
            channels: port.channels,
            word: port.per_word,
        };
        outputs.iter().map(tip).collect()
    }

    fn converted(&mut self, tip: Tip, word: usize) -> Tip {
        self.fitted(
            tip,
            Port {
                element: tip.element,
                pixels: tip.pixels(),
                channels: tip.channels,
                per_word: word,
            },
        )
    }

    /// The words that a port reads. Where these hold several pixels, words before them must have no padding.
    fn fitted(&mut self, tip: Tip, port: Port) -> Tip {
        let several = port.channels != tip.channels;
        let tip = match several && !tip.channels.is_multiple_of(tip.word) {
            true => self.converted(tip, 1),
            false => tip,
        };
        if tip.word == port.per_word {
            return tip;
        }
        let (pixels, channels) = match several {
            true => (1, port.elements()),
            false => (port.pixels, port.channels),
        };
        let layer = plain(Layer::WidthConverter(WidthConverter {
            element: tip.element,
            pixels,
            channels,
            from: tip.word,
            to: port.per_word,
        }));
        let end = self.push(layer, &[tip.stream], tip.picture)[0];
        Tip {
            channels: tip.channels,
            ..end
        }
    }

    /// A fork whose branches meet again.
    fn fork(&mut self, tip: Tip) -> Tip {
        let layer = plain(Layer::Duplicate(Duplicate {
            element: tip.element,
            channels: tip.channels,
            pixels: tip.pixels(),
            copies: 2,
            pe: tip.word,
        }));
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
            let gains = [0; 2].map(|_| *self.random.pick(&[1, 1, 2, 3, -1]));
            let ends = [a, b].map(|end| [end.element.min(), end.element.max()]);
            let [first, second] = [0, 1].map(|i| ends[i].map(|value| value * gains[i]));
            let low = first[0].min(first[1]) + second[0].min(second[1]);
            let high = first[0].max(first[1]) + second[0].max(second[1]);
            let layer = plain(Layer::Add(Add {
                inputs: [a.element, b.element],
                gains,
                channels: a.channels,
                pixels: a.pixels(),
                output: DataType::spanning(low, high).unwrap(),
                pe,
            }));
            let sum = self.push(layer, &[a.stream, b.stream], a.picture)[0];
            return self.narrowed(sum);
        }
        let common = (1..=a.channels)
            .filter(|pe| a.channels.is_multiple_of(*pe) && b.channels.is_multiple_of(*pe));
        let common: Vec<usize> = common.collect();
        let pe = *self.random.pick(&common);
        [a, b] = [a, b].map(|end| self.converted(end, pe));
        let part = |end: Tip| Part {
            element: end.element,
            channels: end.channels,
            gain: 1,
        };
        let low = a.element.min().min(b.element.min());
        let high = a.element.max().max(b.element.max());
        let layer = plain(Layer::Concat(Concat {
            inputs: vec![part(a), part(b)],
            pixels: a.pixels(),
            output: DataType::spanning(low, high).unwrap(),
            pe,
        }));
        self.push(layer, &[a.stream, b.stream], a.picture)[0]
    }

    /// Reads the stream as the layer's words.
    fn grown(&mut self, tip: Tip, unit: Unit, picture: [usize; 2]) -> Tip {
        let tip = self.fitted(tip, unit.0.hardware().input());
        let end = self.push(unit, &[tip.stream], picture)[0];
        self.narrowed(end)
    }

    /// Wide elements become narrow ones.
    fn narrowed(&mut self, tip: Tip) -> Tip {
        if tip.element.bits() <= WIDE {
            return tip;
        }
        let unit = threshold(&mut self.random, tip.read());
        self.grown(tip, unit, tip.picture)
    }

    fn layer(&mut self, tip: Tip) -> Tip {
        match self.random.below(4) {
            0 => self.upsample(tip),
            1 => self.windowed(tip, false),
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
            _ => self.windowed(tip, true),
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
            input: tip.element,
            output: tip.element,
            pe,
        };
        let size = layer.size();
        self.push(plain(Layer::Upsample(layer)), &[tip.stream], size)[0]
    }

    fn dense(&mut self, tip: Tip) -> Tip {
        let unit = matrix(&mut self.random, tip.read());
        self.grown(tip, unit, tip.picture)
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

    fn windowed(&mut self, tip: Tip, keeps: bool) -> Tip {
        let window = self.window(tip.picture, keeps);
        let unit = windowed(&mut self.random, tip.read(), window);
        let size = window.output(tip.picture).unwrap();
        self.grown(tip, unit, size)
    }
}
