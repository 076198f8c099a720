//! The project's `build/` folder: a view of the cache that is made equal to what was built.
//! Must not know how anything was built; deleting the folder loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use finnp_cache::{Blob, Digest};
use serde::{Deserialize, Serialize};

use super::built::{Built, BuiltJob, LOG};
use super::name;
use super::project::{load_json, save, save_json};
use super::stamp::Stamps;
use super::vault::Vault;
use crate::error::{Error, Result};

/// The list of all that is shown.
const LIST: &str = "artifacts.json";
/// What the file system said about the files of the view.
const STAMPS: &str = ".view.json";

/// One shown file, as `artifacts.json` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    sha256: Digest,
    size: u64,
    /// Digest of the key of the action that made it.
    key: Digest,
    stage: String,
    job: String,
}

impl Shown {
    fn blob(&self) -> Blob {
        Blob {
            digest: self.sha256,
            size: self.size,
        }
    }
}

/// `build/` of one project.
pub(super) struct View(PathBuf);

impl View {
    /// The view in the folder `build`.
    pub(super) fn new(build: &Path) -> View {
        View(build.to_owned())
    }

    /// Makes the folder show what is built and nothing that an earlier build left.
    ///
    /// # Errors
    /// A bug if two jobs show different contents in one place, or those of the cache and file system.
    pub(super) fn show(&self, built: &Built, vault: &Vault) -> Result<()> {
        let shown = shown(built)?;
        let list = text(&shown)?;
        let listed = Blob::of(list.as_bytes());
        let mut wanted: BTreeMap<String, Blob> = shown
            .iter()
            .map(|(path, shown)| (path.clone(), shown.blob()))
            .collect();
        wanted.extend(logs(built));
        let before = Stamps::load(&self.0.join(STAMPS));
        let mut stamps = before.clone();
        let stale = self.stale(&stamps, &wanted);
        wanted.insert(LIST.to_owned(), listed);
        let missing: Vec<(&String, &Blob)> = wanted
            .iter()
            .filter(|(path, blob)| {
                self.links(path).next().is_some() || !stamps.holds(path, &self.0.join(path), blob)
            })
            .collect();
        if !stale.is_empty() || !missing.is_empty() {
            // First, so that after a crash the next build knows what may be there.
            for (path, _) in &missing {
                stamps.expect(path);
            }
            save_json(&self.0.join(STAMPS), &stamps)?;
        }
        for path in &stale {
            self.remove(path)?;
            stamps.forget(path);
        }
        let mut written = Vec::with_capacity(missing.len());
        for (path, blob) in missing {
            let file = self.0.join(path);
            self.make_parent(path)?;
            if path == LIST {
                save(&file, list.as_bytes())?;
            } else {
                vault.materialize(blob, &file, 0o644)?;
            }
            written.push((path, file));
        }
        if !written.is_empty() {
            stamps.read(&written);
        }
        if stamps != before {
            save_json(&self.0.join(STAMPS), &stamps)?;
        }
        Ok(())
    }

    /// Files that earlier builds may have left and that are not wanted.
    fn stale(&self, stamps: &Stamps, wanted: &BTreeMap<String, Blob>) -> BTreeSet<String> {
        let listed: BTreeMap<String, Shown> = load_json(&self.0.join(LIST));
        stamps
            .names()
            .chain(listed.keys())
            // Anybody may have written these lists.
            .filter(|path| name::is_plain(path) && *path != LIST)
            .filter(|path| !wanted.contains_key(*path))
            .cloned()
            .collect()
    }

    /// Removes a file and the folders that are empty without it.
    fn remove(&self, path: &str) -> Result<()> {
        let file = self.0.join(path);
        if self.links(path).next().is_some() {
            return Ok(());
        }
        match fs::remove_file(&file) {
            Ok(()) => {}
            // It is gone, or the user put something else in its place.
            Err(cause) if !file.is_file() && cause.kind() != io::ErrorKind::PermissionDenied => {}
            Err(cause) => return Err(Error::io("remove", &file, &cause)),
        }
        let folders = file.ancestors().skip(1);
        for folder in folders.take_while(|folder| *folder != self.0) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Folders above `path` that are links: what is behind them is not finnp's to change.
    fn links(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let file = self.0.join(path);
        let mut folders: Vec<PathBuf> = file
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.0)
            .map(Path::to_owned)
            .collect();
        folders.reverse();
        folders.into_iter().filter(|folder| folder.is_symlink())
    }

    /// Makes the folder of `path`; a link in its place gives way.
    fn make_parent(&self, path: &str) -> Result<()> {
        for link in self.links(path) {
            fs::remove_file(&link).map_err(|cause| Error::io("remove", &link, &cause))?;
        }
        let file = self.0.join(path);
        let folder = file.parent().unwrap_or(&file);
        fs::create_dir_all(folder).map_err(|cause| Error::io("create", folder, &cause))
    }

    /// Writes the log of a failed job and returns its path as the user of the project knows it.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write_log(&self, stage: &str, job: &str, log: &[u8]) -> Result<String> {
        let path = log_path(stage, job);
        let file = self.0.join(&path);
        self.make_parent(&path)?;
        let mut stamps = Stamps::load(&self.0.join(STAMPS));
        stamps.forget(&path);
        stamps.expect(&path);
        save_json(&self.0.join(STAMPS), &stamps)?;
        save(&file, log)?;
        let folder = self.0.file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{folder}/{path}"))
    }
}

fn log_path(stage: &str, job: &str) -> String {
    format!("logs/{stage}/{job}.log")
}

/// Outputs of a job that are shown: its log has a place of its own.
fn outputs(job: &BuiltJob) -> impl Iterator<Item = (&String, &Blob)> {
    let outputs = job.done.outputs.iter();
    outputs.filter(|(name, _)| !job.has_log || *name != LOG)
}

fn shown(built: &Built) -> Result<BTreeMap<String, Shown>> {
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for (stage, name, job) in built.each() {
        let Some(folder) = &job.folder else { continue };
        for (output, blob) in outputs(job) {
            let path = match folder.as_str() {
                "" => output.clone(),
                folder => format!("{folder}/{output}"),
            };
            let entry = shown.entry(path.clone()).or_insert_with(|| Shown {
                sha256: blob.digest,
                size: blob.size,
                key: job.done.action,
                stage: stage.to_owned(),
                job: name.to_owned(),
            });
            if entry.blob() != *blob {
                let what = format!("`{name}` of {stage} and `{}` of {}", entry.job, entry.stage);
                return Err(Error::bug(format!("{what} both show `{path}`")));
            }
        }
    }
    Ok(shown)
}

/// Most tools say nothing when all is well; an empty file would tell nothing either.
fn logs(built: &Built) -> BTreeMap<String, Blob> {
    let jobs = built.each().filter(|(_, _, job)| job.has_log);
    jobs.filter_map(|(stage, name, job)| {
        let blob = job.done.outputs.get(LOG)?;
        (blob.size > 0).then(|| (log_path(stage, name), *blob))
    })
    .collect()
}

fn text(shown: &BTreeMap<String, Shown>) -> Result<String> {
    let text = serde_json::to_string_pretty(shown);
    let text = text.map_err(|error| Error::bug(format!("cannot write `{LIST}`: {error}")))?;
    Ok(text + "\n")
}
