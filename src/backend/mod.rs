//! Backends: a folded `Dataflow` as source text.
//! Must not know the disk or processes.

pub mod hls;
mod part;
mod reserved;
pub mod rtl;

pub use part::{CorePart, Language};

/// Every backend; folder names and the table agree.
pub const BACKENDS: &[&str] = &["hls", "rtl"];
