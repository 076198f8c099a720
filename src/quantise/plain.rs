//! `Plain`: a float network with its constants evaluated, and what is affine behind its products folded into them.
//! Must not know samples.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::network::{Binary, Network, Node, Op, ValueId};
use crate::reference::{Real, along_one_axis};
use crate::tensor::{PerChannel, Tensor};

/// A network in which every operand is an input, a stored constant or the output of a node.
pub(super) struct Plain {
    /// Its nodes depend on its inputs, all of them.
    pub(super) network: Network,
    /// By node, what is added to each channel of its output; of products alone.
    pub(super) bias: Vec<Option<Vec<f64>>>,
}

/// What stands behind a product, channel by channel: `gain * sum + offset`.
struct Line {
    gain: Vec<f64>,
    offset: Vec<f64>,
}

/// Whether a node multiplies what varies by a matrix or a kernel of constants.
pub(super) fn is_product(op: Op) -> bool {
    matches!(op, Op::MatMul | Op::Conv { .. } | Op::ConvTranspose { .. })
}

impl Plain {
    /// Of a network without quantisers.
    ///
    /// # Errors
    /// A user error for a network that has quantisers, or products that are none of a constant matrix.
    pub(super) fn new(network: &Network) -> Result<Self> {
        if let Some(node) = network.nodes.iter().find(|node| quantises(node.op)) {
            return Err(Error::user(format!(
                "the network is quantised already: node `{}` ({})",
                node.name, node.onnx
            ))
            .help("take `[quantize]` away, or name the float model"));
        }
        let mut network = stored(network)?;
        let readers = network.readers();
        let mut bias: Vec<Option<Vec<f64>>> = Vec::new();
        let mut nodes: Vec<Node> = Vec::new();
        let mut folded = vec![false; network.nodes.len()];
        for at in 0..network.nodes.len() {
            if folded[at] {
                continue;
            }
            let mut node = network.nodes[at].clone();
            let mut offset = None;
            if is_product(node.op) {
                checked(&network, &node)?;
                let (line, end) = line(&network, &readers, at, &mut folded)?;
                if let Some(line) = line {
                    let weights = weighted(&network, &node, &line.gain)?;
                    let name = format!("{}.folded", network.value(node.inputs[1]).name);
                    let shape = weights.shape().to_vec();
                    let constant = Some(weights);
                    node.inputs[1] = network.add_value(crate::network::Value {
                        name,
                        shape,
                        constant,
                    });
                    offset = Some(line.offset);
                }
                node.output = end;
            }
            nodes.push(node);
            bias.push(offset);
        }
        network.nodes = nodes;
        network.verify("folding")?;
        Ok(Plain { network, bias })
    }

    /// The weights of a product.
    ///
    /// # Errors
    /// A bug where it has none.
    pub(super) fn weights(&self, node: &Node) -> Result<&Tensor<f32>> {
        constant(&self.network, node)
    }
}

/// Whether an operator quantises, or undoes that.
pub(super) fn quantises(op: Op) -> bool {
    op.is_quantiser() || matches!(op, Op::DequantizeLinear(_))
}

fn constant<'a>(network: &'a Network, node: &Node) -> Result<&'a Tensor<f32>> {
    let weights = node.inputs.get(1).map(|id| network.value(*id));
    weights
        .and_then(|value| value.constant.as_ref())
        .ok_or_else(|| Error::bug(format!("`{}` has no weights", node.name)))
}

/// The network with all that does not depend on inputs as stored constants.
fn stored(network: &Network) -> Result<Network> {
    let real = Real::new(network)?;
    let nodes: Vec<Node> = real.nodes().iter().map(|node| (*node).clone()).collect();
    let mut values = network.values.clone();
    let read = nodes.iter().flat_map(|node| &node.inputs);
    for id in read.chain(&network.outputs) {
        if values[id.0].constant.is_none()
            && let Some(known) = real.constant(*id)
        {
            values[id.0].constant = Some(known.real.map(|number| *number as f32));
        }
    }
    Ok(Network {
        values,
        nodes,
        ..network.clone()
    })
}

fn checked(network: &Network, node: &Node) -> Result<()> {
    let is_constant = |at: usize| network.value(node.inputs[at]).constant.is_some();
    let rank = network.value(node.inputs[1]).shape.len();
    let fits = match node.op {
        Op::MatMul => rank == 2,
        _ => rank >= 3,
    };
    match !is_constant(0) && is_constant(1) && fits {
        true => Ok(()),
        false => Err(Error::user(format!(
            "node `{}` ({}) multiplies by no matrix of constants, which `[quantize]` needs",
            node.name, node.onnx
        ))),
    }
}

/// What is affine behind the product at `at`, and where it ends; marks the nodes that it is made of.
fn line(
    network: &Network,
    readers: &[usize],
    at: usize,
    folded: &mut [bool],
) -> Result<(Option<Line>, ValueId)> {
    let node = &network.nodes[at];
    let mut end = node.output;
    let shape = &network.value(end).shape;
    let (axis, rows) = match node.op {
        Op::MatMul => (shape.len().saturating_sub(1), shape.last().copied()),
        _ => (1, shape.get(1).copied()),
    };
    let rows = rows.unwrap_or(1);
    let mut found: Option<Line> = None;
    while readers[end.0] == 1 && !network.outputs.contains(&end) {
        let next = network
            .nodes
            .iter()
            .position(|node| node.inputs.contains(&end));
        let Some(next) = next else { break };
        let Some(step) = step(network, &network.nodes[next], end, (axis, rows)) else {
            break;
        };
        let line = found.get_or_insert_with(|| Line {
            gain: vec![1.0; rows],
            offset: vec![0.0; rows],
        });
        for row in 0..rows {
            let (gain, offset) = (step.gain[row], step.offset[row]);
            line.gain[row] *= gain;
            line.offset[row] = line.offset[row] * gain + offset;
        }
        folded[next] = true;
        end = network.nodes[next].output;
    }
    Ok((found, end))
}

/// One node as a straight line for each of the `rows` channels on `axis`; `None` where it is none.
fn step(network: &Network, node: &Node, x: ValueId, (axis, rows): (usize, usize)) -> Option<Line> {
    let shape = &network.value(x).shape;
    if network.value(node.output).shape != *shape {
        return None;
    }
    let along = |id: ValueId, of_norm: bool| -> Option<Vec<f64>> {
        let tensor = network.value(id).constant.as_ref()?;
        let real = tensor.map(|number| f64::from(*number));
        if of_norm {
            return (real.len() == rows).then(|| real.into_data());
        }
        let (found, values) = along_one_axis(&real, shape.len())?;
        match values {
            PerChannel::Same(value) => Some(vec![value; rows]),
            PerChannel::Each(values) if found == axis && values.len() == rows => Some(values),
            PerChannel::Each(_) => None,
        }
    };
    match (node.op, &node.inputs[..]) {
        (Op::BatchNorm { epsilon }, [_, parameters @ ..]) if axis == 1 => {
            let parameters: Option<Vec<Vec<f64>>> =
                parameters.iter().map(|id| along(*id, true)).collect();
            let [gain, bias, mean, variance] = &parameters?[..] else {
                return None;
            };
            let gain: Vec<f64> = (0..rows)
                .map(|row| gain[row] / (variance[row] + epsilon).sqrt())
                .collect();
            let offset = (0..rows).map(|row| bias[row] - mean[row] * gain[row]);
            Some(Line {
                offset: offset.collect(),
                gain,
            })
        }
        (Op::Binary(op), [a, b]) => {
            let first = *a == x;
            let other = along(if first { *b } else { *a }, false)?;
            let ones = || vec![1.0; rows];
            let zeros = || vec![0.0; rows];
            let each = |f: fn(f64) -> f64| other.iter().map(|value| f(*value)).collect();
            let (gain, offset) = match (op, first) {
                (Binary::Add, _) => (ones(), other),
                (Binary::Sub, true) => (ones(), each(|value| -value)),
                (Binary::Mul, _) => (other, zeros()),
                (Binary::Div, true) => (each(|value| 1.0 / value), zeros()),
                _ => return None,
            };
            let finite = gain.iter().chain(&offset).all(|value| value.is_finite());
            finite.then_some(Line { gain, offset })
        }
        _ => None,
    }
}

/// The weights of a product with every row of its result times a gain.
fn weighted(network: &Network, node: &Node, gain: &[f64]) -> Result<Tensor<f32>> {
    let weights = constant(network, node)?;
    let (shape, rows) = (weights.shape(), gain.len());
    // Where row r of the result stands in the tensor: the last axis, the first, or the second of each group.
    let row = |at: usize| match node.op {
        Op::MatMul => at % rows,
        Op::ConvTranspose { group, .. } => {
            let positions: usize = shape[2..].iter().product();
            let (input, filter) = (at / positions / shape[1], at / positions % shape[1]);
            let group_of = input / (shape[0] / group.max(1)).max(1);
            group_of * shape[1] + filter
        }
        _ => at / (weights.len() / rows.max(1)).max(1),
    };
    let values = weights.data().iter().enumerate();
    let values = values.map(|(at, weight)| (f64::from(*weight) * gain[row(at)]) as f32);
    Tensor::new(shape.to_vec(), values.collect())
}

/// By node of `network`, whether no other product comes before it, and whether none comes behind it.
pub(super) fn ends(network: &Network) -> Vec<[bool; 2]> {
    let mut behind = vec![false; network.values.len()];
    let mut before: BTreeMap<ValueId, bool> = BTreeMap::new();
    let mut found = vec![[true; 2]; network.nodes.len()];
    for (at, node) in network.nodes.iter().enumerate() {
        let product = node.inputs.iter().any(|id| before.get(id) == Some(&true));
        found[at][0] = !product;
        before.insert(node.output, product || is_product(node.op));
    }
    for (at, node) in network.nodes.iter().enumerate().rev() {
        let product = behind[node.output.0];
        found[at][1] = !product;
        for id in &node.inputs {
            behind[id.0] |= product || is_product(node.op);
        }
    }
    found
}
