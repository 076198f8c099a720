//! Element types of streams and weights, and dense row-major arrays.
//! Must not know layers or graphs.

mod array;
mod data_type;
mod first_largest;
mod per_channel;

pub use array::Tensor;
pub use data_type::DataType;
pub use first_largest::first_largest;
pub use per_channel::PerChannel;
