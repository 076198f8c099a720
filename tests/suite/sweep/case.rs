//! From a shape to its layers: a network of one product with random weights, pruned as a build prunes it.
//! Must not know what is measured.

use std::collections::BTreeMap;

use finnp::dataflow::Dataflow;
use finnp::layer::{Layer, Parallelism, Tensors};
use finnp::manifest::{Amount, Pruning};
use finnp::network::{Coding, Network};
use finnp::pass::{Grid, fuse, reorder, streamline};
use finnp::prune::{Planned, Pruned, apply, plan};
use finnp::qonnx::import;
use finnp::tensor::PerChannel;

use super::shape::{Form, Shape};
use crate::proto::{Attribute, File};
use crate::random::Random;

/// A layer with all its weights, and pruned.
pub(super) struct Case {
    dense: Dataflow,
    /// The pruned network, one layer.
    pub(super) sparse: Dataflow,
    /// What was removed.
    pub(super) plan: Vec<Pruned>,
}

impl Case {
    /// The layers of a shape with its PE and SIMD.
    pub(super) fn new(shape: &Shape) -> Self {
        let network = import(&file(shape)).unwrap();
        let grid = Grid {
            element: shape.input(),
            coding: Coding::scaled(PerChannel::Same(0.25)),
        };
        let flow = |network: &Network| {
            streamline(network, Some(&grid), false)
                .and_then(fuse)
                .unwrap()
        };
        let choices = |_: &str| (pruning(shape), BTreeMap::new());
        let Planned { plan, masks, .. } =
            plan(&network, Some(&grid), false, &choices, None).unwrap();
        let dense = flow(&network);
        let masked = flow(&apply(network, &masks).unwrap());
        let sparse = reorder(masked.clone(), &plan.rearrangement).unwrap();
        let of = |dataflow: &Dataflow| dataflow.nodes[0].clone();
        let (before, after) = (of(&masked), of(&sparse));
        let probe: Vec<i64> = (0..shape.columns as i64).map(|at| at % 2).collect();
        let run = |layer: &Layer, tensors: &Tensors| layer.hardware().run(tensors, &probe).unwrap();
        assert_eq!(
            run(&before.layer, &before.tensors),
            run(&after.layer, &after.tensors),
            "{shape:?}"
        );
        Case {
            dense: folded(shape, dense),
            sparse: folded(shape, sparse),
            plan: plan.layers,
        }
    }

    /// The layer with all its weights.
    pub(super) fn dense(&self) -> (&Layer, &Tensors) {
        let node = &self.dense.nodes[0];
        (&node.layer, &node.tensors)
    }

    /// The pruned layer.
    pub(super) fn pruned(&self) -> (&Layer, &Tensors) {
        let node = &self.sparse.nodes[0];
        (&node.layer, &node.tensors)
    }
}

fn folded(shape: &Shape, mut dataflow: Dataflow) -> Dataflow {
    let [node] = &mut dataflow.nodes[..] else {
        panic!("{shape:?}: {} layers", dataflow.nodes.len())
    };
    let parallelism = Parallelism {
        pe: Some(shape.pe),
        simd: Some(shape.simd),
    };
    let limits = node.layer.hardware().limits();
    assert!(limits.allow(parallelism), "{shape:?}: {limits:?}");
    node.layer = node.layer.clone().folded(parallelism);
    dataflow
}

fn pruning(shape: &Shape) -> Pruning {
    let [rows, columns] = shape.keep;
    let (keep, lanes) = match shape.form {
        Form::Columns => (Amount::Columns(columns), Amount::Columns(shape.lanes[1])),
        Form::Cross => (Amount::Both([rows, columns]), Amount::Both(shape.lanes)),
    };
    Pruning {
        pattern: Some(shape.form.pattern().to_owned()),
        density: None,
        block: Some(shape.block),
        keep: Some(keep),
        lanes: Some(lanes),
    }
}

/// The ONNX file: a product with quantised weights that are random and roughly normal.
fn file(shape: &Shape) -> Vec<u8> {
    let mut random = Random::new(shape.seed);
    let count = shape.rows * shape.columns;
    let mut normal = || -> f64 { (0..4).map(|_| random.number(-0.5, 0.5)).sum() };
    let weights: Vec<f32> = (0..count).map(|_| normal() as f32).collect();
    let mut file = File::new(13, "qonnx.custom_op.general");
    file.input("in", &[1, shape.columns]);
    let weights = file.constant(&[shape.columns, shape.rows], &weights, true);
    // Three deviations are the largest code; of two bits, one deviation.
    let deviation = (4.0f64 / 12.0).sqrt();
    let scale = |value: f64| value as f32;
    let weights = match shape.weight_bits {
        1 => {
            let scale = file.constant(&[], &[scale(deviation)], true);
            file.custom("BipolarQuant", &[&weights, &scale], &[])
        }
        bits => {
            let largest = (1 << (bits - 1)) - 1;
            let span = if bits == 2 { 1.0 } else { 3.0 };
            let step = scale(deviation * span / f64::from(largest));
            let numbers = [step, 0.0, bits as f32];
            let [step, zero, bits] = numbers.map(|number| file.constant(&[], &[number], true));
            let attributes = [
                ("signed", Attribute::Int(1)),
                ("narrow", Attribute::Int(0)),
                ("rounding_mode", Attribute::Text("ROUND")),
            ];
            file.custom("Quant", &[&weights, &step, &zero, &bits], &attributes)
        }
    };
    let out = file.node("MatMul", &["in", &weights], &[]);
    file.output(&out, &[1, shape.rows], false);
    file.bytes()
}
