//! A training that was stopped, as bytes: a line of JSON, then lists of numbers.
//! Must not know what the numbers are.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Begins the bytes; another form gets another number.
const MARK: &[u8] = b"finnp-train-1\n";

/// The bytes of a header and of lists.
pub(super) fn save<H: Serialize>(header: &H, lists: &[&[f32]]) -> Result<Vec<u8>> {
    let header = serde_json::to_vec(header)
        .map_err(|error| Error::bug(format!("a training has no JSON: {error}")))?;
    let mut bytes = MARK.to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for list in lists {
        bytes.extend((list.len() as u64).to_le_bytes());
        list.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    }
    Ok(bytes)
}

fn broken() -> Error {
    Error::bug("what was kept of a training does not belong to it")
}

/// What [`save`] wrote: the header, and lists as long as those that are given, which get its numbers once
/// `fits` agrees.
///
/// # Errors
/// A bug for other bytes.
pub(super) fn load<H: DeserializeOwned>(
    bytes: &[u8],
    fits: impl FnOnce(&H) -> bool,
    lists: &mut [&mut Vec<f32>],
) -> Result<H> {
    let mut rest = bytes.strip_prefix(MARK).ok_or_else(broken)?;
    let length = number(&mut rest)?;
    let header = taken(&mut rest, length)?;
    let header: H = serde_json::from_slice(header).map_err(|_| broken())?;
    if !fits(&header) {
        return Err(broken());
    }
    for list in lists {
        if number(&mut rest)? != list.len() {
            return Err(broken());
        }
        let bytes = taken(&mut rest, list.len() * 4)?;
        for (x, bytes) in list.iter_mut().zip(bytes.chunks_exact(4)) {
            *x = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    match rest.is_empty() {
        true => Ok(header),
        false => Err(broken()),
    }
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length).ok_or_else(broken)?;
    *rest = left;
    Ok(taken)
}

fn number(rest: &mut &[u8]) -> Result<usize> {
    let bytes = taken(rest, 8)?.try_into().map_err(|_| broken())?;
    usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_nothing_else() {
        let lists = [vec![1.0, -0.5], vec![], vec![f32::MIN_POSITIVE]];
        let slices: Vec<&[f32]> = lists.iter().map(Vec::as_slice).collect();
        let bytes = save(&7, &slices).expect("has JSON");
        let load = |bytes: &[u8], wanted: u32| {
            let mut found = [vec![0.0; 2], vec![], vec![0.0]];
            let mut lists: Vec<&mut Vec<f32>> = found.iter_mut().collect();
            load(bytes, |header: &u32| *header == wanted, &mut lists).map(|_| found)
        };
        assert_eq!(load(&bytes, 7).expect("fits"), lists);
        assert!(load(&bytes, 8).is_err());
        assert!(load(&bytes[..bytes.len() - 1], 7).is_err());
        assert!(load(&[&bytes[..], &[0]].concat(), 7).is_err());
        assert!(load(b"finnp", 7).is_err());
    }
}
