//! What ONNX' quantised formats can say and hardware cannot do: refused by name.
//! Must not know how operators are lowered.

use finnp::error::Kind;
use finnp::qonnx::import;

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
