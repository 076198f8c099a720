//! Makes room: forgets the actions that were not used for longest.
//! Must not run beside a build, so it holds the whole store.

use std::collections::BTreeMap;
use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::named_files;
use crate::action::Record;
use crate::digest::Digest;
use crate::error::{Doing, Result};
use crate::store::{make, open_lock};

/// What was removed and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Records removed.
    pub records: usize,
    /// Blobs removed.
    pub blobs: usize,
    /// Bytes of the removed blobs.
    pub bytes: u64,
    /// Bytes of the blobs that are left.
    pub kept_bytes: u64,
}

/// Removes the least recently used records until the blobs of the others have at most `max_bytes`,
/// then every blob that no record names, and what is in quarantine.
/// `None` if the store is in use and `wait` is false.
///
/// # Errors
/// Those of the file system.
pub fn collect(dir: &Path, max_bytes: u64, wait: bool) -> Result<Option<Collected>> {
    let root = make(dir)?;
    let path = root.join("lock/store");
    let whole = open_lock(&path)?;
    if wait {
        whole.lock().doing("lock", &path)?;
    } else {
        match whole.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(cause)) => return Err(cause).doing("lock", &path),
        }
    }
    let mut collected = Collected::default();
    let mut kept = BTreeMap::new();
    let mut full = false;
    for (path, record) in newest_first(&root)? {
        let more: BTreeMap<Digest, u64> = record
            .outputs
            .values()
            .filter(|blob| !kept.contains_key(&blob.digest))
            .map(|blob| (blob.digest, blob.size))
            .collect();
        let bytes: u64 = more.values().sum();
        full |= collected.kept_bytes + bytes > max_bytes;
        if !full {
            collected.kept_bytes += bytes;
            kept.extend(more);
        } else {
            fs::remove_file(&path).doing("remove", &path)?;
            collected.records += 1;
        }
    }
    for (digest, path) in named_files(&root.join("cas"))? {
        if !kept.contains_key(&digest) {
            collected.bytes += fs::metadata(&path).doing("look at", &path)?.len();
            collected.blobs += 1;
            fs::remove_file(&path).doing("remove", &path)?;
        }
    }
    empty(&root.join("quarantine"))?;
    Ok(Some(collected))
}

/// Records by the time of their last use; damaged ones are removed on the way.
fn newest_first(root: &Path) -> Result<Vec<(PathBuf, Record)>> {
    let mut records: Vec<(SystemTime, PathBuf, Record)> = Vec::new();
    for (action, path) in named_files(&root.join("action"))? {
        let text = fs::read(&path).doing("read", &path)?;
        let used = fs::metadata(&path)
            .and_then(|metadata| metadata.modified())
            .doing("look at", &path)?;
        match Record::parse(&text, &action) {
            Some(record) => records.push((used, path, record)),
            None => fs::remove_file(&path).doing("remove", &path)?,
        }
    }
    records.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(records
        .into_iter()
        .map(|(_, path, record)| (path, record))
        .collect())
}

fn empty(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).doing("read", dir)? {
        let path = entry.doing("read", dir)?.path();
        fs::remove_file(&path).doing("remove", &path)?;
    }
    Ok(())
}
