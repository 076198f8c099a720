//! One small network for every operator that a network may hold.
//! Must not know what is tested on them.

use finnp::network::{
    Binary, Linear, MultiThreshold, Network, Node, Op, Quant, Trunc, Unary, Value, picture,
};
use finnp::tensor::{Tensor, Window};

/// Shape of what the operators read.
const SHAPE: [usize; 3] = [1, 3, 4];

/// A network of one operator on a tensor, and on constants of these shapes and first values.
pub(crate) fn single_operator(
    op: Op,
    shape: &[usize],
    output: &[usize],
    constants: &[(&[usize], f32)],
) -> Network {
    let mut network = Network::default();
    let mut add = |name: String, shape: &[usize], value: Option<f32>| {
        let elements = 0..shape.iter().product();
        let constant = value.map(|first| {
            let values = elements.map(|i: usize| first + i as f32 / 8.0).collect();
            Tensor::new(shape.to_vec(), values).unwrap()
        });
        network.add_value(Value {
            name,
            shape: shape.to_vec(),
            constant,
        })
    };
    let mut inputs = vec![add("x".into(), shape, None)];
    for (number, (shape, value)) in constants.iter().enumerate() {
        inputs.push(add(format!("c{number}"), shape, Some(*value)));
    }
    let result = add("y".into(), output, None);
    network.inputs.push(inputs[0]);
    network.outputs.push(result);
    let turned = op == Op::Transpose;
    network.nodes.push(Node {
        name: "node".into(),
        onnx: String::new(),
        op,
        permutation: if turned { vec![0, 2, 1] } else { Vec::new() },
        inputs,
        output: result,
    });
    network
}

fn unaries() -> Vec<Unary> {
    let (alpha, beta, gamma) = (0.25, 0.5, 1.5);
    let (low, high) = (-1.5, 2.0);
    let none = f64::INFINITY;
    vec![
        Unary::Relu,
        Unary::LeakyRelu { alpha },
        Unary::Clip { low, high },
        Unary::Clip { low, high: none },
        Unary::Clip { low: -none, high },
        Unary::Clip {
            low: -none,
            high: none,
        },
        Unary::Sigmoid,
        Unary::Tanh,
        Unary::Elu { alpha },
        Unary::Selu { alpha, gamma },
        Unary::HardSigmoid { alpha, beta },
        Unary::Softplus,
        Unary::Softsign,
        Unary::Neg,
        Unary::Abs,
        Unary::Sqrt,
        Unary::Exp,
        Unary::Identity,
    ]
}

/// `QuantizeLinear` of every type, per tensor and per axis, once with fewer integers.
fn linear() -> Vec<Network> {
    let (shape, one): (&[usize], &[usize]) = (&SHAPE, &[]);
    let mut networks = Vec::new();
    for (element, low, high) in [
        ("int8", -128, 127),
        ("uint8", 0, 255),
        ("uint8", 1, 200),
        ("int16", -32768, 32767),
        ("uint16", 0, 65535),
        ("uint4", 0, 15),
        ("int4", -8, 7),
    ] {
        let linear = |axis| {
            Op::QuantizeLinear(Linear {
                element: element.parse().unwrap(),
                low,
                high,
                axis,
            })
        };
        networks.push(single_operator(
            linear(0),
            shape,
            shape,
            &[(one, 0.5), (one, 3.0)],
        ));
        let each: &[usize] = &[3];
        let constants = [(each, 0.5), (each, 0.0)];
        let mut network = single_operator(linear(1), shape, shape, &constants);
        let zeros = vec![1.0, 0.0, 7.0];
        network.values[2].constant = Some(Tensor::new(vec![3], zeros).unwrap());
        networks.push(network);
    }
    networks
}

fn quantisers() -> Vec<Network> {
    let (shape, one): (&[usize], &[usize]) = (&SHAPE, &[]);
    let mut networks = vec![single_operator(
        Op::BipolarQuant,
        shape,
        shape,
        &[(one, 0.5)],
    )];
    let modes = "ROUND CEIL FLOOR UP DOWN HALF_UP HALF_DOWN".split(' ');
    for (number, mode) in modes.enumerate() {
        let quant = Op::Quant(Quant {
            signed: number % 2 == 0,
            narrow: number % 3 == 0,
            rounding: mode.parse().unwrap(),
        });
        let constants = [(one, 0.5), (one, 1.0), (one, 4.0)];
        networks.push(single_operator(quant, shape, shape, &constants));
    }
    for channels_last in [false, true] {
        let quantiser = MultiThreshold {
            out_scale: 0.5,
            out_bias: -0.25,
        };
        let op = Op::MultiThreshold {
            quantiser,
            channels_last,
        };
        let thresholds = [if channels_last { 4 } else { 3 }, 2];
        networks.push(single_operator(op, shape, shape, &[(&thresholds, -1.0)]));
    }
    networks.extend(linear());
    for constants in [
        &[(one, 0.5), (one, 0.0), (one, 8.0), (one, 4.0)][..],
        &[(one, 0.5), (one, 0.0), (one, 8.0), (one, 2.0), (one, 4.0)],
    ] {
        let second = constants.len() == 5;
        let trunc = Op::Trunc(Trunc {
            signed: !second,
            narrow: second,
            rounding: "HALF_UP".parse().unwrap(),
        });
        networks.push(single_operator(trunc, shape, shape, constants));
    }
    networks
}

/// Windows over a picture of 6 rows and 5 columns with every attribute, and over a signal of 7.
fn sliding() -> Vec<Network> {
    let wide = Window {
        kernel: [3, 2],
        stride: [2, 1],
        dilation: [2, 1],
        pads: [1, 0, 2, 1],
    };
    let signal = Window {
        kernel: [1, 3],
        stride: [1, 2],
        dilation: [1, 2],
        pads: [0, 2, 0, 1],
    };
    let mut networks = Vec::new();
    for (window, from, weights) in [
        (wide, &[1, 4, 6, 5][..], &[6, 2, 3, 2][..]),
        (signal, &[1, 4, 7], &[6, 2, 3]),
    ] {
        let (_, size) = picture(from).unwrap();
        let made = |window: Window, channels| {
            let places = window.output(size).unwrap();
            [&[1, channels], &places[4 - from.len()..]].concat()
        };
        let conv = Op::Conv { window, group: 2 };
        let constants = [(weights, -1.0)];
        networks.push(single_operator(conv, from, &made(window, 6), &constants));
        let pool = Op::MaxPool(window);
        networks.push(single_operator(pool, from, &made(window, 4), &[]));
        for (count_padding, dilation) in [(false, [1; 2]), (true, [1; 2]), (false, window.dilation)]
        {
            let window = Window { dilation, ..window };
            let pool = Op::AveragePool {
                window,
                count_padding,
            };
            networks.push(single_operator(pool, from, &made(window, 4), &[]));
        }
    }
    networks
}

/// Pictures and signals with more pixels, and tensors side by side.
fn resampling() -> Vec<Network> {
    let wide = Window {
        kernel: [3, 2],
        stride: [2, 3],
        dilation: [1, 2],
        pads: [1, 0, 0, 1],
    };
    let signal = Window {
        kernel: [1, 3],
        stride: [1, 2],
        dilation: [1, 1],
        pads: [0, 1, 0, 0],
    };
    let mut networks = Vec::new();
    for (window, to, kernel) in [
        (wide, &[1, 6, 7, 8][..], &[3, 2][..]),
        (signal, &[1, 6, 8], &[3]),
    ] {
        let places = window.output(picture(to).unwrap().1).unwrap();
        let from = [&[1, 4], &places[4 - to.len()..]].concat();
        let op = Op::ConvTranspose { window, group: 2 };
        let weights = [&[4, 3], kernel].concat();
        networks.push(single_operator(op, &from, to, &[(&weights, -1.0)]));
    }
    for (factor, from, to) in [
        ([2, 3], &[1, 4, 6, 5][..], &[1, 4, 12, 15][..]),
        ([1, 2], &[1, 4, 7], &[1, 4, 14]),
    ] {
        networks.push(single_operator(Op::Upsample { factor }, from, to, &[]));
    }
    for (axis, beside, to) in [(1, [1, 2, 4], [1, 5, 4]), (2, [1, 3, 1], [1, 3, 5])] {
        let op = Op::Concat { axis };
        networks.push(single_operator(op, &SHAPE, &to, &[(&beside, 0.5)]));
    }
    networks
}

/// One network for every operator, with its constants.
pub(crate) fn every_operator() -> Vec<Network> {
    let make =
        |op, output: &[usize], constants: &[_]| single_operator(op, &SHAPE, output, constants);
    let mut networks = quantisers();
    networks.extend(sliding());
    networks.extend(resampling());
    networks.extend(
        unaries()
            .into_iter()
            .map(|op| make(Op::Unary(op), &SHAPE, &[])),
    );
    networks.extend(
        [
            Binary::Add,
            Binary::Sub,
            Binary::Mul,
            Binary::Div,
            Binary::Pow,
            Binary::Min,
            Binary::Max,
            Binary::Prelu,
        ]
        .map(|op| make(Op::Binary(op), &SHAPE, &[(&[1, 3, 1], 2.0)])),
    );
    let channels = [(&[3usize][..], 1.0); 4];
    networks.push(make(Op::BatchNorm { epsilon: 0.125 }, &SHAPE, &channels));
    networks.push(make(Op::MatMul, &[1, 3, 2], &[(&[4, 2], 1.0)]));
    networks.push(make(Op::Reshape, &[1, 12], &[]));
    networks.push(make(Op::Transpose, &[1, 4, 3], &[]));
    for log in [false, true] {
        networks.push(make(Op::Softmax { axis: 1, log }, &SHAPE, &[]));
    }
    let arg_max = Op::ArgMax { axis: 1 };
    networks.push(make(arg_max, &[1, 1, 4], &[]));
    networks.push(make(arg_max, &[1, 4], &[]));
    networks
}
