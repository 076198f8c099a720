//! Pruned networks: masks behind the quantisers of weights, and what finnp makes of them.
//! Must not know other executors.

use std::collections::BTreeSet;

use finnp::dataflow::Dataflow;
use finnp::error::Kind;
use finnp::network::{Binary, Network, Node, Op, Value, ValueId};
use finnp::pass::{Grid, fuse, streamline};
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

/// The network with about half of the weights of each product pruned: a mask behind their quantiser.
fn pruned(network: &Network, random: &mut Random) -> Network {
    let mut network = network.clone();
    let mut done = BTreeSet::new();
    let products = network.nodes.iter().filter(|node| node.op == Op::MatMul);
    let weights: Vec<ValueId> = products.map(|node| node.inputs[1]).collect();
    for mut id in weights {
        loop {
            let makes = |id: ValueId| network.nodes.iter().position(|node| node.output == id);
            let Some(place) = makes(id) else { break };
            let node = &network.nodes[place];
            if node.op.is_quantiser() {
                if done.insert(id) {
                    prune(&mut network, place, random);
                }
                break;
            }
            let made = node.inputs.iter().find(|id| makes(**id).is_some());
            id = *made.unwrap_or(&node.inputs[0]);
        }
    }
    network.verify("pruning").unwrap();
    network
}

/// Puts a mask behind the node at `place`.
fn prune(network: &mut Network, place: usize, random: &mut Random) {
    let quantiser = network.nodes[place].clone();
    let (name, shape) = {
        let value = network.value(quantiser.output);
        (value.name.clone(), value.shape.clone())
    };
    let kept = (0..shape.iter().product()).map(|_| f32::from(u8::from(random.chance(50))));
    let mask = Tensor::new(shape.clone(), kept.collect()).unwrap();
    let mut add = |suffix: &str, constant: Option<Tensor<f32>>| {
        network.add_value(Value {
            name: format!("{name}.{suffix}"),
            shape: shape.clone(),
            constant,
        })
    };
    let (mask, output) = (add("mask", Some(mask)), add("kept", None));
    for node in &mut network.nodes {
        let reads = node.inputs.iter_mut().filter(|id| **id == quantiser.output);
        reads.for_each(|id| *id = output);
    }
    let mask = Node {
        name: format!("{}.mask", quantiser.name),
        onnx: "Mul".into(),
        op: Op::Binary(Binary::Mul),
        permutation: Vec::new(),
        inputs: vec![quantiser.output, mask],
        output,
    };
    network.nodes.insert(place + 1, mask);
}

/// Prunes and exports; `None` where finnp refuses the network.
pub(crate) fn trial(
    name: String,
    bytes: &[u8],
    grid: Option<&Grid>,
    frames: impl FnOnce(&Dataflow) -> Vec<Vec<i64>>,
) -> Option<Trial> {
    let mut random = Random::new(name.bytes().map(u64::from).sum());
    let network = pruned(&import(bytes).unwrap(), &mut random);
    let dataflow = match streamline(&network, grid, false).and_then(fuse) {
        Ok(dataflow) => dataflow,
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
