//! `Dataset`: the set of samples that `[data]` describes, read batch by batch.
//! Must not know what is computed with the samples.

use std::ops::Range;
use std::path::{Path, PathBuf};

use finnp_cache::Digest;
use rayon::prelude::*;

use super::array::{Array, Values};
use super::picture::{Picture, Preparation};
use super::pixel::Normalisation;
use super::sample::{Samples, samples};
use super::source::{Pictures, Source, open};
use crate::dataflow::Input;
use crate::error::{Error, Result};
use crate::manifest::{Layout, Manifest};
use crate::tensor::DataType;

/// Most elements of a batch.
const MOST_ELEMENTS: usize = 1 << 27;

/// Samples in a fixed order, and their classes where they are known.
pub struct Dataset {
    path: PathBuf,
    source: Source,
    /// Of the whole set, as the network numbers them.
    labels: Option<Vec<i64>>,
    /// Those that are used.
    range: Range<usize>,
    normalisation: Normalisation,
    layout: Layout,
}

impl Dataset {
    /// Opens the set of `[data]`. Of pictures nothing is decoded yet, but all of them are there.
    ///
    /// # Errors
    /// A user error if there is no `[data]`, if files are not what they should be, if keys or numbers of samples
    /// and labels do not go together; a tool error if something cannot be read.
    pub fn open(manifest: &Manifest) -> Result<Self> {
        let Some(data) = &manifest.data else {
            return Err(Error::user("the manifest has no section `[data]`").help(
                "add the set of samples, such as\n[data]\npath = \"test.npz\"    \
                 # arrays x and y, or a folder or archive of pictures",
            ));
        };
        let (source, labels) = open(data, manifest)?;
        let count = source.len();
        let shown = data.path.display().to_string();
        if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != count) {
            return Err(Error::user(format!(
                "`{shown}` holds {count} samples, and there are {} labels",
                labels.len()
            )));
        }
        let first = data.skip as usize;
        if first >= count {
            return Err(match count {
                0 => Error::user(format!("`{shown}` holds no samples")),
                _ => Error::user(format!(
                    "`{shown}` holds {count} samples, and {first} are skipped"
                ))
                .at(manifest.place("data.skip")),
            });
        }
        let most = data.samples.map_or(usize::MAX, |samples| samples as usize);
        let offset = |label: i64| label.saturating_add(data.label_offset);
        Ok(Dataset {
            path: data.path.clone(),
            source,
            labels: labels.map(|labels| labels.into_iter().map(offset).collect()),
            range: first..count.min(first.saturating_add(most)),
            normalisation: Normalisation::of(manifest),
            layout: manifest.input.layout,
        })
    }

    /// Number of samples that are used, at least 1.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Never: a set without samples is not opened.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Where the samples are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The class of each sample that is used, as the network numbers them.
    pub fn labels(&self) -> Option<&[i64]> {
        self.labels.as_ref()?.get(self.range.clone())
    }

    /// What distinguishes this set from others: contents, order and classes of all its samples, also of those
    /// that are not used. It does not depend on paths outside of the set, on dates or on compression; how pixels
    /// are prepared is not part of it, and stands in the canonical text of `[data]`.
    ///
    /// # Errors
    /// As reading all samples.
    pub fn digest(&self) -> Result<Digest> {
        let mut text = "finnp data set 1\n".to_owned();
        match &self.source {
            Source::Array(rows) => {
                text += &format!("array {}\n", Digest::of(&rows.stored.fingerprint()));
            }
            Source::Pictures(Pictures::Images(images), _) => {
                text += &format!("images {:?} {}\n", images.shape, Digest::of(&images.pixels));
            }
            Source::Pictures(Pictures::Album(album, names), _) => {
                let lines: Result<Vec<String>> = names
                    .par_iter()
                    .map(|name| {
                        Ok(format!(
                            "picture {} {name:?}\n",
                            Digest::of(&album.read(name)?)
                        ))
                    })
                    .collect();
                text += &lines?.concat();
            }
        }
        if let Some(labels) = &self.labels {
            text += &format!("labels {labels:?}\n");
        }
        Ok(Digest::of(text.as_bytes()))
    }

    /// The samples `range`, counted from the first that is used, as an array `[n, ...]`: integers of the input's
    /// grid or real numbers. Pictures are real numbers `[n, channels, height, width]`, decoded on all cores.
    ///
    /// # Errors
    /// A user error that names the picture or the key that is at fault; a bug for samples that are not there.
    pub fn batch(&self, range: Range<usize>) -> Result<Array> {
        let inside = self.range.start + range.start..self.range.start + range.end;
        if inside.end > self.range.end || range.is_empty() {
            return Err(Error::bug(format!(
                "a set of {} has no samples {range:?}",
                self.len()
            )));
        }
        match &self.source {
            Source::Array(rows) => {
                let name = rows.name_from(inside.start);
                let about = |error: Error| error.within(format!("`{}`", self.path.display()));
                let array = rows.stored.rows(inside).map_err(about)?;
                match rows.pixels {
                    true => self
                        .normalisation
                        .real(&name, &array, self.layout)
                        .map_err(about),
                    false => Ok(array),
                }
            }
            Source::Pictures(pictures, preparation) => self.decoded(pictures, preparation, inside),
        }
    }

    fn decoded(
        &self,
        pictures: &Pictures,
        preparation: &Preparation,
        range: Range<usize>,
    ) -> Result<Array> {
        let first = pictures.decode(range.start, preparation)?;
        let ([channels, ..], size) = (first.shape, first.pixels.len());
        if size
            .checked_mul(range.len())
            .is_none_or(|elements| elements > MOST_ELEMENTS)
        {
            return Err(pictures
                .about(range.start, format!("it has {size} values, too many"))
                .help("`resize` and `crop` in `[data]` bring pictures to a size"));
        }
        let tables = self.normalisation.tables(channels)?;
        let real = |picture: &Picture| -> Vec<f64> {
            let pixels = picture.pixels.iter().enumerate();
            let run = (size / channels).max(1);
            pixels
                .map(|(at, pixel)| tables[at / run][usize::from(*pixel)])
                .collect()
        };
        let rest: Result<Vec<Vec<f64>>> = (range.start + 1..range.end)
            .into_par_iter()
            .map(|index| {
                let picture = pictures.decode(index, preparation)?;
                match picture.shape == first.shape {
                    true => Ok(real(&picture)),
                    false => Err(pictures.of_another_size(index, &picture, &first)),
                }
            })
            .collect();
        let mut values = real(&first);
        for picture in rest? {
            values.extend(picture);
        }
        let [channels, height, width] = first.shape;
        Ok(Array {
            shape: vec![range.len(), channels, height, width],
            values: Values::Real(values),
        })
    }

    /// The same samples as integers of `input`, whose stream has the type `element`; see [`samples`].
    ///
    /// # Errors
    /// As [`Dataset::batch`] and [`samples`].
    pub fn frames(&self, range: Range<usize>, input: &Input, element: DataType) -> Result<Samples> {
        let count = range.len();
        let start = self.range.start + range.start;
        let mut array = self.batch(range)?;
        let (name, layout) = match &self.source {
            Source::Array(rows) => (rows.name_from(start), self.layout),
            Source::Pictures(..) => ("pictures".to_owned(), Layout::Nchw),
        };
        let is_picture = matches!(self.source, Source::Pictures(..));
        if is_picture && input.shape.len() < 4 {
            array.shape = vec![count, array.len() / count];
        }
        let found = samples(&name, &array, input, element, layout).map_err(|error| {
            let error = error.within(format!("`{}`", self.path.display()));
            match is_picture {
                true => error.help("`resize`, `crop` and `channels` in `[data]` bring pictures to the shape of the network's input"),
                false => error,
            }
        })?;
        match found.frames.len() == count {
            true => Ok(found),
            false => Err(Error::user(format!(
                "`{}`: `{name}` has the shape {:?}, whose first axis does not count samples",
                self.path.display(),
                array.shape
            ))
            .help("a set has the shape [n, ...], also where n is 1")),
        }
    }
}

#[cfg(test)]
mod test;
