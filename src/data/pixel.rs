//! `Normalisation`: the real numbers that pixels stand for.
//! Must not know where pixels come from.

use super::array::{Array, Values};
use crate::error::{Error, Place, Result};
use crate::manifest::{Layout, Manifest};

/// Numbers of a key, one or one for each channel, and where they are given.
struct Numbers {
    key: &'static str,
    values: Vec<f64>,
    place: Place,
}

/// `pixel -> (pixel / 255 - mean) / std`, channel by channel.
pub(super) struct Normalisation {
    mean: Numbers,
    std: Numbers,
}

impl Normalisation {
    /// What `[data]` says; 0 and 1 where it says nothing.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let data = manifest.data.as_ref();
        let numbers = |key: &'static str, given: Option<&Vec<f64>>, absent: f64| Numbers {
            key,
            values: given.cloned().unwrap_or_else(|| vec![absent]),
            place: manifest.place(&format!("data.{key}")),
        };
        Normalisation {
            mean: numbers("mean", data.and_then(|data| data.mean.as_ref()), 0.0),
            std: numbers("std", data.and_then(|data| data.std.as_ref()), 1.0),
        }
    }

    /// For each of `channels` channels the real number of every pixel.
    ///
    /// # Errors
    /// A user error where there are numbers for more or fewer channels, at their place in the manifest.
    pub(super) fn tables(&self, channels: usize) -> Result<Vec<[f64; 256]>> {
        for numbers in [&self.mean, &self.std] {
            let given = numbers.values.len();
            if given != 1 && given != channels {
                let error = Error::user(format!(
                    "`{}` has {given} numbers, and the samples have {channels} channel{}",
                    numbers.key,
                    if channels == 1 { "" } else { "s" }
                ));
                return Err(error
                    .at(numbers.place.clone().label("one for each channel"))
                    .help("give one number for all channels, or one for each of them"));
            }
        }
        let at = |numbers: &Numbers, channel: usize| match numbers.values[..] {
            [one] => one,
            _ => numbers.values[channel],
        };
        let table = |channel| {
            let (mean, std) = (at(&self.mean, channel), at(&self.std, channel));
            std::array::from_fn(|pixel| (pixel as f64 / 255.0 - mean) / std)
        };
        Ok((0..channels).map(table).collect())
    }

    /// Integers as pixels: the array, called `name` in messages, of real numbers. Axes of pictures are in the
    /// order of `layout`; other arrays have one channel.
    ///
    /// # Errors
    /// A user error for real numbers and for integers that are no pixels, and as [`Normalisation::tables`].
    pub(super) fn real(&self, name: &str, array: &Array, layout: Layout) -> Result<Array> {
        let Values::Integer(values) = &array.values else {
            let key = match self.mean.place.text().starts_with('[') {
                true => &self.std,
                false => &self.mean,
            };
            return Err(Error::user(format!(
                "`{name}` holds real numbers, and `{}` is for pixels, which are integers",
                key.key
            ))
            .at(key.place.clone().label("for pixels alone"))
            .help("remove `mean` and `std`, or give the pixels as integers from 0 to 255"));
        };
        let wrong = values.iter().position(|value| !(0..256).contains(value));
        if let Some(position) = wrong {
            return Err(Error::user(format!(
                "`{name}[{}]` is {}, which is no pixel",
                array.index(position),
                values[position]
            ))
            .help(
                "with `mean` or `std` in `[data]` the samples are pixels, integers from 0 to 255",
            ));
        }
        let (channels, run) = match (&array.shape[..], layout) {
            (&[_, channels, height, width], Layout::Nchw) => (channels, height * width),
            (&[.., channels], Layout::Nhwc) if array.shape.len() == 4 => (channels, 1),
            _ => (1, 1),
        };
        let tables = self.tables(channels)?;
        let real = |(position, value): (usize, &i64)| {
            let table = &tables[position / run.max(1) % channels.max(1)];
            table[(*value & 0xff) as usize]
        };
        Ok(Array {
            shape: array.shape.clone(),
            values: Values::Real(values.iter().enumerate().map(real).collect()),
        })
    }
}
