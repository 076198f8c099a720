//! Backends: a folded `Dataflow` as source text.
//! Must not know the disk or processes.

pub mod hls;
pub mod rtl;

/// Every backend; folder names and the table agree.
pub const BACKENDS: &[&str] = &["hls", "rtl"];
