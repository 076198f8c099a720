//! What the file system says about files whose contents are known, so that they need not be read again.
//! A cache of this machine only: what is built must not depend on it.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use finnp_cache::{Blob, Digest, copy_hashed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A file that changed this shortly before it was read may change again within the same tick of the
/// file system's clock, unseen; so it is read again next time.
const TICK_NS: i64 = 50_000_000;

/// Bytes that take longer to read than a tick.
const WORTH_WAITING: u64 = 16 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    inode: u64,
    modified_ns: i64,
    changed_ns: i64,
    /// When the contents were read.
    read_ns: i64,
    sha256: Digest,
}

/// Stamps by the name of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Stamps(BTreeMap<String, Option<Stamp>>);

impl Stamps {
    /// The stamps in the file `path`; none if it cannot be read.
    pub(super) fn load(path: &Path) -> Stamps {
        fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// All names, with or without known contents.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Notes that there may be a file `name`, of unknown contents.
    pub(super) fn expect(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_insert(None);
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Contents of the file at `path`, known as `name`; read only if it may have changed.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn contents(&mut self, name: &str, path: &Path) -> io::Result<Blob> {
        let found = fs::metadata(path)?;
        if let Some(Some(stamp)) = self.0.get(name)
            && stamp.vouches_for(&found)
        {
            return Ok(stamp.blob());
        }
        let stamp = Stamp::read(path)?;
        self.0.insert(name.to_owned(), Some(stamp));
        Ok(stamp.blob())
    }

    /// Reads files that were just written, on all cores. Where they are large it waits until they are no longer
    /// too young to be trusted, so that the next build need not read them again.
    pub(super) fn read(&mut self, files: &[(&String, PathBuf)]) {
        let sizes = files.iter().filter_map(|(_, path)| fs::metadata(path).ok());
        if sizes.map(|found| found.len()).sum::<u64>() > WORTH_WAITING {
            std::thread::sleep(Duration::from_nanos(TICK_NS as u64 * 3 / 2));
        }
        let read = |(name, path): &(&String, PathBuf)| {
            let stamp = Stamp::read(path).ok();
            ((*name).clone(), stamp)
        };
        let stamps: Vec<(String, Option<Stamp>)> = files.par_iter().map(read).collect();
        self.0.extend(stamps);
    }

    /// Whether the file at `path`, known as `name`, is a plain file with the contents `blob`.
    pub(super) fn holds(&mut self, name: &str, path: &Path, blob: &Blob) -> bool {
        let plain = fs::symlink_metadata(path)
            .is_ok_and(|found| found.is_file() && found.len() == blob.size);
        plain && self.contents(name, path).is_ok_and(|found| found == *blob)
    }
}

impl Stamp {
    fn read(path: &Path) -> io::Result<Stamp> {
        let mut file = File::open(path)?;
        let read_ns = now_ns();
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let blob = copy_hashed(&mut file, &mut io::sink())?;
        Ok(Stamp {
            size: blob.size,
            inode: found.ino(),
            modified_ns: nanoseconds(found.mtime(), found.mtime_nsec()),
            changed_ns: nanoseconds(found.ctime(), found.ctime_nsec()),
            read_ns,
            sha256: blob.digest,
        })
    }

    fn blob(&self) -> Blob {
        Blob {
            digest: self.sha256,
            size: self.size,
        }
    }

    fn vouches_for(&self, found: &Metadata) -> bool {
        let modified_ns = nanoseconds(found.mtime(), found.mtime_nsec());
        let changed_ns = nanoseconds(found.ctime(), found.ctime_nsec());
        self.size == found.len()
            && self.inode == found.ino()
            && self.modified_ns == modified_ns
            && self.changed_ns == changed_ns
            && changed_ns.saturating_add(TICK_NS) < self.read_ns
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_change_that_keeps_size_and_time_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let mut stamps = Stamps::default();
        assert_eq!(stamps.contents("f", &path).unwrap(), Blob::of(b"one"));
        let before = stamps.clone();
        assert_eq!(stamps.contents("f", &path).unwrap(), Blob::of(b"one"));
        assert_eq!(stamps, before, "an unchanged file was read again");
        fs::write(&path, "two").unwrap();
        File::open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(stamps.contents("f", &path).unwrap(), Blob::of(b"two"));
        assert!(!stamps.holds("f", &path, &Blob::of(b"one")));
        let text = serde_json::to_string(&stamps).unwrap();
        assert_eq!(serde_json::from_str::<Stamps>(&text).unwrap(), stamps);
    }

    #[test]
    fn contents_read_right_after_a_change_are_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let mut stamps = Stamps::default();
        stamps.contents("f", &path).unwrap();
        let before = stamps.clone();
        stamps.contents("f", &path).unwrap();
        assert_ne!(stamps, before);
    }
}
