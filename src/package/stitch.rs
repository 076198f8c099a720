//! `Stitched`: the network as cores that are connected, with FIFOs where streams are deep.
//! Must not know how it is written.

use super::core::Core;
use super::{READ, WRITTEN};
use crate::backend::Language;
use crate::backend::hls::{self, numbered};
use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};

/// Words that a stream between two cores holds without a FIFO: those of the registers at their ports.
const REGISTERED: usize = 2;
/// Words that the FIFO of Vivado's catalogue can hold: powers of two from the first to the last.
const FIFO_WORDS: [usize; 2] = [16, 32768];

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its name, which no word of a hardware language is.
    pub name: String,
    /// What it is an instance of.
    pub what: What,
}

/// What a cell is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A core of this name.
    Core(String),
    /// A FIFO.
    Fifo {
        /// Words that it holds.
        depth: usize,
        /// Bytes of a word.
        bytes: u64,
    },
}

/// One side of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The cell.
    pub cell: String,
    /// Its interface.
    pub interface: String,
}

/// Cells, and the streams between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stitched {
    /// Edges, layers and FIFOs, each after those that feed it.
    pub cells: Vec<Cell>,
    /// From whom to whom.
    pub streams: Vec<(End, End)>,
    /// Where frames enter.
    pub input: End,
    /// Where frames leave.
    pub output: End,
}

/// The first letter keeps names apart from those of ports, and from words of hardware languages.
fn named(name: &str) -> String {
    format!("u_{name}")
}

impl Cell {
    fn core(name: &str, core: &Core) -> Cell {
        Cell {
            name: named(name),
            what: What::Core(core.name.clone()),
        }
    }

    fn end(&self, interface: impl Into<String>) -> End {
        End {
            cell: self.name.clone(),
            interface: interface.into(),
        }
    }

    /// The interfaces that a core of this cell reads from.
    fn reads(&self, core: &Core) -> Vec<End> {
        let names = numbered(READ, core.inputs.len()).into_iter();
        names.map(|name| self.end(name)).collect()
    }

    /// The interfaces that a core of this cell writes to.
    fn writes(&self, core: &Core) -> Vec<End> {
        let names = numbered(WRITTEN, core.outputs.len()).into_iter();
        names.map(|name| self.end(name)).collect()
    }

    /// Names of its clock and of its reset.
    pub fn clock_and_reset(&self) -> [&'static str; 2] {
        match self.what {
            What::Core(_) => [super::CLOCK, super::RESET],
            What::Fifo { .. } => ["s_axis_aclk", "s_axis_aresetn"],
        }
    }
}

/// Cores of the edges and of the nodes, in their order.
pub struct Cores {
    /// Where frames enter.
    pub input: Core,
    /// One per node.
    pub layers: Vec<Core>,
    /// Where frames leave.
    pub output: Core,
}

impl Cores {
    /// All of them.
    pub(super) fn each(&self) -> impl Iterator<Item = &Core> {
        let layers = self.layers.iter();
        [&self.input]
            .into_iter()
            .chain(layers)
            .chain([&self.output])
    }

    /// Those of different names, in their order.
    pub(super) fn distinct(&self) -> Vec<&Core> {
        let mut cores: Vec<&Core> = Vec::new();
        for core in self.each() {
            if cores.iter().all(|known| known.name != core.name) {
                cores.push(core);
            }
        }
        cores
    }

    /// Whether all of them are written in that language.
    pub(super) fn are_in(&self, language: Language) -> bool {
        self.each().all(|core| core.language == language)
    }
}

impl Stitched {
    /// The cells of `dataflow`, whose cores are `cores`.
    ///
    /// # Errors
    /// A design error where a FIFO is deeper than any; a bug where the dataflow has several inputs or
    /// outputs, which generating must have refused.
    pub fn new(dataflow: &Dataflow, cores: &Cores) -> Result<Stitched> {
        let names = hls::identifiers(&dataflow.nodes);
        let enters = Cell::core("input_edge", &cores.input);
        let leaves = Cell::core("output_edge", &cores.output);
        let [fed] = &dataflow.inputs[..] else {
            return Err(Error::bug("a network of several inputs is stitched"));
        };
        let [read] = &dataflow.outputs[..] else {
            return Err(Error::bug("a network of several outputs is stitched"));
        };
        let mut stitched = Stitched {
            cells: vec![enters.clone()],
            streams: Vec::new(),
            input: enters.end(READ),
            output: leaves.end(WRITTEN),
        };
        // By stream: where it can be read.
        let mut ends = vec![None; dataflow.streams.len()];
        let outputs = (&[fed.stream][..], hls::streams("input", 1));
        stitched.written(dataflow, &enters, &cores.input, outputs, &mut ends)?;
        for ((node, name), core) in dataflow.nodes.iter().zip(&names).zip(&cores.layers) {
            let cell = Cell::core(name, core);
            for (id, end) in node.inputs.iter().zip(cell.reads(core)) {
                let from = ends[id.0].take().ok_or_else(|| {
                    Error::bug(format!("nobody writes what layer `{}` reads", node.name))
                })?;
                stitched.streams.push((from, end));
            }
            stitched.cells.push(cell.clone());
            let outputs = (&node.outputs[..], hls::streams(name, node.outputs.len()));
            stitched.written(dataflow, &cell, core, outputs, &mut ends)?;
        }
        let last = ends[read.stream.0].take();
        let last = last.ok_or_else(|| Error::bug("nobody writes the output"))?;
        stitched.streams.push((last, leaves.end(READ)));
        stitched.cells.push(leaves);
        Ok(stitched)
    }

    /// Notes in `ends` where the streams that `cell` writes can be read: at the cell, or at a FIFO behind it.
    fn written(
        &mut self,
        dataflow: &Dataflow,
        cell: &Cell,
        core: &Core,
        (streams, names): (&[StreamId], Vec<String>),
        ends: &mut [Option<End>],
    ) -> Result<()> {
        let outputs = cell.writes(core).into_iter().zip(&core.outputs);
        for ((id, name), (end, side)) in streams.iter().zip(&names).zip(outputs) {
            let depth = dataflow.stream(*id).depth;
            ends[id.0] = Some(self.behind(end, name, depth, side.bytes)?);
        }
        Ok(())
    }

    /// The end at which the stream called `name` can be read that is written at `from`: the same, or that of a FIFO
    /// behind it.
    fn behind(&mut self, from: End, name: &str, depth: usize, bytes: u64) -> Result<End> {
        if depth <= REGISTERED {
            return Ok(from);
        }
        let [least, most] = FIFO_WORDS;
        let words = depth.next_power_of_two().max(least);
        if words > most {
            return Err(Error::design(format!(
                "the stream `{name}` needs a FIFO of {depth} words, and {most} are the most"
            )));
        }
        let fifo = Cell {
            name: named(name),
            what: What::Fifo {
                depth: words,
                bytes,
            },
        };
        self.streams.push((from, fifo.end("S_AXIS")));
        self.cells.push(fifo.clone());
        Ok(fifo.end("M_AXIS"))
    }
}
