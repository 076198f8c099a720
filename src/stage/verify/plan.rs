//! What is simulated: of each layer how many pixels and frames, of the network how many frames.
//! Must not know jobs.

use crate::dataflow::{Dataflow, Node};
use crate::layer::Layer;

/// Operations that a simulation may take, over all its frames; see [`work`]. A core simulates some
/// 100 million in a second, so that a layer takes less than a second and the network a few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// For a layer alone.
    pub(super) layer: u64,
    /// For the whole network.
    pub(super) network: u64,
}

/// The budget of a build.
pub(super) const BUDGET: Budget = Budget {
    layer: 1 << 25,
    network: 1 << 27,
};

/// The budget of a build that simulates everything whole: it bounds the frames only.
pub(super) const FULL: Budget = Budget {
    layer: 1 << 28,
    network: 1 << 30,
};

/// Operations that the reference in 64 or 32 bits may take, over all samples: it makes about a thousand
/// million in a second.
const REFERENCE: u64 = 1 << 33;

/// Operations that an element is worth which enters or leaves a layer: it is read from a file or written to one, and
/// packed into a word.
const ELEMENT: u64 = 32;

/// Frames that a layer is fed at least, if there are as many samples: a first one, and one that follows it
/// without a gap.
const FRAMES: usize = 2;

/// Rows of places that are left of a picture at least: one at the upper padding, one at the lower, one between.
const ROWS: usize = 3;

/// What is simulated of one layer alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    /// The layer as it is simulated, not folded.
    pub(super) layer: Layer,
    /// Pixels that [`Layer::reduced`] was asked for; `None` where the layer is whole.
    pub(super) pixels: Option<usize>,
    /// Frames at most.
    pub(super) frames: usize,
}

/// What is simulated of a network that is not folded yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Layers in order.
    pub(super) parts: Vec<Part>,
    /// The network as a whole.
    pub(super) network: Whole,
}

/// What is simulated of the network as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    /// Frames at most; 0 where it is not simulated.
    pub(super) frames: usize,
    /// Operations per frame.
    pub(super) operations: u64,
}

/// Operations of one frame, with those that its elements are worth.
fn work(layer: &Layer) -> u64 {
    layer.operations() + ELEMENT * layer.elements() as u64
}

/// How many times `work` is within a budget.
fn times(budget: u64, work: u64) -> usize {
    usize::try_from(budget / work.max(1)).unwrap_or(usize::MAX)
}

/// Frames within a budget: a power of 2, so that a small change to the network seldom changes what is simulated.
fn frames(budget: u64, work: u64) -> usize {
    let most = times(budget, work);
    most.checked_ilog2().map_or(0, |log| 1 << log)
}

impl Plan {
    /// Keeps within `budget`, unless everything is simulated whole.
    pub(super) fn new(integer: &Dataflow, budget: Budget, full: bool) -> Self {
        let parts = integer.nodes.iter().map(|node| match full {
            true => Part::whole(node, budget.layer),
            false => Part::new(node, budget.layer),
        });
        let layers = || integer.nodes.iter().map(|node| &node.layer);
        let within = frames(budget.network, layers().map(work).sum());
        Plan {
            parts: parts.collect(),
            network: Whole {
                frames: within.max(if full { FRAMES } else { 0 }),
                operations: layers().map(Layer::operations).sum(),
            },
        }
    }

    /// Most frames that anything is fed.
    pub(super) fn frames(&self) -> usize {
        let frames = self.parts.iter().map(|part| part.frames);
        frames.fold(self.network.frames, usize::max)
    }
}

impl Part {
    fn whole(node: &Node, budget: u64) -> Self {
        Part {
            name: node.name.clone(),
            layer: node.layer.clone(),
            pixels: None,
            frames: frames(budget, work(&node.layer)).max(FRAMES),
        }
    }

    fn new(node: &Node, budget: u64) -> Self {
        let mut part = Part::whole(node, budget);
        let each = budget / FRAMES as u64;
        let (whole, pixels) = (work(&node.layer), node.layer.hardware().output().pixels);
        if whole > each {
            let (row, least) = node.layer.row().map_or((1, 1), |row| (row.max(1), ROWS));
            let wanted = u128::from(each) * pixels as u128 / u128::from(whole);
            let rows = usize::try_from(wanted).unwrap_or(pixels) / row;
            let wanted = rows.max(least) * row;
            let layer = node.layer.reduced(wanted);
            // Rows cannot be made shorter, so a layer may stay as it is.
            if layer != node.layer {
                part.frames = frames(budget, work(&layer)).max(FRAMES);
                (part.layer, part.pixels) = (layer, Some(wanted));
            }
        }
        part
    }

    /// What is simulated, in words.
    pub(super) fn words(&self) -> String {
        let port = self.layer.hardware().output();
        match self.pixels {
            Some(_) => format!("{} pixels, {} frames", port.pixels, self.frames),
            None => format!("whole, {} frames", self.frames),
        }
    }
}

/// How many of `samples` the references are compared on: as many as their budget allows, 1 at least.
pub(super) fn compared(integer: &Dataflow, samples: usize) -> usize {
    let layers = integer.nodes.iter().map(|node| node.layer.operations());
    times(REFERENCE, layers.sum()).clamp(1, samples.max(1))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::dataflow::{Order, Stream, StreamId};
    use crate::layer::{LabelSelect, MaxPool, Mvau, Sliding, SlidingWindow, Tensors};
    use crate::tensor::{DataType, Window};

    pub(in crate::stage::verify) const UINT4: DataType = DataType::Uint(4);

    fn sliding(
        picture: usize,
        channels: usize,
        kernel: usize,
        stride: usize,
        pad: usize,
    ) -> Sliding {
        Sliding {
            picture: [picture; 2],
            channels,
            window: Window {
                stride: [stride; 2],
                pads: [pad; 4],
                ..Window::dense([kernel; 2])
            },
        }
    }

    pub(in crate::stage::verify) fn window(groups: usize) -> Layer {
        Layer::SlidingWindow(SlidingWindow {
            sliding: sliding(32, 8, 3, 1, 1),
            groups,
            input: UINT4,
            output: UINT4,
            pad: 0,
            pe: 1,
            simd: 1,
        })
    }

    pub(in crate::stage::verify) fn product(columns: usize, pixels: usize) -> Layer {
        Layer::Mvau(Mvau {
            rows: 16,
            columns,
            pixels,
            groups: 1,
            input: UINT4,
            weight: DataType::Int(4),
            accumulator: DataType::Int(16),
            activation: None,
            pe: 1,
            simd: 1,
            multiplier: crate::layer::Multiplier::Lut,
        })
    }

    pub(in crate::stage::verify) fn pool() -> Layer {
        Layer::MaxPool(MaxPool {
            sliding: sliding(32, 16, 2, 2, 0),
            input: DataType::Int(16),
            pe: 1,
            simd: 1,
        })
    }

    pub(in crate::stage::verify) fn labels() -> Layer {
        Layer::LabelSelect(LabelSelect {
            input: DataType::Int(16),
            channels: 4096,
            pixels: 1,
            output: DataType::Uint(12),
            pe: 1,
        })
    }

    /// The layers, one behind the other.
    pub(in crate::stage::verify) fn chain(layers: Vec<(&str, Layer)>) -> Dataflow {
        let mut dataflow = Dataflow::default();
        let mut stream = |element| {
            dataflow.add_stream(Stream {
                element,
                pixels: 1,
                channels: 1,
                depth: 2,
                value: None,
                order: Order::channels_first(1, 1),
                kept: None,
            })
        };
        let streams: Vec<StreamId> = (0..=layers.len()).map(|_| stream(UINT4)).collect();
        for (at, (name, layer)) in layers.into_iter().enumerate() {
            dataflow.nodes.push(Node {
                name: name.to_owned(),
                layer,
                tensors: Tensors::default(),
                inputs: vec![streams[at]],
                outputs: vec![streams[at + 1]],
            });
        }
        dataflow
    }

    pub(in crate::stage::verify) fn network() -> Dataflow {
        chain(vec![
            ("window", window(1)),
            ("conv", product(72, 1024)),
            ("pool", pool()),
            ("labels", labels()),
        ])
    }

    #[test]
    fn within_the_budget_all_is_whole_and_as_many_frames_as_fit() {
        let network = network();
        let budget = Budget {
            layer: 1 << 30,
            network: 1 << 30,
        };
        let plan = Plan::new(&network, budget, false);
        assert!(plan.parts.iter().all(|part| part.pixels.is_none()));
        for (part, node) in plan.parts.iter().zip(&network.nodes) {
            assert_eq!(part.layer, node.layer);
            let frames = part.frames as u64;
            assert!(frames * work(&node.layer) <= budget.layer, "{}", part.name);
            assert!(
                2 * frames * work(&node.layer) > budget.layer,
                "{}",
                part.name
            );
        }
        assert_eq!(plan.network.operations, 73728 + 1_179_648 + 16384 + 4096);
        let sum: u64 = network.nodes.iter().map(|node| work(&node.layer)).sum();
        assert_eq!(plan.network.frames as u64, 1 << ((1 << 30) / sum).ilog2());
        assert_eq!(
            plan.frames(),
            plan.parts.iter().map(|p| p.frames).max().unwrap_or(0)
        );
    }

    #[test]
    fn beyond_it_two_frames_of_a_part_fit_if_rows_allow() {
        let network = network();
        let budget = Budget {
            layer: 1 << 20,
            network: 1 << 20,
        };
        let plan = Plan::new(&network, budget, false);
        assert_eq!(plan.network.frames, 0);
        for part in &plan.parts {
            assert!(part.frames >= FRAMES);
            assert!(
                part.frames as u64 * work(&part.layer) <= budget.layer,
                "{}",
                part.name
            );
        }
        let parts = |at: usize| plan.parts[at].layer.hardware().output().pixels;
        assert!(parts(1) < 1024 && parts(1) > 1);
        assert!(parts(0) < 1024 && parts(0) % 32 == 0 && parts(0) >= 96);
        assert!(parts(2) < 256 && parts(2) % 16 == 0);
        // One pixel cannot be made less.
        assert_eq!(plan.parts[3].layer, network.nodes[3].layer);
        assert!(plan.parts[3].words().starts_with("whole, "));
        assert_eq!(
            plan.parts[1].words(),
            format!("{} pixels, 2 frames", parts(1))
        );
        // However small the budget, the padding on both sides and a row between are there.
        let nothing = Budget {
            layer: 1,
            network: 1,
        };
        let plan = Plan::new(&network, nothing, false);
        assert_eq!(plan.parts[0].layer.hardware().output().pixels, 3 * 32);
        assert_eq!(plan.parts[0].layer.hardware().input().pixels, 3 * 32);
        assert!(plan.parts.iter().all(|part| part.frames == FRAMES));
        let full = Plan::new(&network, nothing, true);
        assert!(full.parts.iter().all(|part| part.pixels.is_none()));
        assert_eq!((full.network.frames, full.frames()), (FRAMES, FRAMES));
    }

    #[test]
    fn groups_stay_whole() {
        let grouped = chain(vec![("window", window(4))]);
        let budget = Budget {
            layer: 1 << 20,
            network: 0,
        };
        let plan = Plan::new(&grouped, budget, false);
        let pixels = plan.parts[0].layer.hardware().output().pixels;
        assert!(pixels < 4096 && pixels.is_multiple_of(4 * 32));
    }

    /// What a part computes of the beginning of a picture is the beginning of what the layer computes, but for the
    /// places that see the padding below it.
    #[test]
    fn a_part_reads_and_writes_the_beginning() {
        let (whole, nothing) = (
            window(1),
            Budget {
                layer: 1,
                network: 1,
            },
        );
        let plan = Plan::new(&chain(vec![("window", whole.clone())]), nothing, false);
        let part = plan.parts[0].layer.hardware();
        let input: Vec<i64> = (0..whole.hardware().input().elements() as i64)
            .map(|i| i * 7 % 16)
            .collect();
        let tensors = Tensors::default();
        let all = whole.hardware().run(&tensors, &input).expect("runs");
        let read = &input[..part.input().elements()];
        let some = part.run(&tensors, read).expect("runs");
        let row = 32 * 72;
        assert_eq!(some.len(), 3 * row);
        assert_eq!(some[..2 * row], all[..2 * row]);
        assert_ne!(some[2 * row..], all[2 * row..3 * row]);
        assert!(some[3 * row - 24..].iter().all(|x| *x == 0));
    }

    #[test]
    fn references_have_a_budget_too() {
        let network = network();
        assert_eq!(compared(&network, 16), 16);
        assert_eq!(compared(&network, 0), 1);
        let large = chain(vec![("conv", product(1 << 14, 1 << 13))]);
        assert_eq!(compared(&large, 16), 4);
        let larger = chain(vec![("conv", product(1 << 16, 1 << 20))]);
        assert_eq!(compared(&larger, 16), 1);
    }
}
