//! ONNX files made in memory.
//! Must not know what the networks in them compute.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};

/// An attribute's value.
pub(crate) enum Attribute<'a> {
    Int(i64),
    Float(f32),
    Text(&'a str),
    Ints(&'a [i64]),
}

/// A file under construction: one chain of tensors, each with a fresh name.
pub(crate) struct File {
    pub(crate) graph: GraphProto,
    pub(crate) opset: i64,
    pub(crate) domain: String,
    /// Version of the operators of that domain.
    pub(crate) version: i64,
    count: usize,
}

impl File {
    pub(crate) fn new(opset: i64, domain: &str) -> Self {
        File {
            graph: GraphProto::default(),
            opset,
            domain: domain.to_owned(),
            version: 1,
            count: 0,
        }
    }

    pub(crate) fn fresh(&mut self, stem: &str) -> String {
        self.count += 1;
        format!("{stem}_{}", self.count)
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[usize]) {
        self.graph.input.push(value_info(name, shape, 1));
    }

    pub(crate) fn output(&mut self, name: &str, shape: &[usize], integer: bool) {
        let kind = if integer { 7 } else { 1 };
        self.graph.output.push(value_info(name, shape, kind));
    }

    /// An initializer, in either of the two forms in which numbers are stored.
    pub(crate) fn constant(&mut self, shape: &[usize], values: &[f32], raw: bool) -> String {
        let name = self.fresh("c");
        let mut tensor = TensorProto {
            name: name.clone(),
            dims: shape.iter().map(|&length| length as i64).collect(),
            data_type: 1,
            ..TensorProto::default()
        };
        match raw {
            true => tensor.raw_data = values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            false => tensor.float_data = values.to_vec(),
        }
        self.graph.initializer.push(tensor);
        name
    }

    /// A `Constant` node.
    pub(crate) fn constant_node(&mut self, shape: &[usize], values: &[f32]) -> String {
        self.constant(shape, values, false);
        let mut tensor = self.graph.initializer.pop().unwrap();
        let name = std::mem::take(&mut tensor.name);
        self.graph.node.push(NodeProto {
            output: vec![name.clone()],
            op_type: "Constant".into(),
            attribute: vec![AttributeProto {
                name: "value".into(),
                r#type: 4,
                t: Some(tensor),
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        });
        name
    }

    pub(crate) fn integers(&mut self, values: &[i64]) -> String {
        let name = self.fresh("i");
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: 7,
            int64_data: values.to_vec(),
            ..TensorProto::default()
        });
        name
    }

    /// A standard operator; returns its output.
    pub(crate) fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        self.any_node(op, "", inputs, attributes)
    }

    /// A QONNX operator; returns its output.
    pub(crate) fn custom(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        let domain = self.domain.clone();
        self.any_node(op, &domain, inputs, attributes)
    }

    fn any_node(
        &mut self,
        op: &str,
        domain: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        let output = self.fresh("t");
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.clone()],
            name: if self.count.is_multiple_of(3) {
                String::new()
            } else {
                format!("{op}_{}", self.count)
            },
            op_type: op.to_owned(),
            domain: domain.to_owned(),
            attribute: attributes
                .iter()
                .map(|(name, value)| attribute(name, value))
                .collect(),
            ..NodeProto::default()
        });
        output
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let opset = |domain: &str, version| OperatorSetIdProto {
            domain: domain.to_owned(),
            version,
        };
        let model = ModelProto {
            ir_version: 8,
            opset_import: vec![opset("", self.opset), opset(&self.domain, self.version)],
            graph: Some(GraphProto {
                name: "random".into(),
                ..self.graph
            }),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }
}

fn attribute(name: &str, value: &Attribute<'_>) -> AttributeProto {
    let mut attribute = AttributeProto {
        name: name.to_owned(),
        ..AttributeProto::default()
    };
    match value {
        Attribute::Float(value) => (attribute.r#type, attribute.f) = (1, *value),
        Attribute::Int(value) => (attribute.r#type, attribute.i) = (2, *value),
        Attribute::Text(value) => (attribute.r#type, attribute.s) = (3, value.as_bytes().to_vec()),
        Attribute::Ints(value) => (attribute.r#type, attribute.ints) = (7, value.to_vec()),
    }
    attribute
}

fn value_info(name: &str, shape: &[usize], kind: i32) -> ValueInfoProto {
    let dim = shape.iter().map(|&length| tensor_shape_proto::Dimension {
        denotation: String::new(),
        value: Some(tensor_shape_proto::dimension::Value::DimValue(
            length as i64,
        )),
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            denotation: String::new(),
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: kind,
                shape: Some(TensorShapeProto { dim: dim.collect() }),
            })),
        }),
        doc_string: String::new(),
    }
}
