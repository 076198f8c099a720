//! The samples of `[calibration]` as an input of jobs.
//! Must not know what is learnt from them.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Input as Read, Job};
use crate::data::Dataset;
use crate::dataflow::{Input, StreamId};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::network::Network;
use crate::pass::{Grid, products};
use crate::tensor::DataType;

/// Samples from which moments are learnt where the manifest does not say how many.
pub(super) const FEW: u32 = 1000;

/// Where samples are and how they are read.
#[derive(Clone)]
pub(super) struct Calibration {
    /// With the set of `[calibration]` in the place of that of `[data]`.
    manifest: Manifest,
    /// How many samples are used at most where the manifest does not say it.
    usual: Option<u32>,
}

impl Calibration {
    /// What the manifest says; of a set of which it does not say how many samples are used, `usual` are, or all. What asks for samples stands at `place`, and `who` says that it learns.
    ///
    /// # Errors
    /// A user error where it has no such section.
    pub(super) fn new(
        manifest: &Manifest,
        usual: Option<u32>,
        (place, who): (&str, impl FnOnce() -> String),
    ) -> Result<Self> {
        if manifest.calibration.is_none() {
            return Err(Error::user(format!(
                "{} from samples, and the manifest has no section `[calibration]`",
                who()
            ))
            .at(manifest.place(place))
            .help("add the set of samples, such as\n[calibration]\npath = \"train.npz\"\nsamples = 1000"));
        }
        let manifest = manifest.calibrating();
        let given = manifest.data.as_ref().and_then(|data| data.samples);
        Ok(Calibration {
            usual: usual.filter(|_| given.is_none()),
            manifest,
        })
    }

    /// Makes the contents of the samples' files, and how they are read, part of a job's key.
    ///
    /// # Errors
    /// A tool error where a folder cannot be read.
    pub(super) fn read_by(&self, mut job: Job) -> Result<Job> {
        job = job.line("samples", self.manifest.canonical("data"));
        let Some(data) = &self.manifest.data else {
            return Ok(job);
        };
        for (what, path) in [
            ("samples", Some(&data.path)),
            ("labels", data.labels.as_ref()),
        ] {
            for (name, file) in path.map_or(Ok(Vec::new()), |path| files(path))? {
                job = match file {
                    Some(file) => job.input(format!("{what}/{name}"), Read::File(file)),
                    // Folders are numbered as classes, also empty ones.
                    None => job.line(what, format!("folder {name}")),
                };
            }
        }
        Ok(job)
    }

    /// The samples as integers that enter `network`, and their classes; `input` and `labels` as in
    /// [`crate::pass::streamline`].
    ///
    /// # Errors
    /// Those of reading them; a user error where the network has several inputs.
    pub(super) fn lessons(
        &self,
        network: &Network,
        input: Option<&Grid>,
        labels: bool,
    ) -> Result<Lessons> {
        let (dataflow, _) = products(network, input, labels)?;
        let [input] = &dataflow.inputs[..] else {
            return Err(Error::user("networks with exactly one input are supported"));
        };
        let set = Dataset::open(&self.manifest)?;
        let labels = set.labels().map(|labels| {
            let ranges = self.ranges(&set).into_iter();
            ranges.flat_map(|range| labels[range].to_vec()).collect()
        });
        Ok(Lessons {
            frames: self.read(input, dataflow.stream(input.stream).element)?,
            labels,
        })
    }

    /// The samples as integers of `grid` that a float network reads, in row-major order of its input.
    ///
    /// # Errors
    /// As [`Calibration::lessons`].
    pub(super) fn arriving(&self, network: &Network, grid: &Grid) -> Result<Vec<Vec<i64>>> {
        let [id] = network.inputs[..] else {
            return Err(Error::user("networks with exactly one input are supported"));
        };
        let value = network.value(id);
        let input = Input {
            name: value.name.clone(),
            stream: StreamId(0),
            shape: value.shape.clone(),
            coding: grid.coding.clone(),
            quantiser: None,
        };
        self.read(&input, grid.element)
    }

    /// The samples, in their order.
    ///
    /// # Errors
    /// Those of reading them; a user error where many of their numbers are none of the input's grid.
    fn read(&self, input: &Input, element: DataType) -> Result<Vec<Vec<i64>>> {
        let set = Dataset::open(&self.manifest)?;
        let mut frames = Vec::with_capacity(set.len().min(self.most(&set)));
        let (mut clamped, mut elements) = (0, 0);
        for range in self.ranges(&set) {
            let found = set.frames(range, input, element)?;
            clamped += found.clamped;
            elements += found
                .frames
                .iter()
                .map(|frame| frame.len() as u64)
                .sum::<u64>();
            frames.extend(found.frames);
        }
        match clamped * MOST_CLAMPED > elements {
            false => Ok(frames),
            true => Err(Error::user(format!(
                "{clamped} of {elements} numbers of the samples lie beyond the ends of the input's grid"
            ))
            .at(self.manifest.place("data"))
            .help("`mean` and `std` make numbers of pixels, and `[input]` says which of them there are: both must be those that the network was trained with")),
        }
    }

    /// How many samples are used where the manifest does not say it.
    fn most(&self, set: &Dataset) -> usize {
        self.usual.map_or(set.len(), |usual| usual as usize)
    }

    /// The samples that are used: where finnp chooses them, some of all parts of the set, which may be sorted.
    fn ranges(&self, set: &Dataset) -> Vec<std::ops::Range<usize>> {
        let (all, most) = (set.len(), self.most(set));
        if most < all {
            let start = |at: usize| (at as u128 * all as u128 / most as u128) as usize;
            return (0..most).map(|at| start(at)..start(at) + 1).collect();
        }
        let starts = (0..all).step_by(BATCH);
        starts.map(|start| start..all.min(start + BATCH)).collect()
    }
}

/// Samples to learn from.
pub(super) struct Lessons {
    /// In row-major order of the network's input.
    pub(super) frames: Vec<Vec<i64>>,
    /// Their classes, where they are known.
    pub(super) labels: Option<Vec<i64>>,
}

/// Samples that are read at once.
const BATCH: usize = 64;

/// Numbers of which one may be beyond the grid.
const MOST_CLAMPED: u64 = 10;

/// A file or, without one, a folder by its path in the set.
type Part = (String, Option<PathBuf>);

/// The file itself, whatever its name, or all that is in a folder.
fn files(path: &Path) -> Result<Vec<Part>> {
    if !path.is_dir() {
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        return Ok(vec![(format!("file.{kind}"), Some(path.to_owned()))]);
    }
    let mut found = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry
            .map_err(|cause| Error::tool(format!("cannot read `{}`: {cause}", path.display())))?;
        let inside = entry.path().strip_prefix(path).unwrap_or(entry.path());
        let name = inside.to_string_lossy().into_owned();
        let file = entry.file_type().is_file().then(|| entry.path().to_owned());
        found.push((name, file));
    }
    Ok(found)
}
