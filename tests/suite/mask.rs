//! Masks of zeros and ones, as pruned networks hold them: on weights they make zeros, on activations they are
//! exact or refused in words.
//! Must not know how streamlining works.

use finnp::error::{Kind, Result};
use finnp::layer::Layer;
use finnp::network::Coding;
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::import;
use finnp::reference::{levels, single};
use finnp::tensor::{DataType, PerChannel, Tensor};

use super::proto::{Attribute, File};
use super::random::Random;

const DEPTH: usize = 6;
const ROWS: usize = 4;

/// Integer weights `[ROWS, DEPTH]` and their type, after every level was compared.
fn weights(file: File) -> Result<(Tensor<i32>, DataType)> {
    let bytes = file.bytes();
    let network = import(&bytes)?;
    let grid = Grid {
        element: "uint4".parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(0.125)),
    };
    let dataflow = fuse(streamline(&network, Some(&grid), false)?)?;
    let mut random = Random::new(1);
    let length: usize = dataflow.inputs[0].shape.iter().product();
    let frames: Vec<Vec<i64>> = (0..50)
        .map(|_| (0..length).map(|_| random.between(0, 15)).collect())
        .collect();
    let found = levels::compare(&network, &dataflow, &frames)?;
    assert!(found.equal(), "{found:?}");
    let single = single::compare(&bytes, &network, &dataflow, &frames)?;
    assert_eq!(single.differences, []);
    let product = dataflow
        .nodes
        .iter()
        .find_map(|node| match &node.layer {
            Layer::Mvau(mvau) => Some((node.tensors.weights.clone().unwrap(), mvau.weight)),
            _ => None,
        })
        .unwrap();
    Ok(product)
}

fn quant(file: &mut File, at: &str, scale: &[f32], shape: &[usize], bits: f32) -> String {
    let scale = file.constant(shape, scale, false);
    let [zero, bits] = [0.0, bits].map(|value| file.constant(&[], &[value], false));
    file.custom("Quant", &[at, &scale, &zero, &bits], &[])
}

/// Where the mask of a weight matrix stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Quant, Mul, MatMul.
    Product,
    /// Quant, Mul, Transpose, MatMul.
    BeforeTranspose,
    /// Quant, Transpose, Mul, MatMul.
    AfterTranspose,
    /// Quant, Mul, Gemm that transposes.
    Gemm,
}

/// A product with masked weights; `values` are `[ROWS, DEPTH]`.
fn product(place: Place, bipolar: bool, first: bool, values: &[f32], mask: &Mask) -> File {
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, DEPTH]);
    let rows_first = !matches!(place, Place::Product);
    let (shape, scales) = match rows_first {
        true => ([ROWS, DEPTH], [ROWS, 1]),
        false => ([DEPTH, ROWS], [1, ROWS]),
    };
    let turn = |values: &[f32], turned: bool| -> Vec<f32> {
        match turned {
            true => (0..DEPTH * ROWS)
                .map(|i| values[i % ROWS * DEPTH + i / ROWS])
                .collect(),
            false => values.to_vec(),
        }
    };
    let float = file.constant(&shape, &turn(values, !rows_first), false);
    let scale = [0.5, 0.25, 0.125, 1.0];
    let mut at = match bipolar {
        true => {
            let scale = file.constant(&scales, &scale, true);
            file.custom("BipolarQuant", &[&float, &scale], &[])
        }
        false => quant(&mut file, &float, &scale, &scales, 3.0),
    };
    let axes = || [("perm", Attribute::Ints(&[1, 0]))];
    if matches!(place, Place::AfterTranspose) {
        at = file.node("Transpose", &[&at], &axes());
    }
    let mask_turned = !rows_first || matches!(place, Place::AfterTranspose);
    let (shape, values) = mask.laid_out(mask_turned);
    let mask = file.constant(&shape, &values, false);
    let operands: [&str; 2] = if first { [&mask, &at] } else { [&at, &mask] };
    at = file.node("Mul", &operands, &[]);
    if matches!(place, Place::BeforeTranspose) {
        at = file.node("Transpose", &[&at], &axes());
    }
    at = match place {
        Place::Gemm => file.node("Gemm", &["in", &at], &[("transB", Attribute::Int(1))]),
        _ => file.node("MatMul", &["in", &at], &[]),
    };
    at = quant(&mut file, &at, &[0.25], &[], 4.0);
    file.output(&at, &[1, ROWS], false);
    file
}

/// What is kept of a matrix `[ROWS, DEPTH]`.
#[derive(Debug)]
enum Mask {
    Each(Vec<bool>),
    Rows([bool; ROWS]),
    Columns([bool; DEPTH]),
    All(bool),
}

impl Mask {
    fn keeps(&self, row: usize, column: usize) -> bool {
        match self {
            Mask::Each(kept) => kept[row * DEPTH + column],
            Mask::Rows(kept) => kept[row],
            Mask::Columns(kept) => kept[column],
            Mask::All(kept) => *kept,
        }
    }

    /// Shape and elements, of the transposed matrix if `turned`.
    fn laid_out(&self, turned: bool) -> (Vec<usize>, Vec<f32>) {
        let (rows, columns) = match self {
            Mask::Each(_) => (ROWS, DEPTH),
            Mask::Rows(_) => (ROWS, 1),
            Mask::Columns(_) => (1, DEPTH),
            Mask::All(_) => (1, 1),
        };
        let number = |kept: bool| if kept { 1.0 } else { 0.0 };
        match turned {
            false => {
                let at = |i: usize| number(self.keeps(i / columns, i % columns));
                (vec![rows, columns], (0..rows * columns).map(at).collect())
            }
            true => {
                let at = |i: usize| number(self.keeps(i % rows, i / rows));
                (vec![columns, rows], (0..rows * columns).map(at).collect())
            }
        }
    }
}

fn masks(random: &mut Random) -> Vec<Mask> {
    let each = (0..ROWS * DEPTH).map(|_| random.chance(40)).collect();
    vec![
        Mask::Each(each),
        Mask::Rows([true, false, true, false]),
        Mask::Columns([true, false, false, true, true, false]),
        Mask::All(true),
        Mask::All(false),
    ]
}

/// Pruned weights are zeros, wherever the mask stands; scales per row stay scales per row.
#[test]
fn weights_times_a_mask_are_integers_and_zeros() {
    let mut random = Random::new(3);
    let levels: Vec<f32> = (0..ROWS * DEPTH)
        .map(|_| *random.pick(&[-3.0, -1.0, 1.0, 2.0]))
        .collect();
    for place in [
        Place::Product,
        Place::BeforeTranspose,
        Place::AfterTranspose,
        Place::Gemm,
    ] {
        for bipolar in [false, true] {
            let of_row = |i: usize| [0.5, 0.25, 0.125, 1.0][i / DEPTH];
            let level = |i: usize| match bipolar {
                true => levels[i].signum(),
                false => levels[i],
            };
            let values: Vec<f32> = (0..ROWS * DEPTH).map(|i| level(i) * of_row(i)).collect();
            for mask in masks(&mut random) {
                let first = random.chance(50);
                let what = format!("{place:?}, bipolar {bipolar}, first {first}, {mask:?}");
                let file = product(place, bipolar, first, &values, &mask);
                let (found, kind) = weights(file).unwrap_or_else(|e| panic!("{what}: {e:?}"));
                let expected: Vec<i32> = (0..ROWS * DEPTH)
                    .map(|i| match mask.keeps(i / DEPTH, i % DEPTH) {
                        true => level(i) as i32,
                        false => 0,
                    })
                    .collect();
                assert_eq!(found.data(), expected, "{what}");
                if bipolar && matches!(mask, Mask::Each(_)) {
                    assert_eq!(kind, DataType::Ternary, "{what}");
                }
            }
        }
    }
}

/// Numbers other than 0 and 1 are scales, which a product cannot add up along its depth.
#[test]
fn other_factors_are_no_masks() {
    let mut random = Random::new(4);
    let values = vec![0.5; ROWS * DEPTH];
    let mut file = product(
        Place::Product,
        false,
        false,
        &values,
        &masks(&mut random)[0],
    );
    let mask = &mut file.graph.initializer[4];
    assert_eq!(mask.dims, [DEPTH as i64, ROWS as i64]);
    *mask
        .float_data
        .iter_mut()
        .find(|kept| **kept == 1.0)
        .unwrap() = 2.0;
    let error = weights(file).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("scales differ"), "{error:?}");
}

/// A mask on activations is a gain of 0: exact before a quantiser, refused before a product, which would have
/// to add up two scales.
#[test]
fn masks_on_activations_are_exact_or_refused() {
    let file = |mask: &[f32], quantised: bool| {
        let mut file = File::new(13, "qonnx.custom_op.general");
        file.input("in", &[1, DEPTH]);
        let mask = file.constant(&[mask.len()], mask, false);
        let mut at = file.node("Mul", &["in", &mask], &[]);
        if quantised {
            at = quant(&mut file, &at, &[0.25], &[], 4.0);
        }
        let mut random = Random::new(5);
        let float: Vec<f32> = (0..DEPTH * ROWS)
            .map(|_| random.between(-3, 3) as f32 * 0.5)
            .collect();
        let float = file.constant(&[DEPTH, ROWS], &float, false);
        let matrix = quant(&mut file, &float, &[0.5], &[], 3.0);
        at = file.node("MatMul", &[&at, &matrix], &[]);
        file.output(&at, &[1, ROWS], false);
        file
    };
    let mask = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
    weights(file(&mask, true)).unwrap();
    let error = weights(file(&mask, false)).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("different scales"), "{error:?}");
    for uniform in [[0.0; DEPTH], [1.0; DEPTH]] {
        weights(file(&uniform, true)).unwrap();
        weights(file(&uniform, false)).unwrap();
    }
}
