//! Passes: graph to graph. A graph is verified after every one.
//! Must not know the disk or board names.

mod adopt;
mod connect;
mod crossed;
mod depth;
mod fuse;
mod reorder;
mod streamline;

pub use adopt::adopt;
pub use connect::connect;
pub use depth::depth;
pub use fuse::fuse;
pub use reorder::reorder;
pub use streamline::{
    Derived, Grid, Origin, Place, Product, Refusal, Survey, products, streamline, survey,
};

/// Every pass; file names and the table agree.
pub const PASSES: &[&str] = &["streamline", "fuse", "reorder", "adopt", "connect", "depth"];
