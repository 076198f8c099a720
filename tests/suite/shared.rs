//! Models and data that lie beside the repository.
//! Must not know what they are used for.

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
