//! Small models, whole and damaged: what hostile files are made of.
//! Must not know how they are tried.

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};

use super::proto::{Attribute, File};

/// A file, and what must be said of it; `None` where it is read all the same.
pub(crate) struct Case {
    pub(crate) title: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) said: Option<&'static str>,
}

pub(crate) fn refused(title: &'static str, bytes: Vec<u8>, said: &'static str) -> Case {
    Case {
        title,
        bytes,
        said: Some(said),
    }
}

pub(crate) fn fine(title: &'static str, bytes: Vec<u8>) -> Case {
    Case {
        title,
        bytes,
        said: None,
    }
}

/// A network of one dense layer between quantisers, still open.
pub(crate) fn begun() -> (File, String) {
    let mut file = File::new(13, "onnx.brevitas");
    file.input("x", &[1, 4]);
    let q = quantised(&mut file, "x", 0.5);
    (file, q)
}

fn quantised(file: &mut File, x: &str, scale: f32) -> String {
    let scale = file.constant(&[], &[scale], true);
    let zero = file.constant(&[], &[0.0], true);
    let bits = file.constant(&[], &[4.0], true);
    file.custom("Quant", &[x, &scale, &zero, &bits], &[])
}

pub(crate) fn dense(file: &mut File, x: &str) -> String {
    let weights = file.constant(
        &[4, 3],
        &[1.0, -2.0, 3.0, 0.5, 1.5, -1.0, 2.0, 0.0, 1.0, 2.0, 3.0, 4.0],
        true,
    );
    let weights = quantised(file, &weights, 0.5);
    let sums = file.node("MatMul", &[x, &weights], &[]);
    quantised(file, &sums, 0.25)
}

pub(crate) fn ended(mut file: File, last: &str, shape: &[usize]) -> Vec<u8> {
    file.output(last, shape, false);
    file.bytes()
}

pub(crate) fn whole() -> Vec<u8> {
    let (mut file, q) = begun();
    let y = dense(&mut file, &q);
    ended(file, &y, &[1, 3])
}

/// The whole network, changed.
pub(crate) fn changed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(&*whole()).unwrap();
    change(model.graph.as_mut().unwrap());
    model.encode_to_vec()
}

/// One operator more, before the end.
pub(crate) fn with(
    op: &str,
    constants: &[(&[usize], &[f32])],
    attributes: &[(&str, Attribute<'_>)],
) -> Vec<u8> {
    let (mut file, q) = begun();
    let constants: Vec<String> = constants
        .iter()
        .map(|(shape, values)| file.constant(shape, values, true))
        .collect();
    let inputs: Vec<&str> = [q.as_str()]
        .into_iter()
        .chain(constants.iter().map(String::as_str))
        .collect();
    let y = file.node(op, &inputs, attributes);
    ended(file, &y, &[1, 4])
}

fn weights(graph: &mut GraphProto) -> &mut TensorProto {
    graph
        .initializer
        .iter_mut()
        .find(|tensor| tensor.dims.len() == 2)
        .unwrap()
}

pub(crate) fn damaged() -> Vec<Case> {
    let good = whole();
    let claim = |length: u64| {
        // Field 7 of the model, the graph, with a length that nothing follows.
        let mut bytes = vec![0x3a];
        prost::encoding::encode_varint(length, &mut bytes);
        bytes.extend([0x0a, 0x01]);
        bytes
    };
    vec![
        fine("the network itself", good.clone()),
        refused("empty", Vec::new(), "is empty"),
        refused(
            "cut in the middle",
            good[..good.len() / 2].to_vec(),
            "cut short",
        ),
        refused(
            "no protobuf",
            b"PK\x03\x04 not a model at all".to_vec(),
            "not ONNX",
        ),
        refused("a graph of 2 GB", claim(1 << 31), "cut short"),
        refused("a graph of 16 EB", claim(u64::MAX), "not ONNX"),
        refused("zeros", vec![0; 4096], "not ONNX"),
    ]
}

pub(crate) fn sizes() -> Vec<Case> {
    let dims = |dims: Vec<i64>| changed(|graph| weights(graph).dims = dims);
    let scale =
        |bits: f32| changed(|graph| graph.initializer[0].raw_data = bits.to_le_bytes().to_vec());
    let weight = |value: f32| {
        changed(|graph| weights(graph).raw_data[..4].copy_from_slice(&value.to_le_bytes()))
    };
    vec![
        refused(
            "weights of 2 GB",
            dims(vec![1 << 15, 1 << 14]),
            "claims the shape",
        ),
        refused(
            "dims that overflow",
            dims(vec![1 << 40, 1 << 40]),
            "claims the shape",
        ),
        refused("a negative length", dims(vec![-4, -3]), "claims the shape"),
        refused("fewer elements", dims(vec![4, 2]), "claims the shape"),
        refused("dims swapped", dims(vec![3, 4]), "do not fit"),
        refused("NaN in the weights", weight(f32::NAN), "holds NaN"),
        refused("infinite weights", weight(f32::INFINITY), "holds inf"),
        refused("a scale of zero", scale(0.0), "scale 0"),
        refused("a negative scale", scale(-0.5), "scale -0.5"),
        refused("a scale of NaN", scale(f32::NAN), "holds NaN"),
        refused(
            "a type that nobody knows",
            changed(|graph| weights(graph).data_type = 99),
            "type number 99",
        ),
        refused(
            "an input of 2^60 elements",
            changed(|graph| lengths(graph, &[1, 1 << 30, 1 << 30])),
            "too large",
        ),
        refused(
            "an open length",
            changed(|graph| lengths(graph, &[1, 0])),
            "no fixed length",
        ),
        refused(
            "two samples at once",
            changed(|graph| lengths(graph, &[2, 4])),
            "batch size 2",
        ),
        fine("an open batch", changed(|graph| lengths(graph, &[0, 4]))),
        refused(
            "an input of another size",
            changed(|graph| lengths(graph, &[1, 5])),
            "do not fit",
        ),
    ]
}

fn lengths(graph: &mut GraphProto, shape: &[usize]) {
    let mut file = File::new(13, "");
    file.input("x", shape);
    graph.input = file.graph.input;
}
