//! Networks whose operators come in an unusual order: pools behind curves, grids that differ element by element,
//! pictures made of vectors. Every level is that of the reference.
//! Must not know how they are streamlined.

use std::collections::BTreeMap;

use finnp::error::Kind;
use finnp::manifest::Pruning;
use finnp::network::Coding;
use finnp::pass::{Grid, fuse, reorder, streamline};
use finnp::prune::{Planned, apply, plan};
use finnp::qonnx::import;
use finnp::reference::levels;
use finnp::tensor::{DataType, PerChannel};

use super::proto::{Attribute, File};
use super::pruned::random_frames;

const DOMAIN: &str = "qonnx.custom_op.general";

/// A network under construction, its input on a grid of 4 bits with steps of 1/4.
struct Maker {
    file: File,
    at: String,
}

impl Maker {
    fn new(shape: &[usize]) -> Self {
        let mut file = File::new(13, DOMAIN);
        file.input("in", shape);
        Maker {
            file,
            at: "in".into(),
        }
    }

    fn op(mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) -> Self {
        let all = [&[self.at.as_str()], inputs].concat();
        self.at = self.file.node(op, &all, attributes);
        self
    }

    /// Numbers that look like weights.
    fn numbers(&mut self, shape: &[usize]) -> String {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|at| ((at * 7 + 3) % 11) as f32 / 4.0 - 1.25)
            .collect();
        self.file.constant(shape, &values, true)
    }

    fn quant_of(&mut self, x: &str, scale: f32) -> String {
        let scale = self.file.constant(&[], &[scale], true);
        let zero = self.file.constant(&[], &[0.0], true);
        let bits = self.file.constant(&[], &[4.0], true);
        self.file.custom("Quant", &[x, &scale, &zero, &bits], &[])
    }

    fn quant(mut self, scale: f32) -> Self {
        let at = self.at.clone();
        self.at = self.quant_of(&at, scale);
        self
    }

    fn weighted(mut self, op: &str, shape: &[usize]) -> Self {
        let numbers = self.numbers(shape);
        let weights = self.quant_of(&numbers, 0.25);
        self.op(op, &[&weights], &[])
    }

    fn constant(mut self, op: &str, shape: &[usize]) -> Self {
        let numbers = self.numbers(shape);
        self.op(op, &[&numbers], &[])
    }

    fn pool(self) -> Self {
        let two = [2, 2];
        let attributes = [
            ("kernel_shape", Attribute::Ints(&two)),
            ("strides", Attribute::Ints(&two)),
        ];
        self.op("MaxPool", &[], &attributes)
    }

    fn reshape(mut self, shape: &[i64]) -> Self {
        let shape = self.file.integers(shape);
        self.op("Reshape", &[&shape], &[])
    }

    fn end(mut self, shape: &[usize]) -> Vec<u8> {
        let at = self.at.clone();
        self.file.output(&at, shape, false);
        self.file.bytes()
    }
}

fn grid() -> Grid {
    Grid {
        element: DataType::Int(4),
        coding: Coding::scaled(PerChannel::Same(0.25)),
    }
}

/// Streamlines, pruned or not, and compares with the reference.
fn exact(bytes: &[u8], pruned: bool) {
    let (network, grid) = (import(bytes).unwrap(), grid());
    let pruning = Pruning {
        pattern: pruned.then(|| "bcr-col".into()),
        density: pruned.then_some(0.5),
        ..Pruning::default()
    };
    let choices = |_: &str| (pruning.clone(), BTreeMap::new());
    let Planned { plan, masks, .. } = plan(&network, Some(&grid), false, &choices, None).unwrap();
    let network = apply(network, &masks).unwrap();
    let dataflow = fuse(streamline(&network, Some(&grid), false).unwrap()).unwrap();
    let dataflow = reorder(dataflow, &plan.rearrangement).unwrap();
    let found = levels::compare(&network, &dataflow, &random_frames(&dataflow)).unwrap();
    assert!(found.equal(), "{found:?}");
}

#[test]
fn a_pool_behind_a_curve_has_integers_of_its_own() {
    let conv = || {
        Maker::new(&[1, 3, 4, 4])
            .weighted("Conv", &[4, 3, 1, 1])
            .op("Relu", &[], &[])
            .pool()
    };
    exact(
        &conv().op("Flatten", &[], &[]).quant(0.5).end(&[1, 16]),
        false,
    );
    exact(&conv().end(&[1, 4, 2, 2]), true);
}

#[test]
fn a_pool_that_waits_sees_all_of_the_picture() {
    let made = Maker::new(&[1, 2, 4, 4])
        .constant("Add", &[1, 2, 4, 4])
        .quant(0.5);
    let made = made.constant("Mul", &[1]).pool().quant(0.25);
    exact(&made.end(&[1, 2, 2, 2]), false);
}

#[test]
fn a_picture_made_of_a_vector_keeps_its_channels_in_place() {
    let made = Maker::new(&[1, 8]).weighted("MatMul", &[8, 16]).quant(0.5);
    let made = made.reshape(&[1, 1, 4, 4]).weighted("Conv", &[8, 1, 4, 4]);
    exact(&made.quant(1.0).end(&[1, 8, 1, 1]), true);
}

#[test]
fn a_signal_may_have_its_channels_last() {
    let turn = || [("perm", Attribute::Ints(&[0, 2, 1]))];
    let made = Maker::new(&[1, 6, 3]).op("Transpose", &[], &turn());
    let made = made
        .weighted("Conv", &[4, 3, 3])
        .quant(0.5)
        .op("Transpose", &[], &turn());
    exact(&made.end(&[1, 4, 4]), true);
}

/// What goes up and down has no bounds at its ends.
#[test]
fn truncation_of_what_is_not_monotone_is_refused() {
    let mut made = Maker::new(&[1, 8]).op("Abs", &[], &[]);
    let operands = [0.25, 0.0, 4.0, 1.0, 2.0];
    let operands = operands.map(|value| made.file.constant(&[], &[value], true));
    let all: Vec<&str> = std::iter::once(made.at.as_str())
        .chain(operands.iter().map(String::as_str))
        .collect();
    made.at = made
        .file
        .custom("Trunc", &all, &[("signed", Attribute::Int(0))]);
    let network = import(&made.end(&[1, 8])).unwrap();
    let error = streamline(&network, Some(&grid()), false).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("up and down"), "{error:?}");
}
