//! Models and data that lie beside the repository, and copies of folders.
//! Must not know what they are used for.

use std::fs;
use std::path::{Path, PathBuf};

use finnp::data::Arrays;

/// A file of the folder `shared` beside the repository; `None`, said aloud, where the folder is missing.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !folder.is_dir() {
        eprintln!(
            "SKIPPED: {} is missing, which this test needs for {file}",
            folder.display()
        );
        return None;
    }
    Some(folder.join(file))
}

/// The arrays of a file of that folder.
pub(crate) fn arrays(file: &str) -> Option<Arrays> {
    shared(file).map(|path| Arrays::open(&path).unwrap())
}

/// Copies what a folder holds, with all folders inside it, to another.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
