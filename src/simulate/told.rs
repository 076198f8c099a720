//! `Run`: what is asked of a network, and what is told of it.
//! Must not know how it is found.

use super::network::ALIKE;
use crate::dataflow::StreamId;

/// What is asked of a network.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Frames, at least.
    pub frames: usize,
    /// If more, as many as it takes until they leave evenly, up to this number.
    pub most: usize,
    /// Whether it takes more until they are alike in every step of every layer.
    pub alike: bool,
    /// Cycles from the one in which the first word of a frame is offered to the one for the next frame; 0 where all
    /// words are offered from cycle 0 on.
    pub period: u64,
    /// Whether the steps of all words are written down.
    pub trace: bool,
}

impl Load {
    /// So many frames, offered from cycle 0 on.
    pub fn frames(frames: usize) -> Self {
        Load {
            frames,
            most: frames,
            alike: false,
            period: 0,
            trace: false,
        }
    }

    /// Frames offered from cycle 0 on until they leave evenly, `most` at most.
    pub fn until_steady(most: usize) -> Self {
        Load {
            most,
            ..Load::frames(ALIKE + 1)
        }
    }
}

/// What happened. Cycle 0 is the first one after reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// By output of the network, the cycle in which each word leaves, frame after frame.
    pub outputs: Vec<Vec<u64>>,
    /// By frame that left whole, its first and last word of all outputs.
    pub frames: Vec<Span>,
    /// Cycles from one frame to the next, if the last ones left evenly.
    pub interval: Option<u64>,
    /// Whether these were alike in every step of every layer, so that nothing will ever change: the proof that the
    /// network keeps the pace. Without it layers that are faster than the others still fill FIFOs; where frames are
    /// offered no sooner than they leave, the proof takes few of them.
    pub alike: bool,
    /// By node, what it did.
    pub nodes: Vec<Activity>,
    /// By stream, what passed through it.
    pub streams: Vec<Usage>,
    /// Nodes one of whose engines is all that the interval is made of. None if FIFOs or the source decide.
    pub busy: Vec<Busy>,
    /// If the frames did not come through: all that waits.
    pub deadlock: Vec<Wait>,
}

impl Run {
    /// Cycles until the first frame has left.
    pub fn latency(&self) -> Option<u64> {
        self.frames.first().map(|frame| frame.last + 1)
    }
}

/// From a first to a last cycle, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// What a node did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// By frame, its first and its last step.
    pub frames: Vec<Span>,
    /// Cycles of the last frame in which the engine that makes words waited for some to be taken.
    pub starved: u64,
    /// Cycles of the last frame in which it waited for room.
    pub blocked: u64,
}

/// What passed through a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most words that were reserved at once; 0 for inputs of the network.
    pub peak: usize,
    /// If asked for: the cycle of the step that made each word, and the one of the step that took it.
    pub made: Vec<u64>,
    /// See `made`.
    pub taken: Vec<u64>,
}

/// A node that decides the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// Its index.
    pub node: usize,
    /// Why.
    pub cause: Cause,
}

/// What a node's interval is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Steps, some of which neither take nor make a word.
    Compute,
    /// A word that is taken in every cycle.
    Input,
    /// A word that is made in every cycle.
    Output,
    /// Its two engines, which wait for each other.
    Window,
}

/// A node that waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Name of the node; `None` for who reads or writes the network.
    pub node: Option<String>,
    /// Streams in which it lacks a word.
    pub words: Vec<StreamId>,
    /// Streams in which it lacks room.
    pub room: Vec<StreamId>,
}
