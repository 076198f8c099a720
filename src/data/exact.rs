//! Elements of an array behind its header: as many bytes as the header claims, no more and no fewer.
//! Must not know formats.

use std::io::Read;

use crate::error::{Error, Result};

/// Reads them. Memory is bounded by what `reader` really holds.
///
/// # Errors
/// A user error for other numbers of bytes, or where the bytes cannot be read.
pub(super) fn read(reader: impl Read, bytes: usize, shape: &[usize]) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    reader
        .take(bytes as u64 + 1)
        .read_to_end(&mut data)
        .map_err(|cause| Error::user(format!("it is damaged: {cause}")))?;
    if data.len() == bytes {
        return Ok(data);
    }
    let found = if data.len() > bytes { "more" } else { "fewer" };
    Err(Error::user(format!(
        "its header claims {bytes} bytes of shape {shape:?}, and there are {found}"
    ))
    .help("the file is cut short or damaged: write or fetch it again"))
}
