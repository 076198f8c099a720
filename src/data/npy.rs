//! One array in NumPy's npy format, versions 1 to 3.
//! Must not know archives.

use std::io::Read;
use std::ops::Range;

use super::array::{Array, Values};
use super::exact;
use crate::error::{Error, Result};

/// First bytes of an npy file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; NumPy's own have some hundred bytes.
const LONGEST_HEADER: u32 = 1 << 16;

/// Most bytes of elements that are read.
const LARGEST: usize = 1 << 33;

/// What a header says.
#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// An array as it is stored, row-major, whose elements are decoded only when they are needed.
pub(super) struct Stored {
    descr: String,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Stored {
    /// Length of each axis.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Bytes that differ wherever arrays differ.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let mut bytes = format!("{} {:?}\n", self.descr, self.shape).into_bytes();
        bytes.extend(&self.data);
        bytes
    }

    /// The whole array.
    ///
    /// # Errors
    /// A user error for integers that do not fit an `i64`.
    pub(super) fn array(&self) -> Result<Array> {
        Ok(Array {
            shape: self.shape.clone(),
            values: elements_of(&self.descr, &self.data)?,
        })
    }

    /// The part of the array where the index of the first axis lies in `rows`, which is within its length.
    ///
    /// # Errors
    /// As [`Stored::array`]; a bug if there are no such rows.
    pub(super) fn rows(&self, rows: Range<usize>) -> Result<Array> {
        let row = self
            .shape
            .first()
            .and_then(|&length| self.data.len().checked_div(length))
            .unwrap_or(0);
        let data = self.data.get(rows.start * row..rows.end * row);
        let data = data.ok_or_else(|| Error::bug(format!("an array has no rows {rows:?}")))?;
        let mut shape = self.shape.clone();
        if let Some(length) = shape.first_mut() {
            *length = rows.len();
        }
        Ok(Array {
            shape,
            values: elements_of(&self.descr, data)?,
        })
    }
}

/// Reads an array. Memory is bounded by what `reader` really holds, not by what the header claims.
///
/// # Errors
/// A user error for other formats, element types that are no numbers, and files cut short.
pub(super) fn read(mut reader: impl Read) -> Result<Stored> {
    let header = header(&mut reader)?;
    let size = size_of(&header.descr)?;
    let elements = header
        .shape
        .iter()
        .try_fold(1usize, |count, &length| count.checked_mul(length));
    let bytes = elements.and_then(|count| count.checked_mul(size));
    let Some(bytes) = bytes.filter(|bytes| *bytes <= LARGEST) else {
        return Err(Error::user(format!(
            "its shape {:?} is too large",
            header.shape
        )));
    };
    let mut data = exact::read(reader, bytes, &header.shape)?;
    if header.fortran && header.shape.len() > 1 {
        data = to_row_major(&data, size, &header.shape);
    }
    Ok(Stored {
        descr: header.descr,
        shape: header.shape,
        data,
    })
}

/// Writes an array: int64 or float64, little-endian, row-major, version 1.
pub(super) fn write(array: &Array) -> Vec<u8> {
    let (descr, data): (&str, Vec<u8>) = match &array.values {
        Values::Integer(values) => ("<i8", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Values::Real(values) => ("<f8", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
    };
    let lengths: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let comma = if lengths.len() == 1 { "," } else { "" };
    let mut text = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma}), }}",
        lengths.join(", ")
    );
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(reader: &mut impl Read) -> Result<Header> {
    let short = |_| Error::user("it is cut short in its header");
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(short)?;
    if !start.starts_with(MAGIC) {
        return Err(Error::user("it is not in npy format"));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length).map_err(short)?;
            u32::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            reader.read_exact(&mut length).map_err(short)?;
            u32::from_le_bytes(length)
        }
        version => {
            return Err(Error::user(format!("npy version {version} is unknown")));
        }
    };
    if length > LONGEST_HEADER {
        return Err(Error::user(format!(
            "its header claims to be {length} bytes long"
        )));
    }
    let mut text = vec![0; length as usize];
    reader.read_exact(&mut text).map_err(short)?;
    let text = String::from_utf8_lossy(&text);
    parse(&text).ok_or_else(|| {
        Error::user(format!("its header cannot be read: `{}`", text.trim()))
            .help("arrays of plain numbers are read, not of records or objects")
    })
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order.
fn parse(text: &str) -> Option<Header> {
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        rest.trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    let order = after("fortran_order")?;
    let fortran = order.starts_with("True");
    if !fortran && !order.starts_with("False") {
        return None;
    }
    let shape = after("shape")?
        .strip_prefix('(')?
        .split_once(')')?
        .0
        .split(',')
        .map(str::trim)
        .filter(|length| !length.is_empty())
        .map(|length| length.parse().ok())
        .collect::<Option<Vec<usize>>>()?;
    Some(Header {
        descr: descr.to_owned(),
        fortran,
        shape,
    })
}

/// Bytes of one element.
fn size_of(descr: &str) -> Result<usize> {
    match descr.get(1..) {
        Some("b1" | "i1" | "u1") => Ok(1),
        Some("i2" | "u2" | "f2") => Ok(2),
        Some("i4" | "u4" | "f4") => Ok(4),
        Some("i8" | "u8" | "f8") => Ok(8),
        _ => Err(
            Error::user(format!("its element type `{descr}` is not supported")).help(
                "bool, integers of 8 to 64 bits and floats of 16, 32 and 64 bits are: convert it with `.astype`",
            ),
        ),
    }
}

fn elements_of(descr: &str, data: &[u8]) -> Result<Values> {
    let big = descr.starts_with('>');
    let integers = |decode: fn(u64) -> i64| Ok(Values::Integer(decoded(data, descr, big, decode)));
    let reals = |decode: fn(u64) -> f64| Ok(Values::Real(decoded(data, descr, big, decode)));
    match descr.get(1..) {
        Some("b1") => integers(|bits| i64::from(bits != 0)),
        Some("i1") => integers(|bits| i64::from(bits as i8)),
        Some("i2") => integers(|bits| i64::from(bits as i16)),
        Some("i4") => integers(|bits| i64::from(bits as i32)),
        Some("u1" | "u2" | "u4" | "i8") => integers(|bits| bits as i64),
        Some("u8") => match decoded(data, descr, big, |bits| bits).iter().max() {
            Some(most) if i64::try_from(*most).is_err() => {
                Err(Error::user(format!("it holds {most}, which is too large")))
            }
            _ => integers(|bits| bits as i64),
        },
        Some("f2") => reals(|bits| half(bits as u16)),
        Some("f4") => reals(|bits| f64::from(f32::from_bits(bits as u32))),
        _ => reals(f64::from_bits),
    }
}

/// Every element's bits, widened, through `decode`.
fn decoded<T>(data: &[u8], descr: &str, big: bool, decode: fn(u64) -> T) -> Vec<T> {
    let size = size_of(descr).unwrap_or(1);
    let elements = data.chunks_exact(size).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(chunk);
        if big {
            bytes[..size].reverse();
        }
        decode(u64::from_le_bytes(bytes))
    });
    elements.collect()
}

/// IEEE half precision, exactly.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Elements of `size` bytes with the first axis fastest, reordered so that the last one is.
fn to_row_major(data: &[u8], size: usize, shape: &[usize]) -> Vec<u8> {
    let mut index = vec![0; shape.len()];
    let mut steps = vec![1; shape.len()];
    for axis in 1..shape.len() {
        steps[axis] = steps[axis - 1] * shape[axis - 1];
    }
    let mut ordered = Vec::with_capacity(data.len());
    for _ in 0..data.len() / size {
        let position: usize = index.iter().zip(&steps).map(|(i, step)| i * step).sum();
        ordered.extend(&data[position * size..(position + 1) * size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn whole(bytes: &[u8]) -> Result<Array> {
        read(bytes)?.array()
    }

    fn array(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Result<Array> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        whole(&file(&header, data))
    }

    #[test]
    fn all_types_are_read() {
        let integers = |descr, data: &[u8], expected: i64| {
            let read = array(descr, "False", "(1,)", data).expect("reads");
            assert_eq!(read.values, Values::Integer(vec![expected]), "{descr}");
        };
        integers("|b1", &[1], 1);
        integers("|i1", &[0xff], -1);
        integers("|u1", &[0xff], 255);
        integers("<i2", &[0xfe, 0xff], -2);
        integers(">i2", &[0xff, 0xfe], -2);
        integers("<u4", &[0xff; 4], (1 << 32) - 1);
        integers("<i8", &[0xff; 8], -1);
        assert!(array("<u8", "False", "(1,)", &[0xff; 8]).is_err());
        let reals = |descr, data: &[u8], expected: f64| {
            let read = array(descr, "False", "()", data).expect("reads");
            assert_eq!(read.values, Values::Real(vec![expected]), "{descr}");
        };
        reals("<f2", &0x3555u16.to_le_bytes(), 0.333_251_953_125);
        reals("<f2", &0x8001u16.to_le_bytes(), -2f64.powi(-24));
        reals("<f4", &0.1f32.to_le_bytes(), f64::from(0.1f32));
        reals(">f8", &0.1f64.to_be_bytes(), 0.1);
    }

    #[test]
    fn the_first_axis_fastest_becomes_the_last() {
        let read = array("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 5]).expect("reads");
        assert_eq!(read.values, Values::Integer(vec![0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn rows_are_decoded_alone() {
        for (fortran, data) in [("False", [0, 1, 2, 3, 4, 5]), ("True", [0, 2, 4, 1, 3, 5])] {
            let header = format!("{{'descr': '|u1', 'fortran_order': {fortran}, 'shape': (3, 2)}}");
            let stored = read(&*file(&header, &data)).expect("reads");
            let rows = stored.rows(1..3).expect("there");
            assert_eq!(rows.shape, [2, 2]);
            assert_eq!(rows.values, Values::Integer(vec![2, 3, 4, 5]));
            assert!(stored.rows(1..4).is_err());
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        for bad in [
            array("|O", "False", "(1,)", &[0]),
            array("<c8", "False", "(1,)", &[0; 8]),
            array("é", "False", "(1,)", &[0; 8]),
            array("|u1", "False", "(2,)", &[0]),
            array("|u1", "False", "(1,)", &[0, 0]),
            array("|u1", "Maybe", "(1,)", &[0]),
            array("|u1", "False", "(-1,)", &[0]),
            array("<f8", "False", "(99999999999, 99999999999)", &[0]),
            array("<f8", "False", "(999999999,)", &[0]),
            whole(&file(&"(".repeat(60_000), &[])),
            whole(&b"PK"[..]),
            whole(&b"\x93NUMPY\x02\x00\xff\xff\xff\xff"[..]),
            whole(&b"\x93NUMPY\x09\x00\x01\x00"[..]),
        ] {
            assert_eq!(bad.expect_err("refused").kind(), crate::error::Kind::User);
        }
        let empty = array("|u1", "False", "(0, 4)", &[]).expect("reads");
        assert!(empty.is_empty());
    }

    #[test]
    fn what_is_written_is_read() {
        for (shape, values) in [
            (vec![2, 2], Values::Integer(vec![1, -1, i64::MIN, 7])),
            (vec![3], Values::Real(vec![0.1, -0.0, f64::MAX])),
            (vec![], Values::Integer(vec![3])),
        ] {
            let array = Array { shape, values };
            let bytes = write(&array);
            assert_eq!(
                (bytes.len() - 8 * array.len()) % 64,
                0,
                "the data are aligned"
            );
            assert_eq!(whole(&bytes).expect("reads"), array);
        }
    }
}
