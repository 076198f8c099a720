//! `finnp clean`: removes the folder `build`, which only shows what the cache holds.
//! Must not know what is in the folder.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::answer::Answer;
use super::call::{Call, shown};
use crate::build;
use crate::error::{Error, Result};
use crate::manifest::FILE_NAME;

/// Remove the folder `build`; the cache keeps its contents
#[derive(clap::Args)]
pub(super) struct Clean {
    /// Fail instead of waiting for another build of this project
    #[arg(long)]
    no_wait: bool,
}

impl Clean {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let dir = &call.options.dir;
        let folder = dir.join("build");
        let shown = shown(&folder);
        let kind = match fs::symlink_metadata(&folder) {
            Ok(facts) => facts.file_type(),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return absent(dir, &shown);
            }
            Err(cause) => return Err(Error::io("look at", &folder, &cause)),
        };
        if !kind.is_dir() || !build::is_ours(&folder)? {
            return Err(Error::user(format!("`{shown}` was not made by finnp"))
                .help("finnp removes only what it made: look at it, and remove it yourself"));
        }
        let lock = build::lock(dir, self.no_wait, &call.cancel, &|event| call.hear(&event))?;
        remove(&folder)?;
        drop(lock);
        match fs::remove_dir(&folder) {
            // Somebody may have started to build meanwhile.
            Err(cause)
                if !matches!(
                    cause.kind(),
                    ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Err(Error::io("remove", &folder, &cause))
            }
            _ => Ok(Answer::note(format!("removed `{shown}`\n")).with("removed", true)),
        }
    }
}

fn absent(dir: &Path, shown: &str) -> Result<Answer> {
    if !dir.join(FILE_NAME).exists() {
        return Err(Error::user(format!(
            "`{}` is no project: it has no `{FILE_NAME}`",
            dir.display()
        ))
        .help("name the folder of a project with `-C DIR`"));
    }
    Ok(Answer::note(format!("there is no folder `{shown}`\n")).with("removed", false))
}

/// All that is in the folder, but for the lock.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let read = || fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().map_err(|cause| Error::io("read", folder, &cause))?;
    entries.retain(|entry| entry.file_name() != ".lock");
    Ok(entries)
}

/// Empties the folder, but for the lock. What tells that finnp made it goes last, so that a call
/// that was cut short can be made again.
fn remove(folder: &Path) -> Result<()> {
    let mut entries = entries(folder)?;
    entries.sort_by_key(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."));
    for entry in entries {
        let path = entry.path();
        let removed = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        removed.map_err(|cause| Error::io("remove", &path, &cause))?;
    }
    Ok(())
}
