//! A blob: the name under which some bytes are stored, and hashing while copying.
//! Must not know where blobs are kept.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// Names some bytes by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes there are.
    pub size: u64,
}

impl Blob {
    /// The blob that holds `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Blob {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// Copies all of `from` to `to` and returns what was copied.
///
/// # Errors
/// Those of `from` and `to`.
pub fn copy_hashed(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Blob> {
    let mut buffer = vec![0; 256 * 1024];
    let mut hash = Sha256::new();
    let mut size = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hash.update(&buffer[..count]);
                to.write_all(&buffer[..count])?;
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Blob {
        digest: Digest::finish(hash),
        size,
    })
}
