//! What ONNX' quantised formats can say and hardware cannot do: refused by name.
//! Must not know how operators are lowered.

use finnp::error::Kind;
use finnp::qonnx::import;
use tract_onnx::pb::type_proto;

use super::proto::{Attribute, File};

/// The message of a file that is refused.
fn refusal(file: File) -> String {
    let error = import(&file.bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    format!("{error:?}")
}

#[test]
fn what_cannot_be_constant_is_refused_by_name() {
    let fed = || {
        let mut file = File::new(21, "onnx.brevitas");
        file.input("x", &[1, 4]);
        let scale = file.constant(&[], &[0.5], true);
        (file, scale)
    };
    let end = |mut file: File, last: &str| {
        file.output(last, &[1, 4], false);
        refusal(file)
    };
    let (mut file, _) = fed();
    let y = file.node("DynamicQuantizeLinear", &["x"], &[]);
    let said = end(file, &y);
    assert!(
        said.contains("DynamicQuantizeLinear") && said.contains("statically"),
        "{said}"
    );
    let (mut file, scale) = fed();
    let y = file.node(
        "QuantizeLinear",
        &["x", &scale],
        &[("block_size", Attribute::Int(2))],
    );
    let said = end(file, &y);
    assert!(said.contains("blocks of 2"), "{said}");
    let (mut file, _) = fed();
    let scale = file.constant(&[2, 2], &[0.5, 1.0, 2.0, 4.0], true);
    let y = file.node("QuantizeLinear", &["x", &scale], &[]);
    let said = end(file, &y);
    assert!(said.contains("more than one axis"), "{said}");
    let (mut file, scale) = fed();
    let q = file.node("QuantizeLinear", &["x", &scale], &[]);
    let y = file.node("Sigmoid", &[&q], &[]);
    let said = end(file, &y);
    assert!(said.contains("reads the integers"), "{said}");
    let (mut file, scale) = fed();
    let y = file.node("DequantizeLinear", &["x", &scale], &[]);
    let said = end(file, &y);
    assert!(said.contains("not the output of a quantiser"), "{said}");
    let (mut file, scale) = fed();
    let zero = file.constant(&[], &[0.0], true);
    let y = file.node("QuantizeLinear", &["x", &scale, &zero], &[]);
    let said = end(file, &y);
    assert!(said.contains("no integer type"), "{said}");
}

/// Scales along an axis mean something for that axis only, wherever the integers go.
#[test]
fn scales_along_an_axis_stay_there() {
    let quantised = |shape: &[usize]| {
        let mut file = File::new(13, "onnx.brevitas");
        file.input("x", shape);
        let scale = file.constant(&[2], &[1.0, 0.1], true);
        let q = file.node(
            "QuantizeLinear",
            &["x", &scale],
            &[("axis", Attribute::Int(1))],
        );
        (file, scale, q)
    };
    let (mut file, scale, q) = quantised(&[1, 2, 2]);
    let y = file.node(
        "DequantizeLinear",
        &[&q, &scale],
        &[("axis", Attribute::Int(2))],
    );
    file.output(&y, &[1, 2, 2], false);
    let said = refusal(file);
    assert!(said.contains("differs along an axis"), "{said}");
    let (mut file, scale, q) = quantised(&[1, 2, 2]);
    let places = file.integers(&[1, 0]);
    let turned = file.node("Gather", &[&q, &places], &[("axis", Attribute::Int(1))]);
    let y = file.node(
        "DequantizeLinear",
        &[&turned, &scale],
        &[("axis", Attribute::Int(1))],
    );
    file.output(&y, &[1, 2, 2], false);
    let said = refusal(file);
    assert!(said.contains("differs along an axis"), "{said}");
    let (mut file, _, q) = quantised(&[1, 2]);
    let y = file.node("ArgMax", &[&q], &[("axis", Attribute::Int(1))]);
    file.output(&y, &[1, 1], true);
    let said = refusal(file);
    assert!(said.contains("differs along an axis"), "{said}");
}

/// Sums of 8 bits begin anew at 256; those of 32 bits are what everybody means.
#[test]
fn sums_of_narrow_integers_are_refused() {
    let fed = |widened: bool| {
        let mut file = File::new(13, "onnx.brevitas");
        file.input("x", &[1, 4]);
        let kind = file.graph.input[0]
            .r#type
            .as_mut()
            .and_then(|kind| kind.value.as_mut());
        let Some(type_proto::Value::TensorType(tensor)) = kind else {
            panic!("no type");
        };
        tensor.elem_type = 2;
        let wide = match widened {
            true => file.node("Cast", &["x"], &[("to", Attribute::Int(6))]),
            false => "x".to_owned(),
        };
        let half = file.constant(&[], &[128.0], true);
        let difference = file.node("Sub", &[&wide, &half], &[]);
        let y = file.node("Cast", &[&difference], &[("to", Attribute::Int(1))]);
        file.output(&y, &[1, 4], false);
        file
    };
    let said = refusal(fed(false));
    assert!(
        said.contains("begin anew") && said.contains("Cast"),
        "{said}"
    );
    let network = import(&fed(true).bytes()).unwrap();
    assert!(!network.nodes.is_empty());
}
