//! Simulation by words: the cycle of every step of every layer, as [`crate::layer::Schedule`] has them, and FIFOs that
//! are no deeper than they must be.
//!
//! When steps are made depends on no data, so frames are empty: a step is made one cycle after the one before it, or
//! when the words that it takes and room for the word that it makes are there, whichever is last. There is no loop
//! over cycles. Must not know text, files or tools.

mod alone;
mod banks;
mod blocks;
mod built;
mod clock;
mod depth;
mod end;
mod fifo;
mod filling;
mod machine;
mod network;
mod part;
mod run;
mod steps;
mod told;
mod watch;
mod window;

pub use alone::alone;
pub use depth::depths;
pub use run::run;
pub use told::{Activity, Busy, Cause, Load, Run, Span, Usage, Wait};
