//! `Real`: a whole `Network` evaluated operator by operator in f64 with exact integer accumulators.
//! This is the definition of truth: everything that finnp generates equals it at every quantiser.
//! Must not know how a network becomes hardware.

use std::collections::BTreeMap;

use super::known::Known;
use super::node::{evaluate, evaluate_constant};
use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, ValueId};

/// A network with its constants evaluated once.
pub struct Real<'a> {
    network: &'a Network,
    /// Values that no input reaches.
    constants: Vec<Option<Known>>,
    /// Constants that element-wise operators read, without their integers: what varies decides the grid.
    operands: BTreeMap<ValueId, Known>,
    /// Nodes that an input reaches, in order.
    nodes: Vec<&'a Node>,
    /// By node, the values that nothing reads behind it.
    done: Vec<Vec<ValueId>>,
}

impl<'a> Real<'a> {
    /// Evaluates all constants.
    ///
    /// # Errors
    /// Operands that do not fit their operator.
    pub fn new(network: &'a Network) -> Result<Self> {
        let mut constants: Vec<Option<Known>> = network
            .values
            .iter()
            .map(|value| {
                value
                    .constant
                    .as_ref()
                    .map(|c| Known::real(c.map(|v| f64::from(*v))))
            })
            .collect();
        let mut nodes = Vec::new();
        for node in &network.nodes {
            let known: Option<Vec<&Known>> = node
                .inputs
                .iter()
                .map(|id| constants[id.0].as_ref())
                .collect();
            match known {
                Some(inputs) => {
                    let shape = &network.value(node.output).shape;
                    constants[node.output.0] = Some(evaluate_constant(node, &inputs, shape)?);
                }
                None => nodes.push(node),
            }
        }
        let operands = nodes
            .iter()
            .filter(|node| matches!(node.op, Op::Binary(_)))
            .flat_map(|node| &node.inputs)
            .filter_map(|id| Some((*id, Known::real(constants[id.0].as_ref()?.real.clone()))))
            .collect();
        Ok(Real {
            network,
            constants,
            operands,
            done: done(network, &nodes),
            nodes,
        })
    }

    /// A value that does not depend on the inputs.
    pub fn constant(&self, id: ValueId) -> Option<&Known> {
        self.constants[id.0].as_ref()
    }

    /// Nodes that depend on the inputs, in topological order.
    pub fn nodes(&self) -> &[&'a Node] {
        &self.nodes
    }

    /// Evaluates one sample: `inputs` in the order of the network's inputs. Calls `visit` on every
    /// node's output and returns the network's outputs.
    ///
    /// # Errors
    /// Operands that do not fit their operator.
    pub fn run(
        &self,
        inputs: Vec<Known>,
        mut visit: impl FnMut(&Node, &Known),
    ) -> Result<Vec<Known>> {
        let mut values: Vec<Option<Known>> = vec![None; self.constants.len()];
        for (id, known) in self.network.inputs.iter().zip(inputs) {
            values[id.0] = Some(known);
        }
        for (node, done) in self.nodes.iter().zip(&self.done) {
            let inputs = node
                .inputs
                .iter()
                .map(|id| match (node.op, self.operands.get(id)) {
                    (Op::Binary(_), Some(operand)) => Ok(operand),
                    _ => self.find(&values, *id),
                })
                .collect::<Result<Vec<&Known>>>()?;
            let output = evaluate(node, &inputs, &self.network.value(node.output).shape)?;
            visit(node, &output);
            values[node.output.0] = Some(output);
            // Large networks would not fit into memory with all of their tensors.
            done.iter().for_each(|id| values[id.0] = None);
        }
        let outputs = self.network.outputs.iter();
        outputs.map(|id| self.find(&values, *id).cloned()).collect()
    }

    fn find<'v>(&'v self, values: &'v [Option<Known>], id: ValueId) -> Result<&'v Known> {
        values[id.0]
            .as_ref()
            .or(self.constants[id.0].as_ref())
            .ok_or_else(|| Error::bug(format!("value {} has no tensor", id.0)))
    }
}

/// By node, the values that it is the last to read.
fn done(network: &Network, nodes: &[&Node]) -> Vec<Vec<ValueId>> {
    let mut last = BTreeMap::new();
    for (position, node) in nodes.iter().enumerate() {
        last.extend(node.inputs.iter().map(|id| (*id, position)));
    }
    let mut done = vec![Vec::new(); nodes.len()];
    for (id, position) in last {
        if !network.outputs.contains(&id) {
            done[position].push(id);
        }
    }
    done
}
