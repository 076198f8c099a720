//! Files that commands write where the user wants them.
//! Must not know what they hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::manifest::{FILE_NAME, Manifest};

/// Refuses a file in a folder that is not there.
///
/// # Errors
/// A user error that names the folder.
pub(super) fn check_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(
            Error::user(format!("there is no folder `{}`", folder.display()))
                .help("make it first, or write to another one"),
        ),
    }
}

/// Refuses to write over `input`, a file that is read.
///
/// # Errors
/// A user error that names the file.
pub(super) fn check_other(file: &Path, input: &Path) -> Result<()> {
    let same = match (fs::canonicalize(file), fs::canonicalize(input)) {
        (Ok(file), Ok(input)) => file == input,
        _ => false,
    };
    match same {
        false => Ok(()),
        true => Err(
            Error::user(format!("`{}` is the file that is read", file.display()))
                .help("write to another one with `-o FILE`"),
        ),
    }
}

/// Refuses to write over a file that the project is made of.
///
/// # Errors
/// As [`check_other`].
pub(super) fn check_project(file: &Path, manifest: &Manifest) -> Result<()> {
    let own = manifest.dir.join(FILE_NAME);
    let verify = manifest.verify.as_ref().map(|verify| &verify.inputs);
    let data = manifest.data.iter();
    let data = data.flat_map(|data| std::iter::once(&data.path).chain(&data.labels));
    let read = [&own, &manifest.model.path]
        .into_iter()
        .chain(verify)
        .chain(data);
    read.into_iter()
        .try_for_each(|read| check_other(file, read))
}

/// Writes a file as a whole or not at all, with ordinary permissions. A link's target is replaced, not the
/// link; into what is no file, such as `/dev/null` or a pipe, the bytes are written.
///
/// # Errors
/// A tool error that names the file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = || {
        if fs::metadata(path).is_ok_and(|facts| !facts.is_file()) {
            return fs::write(path, bytes);
        }
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let part = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        fs::write(part.path(), bytes)?;
        part.persist(&target)?;
        Ok(())
    };
    written().map_err(|cause| Error::io("write", path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        write(&at("out.npz"), b"first").expect("new");
        std::os::unix::fs::symlink("out.npz", at("link")).expect("link");
        write(&at("link"), b"second").expect("through the link");
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("out.npz")).expect("file"), b"second");
        std::os::unix::fs::symlink("/dev/null", at("null")).expect("link");
        write(&at("null"), b"third").expect("into the device");
        assert!(at("null").is_symlink());
        write(folder.path(), b"fourth").expect_err("a folder");
    }
}
