//! Networks at the corners of what is accepted: each is exact at every level, or refused in words.
//! Must not know how streamlining works.

use finnp::error::{Kind, Result};
use finnp::network::Coding;
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::import;
use finnp::reference::levels;
use finnp::tensor::PerChannel;

use super::project::{Call, Project};
use super::proto::{Attribute, File};
use super::random::Random;

fn quant(file: &mut File, at: &str, scale: f32, zero: f32, bits: f32, signed: i64) -> String {
    let names = [scale, zero, bits].map(|value| file.constant(&[], &[value], false));
    let inputs = [at, &names[0], &names[1], &names[2]];
    file.custom("Quant", &inputs, &[("signed", Attribute::Int(signed))])
}

fn weights(file: &mut File, shape: [usize; 2]) -> String {
    let mut random = Random::new(7);
    let values: Vec<f32> = (0..shape[0] * shape[1])
        .map(|_| random.between(-3, 3) as f32 * 0.25)
        .collect();
    let values = file.constant(&shape, &values, false);
    quant(file, &values, 0.25, 0.0, 3.0, 1)
}

fn grid(element: &str) -> Grid {
    Grid {
        element: element.parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(0.125)),
    }
}

/// Compares every level on random frames.
fn check(file: File, grid: Option<&Grid>) -> Result<()> {
    let network = import(&file.bytes())?;
    let dataflow = fuse(streamline(&network, grid, false)?)?;
    let input = &dataflow.inputs[0];
    let element = dataflow.stream(input.stream).element;
    let length: usize = input.shape.iter().product();
    let mut random = Random::new(1);
    let frames: Vec<Vec<i64>> = (0..50)
        .map(|_| {
            (0..length)
                .map(|_| random.between(element.min(), element.max()))
                .collect()
        })
        .collect();
    let found = levels::compare(&network, &dataflow, &frames)?;
    assert!(found.equal(), "{found:?}");
    Ok(())
}

#[test]
fn a_reshape_before_the_first_quantiser_keeps_channels_apart() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 12]);
    let target = file.integers(&[1, 3, 2, 2]);
    let at = file.node("Reshape", &["in", &target], &[]);
    let at = quant(&mut file, &at, 0.125, 0.0, 6.0, 1);
    let gains = file.constant(&[1, 3, 1, 1], &[0.3, -1.0, 2.0], false);
    let at = file.node("Mul", &[&at, &gains], &[]);
    let at = quant(&mut file, &at, 0.25, 0.0, 4.0, 1);
    let at = file.node("Flatten", &[&at], &[]);
    let weights = weights(&mut file, [12, 5]);
    let at = file.node("MatMul", &[&at, &weights], &[]);
    file.output(&at, &[1, 5], false);
    check(file, None).unwrap();
}

#[test]
fn a_quantised_constant_leaves_activations_on_their_grid() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 4]);
    let values = file.constant(&[4], &[0.25, 0.5, -0.75, 0.0], false);
    let bias = quant(&mut file, &values, 0.25, 0.0, 4.0, 1);
    let at = file.node("Add", &["in", &bias], &[]);
    let weights = weights(&mut file, [4, 5]);
    let at = file.node("MatMul", &[&at, &weights], &[]);
    file.output(&at, &[1, 5], false);
    check(file, Some(&grid("uint4"))).unwrap();
}

#[test]
fn one_signed_bit_with_a_zero_point_is_refused() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 4]);
    let matrix = weights(&mut file, [4, 5]);
    let at = file.node("MatMul", &["in", &matrix], &[]);
    let at = quant(&mut file, &at, 0.25, 1.0, 1.0, 1);
    file.output(&at, &[1, 5], false);
    let error = check(file, Some(&grid("uint4"))).unwrap_err();
    assert_eq!(error.kind(), Kind::User, "{error:?}");
}

#[test]
fn thresholds_without_a_step_are_refused() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 3, 4]);
    let thresholds = file.constant(&[3, 0], &[], false);
    let at = file.custom("MultiThreshold", &["in", &thresholds], &[]);
    file.output(&at, &[1, 3, 4], false);
    let error = check(file, Some(&grid("uint4"))).unwrap_err();
    assert_eq!(error.kind(), Kind::User, "{error:?}");
}

#[test]
fn labels_are_left_to_the_host_where_rounding_makes_ties() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 4]);
    let [up, down] = [1e20, -1e20].map(|value| file.constant(&[], &[value], false));
    let at = file.node("Add", &["in", &up], &[]);
    let at = file.node("Add", &[&at, &down], &[]);
    let at = file.node("ArgMax", &[&at], &[("axis", Attribute::Int(1))]);
    file.output(&at, &[1, 1], true);
    check(file, Some(&grid("int4"))).unwrap();
}

#[test]
fn labels_may_be_reshaped() {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, 3, 4]);
    let matrix = weights(&mut file, [4, 5]);
    let at = file.node("MatMul", &["in", &matrix], &[]);
    let at = file.node("ArgMax", &[&at], &[("axis", Attribute::Int(2))]);
    let axes = Attribute::Ints(&[2, 0, 1]);
    let at = file.node("Transpose", &[&at], &[("perm", axes)]);
    file.output(&at, &[1, 1, 3], true);
    check(file, Some(&grid("uint4"))).unwrap();
}

/// A gain of 0 gives zeros of both signs.
#[test]
fn division_by_a_zero_of_either_sign_is_seen() {
    for gain in [-1.0, 1.0] {
        let mut file = File::new(13, "qonnx.custom_op.general");
        file.input("in", &[1, 4]);
        let [zero, gain] = [0.0, gain].map(|value| file.constant(&[], &[value], false));
        let at = file.node("Mul", &["in", &zero], &[]);
        let at = file.node("Div", &[&gain, &at], &[]);
        let at = quant(&mut file, &at, 0.25, 0.0, 4.0, 1);
        file.output(&at, &[1, 4], false);
        check(file, Some(&grid("int4"))).unwrap();
    }
}

/// Builds the whole network, with labels at the end.
fn build(file: File, layers: &str) -> Call {
    let project = Project::new(&format!(
        "[project]\nname = \"p\"\n[model]\npath = \"model.onnx\"\n[input]\ntype = \"uint4\"\nscale = 0.125\n\
         [output]\nlabels = true\n[target]\nboard = \"alveo-u280\"\nfps = 1000000\n{layers}"
    ));
    std::fs::write(project.dir().join("model.onnx"), file.bytes()).unwrap();
    project.build(&[])
}

/// Files of a build have names of their own, whatever layers are called.
#[test]
fn layers_may_have_any_name() {
    for name in ["label", "inputs", "network", "input.npy", "output.npy"] {
        let mut file = File::new(13, "qonnx.custom_op.general");
        file.input("in", &[1, 6]);
        let matrix = weights(&mut file, [6, 5]);
        let at = file.node("MatMul", &["in", &matrix], &[]);
        file.graph.node.last_mut().unwrap().name = name.into();
        file.output(&at, &[1, 5], false);
        build(file, "").expect_success();
    }
}

#[test]
fn pixels_that_appear_between_layers_need_full_words() {
    let file = || {
        let mut file = File::new(13, "qonnx.custom_op.general");
        file.input("in", &[1, 12]);
        let matrix = weights(&mut file, [12, 30]);
        let at = file.node("MatMul", &["in", &matrix], &[]);
        let at = quant(&mut file, &at, 0.25, 0.0, 4.0, 1);
        let target = file.integers(&[1, 3, 10]);
        let at = file.node("Reshape", &[&at, &target], &[]);
        let matrix = weights(&mut file, [10, 4]);
        let at = file.node("MatMul", &[&at, &matrix], &[]);
        file.output(&at, &[1, 3, 4], false);
        file
    };
    build(file(), "").expect_success();
    build(file(), "[[layer]]\nmatch = \"*\"\nsimd = 5\n").expect_success();
    let refused = build(file(), "[[layer]]\nmatch = \"*\"\nsimd = 4\n");
    assert_eq!(refused.finished()["exit"], 1);
}
