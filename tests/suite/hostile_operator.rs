//! Models whose operators cannot be: operands that do not fit, attributes far away, results of terabytes.
//! Must not know how they are tried.

use super::hostile_file::{Case, begun, ended, refused, with};
use super::proto::Attribute;

pub(crate) fn operators() -> Vec<Case> {
    let far = i64::MAX;
    let ints = Attribute::Ints;
    vec![
        refused(
            "operands that do not fit",
            with("Add", &[(&[1, 5], &[1.0; 5])], &[]),
            "do not fit",
        ),
        refused(
            "a matrix that does not fit",
            with("MatMul", &[(&[5, 2], &[1.0; 10])], &[]),
            "do not fit",
        ),
        refused(
            "a kernel that does not fit",
            with("Conv", &[(&[1, 1, 3, 3], &[1.0; 9])], &[]),
            "node",
        ),
        refused(
            "an axis far away",
            with("Softmax", &[], &[("axis", Attribute::Int(far))]),
            "axis",
        ),
        refused(
            "an axis before the first",
            with("Flatten", &[], &[("axis", Attribute::Int(i64::MIN))]),
            "node",
        ),
        refused(
            "no permutation",
            with("Transpose", &[], &[("perm", ints(&[0, far]))]),
            "no permutation",
        ),
    ]
}

/// Attributes far away from what any operator has.
pub(crate) fn attributes() -> Vec<Case> {
    let far = i64::MAX;
    let ints = Attribute::Ints;
    vec![
        refused(
            "huge pads",
            with(
                "MaxPool",
                &[],
                &[
                    ("kernel_shape", ints(&[2, 2])),
                    ("pads", ints(&[far, far, far, far])),
                ],
            ),
            "node",
        ),
        refused(
            "huge steps",
            with(
                "MaxPool",
                &[],
                &[
                    ("kernel_shape", ints(&[far, 2])),
                    ("strides", ints(&[far, far])),
                ],
            ),
            "node",
        ),
        refused(
            "no groups",
            with(
                "Conv",
                &[(&[1, 1, 1, 1], &[1.0])],
                &[("group", Attribute::Int(0))],
            ),
            "node",
        ),
        refused(
            "an operator that nobody knows",
            with("Exec", &[], &[]),
            "`Exec` is not supported",
        ),
    ]
}

/// Small files that ask for large tensors.
pub(crate) fn growth() -> Vec<Case> {
    vec![
        refused(
            "elements from nowhere",
            growing("Reshape", &[1, 1 << 40]),
            "node",
        ),
        refused(
            "a constant of terabytes",
            growing("ConstantOfShape", &[1 << 20, 1 << 20]),
            "too large",
        ),
        refused(
            "a tensor of terabytes",
            growing("Expand", &[1 << 20, 1 << 20, 1, 4]),
            "too large",
        ),
        refused("a broadcast of terabytes", broadcast("Add"), "too large"),
        refused("a product of terabytes", broadcast("MatMul"), "too large"),
        refused("a constant that doubles", doubling(), "too large"),
        refused(
            "a constant that grows",
            grown("Resize"),
            "reads the constant",
        ),
        refused(
            "a constant that is moved apart",
            grown("ConvTranspose"),
            "reads the constant",
        ),
    ]
}

/// An operator with a shape as its last operand.
fn growing(op: &str, shape: &[i64]) -> Vec<u8> {
    let (mut file, q) = begun();
    let shape = file.integers(shape);
    let made = match op {
        "ConstantOfShape" => file.node(op, &[&shape], &[]),
        _ => file.node(op, &[&q, &shape], &[]),
    };
    if op == "Reshape" {
        return ended(file, &made, &[1, 4]);
    }
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

fn broadcast(op: &str) -> Vec<u8> {
    let (mut file, q) = begun();
    let ones = vec![1.0; 1 << 18];
    let column = file.constant(&[1 << 18, 1], &ones, true);
    let row = file.constant(&[1, 1 << 18], &ones, true);
    let made = file.node(op, &[&column, &row], &[]);
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

/// A picture of a few pixels that becomes one of millions.
fn grown(op: &str) -> Vec<u8> {
    let (mut file, q) = begun();
    let small = file.constant(&[1, 1, 2, 2], &[1.0; 4], true);
    let made = match op {
        "Resize" => {
            let scales = file.constant(&[4], &[1.0, 1.0, 65536.0, 65536.0], true);
            file.node(op, &[&small, "", &scales], &[])
        }
        _ => {
            let weights = file.constant(&[1, 1, 1, 1], &[1.0], true);
            let strides = [("strides", Attribute::Ints(&[1 << 20, 1 << 20]))];
            file.node(op, &[&small, &weights], &strides)
        }
    };
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}

fn doubling() -> Vec<u8> {
    let (mut file, q) = begun();
    let mut made = file.constant(&[1, 4], &[1.0; 4], true);
    for _ in 0..40 {
        made = file.node("Concat", &[&made, &made], &[("axis", Attribute::Int(0))]);
    }
    let y = file.node("Add", &[&q, &made], &[]);
    ended(file, &y, &[1, 4])
}
