//! The samples of `[calibration]` as an input of jobs.
//! Must not know what is learnt from them.

use std::path::Path;

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
        let mut manifest = manifest.calibrating();
        if let Some(data) = &mut manifest.data {
            data.samples = data.samples.or(usual);
        }
        Ok(Calibration { manifest })
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
        for path in [Some(&data.path), data.labels.as_ref()]
            .into_iter()
            .flatten()
        {
            for (name, file) in files(path)? {
                job = job.input(format!("samples/{name}"), Read::File(file));
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
        Ok(Lessons {
            frames: self.read(input, dataflow.stream(input.stream).element)?,
            labels: Dataset::open(&self.manifest)?.labels().map(<[i64]>::to_vec),
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

    fn read(&self, input: &Input, element: DataType) -> Result<Vec<Vec<i64>>> {
        let set = Dataset::open(&self.manifest)?;
        let mut frames = Vec::with_capacity(set.len());
        for start in (0..set.len()).step_by(BATCH) {
            let range = start..set.len().min(start + BATCH);
            frames.extend(set.frames(range, input, element)?.frames);
        }
        Ok(frames)
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

/// The file itself, or all files of a folder by their paths in it.
fn files(path: &Path) -> Result<Vec<(String, std::path::PathBuf)>> {
    if !path.is_dir() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        return Ok(vec![(name, path.to_owned())]);
    }
    let mut found = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry
            .map_err(|cause| Error::tool(format!("cannot read `{}`: {cause}", path.display())))?;
        if entry.file_type().is_file() {
            let inside = entry.path().strip_prefix(path).unwrap_or(entry.path());
            found.push((
                inside.to_string_lossy().into_owned(),
                entry.path().to_owned(),
            ));
        }
    }
    Ok(found)
}
