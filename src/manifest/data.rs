//! `Data`: what `[data]` says about a set of samples.
//! Must not know how samples are read.

use std::path::{Path, PathBuf};

use super::build::{get, path, text, whole, whole_signed};
use super::calibration::SECTION;
use super::canonical::number;
use super::read::Values;
use super::value::Value;

/// A set of samples, as it is described.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// A file or a folder, the folder of the project included. It existed when the manifest was read.
    pub path: PathBuf,
    /// File of the classes, likewise.
    pub labels: Option<PathBuf>,
    /// Name of the array of samples in an npz file.
    pub x: Option<String>,
    /// Name of the array of classes in an npz file.
    pub y: Option<String>,
    /// Column of a table with the names of pictures; `file` if absent.
    pub file_column: String,
    /// Column of a table with the classes; `label` if absent.
    pub label_column: String,
    /// Added to every label, within 32 bits; 0 if absent.
    pub label_offset: i64,
    /// Samples that are left out at the start; 0 if absent.
    pub skip: u32,
    /// At most so many samples are used, at least 1; all of them if absent.
    pub samples: Option<u32>,
    /// Size that pictures are brought to.
    pub resize: Option<Size>,
    /// Size that is cut out of their middle afterwards.
    pub crop: Option<Size>,
    /// Channels of pictures.
    pub channels: Option<Channels>,
    /// Means of pixels / 255: one number, or one for each channel; never empty.
    pub mean: Option<Vec<f64>>,
    /// Standard deviations of pixels / 255, each above 0: one number, or one for each channel; never empty.
    pub std: Option<Vec<f64>>,
}

/// A size of a picture, each side at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One number: for `resize` the shorter side, for `crop` both.
    One(u32),
    /// Height and width.
    Both([u32; 2]),
}

/// Channels of a picture in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Brightness alone.
    Grey,
}

/// The words for channels in a manifest.
const CHANNELS: &[(&str, Channels)] = &[
    ("RGB", Channels::Rgb),
    ("BGR", Channels::Bgr),
    ("grey", Channels::Grey),
];

impl Data {
    /// The value of the key `name` as canonical text; `None` for files and for what is not given.
    pub(super) fn canonical(&self, name: &str) -> Option<String> {
        let quoted = |text: &str| format!("{text:?}");
        match name {
            "x" => self.x.as_deref().map(quoted),
            "y" => self.y.as_deref().map(quoted),
            "file_column" => Some(quoted(&self.file_column)),
            "label_column" => Some(quoted(&self.label_column)),
            "label_offset" => Some(self.label_offset.to_string()),
            "skip" => Some(self.skip.to_string()),
            "samples" => self.samples.map(|samples| samples.to_string()),
            "resize" => self.resize.map(size),
            "crop" => self.crop.map(size),
            "channels" => CHANNELS
                .iter()
                .find(|(_, channels)| Some(*channels) == self.channels)
                .map(|(word, _)| quoted(word)),
            "mean" => self.mean.as_deref().map(numbers),
            "std" => self.std.as_deref().map(numbers),
            _ => None,
        }
    }
}

fn size(size: Size) -> String {
    match size {
        Size::One(side) => side.to_string(),
        Size::Both(sides) => format!("{sides:?}"),
    }
}

fn numbers(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| number(*value)).collect();
    match &values[..] {
        [one] => one.clone(),
        _ => format!("[{}]", values.join(", ")),
    }
}

/// The section `[data]`, if it is there.
pub(super) fn read(values: &Values, dir: &Path) -> Option<Data> {
    let from = path(values, dir, "data", "path")?;
    Some(of(values, dir, "data", &from))
}

/// The section `[calibration]`, if any of its keys is there. Where it has no path it is another part of the set of
/// `[data]`; how samples are read is as there unless it says otherwise.
pub(super) fn calibration(values: &Values, dir: &Path) -> Option<Data> {
    let given = values.keys().any(|(section, _, _)| *section == SECTION);
    let data = read(values, dir);
    let own = path(values, dir, SECTION, "path");
    let from = own
        .clone()
        .or(data.as_ref().map(|data| data.path.clone()))?;
    if !given {
        return None;
    }
    let mut found = of(values, dir, SECTION, &from);
    let Some(data) = data else {
        return Some(found);
    };
    let is_given = |key| get(values, SECTION, None, key).is_some();
    if own.is_none() {
        found.labels = found.labels.or(data.labels);
        found.x = found.x.or(data.x);
        found.y = found.y.or(data.y);
    }
    if !is_given("file_column") {
        found.file_column = data.file_column;
    }
    if !is_given("label_column") {
        found.label_column = data.label_column;
    }
    if !is_given("label_offset") {
        found.label_offset = data.label_offset;
    }
    found.resize = found.resize.or(data.resize);
    found.crop = found.crop.or(data.crop);
    found.channels = found.channels.or(data.channels);
    found.mean = found.mean.or(data.mean);
    found.std = found.std.or(data.std);
    Some(found)
}

/// A set at `from`, as a section describes it.
fn of(values: &Values, dir: &Path, section: &'static str, from: &Path) -> Data {
    let word = |key| text(values, section, None, key);
    let size = |key| match get(values, section, None, key)? {
        Value::Integer(side) => u32::try_from(*side).ok().map(Size::One),
        Value::Pair(sides) => Some(Size::Both(*sides)),
        _ => None,
    };
    let numbers = |key| match get(values, section, None, key)? {
        Value::Numbers(numbers) => Some(numbers.clone()),
        _ => None,
    };
    Data {
        path: from.to_owned(),
        labels: path(values, dir, section, "labels"),
        x: word("x").map(str::to_owned),
        y: word("y").map(str::to_owned),
        file_column: word("file_column").unwrap_or("file").to_owned(),
        label_column: word("label_column").unwrap_or("label").to_owned(),
        label_offset: whole_signed(values, section, "label_offset").unwrap_or(0),
        skip: whole(values, section, None, "skip").unwrap_or(0),
        samples: whole(values, section, None, "samples"),
        resize: size("resize"),
        crop: size("crop"),
        channels: word("channels").and_then(|word| {
            let found = CHANNELS.iter().find(|(name, _)| *name == word);
            found.map(|(_, channels)| *channels)
        }),
        mean: numbers("mean"),
        std: numbers("std"),
    }
}
