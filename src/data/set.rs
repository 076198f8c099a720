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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::data::write_npz;
    use crate::dataflow::StreamId;
    use crate::network::Coding;
    use crate::tensor::PerChannel;
    use std::fs;
    use std::path::Path;

    /// A project in `dir` whose section `[data]` has these lines.
    fn manifest(dir: &Path, lines: &str) -> Manifest {
        fs::write(dir.join("model.onnx"), b"").unwrap();
        let text = format!(
            "[project]\nname = \"a\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n[data]\n{lines}\n"
        );
        crate::manifest::parse(&text, "accel.toml", dir, &[]).unwrap()
    }

    fn open(dir: &Path, lines: &str) -> Result<Dataset> {
        Dataset::open(&manifest(dir, lines))
    }

    fn refused(dir: &Path, lines: &str) -> Error {
        let set = open(dir, lines);
        let error = set.and_then(|set| set.batch(0..set.len())).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::User, "{error}");
        error
    }

    fn array(shape: &[usize], values: Values) -> Array {
        Array {
            shape: shape.to_vec(),
            values,
        }
    }

    fn reals(array: Array) -> Vec<f64> {
        match array.values {
            Values::Real(values) => values,
            Values::Integer(_) => panic!("integers"),
        }
    }

    fn picture(dir: &Path, name: &str, side: u32, pixel: [u8; 3]) {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image = image::RgbImage::from_pixel(side, side, image::Rgb(pixel));
        image.save(path).unwrap();
    }

    fn pixels(dir: &Path) {
        let x = array(&[4, 3, 1, 2], Values::Integer((0..24).collect()));
        let y = array(&[4], Values::Integer(vec![5, 6, 7, 8]));
        fs::write(
            dir.join("x.npz"),
            write_npz(&[("x", &x), ("y", &y)]).unwrap(),
        )
        .unwrap();
    }

    #[test]
    fn a_part_of_arrays_is_read() {
        let dir = tempfile::tempdir().unwrap();
        pixels(dir.path());
        let set = open(
            dir.path(),
            "path = \"x.npz\"\nskip = 1\nsamples = 2\nlabel_offset = -5",
        )
        .unwrap();
        assert_eq!((set.len(), set.labels()), (2, Some(&[1, 2][..])));
        let batch = set.batch(1..2).unwrap();
        assert_eq!(batch.shape, [1, 3, 1, 2]);
        assert_eq!(batch.values, Values::Integer((12..18).collect()));
        assert!(set.batch(1..3).is_err());
        let set = open(
            dir.path(),
            "path = \"x.npz\"\nskip = 3\nsamples = 9\ny = \"y\"",
        )
        .unwrap();
        assert_eq!(set.len(), 1);
        let error = refused(dir.path(), "path = \"x.npz\"\nskip = 4");
        assert_eq!(error.place().unwrap().text(), "4");
    }

    #[test]
    fn integers_are_pixels_where_the_manifest_normalises() {
        let dir = tempfile::tempdir().unwrap();
        pixels(dir.path());
        let half = "path = \"x.npz\"\nmean = 0.5019607843137255\nstd = 0.5019607843137255";
        let values = reals(open(dir.path(), half).unwrap().batch(0..1).unwrap());
        for (pixel, value) in values.iter().enumerate() {
            assert!((value - (pixel as f64 - 128.0) / 128.0).abs() < 1e-12);
        }
        let each = "path = \"x.npz\"\nmean = [0, 0.5, 0]\nstd = [1, 1, 0.25]";
        let values = reals(open(dir.path(), each).unwrap().batch(1..2).unwrap());
        let expected = [6.0, 7.0, 8.0 - 127.5, 9.0 - 127.5, 40.0, 44.0].map(|p: f64| p / 255.0);
        assert!(
            values
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-12),
            "{values:?}"
        );
        let error = refused(dir.path(), "path = \"x.npz\"\nmean = [0, 1]");
        assert_eq!(error.place().unwrap().text(), "[0, 1]");

        let large = array(&[2, 1], Values::Integer(vec![7, 256]));
        let real = array(&[2, 1], Values::Real(vec![0.5, 1.5]));
        fs::write(
            dir.path().join("o.npz"),
            write_npz(&[("x", &large), ("r", &real)]).unwrap(),
        )
        .unwrap();
        let error = refused(dir.path(), "path = \"o.npz\"\nstd = 0.5");
        assert_eq!(
            error.message().split_once(": ").unwrap().1,
            "`x[1, 0]` is 256, which is no pixel"
        );
        let error = refused(dir.path(), "path = \"o.npz\"\nstd = 0.5\nx = \"r\"");
        assert_eq!(error.place().unwrap().text(), "0.5");
        // Without a mean they are what they are.
        let set = open(dir.path(), "path = \"o.npz\"\nx = \"r\"").unwrap();
        assert_eq!(reals(set.batch(0..2).unwrap()), [0.5, 1.5]);
    }

    #[test]
    fn pictures_come_in_the_order_of_the_table() {
        let dir = tempfile::tempdir().unwrap();
        for (name, level) in [("a/1.png", 10), ("a/2.png", 20), ("b/3.png", 30)] {
            picture(&dir.path().join("set"), name, 2, [level, 0, 255]);
        }
        let set = open(dir.path(), "path = \"set\"\nstd = 0.00392156862745098").unwrap();
        assert_eq!(set.labels(), Some(&[0, 0, 1][..]));
        let first = reals(set.batch(0..3).unwrap());
        let near = |values: &[f64], at: usize, value: f64| (values[at] - value).abs() < 1e-9;
        assert!(near(&first, 0, 10.0) && near(&first, 8, 255.0) && near(&first, 12, 20.0));

        let table = "id,class,comment\nb/3.png,7,\"a, b\"\na/1.png, 4 ,\n";
        fs::write(dir.path().join("t.csv"), table).unwrap();
        let lines = "path = \"set\"\nlabels = \"t.csv\"\nfile_column = \"id\"\nlabel_column = \"class\"\n\
                     std = 0.00392156862745098\nchannels = \"BGR\"";
        let listed = open(dir.path(), lines).unwrap();
        assert_eq!(listed.labels(), Some(&[7, 4][..]));
        let values = reals(listed.batch(0..2).unwrap());
        assert!(near(&values, 0, 255.0) && near(&values, 8, 30.0) && near(&values, 20, 10.0));
        // The integers of a network's input, whatever its axes.
        let mut input = Input {
            name: "x".into(),
            stream: StreamId(0),
            shape: vec![1, 3, 2, 2],
            coding: Coding::scaled(PerChannel::Same(1.0)),
            quantiser: None,
        };
        let frames = listed
            .frames(1..2, &input, DataType::Uint(8))
            .unwrap()
            .frames;
        assert_eq!(frames, [[255, 255, 255, 255, 0, 0, 0, 0, 10, 10, 10, 10]]);
        input.shape = vec![1, 12];
        assert_eq!(
            listed
                .frames(1..2, &input, DataType::Uint(8))
                .unwrap()
                .frames,
            frames
        );
        input.shape = vec![1, 1, 2, 2];
        let error = listed.frames(1..2, &input, DataType::Uint(8)).unwrap_err();
        assert!(error.remedy().unwrap().contains("`channels`"), "{error:?}");
    }

    #[test]
    fn what_is_wrong_with_pictures_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let set = dir.path().join("set");
        picture(&set, "a.png", 4, [1; 3]);
        picture(&set, "b.png", 5, [1; 3]);
        let error = refused(dir.path(), "path = \"set\"");
        assert!(
            error.message().starts_with("picture `b.png` of "),
            "{error}"
        );
        assert!(
            error
                .message()
                .ends_with("it is 5 x 5, and others are 4 x 4"),
            "{error}"
        );
        let error = refused(dir.path(), "path = \"set\"\ncrop = 5");
        assert!(
            error.message().starts_with("picture `a.png` of "),
            "{error}"
        );
        let set = open(dir.path(), "path = \"set\"\nresize = 4").unwrap();
        assert_eq!(set.batch(0..2).unwrap().shape, [2, 3, 4, 4]);
        assert_eq!(set.labels(), None);
        fs::write(dir.path().join("set/b.png"), b"\x89PNG\r\n\x1a\nnothing").unwrap();
        let error = refused(dir.path(), "path = \"set\"");
        assert!(error.message().contains("`b.png`"), "{error}");

        for (table, message) in [
            (
                "file,label\na.png,0\nc.png,1\n",
                "line 3: there is no picture `c.png`",
            ),
            (
                "file,label\n../model.onnx,0\n",
                "there is no picture `../model.onnx`",
            ),
            (
                "file,label\na.png,cat\n",
                "line 2: `cat` in the column `label` is no integer",
            ),
            ("file,label\na.png\n", "is no table"),
            ("file,labels\na.png,0\n", "has no column `label`"),
            ("", "has no column `file`"),
        ] {
            fs::write(dir.path().join("t.csv"), table).unwrap();
            let error = refused(dir.path(), "path = \"set\"\nlabels = \"t.csv\"");
            assert!(error.message().contains(message), "{error}");
        }
    }

    #[test]
    fn keys_that_have_no_effect_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        pixels(dir.path());
        picture(dir.path(), "set/a.png", 4, [1; 3]);
        fs::write(dir.path().join("l.idx"), [0, 0, 8, 1, 0, 0, 0, 1, 3]).unwrap();
        for (lines, at) in [
            ("path = \"set\"\nx = \"a\"", "\"a\""),
            ("path = \"x.npz\"\nresize = 32", "32"),
            ("path = \"x.npz\"\nchannels = \"grey\"", "\"grey\""),
            ("path = \"x.npz\"\ny = \"y\"\nlabels = \"l.idx\"", "\"y\""),
            ("path = \"x.npz\"\nx = \"images\"", "\"images\""),
            ("path = \"x.npz\"\ny = \"images\"", "\"images\""),
        ] {
            assert_eq!(
                refused(dir.path(), lines).place().unwrap().text(),
                at,
                "{lines}"
            );
        }
        let error = refused(dir.path(), "path = \"x.npz\"\nlabels = \"l.idx\"");
        assert!(
            error
                .message()
                .ends_with("holds 4 samples, and there are 1 labels"),
            "{error}"
        );
        let set = open(dir.path(), "path = \"set\"\nlabels = \"l.idx\"").unwrap();
        assert_eq!(set.labels(), Some(&[3][..]));
    }

    #[test]
    fn digests_follow_contents_alone() {
        let dir = tempfile::tempdir().unwrap();
        for root in ["one", "two", "other"] {
            picture(&dir.path().join(root), "a/1.png", 2, [1; 3]);
            picture(&dir.path().join(root), "b/2.png", 2, [2; 3]);
        }
        fs::rename(
            dir.path().join("other/b/2.png"),
            dir.path().join("other/b/3.png"),
        )
        .unwrap();
        let digest = |lines: &str| open(dir.path(), lines).unwrap().digest().unwrap();
        let one = digest("path = \"one\"");
        assert_eq!(one, digest("path = \"two\"\nsamples = 1\nresize = 7"));
        assert_ne!(one, digest("path = \"other\""));
        fs::write(
            dir.path().join("t.csv"),
            "file,label\na/1.png,0\nb/2.png,0\n",
        )
        .unwrap();
        assert_ne!(one, digest("path = \"one\"\nlabels = \"t.csv\""));
        picture(dir.path(), "two/b/2.png", 2, [3; 3]);
        assert_ne!(one, digest("path = \"two\""));
        pixels(dir.path());
        let arrays = digest("path = \"x.npz\"");
        fs::copy(dir.path().join("x.npz"), dir.path().join("z.npz")).unwrap();
        assert_eq!(arrays, digest("path = \"z.npz\""));
    }
}
