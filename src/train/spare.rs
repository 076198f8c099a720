//! `Spare`: buffers that were used and may be used again, so that memory is not asked for in every step.
//! Must not know what they hold.

/// Buffers that nobody reads.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<Vec<f32>>);

impl Spare {
    /// A buffer of that length that holds anything.
    pub(super) fn take(&mut self, length: usize) -> Vec<f32> {
        // The smallest that is large enough, else the largest, which grows.
        let fits = |at: &usize| self.0[*at].capacity() >= length;
        let capacity = |at: &usize| self.0[*at].capacity();
        let all = 0..self.0.len();
        let found = all.clone().filter(fits).min_by_key(capacity);
        let mut buffer = match found.or_else(|| all.max_by_key(capacity)) {
            Some(at) => self.0.swap_remove(at),
            None => Vec::new(),
        };
        buffer.resize(length, 0.0);
        buffer
    }

    /// A buffer is not needed any more.
    pub(super) fn give(&mut self, buffer: Vec<f32>) {
        self.0.push(buffer);
    }
}
