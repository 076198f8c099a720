//! What is simulated: of each layer how many pixels and frames, of the network how many frames.
//! Must not know jobs.

use super::trace;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
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

/// The budget of every build.
pub(super) const BUDGET: Budget = Budget {
    layer: 1 << 25,
    network: 1 << 27,
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

/// Elements of streams that are held at once, in frames that are computed side by side.
const HELD: usize = 1 << 26;

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

/// The simulation of one layer of the folded network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Simulation {
    /// The layer as it is simulated, folded.
    pub(super) layer: Layer,
    /// What [`part_of`] was asked for, where that is less than the layer.
    pub(super) asked: Option<usize>,
    /// File of the stream that it is fed.
    pub(super) fed: String,
    /// File of the stream that it should write.
    pub(super) expected: String,
}

/// Operations of one frame, with those that its elements are worth.
fn work(layer: &Layer) -> u64 {
    layer.operations() + ELEMENT * layer.elements() as u64
}

/// Frames within a budget.
fn frames(budget: u64, work: u64) -> usize {
    usize::try_from(budget / work.max(1)).unwrap_or(usize::MAX)
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

    /// The simulations of the layers of the folded network, in its order.
    ///
    /// # Errors
    /// A bug if it is another network.
    pub(super) fn simulations(&self, folded: &Dataflow) -> Result<Vec<Simulation>> {
        let nodes = folded.nodes.iter();
        nodes.map(|node| self.simulation(folded, node)).collect()
    }

    fn simulation(&self, folded: &Dataflow, node: &Node) -> Result<Simulation> {
        let (part, expected, asked) = match &node.layer {
            // What it writes is what the layer behind it is fed.
            Layer::WidthConverter(_) => {
                let reader = folded.consumers(node.outputs[0]).next();
                let part = self.part(reader.map_or("", |reader| &reader.name))?;
                let elements = part.layer.hardware().input().elements();
                (part, trace::fed(&part.name), Some(elements))
            }
            _ => {
                let part = self.part(&node.name)?;
                (part, trace::alone(&part.name), part.pixels)
            }
        };
        let layer = match asked {
            Some(asked) => part_of(&node.layer, asked)?,
            None => node.layer.clone(),
        };
        Ok(Simulation {
            asked: asked.filter(|_| layer != node.layer),
            layer,
            fed: trace::fed(&part.name),
            expected,
        })
    }

    fn part(&self, name: &str) -> Result<&Part> {
        let part = self.parts.iter().find(|part| part.name == name);
        part.ok_or_else(|| Error::bug(format!("nothing is planned for layer `{name}`")))
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
            let row = node.layer.row().max(1);
            let wanted = u128::from(each) * pixels as u128 / u128::from(whole);
            let rows = usize::try_from(wanted).unwrap_or(pixels) / row;
            let least = if row > 1 { ROWS } else { 1 };
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

/// The part of a layer from which about `asked` pixels leave; the part of a width converter for exactly `asked`
/// elements: of fewer pixels, or of a smaller one where all are seen as one.
///
/// # Errors
/// A bug if the elements are no whole pixels of the converter.
pub(super) fn part_of(layer: &Layer, asked: usize) -> Result<Layer> {
    let Layer::WidthConverter(converter) = layer else {
        return Ok(layer.reduced(asked));
    };
    let mut short = converter.clone();
    match converter.pixels {
        1 => short.channels = asked,
        _ if asked.is_multiple_of(converter.channels) => short.pixels = asked / converter.channels,
        _ => {
            let what = format!("{asked} elements are no whole pixels of {converter:?}");
            return Err(Error::bug(what));
        }
    }
    Ok(Layer::WidthConverter(short))
}

/// How many of `samples` the references are compared on: as many as their budget allows, 1 at least.
pub(super) fn compared(integer: &Dataflow, samples: usize) -> usize {
    let layers = integer.nodes.iter().map(|node| node.layer.operations());
    frames(REFERENCE, layers.sum()).clamp(1, samples.max(1))
}

/// How many frames are computed side by side.
pub(super) fn side_by_side(integer: &Dataflow) -> usize {
    let elements = integer.streams.iter().map(|s| s.pixels * s.channels);
    (HELD / elements.sum::<usize>().max(1)).max(1)
}
