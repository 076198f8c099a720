//! Lowering: operators on the integers of quantised tensors become the same operators on reals between quantisers,
//! before tract sees the file. Behind it `QuantizeLinear` stands for the pair with its `DequantizeLinear`, and
//! `DequantizeLinear` for constants. Must not know `Network`.

mod constant;
mod convert;
mod grid;
mod linear;
mod microsoft;
mod passing;
mod product;

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto};

use super::check::label;
use super::custom::LINEAR;
use crate::error::{Error, Result};

use grid::Grid;

/// Operators of onnxruntime.
pub(super) const MICROSOFT: &str = "com.microsoft";

type Lower = fn(&mut Lowering<'_>, &NodeProto) -> Result<()>;

/// How one operator is lowered.
struct Operator {
    name: &'static str,
    /// Whether it is one of the standard, and whether it is one of onnxruntime's.
    domains: (bool, bool),
    lower: Lower,
}

const fn operator(name: &'static str, domains: (bool, bool), lower: Lower) -> Operator {
    Operator {
        name,
        domains,
        lower,
    }
}

const STANDARD: (bool, bool) = (true, false);
const ONNXRUNTIME: (bool, bool) = (false, true);

/// Every operator that is lowered wherever it stands; others are where they read integers.
const OPERATORS: &[Operator] = &[
    operator("QuantizeLinear", (true, true), linear::quantize),
    operator("DequantizeLinear", (true, true), linear::dequantize),
    operator("DynamicQuantizeLinear", STANDARD, linear::dynamic),
    operator("QLinearConv", (true, true), product::convolution),
    operator("QLinearMatMul", STANDARD, product::matrix),
    operator("ConvInteger", STANDARD, product::integer),
    operator("MatMulInteger", STANDARD, product::integer),
    operator("QGemm", ONNXRUNTIME, product::gemm),
    operator("QLinearAdd", ONNXRUNTIME, microsoft::binary),
    operator("QLinearMul", ONNXRUNTIME, microsoft::binary),
    operator("QLinearConcat", ONNXRUNTIME, microsoft::concat),
    operator("QLinearGlobalAveragePool", ONNXRUNTIME, microsoft::unary),
    operator("QLinearAveragePool", ONNXRUNTIME, microsoft::unary),
    operator("QLinearSigmoid", ONNXRUNTIME, microsoft::unary),
    operator("QLinearLeakyRelu", ONNXRUNTIME, microsoft::unary),
];

fn find(name: &str, domain: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|entry| {
        let (standard, onnxruntime) = entry.domains;
        let known = match domain {
            "" | "ai.onnx" => standard,
            MICROSOFT => onnxruntime,
            _ => false,
        };
        known && entry.name == name
    })
}

/// Whether an operator of the file is lowered.
pub(super) fn is_known(name: &str, domain: &str) -> bool {
    find(name, domain).is_some()
}

/// Whether a node may have been made of an operator of this name.
pub(super) fn is_origin(name: &str) -> bool {
    OPERATORS.iter().any(|entry| entry.name == name)
}

/// Names of the operators that are lowered and no longer there behind it, in the table's order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let lowered = OPERATORS.iter().map(|entry| entry.name);
    lowered.filter(|name| {
        !matches!(
            *name,
            "QuantizeLinear" | "DequantizeLinear" | "DynamicQuantizeLinear"
        )
    })
}

/// The file so far, and what is known of its integers.
struct Lowering<'a> {
    /// Initializers and tensors of `Constant` nodes.
    tensors: BTreeMap<&'a str, &'a TensorProto>,
    /// How many nodes read a tensor; an output of the network counts as one more.
    readers: BTreeMap<&'a str, usize>,
    outputs: BTreeSet<String>,
    nodes: Vec<NodeProto>,
    added: BTreeMap<String, TensorProto>,
    /// Integer tensors that depend on the inputs or are quantised.
    grids: BTreeMap<String, Grid>,
    /// Tensors that another one stands for.
    aliases: BTreeMap<String, String>,
    /// Tensors that depend on the inputs.
    varying: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Shapes of scales that are products of scales.
    products: BTreeMap<String, Vec<i64>>,
}

/// The model without operators on integers. It must have been checked.
///
/// # Errors
/// A user error that names the node that cannot be lowered.
pub(super) fn lower(mut model: ModelProto) -> Result<ModelProto> {
    let Some(graph) = &mut model.graph else {
        return Ok(model);
    };
    constant::unpack_all(graph)?;
    // What the file says of tensors inside may be stale; shapes follow from the operators.
    graph.value_info.clear();
    let (nodes, initializers) = (
        std::mem::take(&mut graph.node),
        std::mem::take(&mut graph.initializer),
    );
    let mut lowering = Lowering::new(&nodes, &initializers);
    let outputs: Vec<String> = graph
        .output
        .iter()
        .map(|output| output.name.clone())
        .collect();
    for name in &outputs {
        *lowering.readers.entry(name).or_default() += 1;
        lowering.outputs.insert(name.clone());
    }
    for input in &mut graph.input {
        if lowering.tensors.contains_key(input.name.as_str()) {
            continue;
        }
        lowering.names.insert(input.name.clone());
        lowering.varying.insert(input.name.clone());
        linear::fed(&mut lowering, input);
    }
    for node in &nodes {
        let lowered = lowering.node(node);
        lowered.map_err(|error| error.within(format!("node {}", label(node))))?;
    }
    graph
        .output
        .iter_mut()
        .for_each(|output| lowering.real_output(output));
    let Lowering { nodes, added, .. } = lowering;
    graph.node = nodes;
    graph.initializer = initializers;
    graph.initializer.extend(added.into_values());
    Ok(model)
}

impl<'a> Lowering<'a> {
    fn new(nodes: &'a [NodeProto], initializers: &'a [TensorProto]) -> Self {
        let mut tensors: BTreeMap<&str, &TensorProto> = initializers
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor))
            .collect();
        let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names: BTreeSet<String> = initializers
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect();
        for node in nodes {
            for name in node.input.iter().filter(|name| !name.is_empty()) {
                *readers.entry(name).or_default() += 1;
            }
            names.extend(node.output.iter().cloned());
            if let ("Constant", Some(output), Some(tensor)) = (
                node.op_type.as_str(),
                node.output.first(),
                node.attribute.iter().find_map(|a| a.t.as_ref()),
            ) {
                tensors.insert(output, tensor);
            }
        }
        Lowering {
            tensors,
            readers,
            outputs: BTreeSet::new(),
            nodes: Vec::with_capacity(nodes.len()),
            added: BTreeMap::new(),
            grids: BTreeMap::new(),
            aliases: BTreeMap::new(),
            varying: BTreeSet::new(),
            names,
            products: BTreeMap::new(),
        }
    }

    fn node(&mut self, node: &NodeProto) -> Result<()> {
        if node.input.iter().any(|name| self.varying.contains(name)) {
            self.varying.extend(node.output.iter().cloned());
        }
        if let Some(entry) = find(&node.op_type, &node.domain) {
            return (entry.lower)(self, node);
        }
        match node.input.iter().any(|name| self.grids.contains_key(name)) {
            true => passing::pass(self, node),
            false => {
                self.keep(node);
                Ok(())
            }
        }
    }

    /// The node as it is, on what its inputs have become. Returns its place.
    fn keep(&mut self, node: &NodeProto) -> usize {
        let mut node = node.clone();
        node.doc_string.clear();
        for name in &mut node.input {
            *name = self.resolved(name);
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// What the tensor of the file is called now; of integers, the reals that they stand for.
    fn resolved(&self, name: &str) -> String {
        if let Some(grid) = self.grids.get(name) {
            return grid.real.clone();
        }
        self.aliases
            .get(name)
            .map_or(name, String::as_str)
            .to_owned()
    }

    /// A name that no tensor has yet.
    fn fresh(&mut self, name: String) -> String {
        let mut name = name;
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// A node that `origin` of the file becomes, among others. `suffix` tells it from these.
    fn push(&mut self, origin: &NodeProto, suffix: &str, made: Made<'_>) -> usize {
        let name = match origin.name.is_empty() {
            true => String::new(),
            false => format!("{}{suffix}", origin.name),
        };
        self.nodes.push(NodeProto {
            input: made.inputs,
            output: vec![made.output],
            name,
            op_type: made.op.to_owned(),
            domain: match made.op {
                "QuantizeLinear" | "DequantizeLinear" => LINEAR.to_owned(),
                _ => String::new(),
            },
            attribute: made.attributes,
            // Errors name the operator of the file.
            doc_string: origin.op_type.clone(),
        });
        self.nodes.len() - 1
    }
}

/// A node that is made.
struct Made<'a> {
    op: &'a str,
    inputs: Vec<String>,
    output: String,
    attributes: Vec<AttributeProto>,
}

/// An input that may be left out.
fn optional(node: &NodeProto, slot: usize) -> Option<&str> {
    let name = node.input.get(slot).map(String::as_str);
    name.filter(|name| !name.is_empty())
}

/// An input that may not be left out.
fn required<'n>(node: &'n NodeProto, slot: usize, what: &str) -> Result<&'n str> {
    optional(node, slot).ok_or_else(|| Error::user(format!("it has no {what} (input {slot})")))
}
