//! The graph itself: values, nodes and their order.
//! Must not know what operators mean.

use serde::{Deserialize, Serialize};

use super::op::Op;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Index of a [`Value`] in its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValueId(pub usize);

/// A tensor of the network: an input, a constant or the output of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Name in the file.
    pub name: String,
    /// Shape at batch size 1.
    pub shape: Vec<usize>,
    /// Contents of an initializer, exactly as in the file. Constants that the file computes
    /// stay nodes, so that they are evaluated in f64.
    #[serde(skip)]
    pub constant: Option<Tensor<f32>>,
}

/// An operator with its inputs and its one output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Stable name, see [`crate::qonnx`].
    pub name: String,
    /// ONNX operator type as in the file, for messages.
    pub onnx: String,
    /// What it does.
    pub op: Op,
    /// For `Transpose`: axis i of the output is axis `permutation[i]` of the input. Else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permutation: Vec<usize>,
    /// Operands in the operator's order.
    pub inputs: Vec<ValueId>,
    /// Result.
    pub output: ValueId,
}

/// A network: nodes in topological order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// All tensors.
    pub values: Vec<Value>,
    /// All operators, each after the producers of its inputs.
    pub nodes: Vec<Node>,
    /// Tensors that are fed.
    pub inputs: Vec<ValueId>,
    /// Tensors that are results.
    pub outputs: Vec<ValueId>,
}

impl Network {
    /// The tensor `id`.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// Adds a tensor.
    pub fn add_value(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        ValueId(self.values.len() - 1)
    }

    /// How many nodes read each value; an output of the network counts as one more reader.
    pub fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.values.len()];
        let operands = self.nodes.iter().flat_map(|node| &node.inputs);
        for id in operands.chain(&self.outputs) {
            readers[id.0] += 1;
        }
        readers
    }

    /// Without what no output depends on; inputs stay.
    #[must_use]
    pub fn living(mut self) -> Self {
        let mut read = vec![false; self.values.len()];
        self.outputs.iter().for_each(|id| read[id.0] = true);
        let mut nodes: Vec<Node> = Vec::with_capacity(self.nodes.len());
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if read[node.output.0] {
                node.inputs.iter().for_each(|id| read[id.0] = true);
                nodes.push(node);
            }
        }
        nodes.reverse();
        self.nodes = nodes;
        self.inputs.iter().for_each(|id| read[id.0] = true);
        let mut next = 0;
        let renumbered = read.iter().map(|read| {
            next += usize::from(*read);
            ValueId(next.saturating_sub(1))
        });
        let renumbered: Vec<ValueId> = renumbered.collect();
        let mut kept = read.iter();
        self.values.retain(|_| kept.next() == Some(&true));
        let operands = self.nodes.iter_mut().flat_map(|node| {
            let output = std::iter::once(&mut node.output);
            node.inputs.iter_mut().chain(output)
        });
        let ends = self.inputs.iter_mut().chain(&mut self.outputs);
        operands.chain(ends).for_each(|id| *id = renumbered[id.0]);
        self
    }

    /// Checks the graph's own laws: ids in range, each value made once and before it is read.
    ///
    /// # Errors
    /// A bug that names `origin`, the pass that built the graph.
    pub fn verify(&self, origin: &str) -> Result<()> {
        let broken = |what: String| Err(Error::bug(format!("after `{origin}`: {what}")));
        let mut made: Vec<bool> = self.values.iter().map(|v| v.constant.is_some()).collect();
        for id in &self.inputs {
            match made.get_mut(id.0) {
                Some(seen) => *seen = true,
                None => return broken(format!("input {} does not exist", id.0)),
            }
        }
        for node in &self.nodes {
            for id in &node.inputs {
                if !made.get(id.0).copied().unwrap_or(false) {
                    return broken(format!("`{}` reads a value before it is made", node.name));
                }
            }
            match made.get_mut(node.output.0) {
                Some(seen) if !*seen => *seen = true,
                _ => return broken(format!("`{}` makes a value again", node.name)),
            }
        }
        match self.outputs.iter().all(|id| made.get(id.0) == Some(&true)) {
            true => Ok(()),
            false => broken("an output is never made".into()),
        }
    }
}
