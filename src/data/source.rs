//! Where the samples of a set come from: arrays, images, pictures in folders and archives, and their labels.
//! Must not know what samples become.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::album::Album;
use super::array::{Array, Values};
use super::idx::{self, Images};
use super::npy::{self, Stored};
use super::npz::{Arrays, INPUT_NAMES, LABEL_NAMES, is_npz};
use super::picture::{Picture, Preparation};
use super::table;
use crate::error::{Error, Result};
use crate::manifest::{Channels, Data, Manifest};

/// What holds the samples.
pub(super) enum Source {
    /// Rows of an array.
    Array(Rows),
    /// Pictures, and how they are prepared.
    Pictures(Pictures, Preparation),
}

/// An array whose first axis counts the samples.
pub(super) struct Rows {
    /// Name of the array.
    pub(super) name: String,
    /// The array.
    pub(super) stored: Stored,
    /// Whether its integers are pixels.
    pub(super) pixels: bool,
}

/// Pictures in the order of the samples.
pub(super) enum Pictures {
    /// Of one file.
    Images(Images),
    /// Names in the order of the samples.
    Album(Album, Vec<String>),
}

impl Source {
    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        match self {
            Source::Array(rows) => rows.stored.shape().first().copied().unwrap_or(0),
            Source::Pictures(Pictures::Images(images), _) => images.shape[0],
            Source::Pictures(Pictures::Album(_, names), _) => names.len(),
        }
    }
}

impl Rows {
    /// What the part from `start` on is called in messages, whose indices then count from there.
    pub(super) fn name_from(&self, start: usize) -> String {
        match start {
            0 => self.name.clone(),
            _ => format!("{}[{start}:]", self.name),
        }
    }
}

impl Pictures {
    /// The picture of that number.
    ///
    /// # Errors
    /// A user error that names the picture; a tool error if it cannot be read.
    pub(super) fn decode(&self, index: usize, preparation: &Preparation) -> Result<Picture> {
        match self {
            Pictures::Images(images) => {
                let [_, height, width] = images.shape;
                let pixels = index * height * width..(index + 1) * height * width;
                let pixels = images.pixels.get(pixels).unwrap_or_default();
                preparation.of_grey(pixels, height, width)
            }
            Pictures::Album(album, names) => {
                let name = &names[index];
                let picture = preparation.decode(&album.read(name)?);
                picture.map_err(|error| error.within(album.naming(name)))
            }
        }
    }

    /// A problem with the picture of that number.
    pub(super) fn about(&self, index: usize, what: String) -> Error {
        match self {
            Pictures::Images(_) => Error::user(what).within(format!("image {index}")),
            Pictures::Album(album, names) => Error::user(what).within(album.naming(&names[index])),
        }
    }

    /// The problem of a picture whose size is not that of the first.
    pub(super) fn of_another_size(
        &self,
        index: usize,
        picture: &Picture,
        first: &Picture,
    ) -> Error {
        let [_, height, width] = picture.shape;
        let [_, first_height, first_width] = first.shape;
        let what =
            format!("it is {height} x {width}, and others are {first_height} x {first_width}");
        self.about(index, what)
            .help("`resize = [height, width]` in `[data]` brings all pictures to one size")
    }
}

/// First bytes of an archive.
const ZIP: &[u8] = b"PK";

/// The samples, and the labels as they are given.
pub(super) fn open(data: &Data, manifest: &Manifest) -> Result<(Source, Option<Vec<i64>>)> {
    let path = &data.path;
    let start = match path.is_dir() {
        true => Vec::new(),
        false => start_of(path)?,
    };
    if start.starts_with(npy::MAGIC) || is_npz(path) {
        return of_arrays(data, manifest);
    }
    if !path.is_dir() && !idx::is_idx(&start) && !start.starts_with(ZIP) {
        return Err(Error::user(format!("`{}` is no set of samples", path.display()))
            .at(manifest.place("data.path"))
            .help("samples are read from `.npz`, `.npy` and IDX files, and from folders and archives `.zip` of pictures"));
    }
    if let Some(key) = [("x", &data.x), ("y", &data.y)]
        .iter()
        .find(|(_, name)| name.is_some())
    {
        let what = format!(
            "`{}` is the name of an array, and `{}` holds no arrays",
            key.0,
            path.display()
        );
        return Err(misplaced(what, key.0, manifest));
    }
    let mut preparation = Preparation {
        resize: data.resize,
        crop: data.crop,
        channels: data.channels.unwrap_or(Channels::Rgb),
    };
    if idx::is_idx(&start) {
        preparation.channels = data.channels.unwrap_or(Channels::Grey);
        let images = Pictures::Images(idx::images(path)?);
        let labels = data
            .labels
            .as_deref()
            .map(|labels| plain_labels(labels, manifest));
        return Ok((Source::Pictures(images, preparation), labels.transpose()?));
    }
    let album = Album::open(path)?;
    let (names, labels) = match &data.labels {
        None => (album.names().iter().cloned().collect(), album.classes()?),
        Some(path) if is_table(path) => listed(&album, path, manifest)?,
        Some(path) => (
            album.names().iter().cloned().collect(),
            Some(plain_labels(path, manifest)?),
        ),
    };
    let pictures = Pictures::Album(album, names);
    Ok((Source::Pictures(pictures, preparation), labels))
}

fn misplaced(what: String, key: &str, manifest: &Manifest) -> Error {
    let place = manifest
        .place(&format!("data.{key}"))
        .label("has no effect");
    Error::user(what).at(place).help("remove the line")
}

fn of_arrays(data: &Data, manifest: &Manifest) -> Result<(Source, Option<Vec<i64>>)> {
    let shown = data.path.display().to_string();
    let mut arrays = Arrays::open(&data.path)?;
    let for_pictures = [
        ("resize", data.resize.is_some()),
        ("crop", data.crop.is_some()),
        ("channels", data.channels.is_some()),
    ];
    if let Some((key, _)) = for_pictures.iter().find(|(_, given)| *given) {
        let what = format!("`{key}` is for pictures, and `{shown}` holds arrays");
        return Err(misplaced(what, key, manifest));
    }
    for (key, name) in [("x", &data.x), ("y", &data.y)] {
        if name.is_some() && arrays.is_single() {
            let what =
                format!("`{key}` is the name of an array, and `{shown}` holds one without a name");
            return Err(misplaced(what, key, manifest));
        }
    }
    if let (Some(_), Some(_)) = (&data.labels, &data.y) {
        let what = "`labels` and `y` both say where the classes are".to_owned();
        return Err(misplaced(what, "y", manifest));
    }
    let names = data.x.as_deref();
    let names = names.as_ref().map_or(INPUT_NAMES, std::slice::from_ref);
    let mut found = None;
    for name in names {
        found = arrays.stored(name)?.map(|stored| (*name, stored));
        if found.is_some() {
            break;
        }
    }
    let (name, stored) = found.ok_or_else(|| unnamed(&arrays, names, "x", manifest))?;
    let labels = match (&data.labels, &data.y) {
        (Some(path), _) => Some(plain_labels(path, manifest)?),
        (None, Some(y)) => {
            let array = arrays.find(y)?;
            let array = array.ok_or_else(|| unnamed(&arrays, &[y], "y", manifest))?;
            Some(integers(&array, &format!("array `{y}` of `{shown}`"))?)
        }
        (None, None) => {
            let array = arrays.labels()?;
            let what = format!("array `{}` of `{shown}`", LABEL_NAMES.join("` or `"));
            array.map(|array| integers(&array, &what)).transpose()?
        }
    };
    let rows = Rows {
        name: name.to_owned(),
        stored,
        pixels: data.mean.is_some() || data.std.is_some(),
    };
    Ok((Source::Array(rows), labels))
}

/// Of arrays that are missing, in the words of `[data]`.
fn unnamed(arrays: &Arrays, names: &[&str], key: &str, manifest: &Manifest) -> Error {
    let place = manifest.place(&format!("data.{key}"));
    let list: Vec<String> = arrays
        .names()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let help = match list.is_empty() {
        true => "write it with `numpy.savez(file, x=inputs, y=labels)`".to_owned(),
        false => format!(
            "`{key}` in `[data]` names the array that is meant: one of {}",
            list.join(", ")
        ),
    };
    arrays.lacks(names).at(place).help(help)
}

/// The pictures in the order of a table, and their labels.
fn listed(
    album: &Album,
    path: &Path,
    manifest: &Manifest,
) -> Result<(Vec<String>, Option<Vec<i64>>)> {
    let mut names = Vec::new();
    let mut labels = Vec::new();
    for row in table::rows(path, true, manifest)? {
        let name = album.find(&row.file).ok_or_else(|| {
            Error::user(format!(
                "`{}`, line {}: there is no picture `{}` in `{}`",
                path.display(),
                row.line,
                row.file,
                album.shown()
            ))
            .help("names are relative to the folder or archive, `/` between folders, with their endings")
        })?;
        names.push(name.to_owned());
        labels.push(row.label);
    }
    Ok((names, Some(labels)))
}

/// Labels in the order of the samples.
fn plain_labels(path: &Path, manifest: &Manifest) -> Result<Vec<i64>> {
    let start = start_of(path)?;
    if start.starts_with(npy::MAGIC) {
        let array = Arrays::open(path)?.read("y")?;
        return integers(&array, &format!("`{}`", path.display()));
    }
    match is_table(path) {
        true => Ok(table::rows(path, false, manifest)?
            .into_iter()
            .map(|row| row.label)
            .collect()),
        false => idx::labels(path).map_err(|error| match idx::is_idx(&start) {
            true => error,
            false => error
                .help("labels are read from tables `.csv`, from IDX files and from `.npy` files"),
        }),
    }
}

fn is_table(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

fn integers(array: &Array, what: &str) -> Result<Vec<i64>> {
    match &array.values {
        Values::Integer(values) if array.shape.first() == Some(&array.len()) => Ok(values.clone()),
        _ => Err(Error::user(format!(
            "{what} has {} of the shape {:?}, which are no labels",
            match &array.values {
                Values::Integer(_) => "integers",
                Values::Real(_) => "real numbers",
            },
            array.shape
        ))
        .help("labels are integers of the shape [n], one class for each sample")),
    }
}

/// The first bytes of a file.
fn start_of(path: &Path) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(8).read_to_end(&mut start))
        .map_err(|cause| Error::io("read", path, &cause))?;
    Ok(start)
}
