//! Executors: the f64 truth of a `Network`, the integers of a `Dataflow`, and tract's f32 view.
//! Must not know stages.

mod convolution;
mod fast;
mod integer;
mod join;
mod known;
pub mod levels;
mod linear;
mod node;
mod pool;
mod real;
pub mod single;
mod stored;
mod upsample;
mod walk;

pub use integer::Integers;
pub use known::{Code, Known};
pub use linear::{LinearGrid, linear_grid};
pub use node::{along_one_axis, bit_width, check_scale, evaluate, integer_zero_point};
pub use real::Real;
pub(crate) use upsample::mirrored;
pub use walk::{Held, Seen, Walk};
