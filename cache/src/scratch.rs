//! Folders for work in progress, on the file system of the store and removed after use.
//! Must not know what the work is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Doing, Result};
use crate::lock::Lock;

/// A folder that is removed when dropped.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// All scratch folders and temporary files of one open store, under a lock that tells they are in use.
#[derive(Debug)]
pub(crate) struct Session {
    dir: PathBuf,
    _lock: Lock,
}

impl Session {
    pub(crate) fn start(tmp: &Path) -> Result<Session> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{count}", std::process::id());
            let dir = tmp.join(&name);
            // The number of a process can be that of one in another container: then try the next name.
            let Some(lock) = Lock::attempt(&tmp.join(format!("{name}.lock")))? else {
                continue;
            };
            if dir.exists() {
                fs::remove_dir_all(&dir).doing("remove", &dir)?;
            }
            fs::create_dir(&dir).doing("create", &dir)?;
            return Ok(Session { dir, _lock: lock });
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

pub(crate) fn folder(session: &Path) -> Result<Scratch> {
    tempfile::Builder::new()
        .prefix("job-")
        .tempdir_in(session)
        .map(Scratch)
        .doing("create a folder in", session)
}

/// Removes what dead processes left in `tmp`.
pub(crate) fn clean(tmp: &Path) -> Result<()> {
    for entry in fs::read_dir(tmp).doing("read", tmp)? {
        let path = entry.doing("read", tmp)?.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        if let Some(_lock) = Lock::attempt(&path)? {
            let dir = path.with_extension("");
            if dir.exists() {
                fs::remove_dir_all(&dir).doing("remove", &dir)?;
            }
        }
    }
    Ok(())
}
