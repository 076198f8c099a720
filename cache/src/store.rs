//! The folder of blobs: bytes go in under their digest and come out checked.
//! Must not know which action made them.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::blob::{Blob, copy_hashed};
use crate::digest::Digest;
use crate::error::{Doing, Result};
use crate::lock::Lock;
use crate::scratch::{self, Scratch, Session};

/// How much is done so that a commit survives a crash of the machine (not only of the process).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing is flushed. After a crash of the machine some work may be done again; damage is noticed.
    #[default]
    Fast,
    /// Blobs are on the disk before their record is, and the record before the commit returns.
    Safe,
}

/// An open store. While it is open no blob of it is collected.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    session: Mutex<Option<Session>>,
    pub(crate) durability: Durability,
    _in_use: File,
}

/// Folders of the one layout that this code reads and writes; another layout gets another number.
pub(crate) const BUCKET: &str = "v1";
const FOLDERS: [&str; 5] = ["cas", "action", "tmp", "lock", "quarantine"];

impl Store {
    /// Opens the store in `dir`, which is made if missing, and removes what dead processes left there.
    /// Waits while another process collects garbage.
    ///
    /// # Errors
    /// If the folder cannot be made, read or written.
    pub fn open(dir: &Path, durability: Durability) -> Result<Store> {
        let root = make(dir)?;
        let path = root.join("lock/store");
        let in_use = open_lock(&path)?;
        in_use.lock_shared().doing("lock", &path)?;
        scratch::clean(&root.join("tmp"))?;
        Ok(Store {
            root,
            session: Mutex::new(None),
            durability,
            _in_use: in_use,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Stores `bytes`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Blob> {
        let blob = Blob::of(bytes);
        if !self.has(&blob)? {
            let mut file = self.temporary()?;
            file.write_all(bytes).doing("write", file.path())?;
            self.keep(file, &blob)?;
        }
        Ok(blob)
    }

    /// Stores the contents of the file at `path`, hashed while they are copied.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put_file(&self, path: &Path) -> Result<Blob> {
        let mut from = File::open(path).doing("open", path)?;
        let mut file = self.temporary()?;
        let blob = copy_hashed(&mut from, file.as_file_mut()).doing("copy", path)?;
        if !self.has(&blob)? {
            self.keep(file, &blob)?;
        }
        Ok(blob)
    }

    /// The bytes of `blob`; `None` if they are missing or damaged. Damaged ones are put aside.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(&self, blob: &Blob) -> Result<Option<Vec<u8>>> {
        let path = self.blob_path(&blob.digest);
        let Some(mut file) = open_existing(&path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or(0));
        file.read_to_end(&mut bytes).doing("read", &path)?;
        if Blob::of(&bytes) != *blob {
            self.quarantine(&path)?;
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// Writes `blob` to the file `to` with the permission bits `mode`, replacing what is there at once.
    /// `false` if the blob is missing or damaged; then `to` is left alone.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn materialize(&self, blob: &Blob, to: &Path, mode: u32) -> Result<bool> {
        let path = self.blob_path(&blob.digest);
        let Some(mut from) = open_existing(&path)? else {
            return Ok(false);
        };
        let part = part_of(to);
        let _ = fs::remove_file(&part);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&part)
            .doing("create", &part)?;
        let copied = copy_hashed(&mut from, &mut file).doing("write", &part)?;
        if copied != *blob {
            let _ = fs::remove_file(&part);
            self.quarantine(&path)?;
            return Ok(false);
        }
        fs::rename(&part, to).doing("write", to)?;
        Ok(true)
    }

    /// Whether `blob` is there, judged by its size alone.
    ///
    /// # Errors
    /// Those of the file system. A blob of the wrong size is put aside.
    pub fn has(&self, blob: &Blob) -> Result<bool> {
        let path = self.blob_path(&blob.digest);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() && found.len() == blob.size => Ok(true),
            Ok(_) => self.quarantine(&path).map(|()| false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).doing("look at", &path),
        }
    }

    /// The lock of an action: who holds it may run the action. Waits.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lock_action(&self, action: &Digest) -> Result<Lock> {
        Lock::wait(&self.lock_path(action))
    }

    /// Like [`Store::lock_action`], but `None` instead of waiting.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn try_lock_action(&self, action: &Digest) -> Result<Option<Lock>> {
        Lock::attempt(&self.lock_path(action))
    }

    /// A file that an action may leave bytes in for its next attempt, whoever holds its lock. Nothing else is promised
    /// about it: it may be gone.
    pub fn aside(&self, action: &Digest) -> PathBuf {
        self.root.join("aside").join(action.to_string())
    }

    /// Process that holds the lock of `action`, as far as is known.
    pub fn action_holder(&self, action: &Digest) -> Option<u32> {
        Lock::holder(&self.lock_path(action))
    }

    /// A new empty folder, removed when dropped or, if this process dies, when a store is next opened.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn scratch(&self) -> Result<Scratch> {
        scratch::folder(&self.session_dir()?)
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        sharded(&self.root.join("cas"), digest)
    }

    fn lock_path(&self, action: &Digest) -> PathBuf {
        self.root.join("lock").join(action.to_string())
    }

    pub(crate) fn session_dir(&self) -> Result<PathBuf> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &*session {
            return Ok(session.dir().to_owned());
        }
        let started = Session::start(&self.root.join("tmp"))?;
        let dir = started.dir().to_owned();
        *session = Some(started);
        Ok(dir)
    }

    pub(crate) fn temporary(&self) -> Result<NamedTempFile> {
        let dir = self.session_dir()?;
        NamedTempFile::new_in(&dir).doing("create a file in", &dir)
    }

    fn keep(&self, file: NamedTempFile, blob: &Blob) -> Result<()> {
        persist(file, &self.blob_path(&blob.digest))
    }

    /// Puts a damaged file aside, where it can be examined and no longer does harm.
    pub(crate) fn quarantine(&self, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default();
        match fs::rename(path, self.root.join("quarantine").join(name)) {
            // Another thread was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.doing("put aside", path),
        }
    }
}

/// Makes the folders of the bucket in `dir` and returns the bucket.
pub(crate) fn make(dir: &Path) -> Result<PathBuf> {
    let root = dir.join(BUCKET);
    for folder in FOLDERS {
        let path = root.join(folder);
        if !path.is_dir() {
            fs::create_dir_all(&path).doing("create", &path)?;
        }
    }
    Ok(root)
}

pub(crate) fn open_lock(path: &Path) -> Result<File> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .doing("open", path)
}

pub(crate) fn open_existing(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing("open", path),
    }
}

/// `root/ab/abcd...`: no folder grows too long to list.
pub(crate) fn sharded(root: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    root.join(&name[..2]).join(&name)
}

/// Moves a finished temporary file to its place, read-only.
pub(crate) fn persist(file: NamedTempFile, to: &Path) -> Result<()> {
    file.as_file()
        .set_permissions(Permissions::from_mode(0o444))
        .doing("protect", file.path())?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).doing("create", parent)?;
    }
    file.persist(to)
        .map_err(|error| error.error)
        .doing("write", to)?;
    Ok(())
}

/// Name of the unfinished file beside `to`: always the same, so that a crash leaves at most one.
fn part_of(to: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(".part");
    to.with_file_name(name)
}

#[cfg(test)]
mod test;
