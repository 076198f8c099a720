//! Large networks made small: their pictures have fewer pixels, everything else is as it was. MobileNetV1 whole in RTL
//! by `FINNP_SWEEP=1`.
//! Must not know how modules are built.

use std::fs;

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, tensor_shape_proto, type_proto};

use super::agreement::number;
use super::convolution::model;
use super::project::Project;
use super::rtl_bench::verilator;
use super::rtl_real::{generated, whole};
use super::vision::{HALF, PIXELS, project};

/// The bytes of a classifier that reads square pictures of this size, whose last map has one pixel then.
pub(crate) fn resized(bytes: &[u8], size: i64) -> Vec<u8> {
    let mut model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    // What the exporter computed of the larger picture.
    graph.value_info.clear();
    let shape = graph.input[0]
        .r#type
        .as_mut()
        .and_then(|kind| match &mut kind.value {
            Some(type_proto::Value::TensorType(tensor)) => tensor.shape.as_mut(),
            None => None,
        });
    for length in &mut shape.unwrap().dim[2..] {
        length.value = Some(tensor_shape_proto::dimension::Value::DimValue(size));
    }
    let mut nodes = graph.node.iter_mut();
    let pool = nodes.find(|node| node.op_type == "AveragePool").unwrap();
    let mut attributes = pool.attribute.iter_mut();
    let kernel = attributes.find(|attribute| attribute.name == "kernel_shape");
    kernel.unwrap().ints = vec![1, 1];
    untruncated(graph);
    model.encode_to_vec()
}

/// Behind the pool no bits are cut off: a sum of one pixel has no more than the pixel.
fn untruncated(graph: &mut GraphProto) {
    let mut nodes = graph.node.iter();
    let cut = nodes.find(|node| node.op_type == "Trunc").unwrap();
    let [_, scale, _, bits, result_scale, result_bits] = &cut.input[..] else {
        panic!("{cut:?}");
    };
    for (from, to) in [(scale, result_scale), (result_bits, bits)] {
        let mut constants = graph.initializer.iter();
        let from = constants.find(|constant| constant.name == *from).unwrap();
        let data = from.raw_data.clone();
        let mut constants = graph.initializer.iter_mut();
        let to = constants.find(|constant| constant.name == *to).unwrap();
        assert!(!data.is_empty() && data.len() == to.raw_data.len());
        to.raw_data = data;
    }
}

/// A project on a large network that reads small pictures; `None`, said aloud, where it is missing.
pub(crate) fn small(name: &str, size: i64) -> Option<Project> {
    let bytes = model(name)?;
    let project = project(name, PIXELS)?;
    fs::write(project.dir().join("model.onnx"), resized(&bytes, size)).unwrap();
    Some(project)
}

#[test]
fn mobilenet_is_exact_to_the_cycle() {
    if !verilator() || number("FINNP_SWEEP").is_none() {
        return;
    }
    let Some(project) = small("brevitas_random_mobilenet_v1_4w4a", 32) else {
        return;
    };
    let fast = "target.fps=925";
    whole("MobileNetV1 32x32", &generated(&project, &[fast]), 3);
    let half = [&HALF[..], &[fast]].concat();
    whole("MobileNetV1 32x32 bcr-col", &generated(&project, &half), 3);
}
