//! The fast road of a `Dataflow`: layers that are prepared once and computed in f32 where that is proved to be exact.
//!
//! An f32 holds every integer up to 2^24, so a sum of products is exact, in any order and fused or not, as long as
//! the sum of the absolute products cannot pass that. [`Reach`](reach::Reach) follows from the input's type, the weights
//! and the activations what each stream can hold; types of streams inside are not trusted. Layers beyond the limit run
//! as `Hardware::run` defines them.
//! Must not know files, stages or the network.

mod arena;
mod depthwise;
mod gather;
mod kernel;
mod plan;
mod product;
mod reach;
mod taps;
#[cfg(test)]
mod test;
mod threshold;

pub(super) use arena::Arena;
pub(super) use plan::Plan;
