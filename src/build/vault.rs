//! The store in the words of a build: errors that a user can act on, and a note of what was lost.
//! Must not know which job a blob belongs to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use finnp_cache::{Blob, Digest, Store};

use crate::error::{Error, Kind, Result};

/// An open store, shared by a build and what is left of it for its reader.
pub(super) struct Vault {
    pub(super) store: Store,
    /// A blob that a record promised was not there or was damaged.
    lost: AtomicBool,
    /// What is in memory already, so that many readers of one blob share it.
    loaded: Mutex<BTreeMap<Digest, Weak<[u8]>>>,
}

impl Vault {
    pub(super) fn new(store: Store) -> Arc<Vault> {
        Arc::new(Vault {
            store,
            lost: AtomicBool::new(false),
            loaded: Mutex::default(),
        })
    }

    /// The bytes of `blob`.
    ///
    /// # Errors
    /// [`Kind::CacheCorrupt`] if they are lost, or those of the file system.
    pub(super) fn read(&self, blob: &Blob) -> Result<Arc<[u8]>> {
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = known().get(&blob.digest).and_then(Weak::upgrade) {
            return Ok(bytes);
        }
        let bytes = self.store.read(blob)?.ok_or_else(|| self.lose(blob))?;
        let bytes: Arc<[u8]> = bytes.into();
        known().insert(blob.digest, Arc::downgrade(&bytes));
        Ok(bytes)
    }

    /// Writes `blob` to the file `to`, as [`Store::materialize`] does.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub(super) fn materialize(&self, blob: &Blob, to: &Path, mode: u32) -> Result<()> {
        if self.store.materialize(blob, to, mode)? {
            Ok(())
        } else {
            Err(self.lose(blob))
        }
    }

    /// Whether something was lost since the last call.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::SeqCst)
    }

    fn lose(&self, blob: &Blob) -> Error {
        self.lost.store(true, Ordering::SeqCst);
        let what = format!("the cache lost the contents with digest `{}`", blob.digest);
        Error::new(Kind::CacheCorrupt, what)
            .help("check the disk, then remove the cache's folder or choose another one")
    }
}

impl From<finnp_cache::Error> for Error {
    fn from(error: finnp_cache::Error) -> Error {
        let failed = Error::io(error.action, &error.path, &error.cause);
        match error.cause.kind() {
            std::io::ErrorKind::StorageFull => failed.help("free some space and build again"),
            std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::ReadOnlyFilesystem => failed.help(
                "choose another folder for the cache with `--cache-dir` or `FINNP_CACHE_DIR`",
            ),
            _ => failed,
        }
    }
}
