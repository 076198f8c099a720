//! `Stitched`: the network as cores that are connected, with FIFOs where streams are deep.
//! Must not know how it is written.

use super::core::Core;
use super::{READ, WRITTEN};
use crate::backend::hls;
use crate::dataflow::{Dataflow, Node, StreamId};
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
    pub interface: &'static str,
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

    /// The interface that it reads from.
    fn input(&self) -> End {
        self.end(READ, "S_AXIS")
    }

    /// The interface that it writes to.
    fn output(&self) -> End {
        self.end(WRITTEN, "M_AXIS")
    }

    fn end(&self, core: &'static str, fifo: &'static str) -> End {
        End {
            cell: self.name.clone(),
            interface: match self.what {
                What::Core(_) => core,
                What::Fifo { .. } => fifo,
            },
        }
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

impl Stitched {
    /// The cells of `dataflow`, whose cores are `cores`.
    ///
    /// # Errors
    /// A design error where a FIFO is deeper than any; a bug where the dataflow has no single way through,
    /// which generating must have refused.
    pub fn new(dataflow: &Dataflow, cores: &Cores) -> Result<Stitched> {
        let names = hls::identifiers(dataflow.nodes.iter().map(|node| node.name.as_str()));
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
            input: enters.input(),
            output: leaves.output(),
        };
        // By stream: who writes it.
        let mut ends = vec![None; dataflow.streams.len()];
        ends[fed.stream.0] = Some(stitched.behind(
            dataflow,
            fed.stream,
            ("input", &enters, cores.input.output.bytes),
        )?);
        for ((node, name), core) in dataflow.nodes.iter().zip(&names).zip(&cores.layers) {
            let cell = Cell::core(name, core);
            let (input, output) = ends_of(node)?;
            let from = ends[input.0].take();
            let from = from.ok_or_else(|| {
                Error::bug(format!("nobody writes what layer `{}` reads", node.name))
            })?;
            stitched.streams.push((from, cell.input()));
            stitched.cells.push(cell.clone());
            let stream = (name.as_str(), &cell, core.output.bytes);
            ends[output.0] = Some(stitched.behind(dataflow, output, stream)?);
        }
        let last = ends[read.stream.0].take();
        let last = last.ok_or_else(|| Error::bug("nobody writes the output"))?;
        stitched.streams.push((last, leaves.input()));
        stitched.cells.push(leaves);
        Ok(stitched)
    }

    /// The end at which a stream can be read that `cell` writes: the cell's own, or that of a FIFO behind it.
    fn behind(
        &mut self,
        dataflow: &Dataflow,
        stream: StreamId,
        (name, cell, bytes): (&str, &Cell, u64),
    ) -> Result<End> {
        let depth = dataflow.stream(stream).depth;
        if depth <= REGISTERED {
            return Ok(cell.output());
        }
        let [least, most] = FIFO_WORDS;
        let words = depth.next_power_of_two().max(least);
        if words > most {
            return Err(Error::design(format!(
                "the stream behind `{name}` needs a FIFO of {depth} words, and {most} are the most"
            )));
        }
        let fifo = Cell {
            name: named(&format!("{name}_out")),
            what: What::Fifo {
                depth: words,
                bytes,
            },
        };
        self.streams.push((cell.output(), fifo.input()));
        self.cells.push(fifo.clone());
        Ok(fifo.output())
    }

    /// Names of the cores, each once, in order.
    pub fn cores(&self) -> Vec<&str> {
        let mut cores = Vec::new();
        for cell in &self.cells {
            if let What::Core(core) = &cell.what
                && !cores.contains(&core.as_str())
            {
                cores.push(core);
            }
        }
        cores
    }
}

fn ends_of(node: &Node) -> Result<(StreamId, StreamId)> {
    match (&node.inputs[..], &node.outputs[..]) {
        ([input], [output]) => Ok((*input, *output)),
        _ => Err(Error::bug(format!(
            "layer `{}` is no link of a chain",
            node.name
        ))),
    }
}
