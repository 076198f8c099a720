//! Which action made which blobs: a record per action, written last, so that it is the commit point.
//! Must not know how an action is run; its key is only a text.

mod record;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub use record::Record;

use crate::blob::Blob;
use crate::digest::Digest;
use crate::error::{Doing, Result};
use crate::store::{Durability, Store, open_existing, persist, sharded};

/// A record that was used more recently than this is not marked as used again.
const USE_STEP: Duration = Duration::from_secs(3600);

impl Store {
    /// The record of the action with the key `key`. `None` if there is none, if it is damaged, or
    /// if a blob of it is missing or has the wrong size.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lookup(&self, key: &str) -> Result<Option<Record>> {
        let Some(record) = self.record(&Digest::of(key.as_bytes()))? else {
            return Ok(None);
        };
        for blob in record.outputs.values() {
            if !self.has(blob)? {
                return Ok(None);
            }
        }
        Ok(Some(record))
    }

    /// The record of `action` as it is written, whether or not its blobs are there; `None` if there
    /// is none or it is damaged.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn record(&self, action: &Digest) -> Result<Option<Record>> {
        let path = self.record_path(action);
        let Some(mut file) = open_existing(&path)? else {
            return Ok(None);
        };
        let mut text = Vec::new();
        file.read_to_end(&mut text).doing("read", &path)?;
        let record = Record::parse(&text, action);
        if record.is_some() {
            mark_used(&file);
        }
        Ok(record)
    }

    /// Records that the action with the key `key` made `outputs`, whose blobs are stored already.
    /// Returns the action's name, the digest of `key`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn commit(&self, key: &str, outputs: BTreeMap<String, Blob>) -> Result<Digest> {
        let action = Digest::of(key.as_bytes());
        let path = self.record_path(&action);
        let mut file = self.temporary()?;
        let text = Record::new(key.to_owned(), outputs).text();
        file.write_all(text.as_bytes()).doing("write", &path)?;
        if self.durability == Durability::Safe {
            // One call flushes the blobs, the folders that name them and this file.
            rustix::fs::syncfs(file.as_file())
                .map_err(Into::into)
                .doing("flush", &path)?;
        }
        persist(file, &path)?;
        if self.durability == Durability::Safe
            && let Some(parent) = path.parent()
        {
            let folder = File::open(parent).doing("open", parent)?;
            folder.sync_all().doing("flush", parent)?;
        }
        Ok(action)
    }

    /// Forgets what `action` made; nothing happens if nothing is known.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn forget(&self, action: &Digest) -> Result<()> {
        let path = self.record_path(action);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done.doing("remove", &path),
        }
    }

    fn record_path(&self, action: &Digest) -> PathBuf {
        sharded(&self.root().join("action"), action)
    }
}

/// Only the order in which garbage is collected depends on this, so a failure is no failure.
fn mark_used(file: &File) {
    let now = SystemTime::now();
    let stale = file
        .metadata()
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > USE_STEP));
    if stale {
        let _ = file.set_modified(now);
    }
}
