//! `Real`: a whole `Network` evaluated operator by operator in f64 with exact integer accumulators.
//! This is the definition of truth: everything that finnp generates equals it at every quantiser.
//! Must not know how a network becomes hardware.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::known::Known;
use super::node::{evaluate, evaluate_constant};
use super::stored::{Stored, single};
use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, ValueId};

/// A network with its constants evaluated once.
pub struct Real<'a> {
    network: &'a Network,
    /// Values that no input reaches and that a node has computed.
    constants: Vec<Option<Stored>>,
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
        let values = network.values.iter();
        let mut constants: Vec<Option<Stored>> = values.map(|_| None).collect();
        let mut nodes = Vec::new();
        for node in &network.nodes {
            let inputs = node.inputs.iter();
            let known: Option<Vec<Cow<'_, Known>>> =
                inputs.map(|id| find(network, &constants, *id)).collect();
            match known {
                Some(inputs) => {
                    let shape = &network.value(node.output).shape;
                    let inputs: Vec<&Known> = inputs.iter().map(|known| &**known).collect();
                    let result = evaluate_constant(node, &inputs, shape)?;
                    constants[node.output.0] = Some(Stored::new(result));
                }
                None => nodes.push(node),
            }
        }
        let operands = nodes
            .iter()
            .filter(|node| matches!(node.op, Op::Binary(_)))
            .flat_map(|node| &node.inputs)
            .filter_map(|id| {
                let known = find(network, &constants, *id)?;
                Some((*id, Known::real(known.real.clone())))
            })
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
    pub fn constant(&self, id: ValueId) -> Option<Cow<'_, Known>> {
        find(self.network, &self.constants, id)
    }

    /// Whether a value does not depend on the inputs.
    pub fn is_constant(&self, id: ValueId) -> bool {
        self.constants[id.0].is_some() || self.network.value(id).constant.is_some()
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
                    (Op::Binary(_), Some(operand)) => Ok(Cow::Borrowed(operand)),
                    _ => self.find(&values, *id),
                })
                .collect::<Result<Vec<Cow<'_, Known>>>>()?;
            let inputs: Vec<&Known> = inputs.iter().map(|known| &**known).collect();
            let output = evaluate(node, &inputs, &self.network.value(node.output).shape)?;
            visit(node, &output);
            values[node.output.0] = Some(output);
            // Large networks would not fit into memory with all of their tensors.
            done.iter().for_each(|id| values[id.0] = None);
        }
        let outputs = self.network.outputs.iter();
        outputs
            .map(|id| Ok(self.find(&values, *id)?.into_owned()))
            .collect()
    }

    fn find<'v>(&'v self, values: &'v [Option<Known>], id: ValueId) -> Result<Cow<'v, Known>> {
        let known = values[id.0].as_ref().map(Cow::Borrowed);
        known
            .or_else(|| self.constant(id))
            .ok_or_else(|| Error::bug(format!("value {} has no tensor", id.0)))
    }
}

/// A value that is computed already, or that the file holds.
fn find<'v>(
    network: &Network,
    constants: &'v [Option<Stored>],
    id: ValueId,
) -> Option<Cow<'v, Known>> {
    match &constants[id.0] {
        Some(stored) => Some(stored.known()),
        None => network
            .value(id)
            .constant
            .as_ref()
            .map(single)
            .map(Cow::Owned),
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
