//! Element types of streams and weights, and dense row-major arrays.
//! Must not know layers or graphs.

mod array;
mod data_type;
mod per_channel;

pub use array::Tensor;
pub use data_type::DataType;
pub use per_channel::PerChannel;
