//! Batches: samples side by side, in real numbers.
//! Must not know what is learnt of them.

use rayon::prelude::*;

use super::augment::Augment;
use super::frames::Frames;
use super::random::Random;
use crate::error::{Error, Result};

/// Writes samples `numbers` side by side into `to`, elements of `size` each; with an augmentation each one changed as
/// the seed, the epoch and its number tell.
///
/// # Errors
/// A bug where a sample is of another size.
pub(super) fn fill(
    frames: &dyn Frames,
    numbers: &[usize],
    augment: Option<(&Augment, [u64; 2])>,
    size: usize,
    to: &mut Vec<f32>,
) -> Result<()> {
    to.resize(numbers.len() * size, 0.0);
    let pairs = to.par_chunks_mut(size.max(1)).zip(numbers);
    pairs
        .map(|(to, number)| {
            let frame = frames.frame(*number);
            if frame.len() != size {
                let what = format!("sample {number} has {} elements, not {size}", frame.len());
                return Err(Error::bug(what));
            }
            match augment {
                Some((augment, [seed, epoch])) => {
                    let mut random = Random::new(&[seed, epoch, *number as u64]);
                    augment.apply(&mut random, &frame, to);
                }
                None => {
                    let pairs = to.iter_mut().zip(frame.iter());
                    pairs.for_each(|(to, x)| *to = *x as f32);
                }
            }
            Ok(())
        })
        .collect()
}
