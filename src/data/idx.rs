//! Files in IDX format, the one of MNIST, plain or gzipped: images and labels.
//! Must not know what is done with them.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::exact;
use crate::error::{Error, Result};

/// First bytes of a gzip file.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Most bytes of elements that are read.
const LARGEST: usize = 1 << 31;
/// Longest side of an image.
const LONGEST_SIDE: usize = 16_384;

/// Names and sizes of the element types, by their numbers in the format.
const TYPES: &[(u8, &str, usize)] = &[
    (0x08, "uint8", 1),
    (0x09, "int8", 1),
    (0x0b, "int16", 2),
    (0x0c, "int32", 4),
    (0x0d, "float32", 4),
    (0x0e, "float64", 8),
];

/// An array of an IDX file. The number of bytes fits the shape.
struct Idx {
    kind: &'static str,
    shape: Vec<usize>,
    /// Elements in big-endian order of bytes, last axis fastest.
    data: Vec<u8>,
}

/// Images of brightness alone, all of one size.
#[derive(Debug)]
pub(super) struct Images {
    /// How many, their height and their width.
    pub(super) shape: [usize; 3],
    /// Pixels, row by row.
    pub(super) pixels: Vec<u8>,
}

/// Whether a file that begins with these bytes is in IDX format, as far as that tells; gzip files count.
pub(super) fn is_idx(start: &[u8]) -> bool {
    let known = |kind: &u8| TYPES.iter().any(|(number, ..)| number == kind);
    start.starts_with(GZIP) || matches!(start, [0, 0, kind, axes, ..] if known(kind) && *axes > 0)
}

/// Reads images.
///
/// # Errors
/// A tool error if the file cannot be read, a user error if it holds something else or is damaged.
pub(super) fn images(path: &Path) -> Result<Images> {
    let idx = open(path)?;
    match (idx.kind, &idx.shape[..]) {
        ("uint8", &[count, height, width]) if height.max(width) <= LONGEST_SIDE => Ok(Images {
            shape: [count, height, width],
            pixels: idx.data,
        }),
        (kind, shape) => Err(Error::user(format!(
            "`{}` holds {kind} of the shape {shape:?}, which are no images",
            path.display()
        ))
        .help("images in IDX format are uint8 of the shape [n, height, width]")),
    }
}

/// Reads labels.
///
/// # Errors
/// As [`images`].
pub(super) fn labels(path: &Path) -> Result<Vec<i64>> {
    let idx = open(path)?;
    let decode: fn(&[u8]) -> i64 = match (idx.kind, idx.shape.len()) {
        ("uint8", 1) => |bytes| integer(bytes, false),
        ("int8" | "int16" | "int32", 1) => |bytes| integer(bytes, true),
        (kind, _) => {
            return Err(Error::user(format!(
                "`{}` holds {kind} of the shape {:?}, which are no labels",
                path.display(),
                idx.shape
            ))
            .help("labels in IDX format are integers of the shape [n]"));
        }
    };
    Ok(idx.data.chunks_exact(size(idx.kind)).map(decode).collect())
}

fn integer(bytes: &[u8], signed: bool) -> i64 {
    let first = match (bytes.first(), signed) {
        (Some(&first), true) => i64::from(first as i8),
        (Some(&first), false) => i64::from(first),
        (None, _) => 0,
    };
    let rest = bytes.iter().skip(1);
    rest.fold(first, |value, byte| value << 8 | i64::from(*byte))
}

fn size(kind: &str) -> usize {
    let found = TYPES.iter().find(|(_, name, _)| *name == kind);
    found.map_or(1, |(.., size)| *size)
}

fn open(path: &Path) -> Result<Idx> {
    let failed = |cause| Error::io("read", path, &cause);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut start = Vec::new();
    file.by_ref()
        .take(GZIP.len() as u64)
        .read_to_end(&mut start)
        .map_err(failed)?;
    let zipped = start == GZIP;
    let whole = Cursor::new(start).chain(file);
    let read = match zipped {
        true => read(MultiGzDecoder::new(whole)),
        false => read(whole),
    };
    read.map_err(|error| error.within(format!("`{}`", path.display())))
}

/// Memory is bounded by what `reader` really holds, not by what the header claims.
fn read(mut reader: impl Read) -> Result<Idx> {
    let short = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::user("it is cut short in its header"),
        _ => Error::user(format!("it is damaged: {cause}")),
    };
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(short)?;
    let [0, 0, kind, axes] = magic else {
        return Err(Error::user("it is not in IDX format"));
    };
    let found = TYPES.iter().find(|(number, ..)| *number == kind);
    let Some((_, kind, size)) = found else {
        let what = format!("its element type {kind:#04x} is none of IDX format");
        return Err(Error::user(what));
    };
    let mut shape = Vec::new();
    for _ in 0..axes {
        let mut length = [0; 4];
        reader.read_exact(&mut length).map_err(short)?;
        shape.push(u32::from_be_bytes(length) as usize);
    }
    let bytes = shape
        .iter()
        .try_fold(*size, |bytes, &length| bytes.checked_mul(length));
    let Some(bytes) = bytes.filter(|bytes| *bytes <= LARGEST) else {
        return Err(Error::user(format!("its shape {shape:?} is too large")));
    };
    let data = exact::read(reader, bytes, &shape)?;
    Ok(Idx { kind, shape, data })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    fn file(kind: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn on_disk(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn images_and_labels_are_read_plain_and_zipped() {
        let bytes = file(8, &[2, 1, 3], &[0, 1, 2, 253, 254, 255]);
        for bytes in [bytes.clone(), zipped(&bytes)] {
            assert!(is_idx(&bytes));
            let images = images(on_disk(&bytes).path()).unwrap();
            assert_eq!(images.shape, [2, 1, 3]);
            assert_eq!(images.pixels, [0, 1, 2, 253, 254, 255]);
        }
        let cases: [(u8, &[u8], i64); 4] = [
            (8, &[255], 255),
            (9, &[255], -1),
            (11, &[1, 2], 258),
            (12, &[255, 255, 255, 254], -2),
        ];
        for (kind, data, label) in cases {
            let bytes = file(kind, &[1], data);
            assert_eq!(labels(on_disk(&bytes).path()).unwrap(), [label]);
            assert_eq!(labels(on_disk(&zipped(&bytes)).path()).unwrap(), [label]);
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        let whole = file(8, &[2, 2, 2], &[7; 8]);
        let many = u32::MAX;
        let mut cases = vec![
            file(8, &[2, 2, 2], &[7; 7]),
            file(8, &[2, 2, 2], &[7; 9]),
            file(8, &[many, many, many], &[]),
            file(8, &[30_000, 200, 200], &[1; 100]),
            file(8, &[1, 1, 20_000], &[0; 20_000]),
            file(0x77, &[1], &[0]),
            file(13, &[1, 1, 1], &[0; 4]),
            file(8, &[255; 255], &[0]),
            b"hello, world".to_vec(),
            zipped(b"hello, world"),
            zipped(&file(8, &[2, 2, 2], &[7; 9])),
        ];
        cases.extend((0..whole.len()).map(|length| whole[..length].to_vec()));
        let whole = zipped(&whole);
        cases.extend((0..whole.len() - 8).map(|length| whole[..length].to_vec()));
        for bytes in cases {
            let file = on_disk(&bytes);
            for error in [images(file.path()).err(), labels(file.path()).err()] {
                let error = error.unwrap();
                assert_eq!(error.kind(), crate::error::Kind::User, "{error}");
                let name = file.path().display().to_string();
                assert!(error.message().contains(&name), "{error}");
            }
        }
    }
}
