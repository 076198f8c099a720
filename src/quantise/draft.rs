//! `Draft`: a network under construction, in which every node and tensor has a name of its own.
//! Must not know why nodes are added.

use std::collections::BTreeSet;

use crate::network::{Network, Node, Op, Value, ValueId};
use crate::tensor::Tensor;

/// A network whose nodes are added one by one, in topological order.
pub(super) struct Draft {
    network: Network,
    tensors: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

impl Draft {
    /// With the tensors of `network`, its inputs and its outputs. Names of its nodes are kept for these.
    pub(super) fn new(network: &Network) -> Self {
        let tensors = network.values.iter().map(|value| value.name.clone());
        let nodes = network.nodes.iter().map(|node| node.name.clone());
        Draft {
            tensors: tensors.collect(),
            nodes: nodes.collect(),
            network: Network {
                nodes: Vec::new(),
                ..network.clone()
            },
        }
    }

    /// Adds a constant under a name like this one.
    pub(super) fn constant(&mut self, name: String, tensor: Tensor<f32>) -> ValueId {
        let id = self.fresh(name, tensor.shape().to_vec());
        self.network.values[id.0].constant = Some(tensor);
        id
    }

    /// Adds a tensor under a name like this one.
    pub(super) fn fresh(&mut self, mut name: String, shape: Vec<usize>) -> ValueId {
        while !self.tensors.insert(name.clone()) {
            name.push('_');
        }
        self.network.add_value(Value {
            name,
            shape,
            constant: None,
        })
    }

    /// Adds a node of the network that this one is made of, under its own name.
    pub(super) fn keep(&mut self, node: &Node, inputs: Vec<ValueId>, output: ValueId) {
        self.network.nodes.push(Node {
            inputs,
            output,
            ..node.clone()
        });
    }

    /// Adds a node under a name like this one.
    pub(super) fn add(
        &mut self,
        (mut name, onnx, op): (String, &str, Op),
        inputs: Vec<ValueId>,
        output: ValueId,
    ) {
        while !self.nodes.insert(name.clone()) {
            name.push('_');
        }
        self.network.nodes.push(Node {
            name,
            onnx: onnx.to_owned(),
            op,
            permutation: Vec::new(),
            inputs,
            output,
        });
    }

    /// The network, without what no output depends on.
    pub(super) fn finish(self) -> Network {
        self.network.living()
    }
}
