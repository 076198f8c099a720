//! tract as oracle: the shape of every tensor at batch size 1, and the constants that the file computes.
//! Must not know operators of finnp; it decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};
use tract_onnx::tract_core::prelude::{DatumExt, Framework, Tensor, TractResult};
use tract_onnx::tract_hir::prelude::{InferenceModel, InferenceModelExt};

use super::check::label;
use super::custom::onnx_with_qonnx;
use super::gzip;
use crate::error::{Error, Result, catch};

/// What tract knows of one tensor.
pub(super) struct Known {
    /// Shape at batch size 1.
    pub(super) shape: Vec<usize>,
    /// Contents, where they do not depend on the inputs.
    pub(super) constant: Option<Arc<Tensor>>,
}

/// Decodes the protobuf of an ONNX file.
///
/// # Errors
/// A user error if the bytes are no ONNX model.
pub fn parse(bytes: &[u8]) -> Result<ModelProto> {
    if bytes.is_empty() {
        return Err(Error::user("the model file is empty").help("export the network again"));
    }
    let bytes = gzip::unpacked(bytes)?;
    let decoded = catch(|| onnx_with_qonnx().proto_model_for_read(&mut &*bytes));
    match decoded {
        Ok(Ok(model))
            if model
                .graph
                .as_ref()
                .is_some_and(|graph| !graph.node.is_empty()) =>
        {
            Ok(model)
        }
        Ok(Ok(_)) => Err(Error::user("the model file holds no network")
            .help("finnp reads ONNX and QONNX files (`.onnx`): export the network again")),
        Ok(Err(cause)) => {
            let cause = cause.root_cause().to_string();
            let what = match cause.contains("recursion") {
                true => "nested too deeply",
                false => "not ONNX, or is cut short",
            };
            Err(Error::user(format!("the model file is {what}"))
                .help("finnp reads ONNX and QONNX files (`.onnx`): export the network again"))
        }
        Err(panic) => Err(Error::user(format!(
            "the model file cannot be decoded: {panic}"
        ))),
    }
}

/// The model with nodes whose names tract can derive others from: to a convolution `a` without a bias it adds a
/// node `a.bias`, which the file may have too.
pub fn named_apart(model: &ModelProto) -> ModelProto {
    let mut model = model.clone();
    upsample_to_resize(&mut model);
    let nodes = model.graph.iter_mut().flat_map(|graph| &mut graph.node);
    for (position, node) in nodes.enumerate() {
        if !node.name.is_empty() {
            node.name = apart(&node.name, position);
        }
        // Nothing is cropped where the nearest element is taken, but tract wants to know where.
        if node.op_type == "Resize"
            && let [_, roi, scales, ..] = &mut node.input[..]
            && roi.is_empty()
        {
            roi.clone_from(scales);
        }
        // Ways to the nearest element that tract does not know lead to the same shapes.
        let ways = [
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", "floor"),
        ];
        for attribute in node
            .attribute
            .iter_mut()
            .filter(|_| node.op_type == "Resize")
        {
            if let Some((_, known)) = ways.iter().find(|(name, _)| *name == attribute.name) {
                attribute.s = known.as_bytes().to_vec();
            }
        }
    }
    model
}

/// `Upsample` of opset 9, which tract does not know, as `Resize` of opset 10, which differs in its name only. What
/// else changed between the two and reads otherwise, `Slice`, keeps a model where it is.
fn upsample_to_resize(model: &mut ModelProto) {
    let Some(graph) = &mut model.graph else {
        return;
    };
    let is = |name: &str| graph.node.iter().any(|node| node.op_type == name);
    if !is("Upsample") || is("Slice") {
        return;
    }
    for node in &mut graph.node {
        if node.op_type == "Upsample" {
            "Resize".clone_into(&mut node.op_type);
        }
    }
    for set in &mut model.opset_import {
        if matches!(set.domain.as_str(), "" | "ai.onnx") {
            set.version = set.version.max(10);
        }
    }
}

fn apart(name: &str, position: usize) -> String {
    format!("{name} #{position}")
}

/// Inputs of the graph that are not initializers, with their shapes at batch size 1.
///
/// # Errors
/// A user error for an input without a shape, or with an unknown length other than the batch.
pub fn batch_one(graph: &GraphProto) -> Result<Vec<(String, Vec<usize>)>> {
    graph
        .input
        .iter()
        .filter(|input| {
            graph
                .initializer
                .iter()
                .all(|constant| constant.name != input.name)
        })
        .map(|input| Ok((input.name.clone(), shape_of(input)?)))
        .collect()
}

fn shape_of(input: &ValueInfoProto) -> Result<Vec<usize>> {
    let missing = || {
        Error::user(format!("input `{}` has no shape", input.name))
            .help("export the network with example inputs of a fixed size")
    };
    let kind = input
        .r#type
        .as_ref()
        .and_then(|kind| kind.value.as_ref())
        .ok_or_else(missing)?;
    let type_proto::Value::TensorType(tensor) = kind;
    let dims = &tensor.shape.as_ref().ok_or_else(missing)?.dim;
    let mut shape = Vec::new();
    for (axis, dim) in dims.iter().enumerate() {
        let length = match &dim.value {
            Some(tensor_shape_proto::dimension::Value::DimValue(length)) => *length,
            _ => 0,
        };
        match length {
            1.. => shape.push(length as usize),
            _ if axis == 0 => shape.push(1),
            _ => {
                return Err(Error::user(format!("axis {axis} of input `{}` has no fixed length", input.name))
                    .help("only the batch size may be left open: export the network with a fixed input size"));
            }
        }
    }
    if dims.len() >= 2 && shape[0] != 1 {
        return Err(Error::user(format!(
            "input `{}` has batch size {}",
            input.name, shape[0]
        ))
        .help("export the network with batch size 1 (or an open one)"));
    }
    let elements = shape
        .iter()
        .try_fold(1usize, |count, &length| count.checked_mul(length));
    match elements {
        Some(count) if count <= 1 << 28 => Ok(shape),
        _ => Err(Error::user(format!(
            "input `{}` has the shape {shape:?}, which is too large",
            input.name
        ))),
    }
}

/// Shapes as far as they follow without folding constants. Operators that do nothing still have a tensor
/// of their own here; the typed network shares it with their input, under one of the two names.
fn shapes(inferred: &InferenceModel) -> BTreeMap<String, Known> {
    let labelled = inferred.outlet_labels.iter();
    let known = labelled.filter_map(|(outlet, name)| {
        let fact = inferred.outlet_fact(*outlet).ok()?;
        let shape = fact.shape.as_concrete_finite().ok()??.to_vec();
        let constant = None;
        Some((name.clone(), Known { shape, constant }))
    });
    known.collect()
}

/// The error for a file that tract refuses: the node that it stumbles over, in words of the file.
fn contradiction(model: &ModelProto, shapes: &BTreeMap<String, Known>, cause: &str) -> Error {
    let nodes: Vec<&NodeProto> = model.graph.iter().flat_map(|graph| &graph.node).collect();
    let named = |(position, node): &(usize, &&NodeProto)| match node.name.is_empty() {
        true => node
            .output
            .iter()
            .any(|name| cause.contains(&format!("\"{name}\""))),
        false => cause.contains(&apart(&node.name, *position)),
    };
    let found = nodes.iter().enumerate().filter(named);
    // `conv #1` is a part of `conv #12`.
    let found = found.max_by_key(|(position, node)| apart(&node.name, *position).len());
    let help = "check the file with `onnx.checker` and run shape inference on it";
    let Some((_, node)) = found else {
        return Error::user("the network contradicts itself: shapes and operators do not fit")
            .help(help);
    };
    let shape = |name: &str| {
        let initializers = model.graph.iter().flat_map(|graph| &graph.initializer);
        let constant = initializers.clone().find(|tensor| tensor.name == name);
        match (shapes.get(name), constant) {
            (_, Some(tensor)) => format!("{:?}", tensor.dims),
            (Some(known), None) => format!("{:?}", known.shape),
            (None, None) => "of unknown shape".to_owned(),
        }
    };
    let inputs: Vec<String> = node
        .input
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| format!("`{name}` {}", shape(name)))
        .collect();
    Error::user(format!(
        "node {}: its inputs do not fit its operator and attributes: {}",
        label(node),
        inputs.join(", ")
    ))
    .help(help)
}

/// Shapes and constants of all tensors, by name.
///
/// # Errors
/// A user error that names the node where the file contradicts itself.
pub(super) fn consult(
    model: &ModelProto,
    inputs: &[(String, Vec<usize>)],
) -> Result<BTreeMap<String, Known>> {
    let fed = inputs.iter().map(|(name, shape)| {
        let (shape, constant) = (shape.clone(), None);
        (name.clone(), Known { shape, constant })
    });
    let mut shapes: BTreeMap<String, Known> = fed.collect();
    let analysed = catch(|| -> TractResult<_> {
        let mut inferred = onnx_with_qonnx().parse(&named_apart(model), None)?.model;
        for (position, (_, shape)) in inputs.iter().enumerate() {
            inferred.set_input_fact(position, f32::fact(shape).into())?;
        }
        let analysed = inferred.analyse(true);
        shapes.extend(self::shapes(&inferred));
        analysed?;
        inferred.into_typed()
    });
    let typed = match analysed {
        Ok(Ok(typed)) => typed,
        Ok(Err(cause)) => return Err(contradiction(model, &shapes, &format!("{cause:#}"))),
        Err(panic) => return Err(contradiction(model, &shapes, &panic)),
    };
    let mut known = shapes;
    // Initializers and constants are nodes of that name; everything else is a labelled outlet.
    let nodes = typed.nodes().iter().filter(|node| node.outputs.len() == 1);
    let named = nodes.map(|node| (node.name.clone(), &node.outputs[0].fact));
    let labelled = typed
        .outlet_labels
        .iter()
        .filter_map(|(outlet, name)| Some((name.clone(), typed.outlet_fact(*outlet).ok()?)));
    for (name, fact) in named.chain(labelled) {
        if let Some(shape) = fact.shape.as_concrete() {
            known.insert(
                name,
                Known {
                    shape: shape.to_vec(),
                    constant: fact.konst.clone(),
                },
            );
        }
    }
    Ok(known)
}
