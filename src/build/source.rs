//! Where the bytes of an input are: found by digest first, loaded only by a job that runs.
//! Must not know what the job does with them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use finnp_cache::{Blob, Digest, copy_hashed};

use super::stamp::Stamps;
use super::vault::Vault;
use crate::error::{Error, Result};
use crate::stage::{Input, OutputRef};

/// An input whose contents are known by digest.
#[derive(Clone)]
pub(super) enum Source {
    /// A file of the user, which had these contents when it was looked at.
    File(PathBuf, Blob),
    /// Bytes that the plan brought along.
    Bytes(Arc<[u8]>, Digest),
    /// A blob of the store.
    Stored(Blob),
}

/// Digests of what does not come from jobs, remembered while one build lasts.
#[derive(Default)]
pub(super) struct Digests {
    files: Mutex<Stamps>,
    /// The bytes are kept alive, so no others can come to their place.
    bytes: Mutex<BTreeMap<Place, Known>>,
}

/// Address and length of bytes in memory.
type Place = (usize, usize);
/// Bytes in memory and their digest.
type Known = (Arc<[u8]>, Digest);

impl Digests {
    /// With what an earlier build saw of the user's files.
    pub(super) fn new(files: Stamps) -> Self {
        Digests {
            files: Mutex::new(files),
            bytes: Mutex::default(),
        }
    }

    /// What this build saw of the user's files.
    pub(super) fn files(&self) -> Stamps {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }

    /// The contents of a user's file.
    fn file(&self, path: &Path) -> Result<Blob> {
        let name = path.to_string_lossy();
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.contents(&name, path).map_err(|cause| {
            Error::user(format!("cannot read `{}`: {cause}", path.display()))
                .help("the build reads this file: check its path and its permissions")
        })
    }

    fn bytes(&self, bytes: &Arc<[u8]>) -> Digest {
        let place = (bytes.as_ptr() as usize, bytes.len());
        let mut known = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, digest) = known
            .entry(place)
            .or_insert_with(|| (Arc::clone(bytes), Digest::of(bytes)));
        *digest
    }

    /// Finds `input`; `stored` answers for the outputs of jobs.
    ///
    /// # Errors
    /// If a file cannot be read, or what `stored` says.
    pub(super) fn find(
        &self,
        input: &Input,
        stored: &dyn Fn(&OutputRef) -> Result<Blob>,
    ) -> Result<Source> {
        Ok(match input {
            Input::File(path) => Source::File(path.clone(), self.file(path)?),
            Input::Bytes(bytes) => Source::Bytes(Arc::clone(bytes), self.bytes(bytes)),
            Input::Output(output) => Source::Stored(stored(output)?),
        })
    }
}

impl Source {
    pub(super) fn digest(&self) -> Digest {
        match self {
            Source::File(_, blob) | Source::Stored(blob) => blob.digest,
            Source::Bytes(_, digest) => *digest,
        }
    }

    /// The bytes themselves, which have the digest that was found.
    ///
    /// # Errors
    /// If they changed since, or were damaged.
    pub(super) fn load(&self, vault: &Vault) -> Result<Arc<[u8]>> {
        match self {
            Source::Bytes(bytes, _) => Ok(Arc::clone(bytes)),
            Source::Stored(blob) => vault.read(blob),
            Source::File(path, blob) => {
                let bytes = fs::read(path).map_err(|cause| Error::io("read", path, &cause))?;
                if Blob::of(&bytes) != *blob {
                    return Err(changed(path));
                }
                Ok(bytes.into())
            }
        }
    }

    /// Writes the bytes to the new file `to` with the permission bits `mode`.
    ///
    /// # Errors
    /// If they changed since, or were damaged, or those of the file system.
    pub(super) fn place(&self, vault: &Vault, to: &Path, mode: u32) -> Result<()> {
        let write = |cause| Error::io("write", to, &cause);
        let create = || {
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(to)
        };
        match self {
            Source::Stored(blob) => vault.materialize(blob, to, mode),
            Source::Bytes(bytes, _) => {
                let mut from: &[u8] = bytes;
                let mut file = create().map_err(write)?;
                std::io::copy(&mut from, &mut file).map_err(write)?;
                Ok(())
            }
            Source::File(path, blob) => {
                let mut from =
                    fs::File::open(path).map_err(|cause| Error::io("open", path, &cause))?;
                let mut file = create().map_err(write)?;
                let copied = copy_hashed(&mut from, &mut file).map_err(write)?;
                if copied == *blob {
                    Ok(())
                } else {
                    Err(changed(path))
                }
            }
        }
    }
}

fn changed(path: &Path) -> Error {
    Error::tool(format!("`{}` changed during the build", path.display())).help("build again")
}
