//! Element types of streams and weights, dense row-major arrays, and windows that slide over them.
//! Must not know layers or graphs.

mod array;
mod data_type;
mod divisor;
mod first_largest;
mod per_channel;
mod window;

pub use array::Tensor;
pub use data_type::DataType;
pub use divisor::greatest_divisor;
pub use first_largest::first_largest;
pub use per_channel::PerChannel;
pub use window::Window;
