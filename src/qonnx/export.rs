//! A `Network` as the bytes of an ONNX file: standard operators, and QONNX' for quantisers.
//! Must not know what a single operator means.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType as Kind;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};

use super::constant;
use super::custom::DOMAINS;
use super::pair;
use super::spelling::spell;
use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, Unary, ValueId};
use crate::tensor::{DataType, Tensor};

/// Version of the file format.
const FORMAT: i64 = 8;
/// A version of the standard operators that is younger than that format, and the format that came with it.
const NEWER: (i64, i64) = (21, 10);
/// Version of the standard operators.
const OPSET: i64 = 13;
/// The first version in which an average pool may have dilations.
const DILATED: i64 = 19;

/// Writes `network` as an ONNX file that [`super::import`] reads as the same network. Nodes and tensors keep
/// their names; constants that nothing reads are left out. The same network gives the same bytes.
///
/// # Errors
/// A user error that names a node that ONNX cannot express; a bug for a network that breaks its own laws.
pub fn export(network: &Network) -> Result<Vec<u8>> {
    network.verify("export")?;
    let integer = integers(network)?;
    let versions = (standard_version(network), quantisers_version(network)?);
    let mut writer = Writer::new(network, integer);
    for node in &network.nodes {
        writer
            .node(node)
            .map_err(|error| error.within(format!("node `{}` ({})", node.name, node.onnx)))?;
    }
    for &id in &network.outputs {
        writer.read(id);
        let info = writer.info(id);
        writer.graph.output.push(info);
    }
    Ok(writer.finish(versions).encode_to_vec())
}

fn standard_version(network: &Network) -> i64 {
    let dilated = network.nodes.iter().any(|node| match node.op {
        Op::AveragePool { window, .. } => window.dilation != [1; 2],
        _ => false,
    });
    let least = if dilated { DILATED } else { OPSET };
    least.max(pair::version(network))
}

/// Version of QONNX' operators, of which `Trunc` alone tells two apart.
///
/// # Errors
/// A user error for a network that holds both.
fn quantisers_version(network: &Network) -> Result<i64> {
    let truncs = network
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::Trunc(_)));
    let mut second = truncs.map(|node| node.inputs.len() == 6);
    let Some(first) = second.next() else {
        return Ok(1);
    };
    match second.all(|other| other == first) {
        true => Ok(if first { 2 } else { 1 }),
        false => Err(
            Error::user("the network holds `Trunc` operators of both versions of QONNX")
                .help("a file has one version: export the original network with one version"),
        ),
    }
}

/// By value, whether it holds the indices of an arg-max, which in ONNX are integers.
///
/// # Errors
/// A user error for an operator that would have to read them as real numbers.
fn integers(network: &Network) -> Result<Vec<bool>> {
    let mut integer = vec![false; network.values.len()];
    for node in &network.nodes {
        let reads = node.inputs.iter().any(|id| integer[id.0]);
        integer[node.output.0] = match node.op {
            Op::ArgMax { .. } => true,
            Op::Unary(Unary::Identity) | Op::Reshape | Op::Transpose => reads,
            _ if reads => {
                return Err(Error::user(format!(
                    "node `{}` ({}) computes with the index of a class",
                    node.name, node.onnx
                ))
                .help("ONNX keeps such indices as integers: end the network at the arg-max"));
            }
            _ => false,
        };
    }
    Ok(integer)
}

/// Hands out names, each once.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// `name` itself unless it is empty or taken.
    fn unique(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while name.is_empty() || !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// A file under construction.
pub(super) struct Writer<'a> {
    pub(super) network: &'a Network,
    integer: Vec<bool>,
    /// Names of the values that are written.
    names: Vec<String>,
    tensors: Names,
    nodes: Names,
    /// By value, whether it is an initializer already.
    pub(super) written: Vec<bool>,
    /// Names of the initializers that hold a value as integers of that type.
    pub(super) integers_of: BTreeMap<(ValueId, DataType), String>,
    graph: GraphProto,
}

impl<'a> Writer<'a> {
    fn new(network: &'a Network, integer: Vec<bool>) -> Self {
        let readers = network.readers();
        let mut tensors = Names::default();
        let values = network.values.iter().zip(readers);
        let names = values.map(
            |(value, readers)| match value.constant.is_some() && readers == 0 {
                true => String::new(),
                false => tensors.unique(&value.name),
            },
        );
        let names = names.collect();
        let mut writer = Writer {
            network,
            integer,
            names,
            tensors,
            nodes: Names::default(),
            written: vec![false; network.values.len()],
            integers_of: BTreeMap::new(),
            graph: GraphProto {
                name: "network".into(),
                ..GraphProto::default()
            },
        };
        for &id in &network.inputs {
            let info = writer.info(id);
            writer.graph.input.push(info);
        }
        writer
    }

    /// Name, type and shape of a value.
    fn info(&self, id: ValueId) -> ValueInfoProto {
        let kind = match self.integer[id.0] {
            true => Kind::Int64,
            false => Kind::Float,
        };
        value_info(
            &self.names[id.0],
            &self.network.value(id).shape,
            kind as i32,
        )
    }

    /// The name of a value that is read; constants become initializers when they are first read.
    pub(super) fn read(&mut self, id: ValueId) -> String {
        let name = &self.names[id.0];
        if let Some(tensor) = &self.network.value(id).constant
            && !self.written[id.0]
        {
            self.graph.initializer.push(constant::real(name, tensor));
            self.written[id.0] = true;
        }
        name.clone()
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        match node.op {
            Op::QuantizeLinear(linear) => self.pair(node, linear)?,
            Op::DequantizeLinear(linear) => self.constant_integers(node, linear)?,
            _ => self.spelled(node)?,
        }
        if !self.network.outputs.contains(&node.output) {
            let info = self.info(node.output);
            self.note(info);
        }
        Ok(())
    }

    fn spelled(&mut self, node: &Node) -> Result<()> {
        let spelling = spell(self.network, node)?;
        let mut input: Vec<String> = node.inputs.iter().map(|id| self.read(*id)).collect();
        input.extend(self.extra(node)?);
        let output = self.names[node.output.0].clone();
        let domain = match node.op.is_quantiser() {
            true => DOMAINS[0],
            false => "",
        };
        self.node_proto(NodeProto {
            input,
            output: vec![output],
            name: node.name.clone(),
            op_type: spelling.name.into(),
            domain: domain.into(),
            attribute: spelling.attributes,
            ..NodeProto::default()
        });
        Ok(())
    }

    /// Adds a node under a name that no other has.
    pub(super) fn node_proto(&mut self, mut node: NodeProto) {
        node.name = self.nodes.unique(&node.name);
        self.graph.node.push(node);
    }

    /// Type and shape of a tensor inside.
    pub(super) fn note(&mut self, info: ValueInfoProto) {
        self.graph.value_info.push(info);
    }

    /// The name of a value in the file.
    pub(super) fn name(&self, id: ValueId) -> String {
        self.names[id.0].clone()
    }

    /// A tensor's name that no other has.
    pub(super) fn unique(&mut self, name: &str) -> String {
        self.tensors.unique(name)
    }

    /// Inputs in ONNX that are no values of the network.
    fn extra(&mut self, node: &Node) -> Result<Vec<String>> {
        let output = &self.names[node.output.0];
        match node.op {
            Op::Reshape => {
                let name = self.tensors.unique(&format!("{output}.shape"));
                let shape = &self.network.value(node.output).shape;
                Ok(vec![self.add(constant::integers(&name, shape))])
            }
            Op::Upsample { factor } => {
                let rank = self.network.value(node.output).shape.len();
                let mut scales = vec![1.0; rank];
                let first = 4usize.saturating_sub(rank);
                for axis in first..2 {
                    scales[axis + rank - 2] = factor[axis] as f32;
                }
                let name = self.tensors.unique(&format!("{output}.scales"));
                let scales = constant::real(&name, &Tensor::new(vec![rank], scales)?);
                Ok(vec![String::new(), self.add(scales)])
            }
            Op::Unary(Unary::Clip { low, high }) => {
                let names = [format!("{output}.min"), format!("{output}.max")];
                let low = self.bound(&names[0], low, f64::NEG_INFINITY)?;
                let high = self.bound(&names[1], high, f64::INFINITY)?;
                let mut bounds = vec![low.unwrap_or_default(), high.unwrap_or_default()];
                while bounds.last().is_some_and(String::is_empty) {
                    bounds.pop();
                }
                Ok(bounds)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// An initializer for a bound, unless it is `none`.
    fn bound(&mut self, name: &str, value: f64, none: f64) -> Result<Option<String>> {
        let single = value as f32;
        if value == none || value.is_nan() {
            return Ok(None);
        }
        if value.is_infinite() {
            return Err(Error::user(format!("its bound {value} leaves nothing")));
        }
        if f64::from(single) != value {
            return Err(Error::bug(format!("its bound {value} is no f32")));
        }
        let name = self.tensors.unique(name);
        Ok(Some(
            self.add(constant::real(&name, &Tensor::scalar(single))),
        ))
    }

    pub(super) fn add(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.graph.initializer.push(tensor);
        name
    }

    fn finish(self, (standard, quantisers): (i64, i64)) -> ModelProto {
        let entry = |domain: &str, version| OperatorSetIdProto {
            domain: domain.to_owned(),
            version,
        };
        ModelProto {
            ir_version: if standard < NEWER.0 { FORMAT } else { NEWER.1 },
            opset_import: vec![entry("", standard), entry(DOMAINS[0], quantisers)],
            producer_name: "finnp".into(),
            graph: Some(self.graph),
            ..ModelProto::default()
        }
    }
}

/// Name, shape and number of the type of a tensor.
pub(super) fn value_info(name: &str, shape: &[usize], kind: i32) -> ValueInfoProto {
    let dim = shape.iter().map(|&length| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(
            length as i64,
        )),
        ..tensor_shape_proto::Dimension::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: kind,
        shape: Some(TensorShapeProto { dim: dim.collect() }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
