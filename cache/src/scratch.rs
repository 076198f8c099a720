//! Folders for work in progress, on the file system of the store and removed after use.
//! Must not know what the work is.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Doing, Result};
use crate::lock::Lock;

/// So often a folder is removed again to which somebody still writes.
const ATTEMPTS: u32 = 50;

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
            if !remove(&dir).doing("remove", &dir)? {
                leave(lock);
                continue;
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
        if let Some(lock) = Lock::attempt(&path)? {
            let dir = path.with_extension("");
            if !remove(&dir).doing("remove", &dir)? {
                leave(lock);
            }
        }
    }
    Ok(())
}

/// Removes a folder. `false` if it cannot be emptied: what a dead process started may live on and write.
fn remove(dir: &Path) -> io::Result<bool> {
    for _ in 0..ATTEMPTS {
        match fs::remove_dir_all(dir) {
            Err(cause) if cause.kind() == ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// Frees a lock when this process ends, and leaves its file, by which the folder is found the next time.
fn leave(lock: Lock) {
    std::mem::forget(lock);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a dead process started may outlive it for a while, and write all that time.
    #[test]
    fn a_folder_that_somebody_still_writes_to_is_no_failure() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("7-0");
        for round in 0..100 {
            fs::create_dir_all(dir.join("job/work")).unwrap();
            fs::write(tmp.path().join("7-0.lock"), "").unwrap();
            let cleaned = std::thread::scope(|scope| {
                for number in 0..2 {
                    let work = dir.join("job/work");
                    scope.spawn(move || {
                        for count in 0..200 {
                            let _ = fs::write(work.join(format!("{number}-{count}")), "");
                        }
                    });
                }
                clean(tmp.path())
            });
            cleaned.unwrap();
            clean(tmp.path()).unwrap();
            let left = fs::read_dir(tmp.path()).unwrap();
            assert_eq!(left.count(), 0, "round {round}");
        }
    }

    /// Where removing fails for long the file of the lock stays, by which a later process finds the folder.
    #[test]
    fn what_cannot_be_emptied_now_is_left_for_later() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("7-0.lock");
        leave(Lock::attempt(&path).unwrap().unwrap());
        assert!(path.exists());
        clean(tmp.path()).unwrap();
        assert!(path.exists(), "it is held until this process ends");
    }
}
