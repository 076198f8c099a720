//! Stages: the build from a model file to verified sources, each a plan of jobs.
//! Must not know the cache.

mod job;

pub use job::*;
