//! The engine's own files in a project's `build/` folder: its lock and what it remembers.
//! Must not know what they mean.

use std::fs;
use std::path::Path;
use std::time::Duration;

use finnp_cache::Lock;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::event::{Event, Sink};
use crate::error::{Error, Kind, Result};
use crate::tool::Cancel;

/// Files that are in every folder that finnp has filled.
const MARKS: &[&str] = &[
    "artifacts.json",
    ".keys.json",
    ".history.json",
    ".view.json",
    ".files.json",
];
/// The lock.
const LOCK: &str = ".lock";
const POLL: Duration = Duration::from_millis(20);

/// Takes the lock of the project in `dir`: while it is held nobody else changes `build/`. Makes the folder
/// if it is missing. Waits for another holder, which the listener is told, unless `no_wait`.
///
/// # Errors
/// [`Kind::LockHeld`] if `no_wait` and the lock is held, [`Kind::Interrupted`], or those of the file system.
pub fn lock(dir: &Path, no_wait: bool, cancel: &Cancel, sink: Sink) -> Result<Lock> {
    let build = dir.join("build");
    if !is_ours(&build)? {
        return Err(Error::user(format!(
            "`{}` holds files that finnp did not make",
            build.display()
        ))
        .help("finnp shows its results in this folder: move what is there to another place"));
    }
    fs::create_dir_all(&build).map_err(|cause| Error::io("create", &build, &cause))?;
    let path = build.join(LOCK);
    let mut told = false;
    loop {
        if let Some(lock) = Lock::attempt(&path)? {
            return Ok(lock);
        }
        let who = Lock::holder(&path);
        let who = who.map_or_else(String::new, |id| format!(" (process {id})"));
        if no_wait {
            let what = format!("another finnp{who} works on this project");
            return Err(
                Error::new(Kind::LockHeld, what).help("wait for it, or leave out `--no-wait`")
            );
        }
        if !told {
            told = true;
            let what = format!("another finnp{who}, which works on this project");
            sink(Event::Waiting { what });
        }
        cancel.check()?;
        std::thread::sleep(POLL);
    }
}

/// Whether the folder is finnp's to fill and to empty: it is missing, empty, or has one of finnp's own files.
///
/// # Errors
/// Those of the file system; a user error if it is no folder.
pub fn is_ours(folder: &Path) -> Result<bool> {
    if MARKS.iter().any(|mark| folder.join(mark).is_file()) {
        return Ok(true);
    }
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOCK)))
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotADirectory => Err(Error::user(
            format!("`{}` is no folder", folder.display()),
        )
        .help(
            "finnp shows its results in a folder of this name: move what is there to another place",
        )),
        Err(cause) => Err(Error::io("read", folder, &cause)),
    }
}

/// What the file holds; nothing if it cannot be read, since all of it can be found out again.
pub(super) fn load_json<T: DeserializeOwned + Default>(path: &Path) -> T {
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

pub(super) fn save_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::bug(format!("cannot write `{}`: {error}", path.display())))?;
    save(path, &text)
}

/// Replaces a file at once: nobody ever sees half of it.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|cause| Error::io("write", path, &cause))
}
