//! What can go wrong in the store: always the machine, never the contents.
//! Damaged contents are no error: they are put aside and count as missing.
//! Must not know what the bytes mean.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Result of anything in the store.
pub type Result<T> = std::result::Result<T, Error>;

/// An operation on the file system failed.
#[derive(Debug)]
pub struct Error {
    /// What was attempted: a verb that stands before the path.
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why it failed.
    pub cause: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error {
            action,
            path,
            cause,
        } = self;
        write!(f, "cannot {action} `{}`: {cause}", path.display())
    }
}

impl std::error::Error for Error {}

/// Puts the words around an error of the file system.
pub(crate) trait Doing<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|cause| Error {
            action,
            path: path.to_owned(),
            cause,
        })
    }
}
