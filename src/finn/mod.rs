//! Configurations of FINN in the words of the manifest: what has an equivalent, and everything else by name.
//! Must not know the disk, nor how the result is printed.

mod attribute;
mod build_config;
mod file;
mod folding;
mod kind;
mod left;
mod text;

pub use build_config::{Settings, settings};
pub use file::{Config, read};
pub use folding::{Entry, Folding, folding};
pub use left::{Left, Why};
pub use text::Taken;
