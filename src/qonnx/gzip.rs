//! Models that are gzipped, as large ones are published: unpacked within a bound.
//! Must not know what is inside.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// First bytes of a gzip file.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Most bytes of an unpacked model: a small file can claim any number of them.
const MOST: u64 = 1 << 28;

/// The model itself, whether `bytes` are gzipped or not.
///
/// # Errors
/// A user error for damaged gzip files, and for those that hold too much.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !bytes.starts_with(&MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes)
        .take(MOST + 1)
        .read_to_end(&mut unpacked);
    match read {
        Ok(count) if count as u64 <= MOST => Ok(Cow::Owned(unpacked)),
        Ok(_) => Err(Error::user(format!(
            "the gzipped model file is too large: it holds more than {MOST} bytes"
        ))
        .help("unpack it first (`gunzip`) and name the unpacked file")),
        Err(cause) => Err(
            Error::user(format!("the model file is gzipped and damaged: {cause}"))
                .help("download or export it again"),
        ),
    }
}
