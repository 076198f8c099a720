//! `Network`: the real-valued graph as it was imported, with its quantisers explicit.
//! Must not know hardware, nor the bytes that it came from.

mod coding;
mod elementwise;
mod graph;
mod linear;
mod op;
mod quantiser;
mod record;
mod rounding;
mod sum;
mod trunc;

pub use coding::Coding;
pub use elementwise::{Binary, Slope, Unary, batch_norm};
pub use graph::{Network, Node, Value, ValueId};
pub use linear::Linear;
pub use op::{Op, picture, shape_of};
pub use quantiser::{Bipolar, MultiThreshold, Quant, Quantiser};
pub use rounding::Rounding;
pub use trunc::Trunc;
