//! Arrays of the user's data, and the integers that they become at an accelerator's input.
//! Must not know networks or stages.

mod array;
mod npy;
mod npz;
mod sample;

pub use array::{Array, Values};
pub use npz::{Arrays, INPUT_NAMES, LABEL_NAMES, write_npz};
pub use sample::{Samples, samples};
