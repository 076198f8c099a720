//! Pruned networks: masks behind the quantisers of weights, and what finnp makes of them.
//! Must not know other executors.

use std::collections::BTreeMap;

use finnp::dataflow::{Dataflow, Rearrangement};
use finnp::error::{Kind, Result};
use finnp::manifest::Pruning;
use finnp::network::{Network, Op};
use finnp::pass::{Grid, fuse, reorder, streamline};
use finnp::prune::{Mask, Planned, apply, plan};
use finnp::qonnx::{export, import};
use finnp::reference::{Known, Real, levels};
use finnp::tensor::Tensor;

use super::lossless::lossless;
use super::random::Random;

/// Samples of a network.
pub(crate) const SAMPLES: usize = 32;

/// A pruned network on both sides.
pub(crate) struct Trial {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) network: Network,
    pub(crate) dataflow: Dataflow,
    pub(crate) frames: Vec<Vec<i64>>,
}

/// How a network is pruned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// About half of the weights, anywhere.
    Scattered,
    /// By a pattern of the manifest at a density, and its channels brought in the order of the hardware.
    Planned(&'static str, f64),
}

/// Masks of about half of the weights of each product.
fn scattered(network: &Network) -> Vec<Mask> {
    let real = Real::new(network).unwrap();
    let mut random = Random::new(network.nodes.len() as u64);
    let products = network.nodes.iter().filter(|node| node.op == Op::MatMul);
    products
        .filter(|node| real.constant(node.inputs[1]).is_some())
        .map(|node| {
            let shape = network.value(node.inputs[1]).shape.clone();
            let kept = |_| f32::from(u8::from(random.chance(50)));
            let kept = (0..shape.iter().product()).map(kept).collect();
            Mask {
                layer: node.name.clone(),
                kept: Tensor::new(shape, kept).unwrap(),
            }
        })
        .collect()
}

/// The pruned network and its integers.
fn pruned(network: Network, grid: Option<&Grid>, way: Way) -> Result<(Network, Dataflow)> {
    let (masks, rearrangement) = match way {
        Way::Scattered => (scattered(&network), Rearrangement::default()),
        Way::Planned(pattern, density) => {
            let pruning = Pruning {
                pattern: Some(pattern.into()),
                density: Some(density),
                ..Pruning::default()
            };
            let choices = |_: &str| (pruning.clone(), BTreeMap::new());
            let Planned { plan, masks, .. } = plan(&network, grid, false, &choices, None)?;
            (masks, plan.rearrangement)
        }
    };
    let network = apply(network, &masks)?;
    let dataflow = fuse(streamline(&network, grid, false)?)?;
    Ok((network, reorder(dataflow, &rearrangement)?))
}

/// Prunes and exports; `None` where finnp refuses the network.
pub(crate) fn trial(
    name: &str,
    bytes: &[u8],
    grid: Option<&Grid>,
    way: Way,
    frames: impl FnOnce(&Dataflow) -> Vec<Vec<i64>>,
) -> Option<Trial> {
    let name = format!("{name}, {way:?}");
    let (network, dataflow) = match pruned(import(bytes).unwrap(), grid, way) {
        Ok(found) => found,
        Err(error) if error.kind() == Kind::User => return None,
        Err(error) => panic!("{name}: {error:?}"),
    };
    let bytes = export(&network).unwrap();
    let frames = frames(&dataflow);
    let found = levels::compare(&network, &dataflow, &frames).unwrap();
    assert!(found.equal(), "{name}: {found:?}");
    Some(Trial {
        name,
        bytes,
        network,
        dataflow,
        frames,
    })
}

impl Trial {
    /// What a frame stands for.
    pub(crate) fn real(&self, frame: &[i64]) -> Vec<f64> {
        let coding = &self.dataflow.inputs[0].coding;
        frame.iter().map(|q| coding.real(*q, 0)).collect()
    }

    /// Whether f32 loses nothing on any sample.
    pub(crate) fn is_lossless(&self) -> bool {
        let real = Real::new(&self.network).unwrap();
        self.frames.iter().all(|frame| {
            let shape = self.dataflow.inputs[0].shape.clone();
            let input = Known::real(Tensor::new(shape, self.real(frame)).unwrap());
            lossless(&self.network, &real, input)
        })
    }
}

/// Frames of any codes that may arrive.
pub(crate) fn random_frames(dataflow: &Dataflow) -> Vec<Vec<i64>> {
    let input = &dataflow.inputs[0];
    let element = dataflow.stream(input.stream).element;
    let (low, high, step) = match &input.quantiser {
        Some(quantiser) => quantiser.codes(),
        None => (element.min(), element.max(), element.step()),
    };
    let mut random = Random::new(17);
    let length: usize = input.shape.iter().product();
    let mut number = || low + step * random.between(0, (high - low) / step);
    (0..SAMPLES)
        .map(|_| (0..length).map(|_| number()).collect())
        .collect()
}
