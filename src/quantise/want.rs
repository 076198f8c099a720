//! Which tensors get a quantiser, at how many bits, and which must share a scale.
//! Must not know samples.

use super::Wishes;
use super::plain::{ends, is_product};
use crate::network::{Binary, Network, Node, Op, ValueId};

/// What the tensors of a network are to be.
pub(super) struct Wants {
    /// By value, the bits of its quantiser.
    pub(super) bits: Vec<Option<u32>>,
    /// By value, the first of those that have the same scale.
    pub(super) class: Vec<usize>,
    /// By value, the nodes that read it.
    pub(super) readers: Vec<Vec<usize>>,
}

/// What hands integers on as they are.
fn passes(op: Op) -> bool {
    matches!(
        op,
        Op::MaxPool(_) | Op::Reshape | Op::Transpose | Op::Upsample { .. } | Op::Concat { .. }
    )
}

/// Whether it adds two tensors that both depend on the input.
fn joins(network: &Network, node: &Node) -> bool {
    let varies = |id: &ValueId| network.value(*id).constant.is_none();
    matches!(node.op, Op::Binary(Binary::Add | Binary::Sub)) && node.inputs.iter().all(varies)
}

impl Wants {
    /// Of a network without quantisers, whose input is on a grid.
    pub(super) fn new(network: &Network, wishes: &Wishes<'_>) -> Self {
        let ends = ends(network);
        let mut need: Vec<Option<u32>> = vec![None; network.values.len()];
        for (at, node) in network.nodes.iter().enumerate().rev() {
            let own = wishes.bits(
                &node.name,
                [
                    is_product(node.op) && ends[at][0],
                    is_product(node.op) && ends[at][1],
                ],
            )[1];
            let below = need[node.output.0];
            let wanted = match node.op {
                op if is_product(op) || joins(network, node) => Some(own),
                Op::AveragePool { .. } => Some(own),
                Op::Reshape | Op::Transpose => below,
                op if passes(op) => Some(below.unwrap_or(own)),
                _ => None,
            };
            let count = if is_product(node.op) {
                1
            } else {
                node.inputs.len()
            };
            for id in &node.inputs[..count] {
                need[id.0] = need[id.0].max(wanted);
            }
        }
        let mut class: Vec<usize> = (0..network.values.len()).collect();
        for node in &network.nodes {
            if joins(network, node) {
                unite(&mut class, node.inputs[0].0, node.inputs[1].0);
            } else if passes(node.op) {
                for id in &node.inputs {
                    unite(&mut class, id.0, node.output.0);
                }
            }
        }
        let class: Vec<usize> = (0..class.len()).map(|at| root(&class, at)).collect();
        let mut bits = need;
        network.inputs.iter().for_each(|id| bits[id.0] = None);
        for (value, bits) in network.values.iter().zip(&mut bits) {
            if value.constant.is_some() {
                *bits = None;
            }
        }
        let mut readers = vec![Vec::new(); network.values.len()];
        for (at, node) in network.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|id| readers[id.0].push(at));
            if passes(node.op) {
                bits[node.output.0] = None;
            }
        }
        Wants {
            bits,
            class,
            readers,
        }
    }

    /// The values that get a quantiser with the scale of this one, itself among them.
    pub(super) fn alike(&self, id: ValueId) -> Vec<ValueId> {
        let all = (0..self.bits.len()).filter(|at| self.bits[*at].is_some());
        let same = all.filter(|at| self.class[*at] == self.class[id.0]);
        same.map(ValueId).collect()
    }
}

fn root(class: &[usize], mut at: usize) -> usize {
    while class[at] != at {
        at = class[at];
    }
    at
}

fn unite(class: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(class, a), root(class, b));
    class[a.max(b)] = a.min(b);
}
