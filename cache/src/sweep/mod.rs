//! What is done to a store as a whole: checking every byte and making room.
//! Must not know which builds use it.

mod gc;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

pub use gc::{Collected, collect};
pub use verify::Verified;

use crate::digest::Digest;
use crate::error::{Doing, Result};

/// Files of a folder of shards with the digest that is their name, in order; others are skipped.
fn named_files(root: &Path) -> Result<Vec<(Digest, PathBuf)>> {
    let mut found = Vec::new();
    for shard in fs::read_dir(root).doing("read", root)? {
        let shard = shard.doing("read", root)?.path();
        if !shard.is_dir() {
            continue;
        }
        for file in fs::read_dir(&shard).doing("read", &shard)? {
            let path = file.doing("read", &shard)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Ok(digest) = name.parse() {
                found.push((digest, path));
            }
        }
    }
    found.sort();
    Ok(found)
}
