//! `Frames`: the samples of a training, whoever keeps them.
//! Must not know what is learnt of them.

use std::borrow::Cow;

/// Samples by their number.
pub trait Frames: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The integers of sample `at`, below [`Frames::count`], in stream order of the network's input.
    fn frame(&self, at: usize) -> Cow<'_, [i64]>;
}

impl Frames for [Vec<i64>] {
    fn count(&self) -> usize {
        self.len()
    }

    fn frame(&self, at: usize) -> Cow<'_, [i64]> {
        Cow::Borrowed(&self[at])
    }
}

impl Frames for Vec<Vec<i64>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn frame(&self, at: usize) -> Cow<'_, [i64]> {
        Cow::Borrowed(&self[at])
    }
}
