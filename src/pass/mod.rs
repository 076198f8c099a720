//! Passes: graph to graph. A graph is verified after every one.
//! Must not know the disk or board names.

mod connect;
mod fuse;
mod streamline;

pub use connect::connect;
pub use fuse::fuse;
pub use streamline::{Grid, streamline};

/// Every pass; file names and the table agree.
pub const PASSES: &[&str] = &["streamline", "fuse", "connect"];
