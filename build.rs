//! Names the version of finnp's own sources, for the keys of jobs that compute.
//! Must not depend on time, place or the order in which a folder is listed.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

/// Everything that can change what finnp computes.
const SOURCES: [&str; 5] = [
    "src",
    "cache/src",
    "cache/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let mut hash = Sha256::new();
    for source in SOURCES {
        announce(&format!("rerun-if-changed={source}"));
        for entry in WalkDir::new(root.join(source)).sort_by_file_name() {
            // A published package lacks the folders that are packages of their own.
            let Ok(entry) = entry else { continue };
            if entry.file_type().is_file() {
                add(&mut hash, &root, entry.path())?;
            }
        }
    }
    let text: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    announce(&format!("rustc-env=FINNP_SOURCE_HASH={text}"));
    Ok(())
}

fn add(hash: &mut Sha256, root: &Path, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let name = path
        .strip_prefix(root)?
        .to_string_lossy()
        .replace('\\', "/");
    let bytes = fs::read(path)?;
    // With both lengths, no two sets of files give one stream of bytes.
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name.as_bytes());
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(&bytes);
    Ok(())
}

/// The one way in which a build script speaks to Cargo.
#[allow(clippy::print_stdout)]
fn announce(words: &str) {
    println!("cargo::{words}");
}
