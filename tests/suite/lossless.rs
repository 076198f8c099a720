//! Whether 32-bit floating point loses nothing anywhere in a network, so that every executor must be exact.
//! Must not know other executors.

use std::collections::BTreeMap;

use finnp::network::{Binary, Network, Node, Op, Unary, ValueId};
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;

/// Whether every value on the way of `input` is one of f32, and every operator comes to it in steps that are.
pub(crate) fn lossless(network: &Network, real: &Real<'_>, input: Known) -> bool {
    let mut values: BTreeMap<ValueId, Tensor<f64>> = BTreeMap::new();
    let mut good = single(&input.real);
    values.insert(network.inputs[0], input.real.clone());
    let visited = real.run(vec![input], |node, known| {
        let operand = |id: &ValueId| {
            let constant = || real.constant(*id).unwrap().into_owned().real;
            values.get(id).cloned().unwrap_or_else(constant)
        };
        let operands: Vec<Tensor<f64>> = node.inputs.iter().map(operand).collect();
        let operands: Vec<&Tensor<f64>> = operands.iter().collect();
        good &= operands.iter().all(|operand| single(operand));
        good &= single(&known.real) && step(node, &operands);
        values.insert(node.output, known.real.clone());
    });
    visited.is_ok() && good
}

/// Whether all are numbers of f32.
fn single(tensor: &Tensor<f64>) -> bool {
    tensor.data().iter().all(|value| narrow(*value))
}

fn narrow(value: f64) -> bool {
    f64::from(value as f32) == value
}

/// Whether a node whose operands and result are numbers of f32 has nothing to round inside.
fn step(node: &Node, operands: &[&Tensor<f64>]) -> bool {
    match (node.op, operands) {
        (Op::Quant(_), [x, scale, zero, _]) => {
            let spread = |tensor: &Tensor<f64>| tensor.broadcast(x.shape()).unwrap().into_data();
            let (scale, zero) = (spread(scale), spread(zero));
            let mut elements = x.data().iter().zip(scale.iter().zip(&zero));
            elements.all(|(x, (scale, zero))| narrow(x / scale) && narrow(x / scale + zero))
        }
        (Op::MultiThreshold { quantiser, .. }, [_, thresholds]) => {
            let steps = thresholds.shape()[1];
            (0..=steps).all(|count| narrow(quantiser.out_scale * count as f64))
        }
        (Op::MatMul, [a, b]) => sums(a, b),
        (Op::Conv { .. }, [x, weights]) => windows(x, weights, weights.shape()[0]),
        (Op::ConvTranspose { .. }, [x, weights]) => windows(x, weights, 1),
        (Op::MaxPool(_) | Op::Upsample { .. } | Op::Concat { .. }, _) => true,
        (Op::BipolarQuant | Op::Reshape | Op::Transpose | Op::ArgMax { .. }, _) => true,
        (Op::BatchNorm { epsilon }, [x, parameters @ ..]) => normalises(x, parameters, epsilon),
        (Op::Unary(unary), _) => matches!(
            unary,
            Unary::Relu | Unary::Clip { .. } | Unary::Neg | Unary::Abs | Unary::Identity
        ),
        (Op::Binary(binary), _) => binary != Binary::Pow,
        _ => false,
    }
}

/// Whether normalising has nothing to round in any of the orders in which it can be computed.
fn normalises(x: &Tensor<f64>, parameters: &[&Tensor<f64>], epsilon: f64) -> bool {
    let [gain, bias, mean, variance] = parameters else {
        return false;
    };
    let channels = gain.len();
    let inner: usize = x.shape()[2..].iter().product();
    let each = |channel: usize| {
        let at = |tensor: &Tensor<f64>| tensor.data()[channel];
        let square = at(variance) + epsilon;
        let (root, moved) = (square.sqrt(), at(mean) * (at(gain) / square.sqrt()));
        let whole = [
            square,
            root,
            at(gain) / root,
            1.0 / root,
            moved,
            at(bias) - moved,
        ];
        let places = x.data().iter().enumerate();
        let mut own = places.filter(|(place, _)| place / inner % channels == channel);
        root * root == square
            && whole.into_iter().all(narrow)
            && own.all(|(_, x)| {
                let centred = x - at(mean);
                [
                    x * (at(gain) / root),
                    centred,
                    centred / root,
                    centred * at(gain),
                ]
                .into_iter()
                .all(narrow)
            })
    };
    (0..channels).all(each)
}

/// Whether the sums of a product fit 24 bits in any order.
fn sums(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    let [depth, columns] = *b.shape() else {
        return false;
    };
    let unit = quantum(a) * quantum(b);
    let most = a
        .data()
        .chunks_exact(depth)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .map(|(row, column)| {
            let products = row
                .iter()
                .zip(b.data().iter().skip(column).step_by(columns));
            products.map(|(a, b)| (a * b).abs()).sum::<f64>()
        })
        .fold(0.0, f64::max);
    most <= unit * f64::from(1 << 24)
}

/// Whether the sums of a convolution fit 24 bits in any order, where every one of so many lists of weights meets the
/// largest element everywhere.
fn windows(x: &Tensor<f64>, weights: &Tensor<f64>, lists: usize) -> bool {
    let largest = x.data().iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let lists = weights.data().chunks((weights.len() / lists.max(1)).max(1));
    let sums = lists.map(|list| list.iter().map(|w| w.abs()).sum::<f64>());
    sums.fold(0.0, f64::max) * largest <= quantum(x) * quantum(weights) * f64::from(1 << 24)
}

/// The largest power of two of which all elements are multiples.
fn quantum(tensor: &Tensor<f64>) -> f64 {
    let values = tensor.data().iter().filter(|value| **value != 0.0);
    values
        .map(|value| {
            let mut unit = 2f64.powi(value.abs().log2().ceil() as i32 + 1);
            while (value / unit).fract() != 0.0 {
                unit /= 2.0;
            }
            unit
        })
        .fold(1e30, f64::min)
}
