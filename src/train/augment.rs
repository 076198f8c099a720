//! Pictures that are mirrored and moved, as they are integers at the network's input.
//! Must not know where pictures come from.

use super::random::Random;
use crate::dataflow::{Input, Order, Stream};
use crate::error::{Error, Result};

/// What may be done to the pictures of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Augment {
    /// Rows, columns, channels; channel fastest.
    picture: [usize; 3],
    flip: bool,
    /// Pixels, in each direction at most.
    shift: usize,
    /// What comes in from outside: the integer that is nearest to the real number 0.
    outside: f32,
}

impl Augment {
    /// Mirrors left and right where `flip`, and moves by up to `shift` pixels; none where nothing is to be done.
    ///
    /// # Errors
    /// A user error where samples are no pictures.
    pub(super) fn new(
        input: &Input,
        stream: &Stream,
        flip: bool,
        shift: usize,
    ) -> Result<Option<Self>> {
        if !flip && shift == 0 {
            return Ok(None);
        }
        let picture = picture(&input.shape, stream.order).ok_or_else(|| {
            let what = format!(
                "samples of shape {:?} are no pictures to mirror or move",
                input.shape
            );
            Error::user(what).help("leave out `flip` and `shift`")
        })?;
        let (scale, bias) = (input.coding.scale.at(0), input.coding.bias.at(0));
        let (low, high, step) = input.codes(stream.element);
        let zero = (-bias / scale).round().clamp(low as f64, high as f64) as i64;
        let outside = low + (zero - low) / step * step;
        Ok(Some(Augment {
            picture,
            flip,
            shift,
            outside: outside as f32,
        }))
    }

    /// Writes a changed sample.
    pub(super) fn apply(&self, random: &mut Random, frame: &[i64], to: &mut [f32]) {
        let [rows, columns, channels] = self.picture;
        let mirrored = self.flip && random.below(2) == 1;
        let mut moved = || random.below(2 * self.shift + 1);
        let (down, right) = (moved(), moved());
        let inside = |at: usize, by: usize, size: usize| {
            let at = (at + by).checked_sub(self.shift)?;
            (at < size).then_some(at)
        };
        for (at, to) in to.chunks_exact_mut(channels).enumerate() {
            let (row, column) = (at / columns, at % columns);
            let column = if mirrored {
                columns - 1 - column
            } else {
                column
            };
            match (inside(row, down, rows), inside(column, right, columns)) {
                (Some(row), Some(column)) => {
                    let from = &frame[(row * columns + column) * channels..][..channels];
                    to.iter_mut().zip(from).for_each(|(to, x)| *to = *x as f32);
                }
                _ => to.fill(self.outside),
            }
        }
    }
}

/// Rows, columns and channels of an input of that shape whose elements arrive in that order.
fn picture(shape: &[usize], order: Order) -> Option<[usize; 3]> {
    let [1, a, b, c] = *shape else {
        return None;
    };
    let picture = match order {
        Order::ChannelsFirst { .. } => [b, c, a],
        Order::RowMajor if a == 1 => [b, c, 1],
        Order::RowMajor => [a, b, c],
    };
    (picture[0] > 1 && picture[1] > 1).then_some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn augment(flip: bool, shift: usize) -> Augment {
        Augment {
            picture: [2, 3, 1],
            flip,
            shift,
            outside: 0.0,
        }
    }

    #[test]
    fn pictures_are_mirrored_and_moved() {
        let frame = [1, 2, 3, 4, 5, 6];
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut to = [0.0; 6];
            augment(true, 1).apply(&mut Random::new(&[seed]), &frame, &mut to);
            seen.insert(to.map(|x| x as i64));
        }
        for expected in [
            frame,
            [3, 2, 1, 6, 5, 4],
            [4, 5, 6, 0, 0, 0],
            [0, 0, 0, 0, 1, 2],
        ] {
            assert!(seen.contains(&expected), "{expected:?}");
        }
        assert_eq!(seen.len(), 18);
        let mut to = [0.0; 6];
        augment(false, 0).apply(&mut Random::new(&[1]), &frame, &mut to);
        assert_eq!(to.map(|x| x as i64), frame);
    }

    #[test]
    fn shapes_are_pictures_or_not() {
        let planes = Order::channels_first(3, 80);
        assert_eq!(picture(&[1, 3, 8, 10], planes), Some([8, 10, 3]));
        assert_eq!(picture(&[1, 1, 8, 10], Order::RowMajor), Some([8, 10, 1]));
        assert_eq!(picture(&[1, 8, 10, 3], Order::RowMajor), Some([8, 10, 3]));
        assert_eq!(picture(&[1, 16], Order::RowMajor), None);
        assert_eq!(picture(&[1, 16, 1, 1], Order::RowMajor), None);
    }
}
