//! `accel.toml` exactly as it is written: values with their places in the text, and every mistake at once.
//! Must not know what names of layers mean, nor what a stage does with a value.

mod backend;
mod build;
mod calibration;
mod canonical;
mod data;
mod file;
mod form;
pub mod glob;
mod join;
pub mod key;
mod problem;
mod quantize;
mod read;
mod reference;
mod schema;
mod section;
mod set;
mod training;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use backend::Backend;
pub use data::{Channels, Data, Size};
pub use file::FILE_NAME;
pub use quantize::{Bits, Quantize};
pub use reference::reference;
pub use schema::schema;
pub use training::Train;

use crate::board::Board;
use crate::error::{Error, Place, Result, nearest};
use crate::tensor::DataType;
use problem::{Problems, Spot, Text};

/// A manifest without mistakes of its own. Whether it fits the model is for later stages to say.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Folder of the project.
    pub dir: PathBuf,
    /// `[project]`.
    pub project: Project,
    /// `[model]`.
    pub model: Model,
    /// `[input]`.
    pub input: Input,
    /// `[output]`.
    pub output: Output,
    /// `[target]`.
    pub target: Target,
    /// `[quantize]`, if it is there.
    pub quantize: Option<Quantize>,
    /// `[prune]`.
    pub prune: Prune,
    /// `[data]`, if it is there.
    pub data: Option<Data>,
    /// `[calibration]`, with what it takes from `[data]`, if it is there.
    pub calibration: Option<Data>,
    /// `[train]`.
    pub train: Train,
    /// `[verify]`, if it is there.
    pub verify: Option<Verify>,
    /// The `[[layer]]` entries in order, those of the command line last.
    pub layers: Vec<Layer>,
    /// Whether everything is simulated whole, which the command line alone says: `finnp build --full`.
    pub full: bool,
    places: Places,
}

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Letters, digits, `-` and `_`; not empty.
    pub name: String,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The ONNX file, the folder of the project included. It existed when the manifest was read.
    pub path: PathBuf,
}

/// What arrives at the accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The integer grid, if `type` and `scale` are given.
    pub grid: Option<Grid>,
    /// Order of the axes of arrays that are given to finnp; `NCHW` if absent.
    pub layout: Layout,
}

/// The integers that arrive: `q` stands for `scale * (q - zero_point)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// `uint1` to `uint16`, `int2` to `int16`, `bipolar` or `ternary`.
    pub data_type: DataType,
    /// Finite and above 0.
    pub scale: f64,
    /// Within 32 bits; 0 if absent.
    pub zero_point: i64,
}

/// Order of the axes of an array of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Batch, height, width, channel.
    Nhwc,
    /// Batch, channel, height, width.
    Nchw,
}

/// What leaves the accelerator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Whether it is the index of the greatest value instead of the values.
    pub labels: bool,
}

/// The board and the goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The board.
    pub board: &'static Board,
    /// Above 0, at most the board's maximum; the board's default if absent.
    pub clock_mhz: f64,
    /// Frames per second; left to finnp if absent.
    pub fps: Option<Rate>,
    /// Language of the hardware; C++ if absent.
    pub backend: Backend,
    /// Whether DSP slices multiply where they can.
    pub dsp: bool,
    /// Whether Yosys synthesises layers in SystemVerilog for their resources.
    pub yosys: bool,
}

/// Frames per second that are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As many as the board allows.
    Max,
    /// That many, with the least hardware; finite and above 0.
    AtLeast(f64),
}

/// Which weights are removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prune {
    /// One of [`key::METHODS`]; `magnitude` if absent.
    pub method: String,
    /// What holds for every layer that has nothing of its own.
    pub pruning: Pruning,
}

/// How weights are removed, as far as one table says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pruning {
    /// One of [`key::PATTERNS`].
    pub pattern: Option<String>,
    /// Share that is kept, above 0 and at most 1. Not beside `keep`.
    pub density: Option<f64>,
    /// Rows and entries of a block.
    pub block: Option<[u32; 2]>,
    /// Entries that a block keeps.
    pub keep: Option<Amount>,
    /// Lanes.
    pub lanes: Option<Amount>,
}

/// A number of columns, or of rows and of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Columns alone.
    Columns(u32),
    /// Rows, columns.
    Both([u32; 2]),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Columns(columns) => write!(f, "{columns}"),
            Amount::Both(pair) => write!(f, "{pair:?}"),
        }
    }
}

/// What the generated hardware is checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// The npz file, the folder of the project included. It existed when the manifest was read.
    pub inputs: PathBuf,
    /// At most so many samples are used, at least 1; all of them if absent.
    pub samples: Option<u32>,
}

/// One `[[layer]]` entry.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Glob on layer names, see [`glob::matches`].
    pub pattern: String,
    /// Rows at once, at least 1.
    pub pe: Option<u32>,
    /// Columns at once, at least 1.
    pub simd: Option<u32>,
    /// Language of the hardware.
    pub backend: Option<Backend>,
    /// Whether DSP slices multiply.
    pub dsp: Option<bool>,
    /// How weights are removed.
    pub pruning: Pruning,
    /// Bits, where a float network is quantised.
    pub bits: Bits,
    at: usize,
    places: Places,
}

/// What the `[[layer]]` entries say about one layer, with the entry that says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Rows at once.
    pub pe: Option<(u32, &'a Layer)>,
    /// Columns at once.
    pub simd: Option<(u32, &'a Layer)>,
    /// Language of the hardware.
    pub backend: Option<(Backend, &'a Layer)>,
    /// Whether DSP slices multiply.
    pub dsp: Option<(bool, &'a Layer)>,
}

/// Places by name, shared by a manifest and its layers.
#[derive(Debug, Clone)]
struct Places(Arc<BTreeMap<String, Place>>);

impl Places {
    /// The place of that name, else of what contains it, else the start of the file.
    fn find(&self, name: &str) -> Option<&Place> {
        let outer = name.rsplit_once('.').map_or("", |(outer, _)| outer);
        [name, outer, ""]
            .into_iter()
            .find_map(|name| self.0.get(name))
    }

    /// The places of the section `from` under the name of the section `to`, whose own are forgotten.
    fn renamed(&self, from: &str, to: &str) -> Self {
        let inside = |name: &str, section: &str| {
            name == section
                || name
                    .strip_prefix(section)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        let others = self
            .0
            .iter()
            .filter(|(name, _)| !inside(name, from) && !inside(name, to));
        let moved = self.0.iter().filter(|(name, _)| inside(name, from));
        let moved = moved.map(|(name, place)| (name.replacen(from, to, 1), place.clone()));
        let others = others.map(|(name, place)| (name.clone(), place.clone()));
        Places(Arc::new(others.chain(moved).collect()))
    }
}

impl Manifest {
    /// Reads the manifest of the project in `dir`. `set` are settings `section.key=value`
    /// that take the place of values of the file (for layers: `layer.PATTERN.key=value`).
    ///
    /// # Errors
    /// All problems of the file in its order, then those of the settings; kind `User`, or `Tool` if the file cannot be read.
    pub fn load(dir: &Path, set: &[String]) -> Result<Manifest> {
        let text = file::read(dir)?;
        parse(&text, &file::shown(dir), dir, set)
    }

    /// Characters that `name` stands at: `section`, `section.key`, `layer[0]` or `layer[0].key`.
    /// For what is absent, the header of its section, else the start of the file.
    pub fn place(&self, name: &str) -> Place {
        found(&self.places, name)
    }

    /// What the entries say about the layer of that name; of several that match the last counts, key by key.
    pub fn choice(&self, layer: &str) -> Choice<'_> {
        let mut choice = Choice::default();
        for entry in self
            .layers
            .iter()
            .filter(|entry| glob::matches(&entry.pattern, layer))
        {
            choice.pe = entry.pe.map(|pe| (pe, entry)).or(choice.pe);
            choice.simd = entry.simd.map(|simd| (simd, entry)).or(choice.simd);
            choice.backend = entry.backend.map(|b| (b, entry)).or(choice.backend);
            choice.dsp = entry.dsp.map(|dsp| (dsp, entry)).or(choice.dsp);
        }
        choice
    }

    /// The same manifest as if the set of `[calibration]` were that of `[data]`.
    pub fn calibrating(&self) -> Self {
        Manifest {
            data: self.calibration.clone(),
            places: self.places.renamed("calibration", "data"),
            ..self.clone()
        }
    }

    /// Whether some table names a pattern that removes weights.
    pub fn prunes(&self) -> bool {
        let tables = self.layers.iter().map(|layer| &layer.pruning);
        let mut patterns = tables
            .chain([&self.prune.pruning])
            .filter_map(|t| t.pattern.as_ref());
        patterns.any(|pattern| pattern != "none")
    }

    /// How the weights of the layer of that name are removed, and where each key stands that says so (for
    /// an absent one the section `[prune]`). Of entries that match the last counts, key by key; `keep` of one
    /// table takes the place of `density` of another and the other way round.
    pub fn pruning(&self, layer: &str) -> (Pruning, BTreeMap<&'static str, Place>) {
        let mut found = Pruning::default();
        let mut places: BTreeMap<&'static str, Place> =
            ["pattern", "density", "block", "keep", "lanes"]
                .into_iter()
                .map(|key| (key, self.place(&format!("prune.{key}"))))
                .collect();
        let entries = self.layers.iter();
        let entries = entries.filter(|entry| glob::matches(&entry.pattern, layer));
        let tables = std::iter::once((&self.prune.pruning, None));
        for (table, entry) in tables.chain(entries.map(|entry| (&entry.pruning, Some(entry)))) {
            let mut note = |key: &'static str| {
                places.extend(entry.map(|entry| (key, entry.place(key))));
            };
            if table.density.is_some() || table.keep.is_some() {
                (found.density, found.keep) = (table.density, table.keep);
                note(if table.keep.is_some() {
                    "keep"
                } else {
                    "density"
                });
            }
            if let Some(pattern) = &table.pattern {
                found.pattern = Some(pattern.clone());
                note("pattern");
            }
            if let Some(block) = table.block {
                found.block = Some(block);
                note("block");
            }
            if let Some(lanes) = table.lanes {
                found.lanes = Some(lanes);
                note("lanes");
            }
        }
        (found, places)
    }

    /// Refuses entries that match none of the layers.
    ///
    /// # Errors
    /// All such entries, in order.
    pub fn check_layers(&self, names: &[&str]) -> Result<()> {
        let unmatched =
            |entry: &&Layer| !names.iter().any(|name| glob::matches(&entry.pattern, name));
        let problems: Vec<Error> = self
            .layers
            .iter()
            .filter(unmatched)
            .map(|entry| {
                let error = Error::user(format!("no layer matches `{}`", entry.pattern))
                    .at(entry.place("match"));
                match nearest(&entry.pattern, names.iter().copied()) {
                    Some(near) => error.help(format!(
                        "did you mean `{near}`? `finnp show` lists the layers"
                    )),
                    None => error.help("`finnp show` lists the layers"),
                }
            })
            .collect();
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::many(
            format!("{} entries match no layer", problems.len()),
            problems,
        ))
    }

    /// Canonical text of a part of the manifest, `section` or `section.key`; the empty name stands for all of it.
    /// One line per value, in the order of the table of keys. It depends on values alone: not on comments, order or
    /// spelling, and an absent key equals its default. Files are left out: their contents count, not their names.
    pub fn canonical(&self, part: &str) -> String {
        canonical::text(self, part)
    }
}

impl Layer {
    /// Characters that a key of this entry stands at; the header of the entry for an absent key.
    pub fn place(&self, key: &str) -> Place {
        found(&self.places, &build::name("layer", Some(self.at), key))
    }
}

fn found(places: &Places, name: &str) -> Place {
    let empty = || Text::new(0, FILE_NAME, String::new()).place(&(0..0));
    places.find(name).cloned().unwrap_or_else(empty)
}

/// Reads a manifest from its text. `name` is shown in problems; files are looked for in `dir`; `set` as in [`Manifest::load`].
///
/// # Errors
/// All problems in the order of the text, then those of the settings.
pub fn parse(text: &str, name: &str, dir: &Path, set: &[String]) -> Result<Manifest> {
    let text = Text::new(0, name, file::normal(text));
    let start = Spot {
        text: text.clone(),
        span: 0..0,
    };
    let mut problems = Problems::default();
    let mut draft = read::gather(&text, &mut problems);
    set::apply(set, &mut draft, &mut problems);
    let values = read::check(&draft, dir, &mut problems);
    read::require(&draft, &start, &mut problems);
    build::cross_check(&values, &draft, &mut problems);
    problems.finish(name)?;
    build::manifest(&values, &draft, dir, &start)
        .ok_or_else(|| Error::bug("a manifest without problems lacks a value"))
}
