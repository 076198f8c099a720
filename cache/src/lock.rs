//! Exclusive locks by name: a file that exists while somebody holds it or waits for it.
//! The operating system frees the lock of a process that dies.
//! Must not know what a lock protects.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};

/// An exclusive lock, held until dropped. The file goes with it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, waiting for whoever holds it.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn wait(path: &Path) -> Result<Lock> {
        loop {
            let file = open(path).doing("open", path)?;
            file.lock().doing("lock", path)?;
            if let Some(lock) = confirm(file, path).doing("lock", path)? {
                return Ok(lock);
            }
        }
    }

    /// Takes the lock at `path`, or returns `None` if another thread or process holds it.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn attempt(path: &Path) -> Result<Option<Lock>> {
        loop {
            let file = open(path).doing("open", path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) => return Err(cause).doing("lock", path),
            }
            if let Some(lock) = confirm(file, path).doing("lock", path)? {
                return Ok(Some(lock));
            }
        }
    }

    /// Process that holds the lock at `path`, as far as its file tells.
    pub fn holder(path: &Path) -> Option<u32> {
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is freed: who waits sees that the name is gone and starts again.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// A lock on a file that its holder removed meanwhile protects nothing, hence the second look.
fn confirm(mut file: File, path: &Path) -> io::Result<Option<Lock>> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Some(Lock {
        path: path.to_owned(),
        _file: file,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _lock = Lock::wait(&path).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(!path.exists());
    }

    #[test]
    fn an_attempt_does_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::attempt(&path).unwrap();
        assert!(held.is_some());
        assert!(Lock::attempt(&path).unwrap().is_none());
        assert_eq!(Lock::holder(&path), Some(std::process::id()));
        drop(held);
        assert!(Lock::attempt(&path).unwrap().is_some());
    }
}
