//! Sets of samples of the user, and the integers that they become at an accelerator's input.
//! Must not know networks or stages.

mod album;
mod array;
mod exact;
mod idx;
mod npy;
mod npz;
mod picture;
mod pixel;
mod sample;
mod set;
mod source;
mod table;

pub use array::{Array, Values};
pub use npz::{Arrays, INPUT_NAMES, LABEL_NAMES, write_npz};
pub use sample::{Samples, samples};
pub use set::Dataset;
