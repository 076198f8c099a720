//! `Dataflow`: the integer graph of hardware layers and the streams between them.
//! Must not know files, tools or boards.

mod graph;
mod order;
mod rearrangement;
mod record;
mod tail;

pub use graph::{Channels, Dataflow, Input, Node, Output, Stream, StreamId};
pub use order::Order;
pub use rearrangement::Rearrangement;
pub use record::{read_tensors, write_tensors};
pub use tail::{Step, Tail};
