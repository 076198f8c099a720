//! The walk over the file's nodes in their order, with the oracle's shapes, into a `Network`.
//! Must not know what a single operator means.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::tract_core::prelude::{DatumType, Tensor as TractTensor};

use super::blocked::{Blocked, first, name_of};
use super::check::check;
use super::lower::lower;
use super::name::{Names, Source};
use super::needed::needed;
use super::oracle::{Known, batch_one, consult, parse};
use super::{constant, custom, operator};
use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, Unary, Value, ValueId};
use crate::tensor::Tensor;

/// Reads an ONNX or QONNX model.
///
/// # Errors
/// A user error that names the node or tensor at fault and says what to do.
pub fn import(bytes: &[u8]) -> Result<Network> {
    let read = read(&prepared(needed(parse(bytes)?))?)?;
    match first(read.blocked) {
        Some(error) => Err(error),
        None => Ok(read.network),
    }
}

/// A model that is safe to analyse, with operators on integers as operators on reals between quantisers.
///
/// # Errors
/// As [`check`]; a user error for an integer operator that has no equal in reals.
pub(super) fn prepared(model: ModelProto) -> Result<ModelProto> {
    check(&model)?;
    lower(model)
}

/// What was read of a model.
pub(super) struct Reading {
    /// All of it; where something blocks, what does not depend on that, whose outputs are what nothing reads.
    pub(super) network: Network,
    /// Nodes that cannot be read.
    pub(super) blocked: Vec<Blocked>,
    /// Names of nodes that depend on those.
    pub(super) unreached: Vec<String>,
}

/// Reads all nodes of a model that is safe to analyse, as far as they can be.
///
/// # Errors
/// A user error for what no single node is to blame for.
pub(super) fn read(model: &ModelProto) -> Result<Reading> {
    let graph = model.graph.as_ref();
    let graph = graph.ok_or_else(|| Error::user("the model has no graph"))?;
    let inputs = batch_one(graph)?;
    let known = consult(model, &inputs)?;
    let opset = model
        .opset_import
        .iter()
        .find(|entry| matches!(entry.domain.as_str(), "" | "ai.onnx"))
        .map_or(1, |entry| entry.version);
    let initializers = graph.initializer.iter();
    let initializers = initializers.map(|tensor| (tensor.name.as_str(), tensor));
    let makers = graph.node.iter();
    let makers = makers.flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
    let mut readers: BTreeMap<&str, Vec<&NodeProto>> = BTreeMap::new();
    for node in &graph.node {
        for name in &node.input {
            readers.entry(name).or_default().push(node);
        }
    }
    let mut walk = Walk {
        graph,
        initializers: initializers.collect(),
        makers: makers.collect(),
        readers,
        known,
        opset,
        network: Network::default(),
        ids: BTreeMap::new(),
        names: Names::default(),
        made: BTreeMap::new(),
        varying: BTreeSet::new(),
        padded: BTreeMap::new(),
    };
    for (name, shape) in inputs {
        let id = walk.add(&name, shape, None);
        walk.network.inputs.push(id);
        walk.varying.insert(id);
    }
    let (blocked, unreached) = walk.nodes();
    if !blocked.is_empty() {
        let network = walk.partial();
        return Ok(Reading {
            network,
            blocked,
            unreached,
        });
    }
    for output in &graph.output {
        let id = walk.id(&output.name)?;
        walk.network.outputs.push(id);
    }
    walk.network.verify("import")?;
    Ok(Reading {
        network: walk.network,
        blocked,
        unreached,
    })
}

/// The checked model with operators on integers as operators on reals between quantisers, as [`import`] reads it
/// and tract can run it.
///
/// # Errors
/// As [`import`].
pub fn lowered(bytes: &[u8]) -> Result<ModelProto> {
    prepared(needed(parse(bytes)?))
}

/// The network so far, and what is known of the rest.
pub(super) struct Walk<'a> {
    graph: &'a GraphProto,
    initializers: BTreeMap<&'a str, &'a TensorProto>,
    /// Nodes by what they make.
    makers: BTreeMap<&'a str, &'a NodeProto>,
    /// Nodes by what they read, once for each time.
    readers: BTreeMap<&'a str, Vec<&'a NodeProto>>,
    known: BTreeMap<String, Known>,
    /// Version of the standard operators.
    pub(super) opset: i64,
    network: Network,
    ids: BTreeMap<String, ValueId>,
    names: Names,
    /// Places of the nodes that make values.
    made: BTreeMap<ValueId, usize>,
    /// Tensors that depend on the network's inputs.
    varying: BTreeSet<ValueId>,
    /// By the output of a `Pad` that is no tensor of the network: what it pads, and by how much.
    padded: BTreeMap<String, (ValueId, [usize; 4])>,
}

/// Most operators between a parameter and the layer that it names.
const FAR: usize = 32;

/// Most elements of a tensor.
const MOST: usize = 1 << 28;

impl Walk<'_> {
    /// The tensor of that name; initializers enter the network when they are first read.
    pub(super) fn id(&mut self, name: &str) -> Result<ValueId> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let tensor = match self.initializers.get(name) {
            Some(proto) => constant::convert(name, &constant::load(proto)?)?,
            None => {
                let folded = self.folded(name);
                let folded =
                    folded.ok_or_else(|| Error::user(format!("tensor `{name}` is not known")))?;
                constant::convert(name, folded)?
            }
        };
        Ok(self.add(name, tensor.shape().to_vec(), Some(tensor)))
    }

    fn add(&mut self, name: &str, shape: Vec<usize>, constant: Option<Tensor<f32>>) -> ValueId {
        let id = self.network.add_value(Value {
            name: name.to_owned(),
            shape,
            constant,
        });
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// A constant that the file does not hold, such as a default.
    pub(super) fn constant(&mut self, name: String, value: f32) -> ValueId {
        self.add(&name, vec![], Some(Tensor::scalar(value)))
    }

    /// A tensor between two operators that the file has as one.
    pub(super) fn inner(&mut self, name: String, shape: Vec<usize>) -> ValueId {
        self.add(&name, shape, None)
    }

    /// The tensor that the file calls `name`, made by the node that is being read.
    pub(super) fn output(&mut self, name: &str) -> Result<ValueId> {
        let shape = self
            .known
            .get(name)
            .map(|known| known.shape.clone())
            .ok_or_else(|| {
                Error::user(format!(
                    "the shape of its output `{name}` does not follow from its operands, which do not fit"
                ))
                .help("check the file with `onnx.checker` and run shape inference on it")
            })?;
        let elements = shape
            .iter()
            .try_fold(1usize, |count, &length| count.checked_mul(length));
        if elements.is_none_or(|count| count > MOST) {
            return Err(Error::user(format!(
                "its output `{name}` has the shape {shape:?}, which is too large"
            )));
        }
        Ok(self.add(name, shape, None))
    }

    /// Shape of a tensor that is in the network already.
    pub(super) fn shape(&self, id: ValueId) -> &[usize] {
        &self.network.value(id).shape
    }

    /// Whether a tensor that is in the network already depends on the network's inputs.
    pub(super) fn varies(&self, id: ValueId) -> bool {
        self.varying.contains(&id)
    }

    /// Whether the operator that makes a tensor of the network makes no number below zero.
    pub(super) fn is_never_negative(&self, id: ValueId) -> bool {
        let constant = |id: Option<&ValueId>| {
            let value = id.map(|id| self.network.value(*id))?;
            value.constant.as_ref().map(Tensor::data)
        };
        let Some(node) = self.made.get(&id).map(|place| &self.network.nodes[*place]) else {
            return false;
        };
        match node.op {
            Op::Quant(quant) => {
                let zero = constant(node.inputs.get(2));
                !quant.signed && zero.is_some_and(|zero| zero.iter().all(|zero| *zero == 0.0))
            }
            Op::QuantizeLinear(linear) => constant(node.inputs.get(2)).is_some_and(|zero| {
                zero.iter()
                    .all(|zero| f64::from(*zero) <= linear.low as f64)
            }),
            Op::Unary(Unary::Clip { low, .. }) => low >= 0.0,
            Op::Unary(Unary::Identity) | Op::MaxPool(_) | Op::AveragePool { .. } => {
                self.is_never_negative(node.inputs[0])
            }
            Op::Unary(unary) => matches!(unary, Unary::Relu | Unary::Sigmoid | Unary::Abs),
            _ => false,
        }
    }

    /// What the output of a `Pad` pads, and by how much, if it is no tensor of the network.
    pub(super) fn padded(&self, name: &str) -> Option<(ValueId, [usize; 4])> {
        self.padded.get(name).copied()
    }

    /// Leaves padding to the one window that reads `name`.
    pub(super) fn pad(&mut self, name: &str, id: ValueId, pads: [usize; 4]) {
        self.padded.insert(name.to_owned(), (id, pads));
    }

    /// The node that reads a tensor, if nothing else does.
    pub(super) fn only_reader(&self, name: &str) -> Option<&NodeProto> {
        let is_output = self.graph.output.iter().any(|output| output.name == name);
        match self.readers.get(name).map(Vec::as_slice) {
            Some([reader]) if !is_output => Some(reader),
            _ => None,
        }
    }

    /// A constant list of integers, such as axes.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let initializer = self.initializers.get(name);
        let loaded = initializer
            .map(|tensor| constant::load(tensor))
            .transpose()?;
        let tensor = loaded.as_ref().or_else(|| self.folded(name));
        let integers = tensor.and_then(constant::list);
        integers.ok_or_else(|| Error::user(format!("`{name}` is no constant list of integers")))
    }

    /// A constant list of numbers that is no tensor of the network, such as factors.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let initializer = self.initializers.get(name);
        let loaded = initializer
            .map(|tensor| constant::load(tensor))
            .transpose()?;
        let tensor = loaded.as_ref().or_else(|| self.folded(name));
        let tensor = tensor
            .ok_or_else(|| Error::user(format!("`{name}` is no constant list of numbers")))?;
        let numbers = constant::convert(name, tensor)?;
        Ok(numbers.data().iter().map(|x| f64::from(*x)).collect())
    }

    /// Contents of a tensor that the file computes from constants, as the oracle sees them.
    fn folded(&self, name: &str) -> Option<&TractTensor> {
        self.known
            .get(name)
            .and_then(|known| known.constant.as_deref())
    }

    /// Whether the oracle knows the contents of a tensor.
    pub(super) fn is_folded(&self, name: &str) -> bool {
        self.folded(name).is_some()
    }

    /// The one number that a constant tensor holds.
    pub(super) fn number(&mut self, name: &str) -> Result<f64> {
        let id = self.id(name)?;
        match self.network.value(id).constant.as_ref().map(Tensor::data) {
            Some([number]) => Ok(f64::from(*number)),
            _ => Err(Error::user(format!("`{name}` is not a constant number"))),
        }
    }

    /// The stable name of the layer that `node` becomes.
    pub(super) fn name(&mut self, node: &NodeProto) -> String {
        let weight = node.input.get(1).and_then(|name| self.parameter(name));
        self.names.stable(&Source {
            node: &node.name,
            operator: &node.op_type,
            weight,
            output: node.output.first().map_or("", String::as_str),
        })
    }

    /// Adds an operator.
    pub(super) fn push(
        &mut self,
        name: String,
        onnx: &str,
        op: Op,
        inputs: Vec<ValueId>,
        output: ValueId,
    ) {
        self.push_permuted(name, onnx, op, Vec::new(), inputs, output);
    }

    /// Adds an operator that permutes axes.
    pub(super) fn push_permuted(
        &mut self,
        name: String,
        onnx: &str,
        op: Op,
        permutation: Vec<usize>,
        inputs: Vec<ValueId>,
        output: ValueId,
    ) {
        let onnx = onnx.to_owned();
        self.made.insert(output, self.network.nodes.len());
        if inputs.iter().any(|id| self.varying.contains(id)) {
            self.varying.insert(output);
        }
        self.network.nodes.push(Node {
            name,
            onnx,
            op,
            permutation,
            inputs,
            output,
        });
    }

    /// Reads all nodes; those that cannot be read, and the names of those that depend on them.
    fn nodes(&mut self) -> (Vec<Blocked>, Vec<String>) {
        let graph = self.graph;
        let (mut blocked, mut unreached) = (Vec::new(), Vec::new());
        let mut lost: BTreeSet<&str> = BTreeSet::new();
        for node in &graph.node {
            let behind = node.input.iter().any(|name| lost.contains(name.as_str()));
            let before = self.network.nodes.len();
            match behind {
                true => unreached.push(name_of(node)),
                false => match self.node(node) {
                    Ok(()) => continue,
                    Err(error) => {
                        self.network.nodes.truncate(before);
                        blocked.push(Blocked::new(node, error));
                    }
                },
            }
            lost.extend(node.output.iter().map(String::as_str));
        }
        (blocked, unreached)
    }

    /// The nodes that were read. Its outputs are all that the inputs reach and nothing reads.
    fn partial(self) -> Network {
        let mut network = self.network;
        let readers = network.readers();
        let made = network.nodes.iter().map(|node| node.output);
        let ends = made.filter(|id| readers[id.0] == 0 && self.varying.contains(id));
        network.outputs = ends.collect();
        network
    }

    fn node(&mut self, node: &NodeProto) -> Result<()> {
        let custom =
            node.domain == custom::LINEAR || custom::DOMAINS.contains(&node.domain.as_str());
        let Some(entry) = operator::find(&node.op_type, custom) else {
            if node.op_type == "Constant" {
                return self.constant_node(node);
            }
            return self.shape_computation(node);
        };
        // Integers that the file computes are shapes; the oracle has them.
        if !entry.quantiser
            && node
                .output
                .iter()
                .all(|name| self.is_integer_constant(name))
        {
            return Ok(());
        }
        let given = node.input.iter().filter(|name| !name.is_empty()).count();
        if !(entry.inputs.0..=entry.inputs.1).contains(&given) {
            return Err(Error::user(format!(
                "it has {given} inputs, not {} to {}",
                entry.inputs.0, entry.inputs.1
            )));
        }
        (entry.read)(self, node)
    }

    fn is_integer_constant(&self, name: &str) -> bool {
        let integer = |tensor: &TractTensor| {
            let kind = tensor.datum_type();
            kind.is_integer() || matches!(kind, DatumType::TDim | DatumType::Bool)
        };
        name.is_empty() || self.folded(name).is_some_and(integer)
    }

    fn constant_node(&mut self, node: &NodeProto) -> Result<()> {
        let Some(proto) = node
            .attribute
            .iter()
            .find_map(|attribute| attribute.t.as_ref())
        else {
            return self.shape_computation(node);
        };
        let name = &node.output[0];
        let loaded = constant::load(proto)?;
        if loaded.datum_type().is_number() {
            let tensor = constant::convert(name, &loaded)?;
            self.add(name, tensor.shape().to_vec(), Some(tensor));
        }
        Ok(())
    }

    /// Operators that only move constants about: their results come from the oracle.
    fn shape_computation(&self, node: &NodeProto) -> Result<()> {
        match node
            .output
            .iter()
            .all(|name| name.is_empty() || self.folded(name).is_some())
        {
            true => Ok(()),
            false => Err(Error::user(
                "it is supported for computing shapes and constants only, not on activations",
            )),
        }
    }
}

impl<'a> Walk<'a> {
    /// The initializer behind `name`, through quantisers and transpositions.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut name = name;
        for _ in 0..FAR {
            if let Some((&name, _)) = self.initializers.get_key_value(name) {
                return Some(name);
            }
            name = self.makers.get(name)?.input.first()?;
        }
        None
    }
}
