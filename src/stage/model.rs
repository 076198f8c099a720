//! The user's model as an input of jobs: the file, and the files beside it that it keeps tensors in.
//! Must not know what the jobs do with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Component, Path, PathBuf};

use super::{Input, Inputs, Job};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::qonnx;

/// Name of the model among a job's inputs.
pub(super) const MODEL: &str = "model.onnx";

/// Begins the names of the files beside it.
const BESIDE: &str = "external/";

/// A protobuf message ends at 2 GiB, and no more is read into memory of a file beside it either.
const MOST: u64 = 1 << 31;

/// Adds the model and what it keeps beside it to what a job reads.
///
/// # Errors
/// A user error for files that are too large, missing, or outside the model's folder.
pub(super) fn reads(mut job: Job, manifest: &Manifest) -> Result<Job> {
    let path = &manifest.model.path;
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    if size >= MOST {
        return Err(Error::user(format!(
            "the model file has {size} bytes, more than an ONNX file can have"
        ))
        .help("keep large weights in a file beside the model, or check what this file is"));
    }
    // That it is missing or unreadable is said where its contents are looked at.
    if let Ok(file) = File::open(path) {
        for location in qonnx::locations(&mut BufReader::new(file))? {
            let beside = beside(path, &location)?;
            job = job.input(format!("{BESIDE}{location}"), Input::File(beside));
        }
    }
    Ok(job.input(MODEL, Input::File(path.clone())))
}

/// The model of a job, whole.
///
/// # Errors
/// A user error where the files beside it do not hold what it says.
pub(super) fn whole(inputs: &Inputs) -> Result<std::borrow::Cow<'_, [u8]>> {
    let beside = inputs.0.iter().filter_map(|(name, bytes)| {
        let location = name.strip_prefix(BESIDE)?;
        Some((location.to_owned(), &**bytes))
    });
    let beside: BTreeMap<String, &[u8]> = beside.collect();
    qonnx::whole(inputs.bytes(MODEL)?, &beside)
}

/// The bytes of the model in the file `path`, with what it keeps in files beside it.
///
/// # Errors
/// A user error for such files that are missing, outside the model's folder or too short.
pub fn with_files_beside(path: &Path, model: Vec<u8>) -> Result<Vec<u8>> {
    let mut files = BTreeMap::new();
    for location in qonnx::locations(&mut Cursor::new(&model))? {
        let beside = beside(path, &location)?;
        let bytes = std::fs::read(&beside);
        let bytes = bytes.map_err(|cause| Error::io("read", &beside, &cause))?;
        files.insert(location, bytes);
    }
    let files = files.iter().map(|(name, bytes)| (name.clone(), &bytes[..]));
    let whole = qonnx::whole(&model, &files.collect())?;
    Ok(whole.into_owned())
}

/// The file that a model calls `location`, which must lie in the model's folder, links followed.
fn beside(model: &Path, location: &str) -> Result<PathBuf> {
    let refused = |what: &str| {
        Error::user(format!("the model keeps tensors in `{location}`, {what}"))
            .help("save the model again, with its external data beside it")
    };
    let relative = Path::new(location);
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
    if location.is_empty() || location.contains(['\0', '\\']) || !relative.components().all(inside)
    {
        return Err(refused("which is no path inside the model's folder"));
    }
    let folder = match model.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let path = folder.join(relative);
    let found = |path: &Path| {
        path.canonicalize()
            .map_err(|_| refused("which is not there"))
    };
    let (folder, real) = (found(folder)?, found(&path)?);
    if !real.starts_with(&folder) {
        return Err(refused("which leads out of the model's folder"));
    }
    match std::fs::metadata(&real) {
        Ok(found) if found.is_file() && found.len() < MOST => Ok(path),
        Ok(found) if found.is_file() => Err(refused("which has 2 GiB or more")),
        _ => Err(refused("which is no file")),
    }
}
