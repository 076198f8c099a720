//! Archives of arrays: npz files, or one npy file as an archive of one.
//! Must not know what the arrays are for.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::array::Array;
use super::npy::{self, Stored};
use crate::error::{Error, Result, nearest};

/// Names under which the samples are looked for.
pub const INPUT_NAMES: &[&str] = &["x", "input"];

/// Names under which the expected classes are looked for.
pub const LABEL_NAMES: &[&str] = &["y", "label"];

/// Whether a zip archive holds arrays; false for what is no archive.
pub(super) fn is_npz(path: &Path) -> bool {
    let archive = File::open(path).map(|file| ZipArchive::new(BufReader::new(file)));
    let is_array = |name: &str| name.ends_with(".npy");
    matches!(archive, Ok(Ok(archive)) if archive.file_names().any(is_array))
}

/// Arrays by name.
pub struct Arrays {
    file: String,
    content: Content,
}

enum Content {
    /// An npy file: its one array goes by any name.
    Single(Vec<u8>),
    Archive(Box<ZipArchive<Cursor<Vec<u8>>>>),
}

impl Arrays {
    /// Opens an `.npz` or `.npy` file, told apart by its contents.
    ///
    /// # Errors
    /// A tool error if the file cannot be read, a user error if it is something else.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|cause| Error::io("read", path, &cause))?;
        Arrays::from_bytes(&path.display().to_string(), bytes)
    }

    /// The same from bytes; `file` is the name that messages show.
    ///
    /// # Errors
    /// A user error if the bytes are neither npz nor npy.
    pub fn from_bytes(file: &str, bytes: Vec<u8>) -> Result<Self> {
        let content = if bytes.starts_with(npy::MAGIC) {
            Content::Single(bytes)
        } else {
            let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| {
                Error::user(format!(
                    "`{file}` is neither an npz nor an npy file: {cause}"
                ))
                .help("write it with `numpy.savez(file, x=inputs, y=labels)`")
            })?;
            Content::Archive(Box::new(archive))
        };
        Ok(Arrays {
            file: file.to_owned(),
            content,
        })
    }

    /// Names of the arrays, sorted; none for an npy file.
    pub fn names(&self) -> Vec<String> {
        let Content::Archive(archive) = &self.content else {
            return Vec::new();
        };
        let mut names: Vec<String> = archive
            .file_names()
            .map(|name| name.strip_suffix(".npy").unwrap_or(name).to_owned())
            .collect();
        names.sort();
        names
    }

    /// The array `name`; `None` if there is none.
    ///
    /// # Errors
    /// A user error if it is no array of numbers.
    pub fn find(&mut self, name: &str) -> Result<Option<Array>> {
        let within = format!("array `{name}` of `{}`", self.file);
        match self.stored(name)?.map(|stored| stored.array()) {
            Some(array) => array.map(Some).map_err(|error| error.within(within)),
            None => Ok(None),
        }
    }

    /// The array `name` with its elements not decoded yet; `None` if there is none.
    ///
    /// # Errors
    /// A user error if it is no array of numbers.
    pub(super) fn stored(&mut self, name: &str) -> Result<Option<Stored>> {
        let damaged = |cause: ZipError| Error::user(format!("`{}` is damaged: {cause}", self.file));
        let array = match &mut self.content {
            Content::Single(bytes) => npy::read(&**bytes),
            Content::Archive(archive) => {
                let exact = archive.index_for_name(name);
                let Some(index) = exact.or_else(|| archive.index_for_name(&format!("{name}.npy")))
                else {
                    return Ok(None);
                };
                npy::read(archive.by_index(index).map_err(damaged)?.by_ref())
            }
        };
        match array {
            Ok(array) => Ok(Some(array)),
            Err(error) => Err(error.within(format!("array `{name}` of `{}`", self.file))),
        }
    }

    /// The array `name`.
    ///
    /// # Errors
    /// A user error that lists the names if it is missing, or if it is no array of numbers.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        self.first_of(&[name])
    }

    /// The first of `names` that is there.
    ///
    /// # Errors
    /// A user error that lists the names if none is there, or if it is no array of numbers.
    pub fn first_of(&mut self, names: &[&str]) -> Result<Array> {
        for name in names {
            if let Some(array) = self.find(name)? {
                return Ok(array);
            }
        }
        Err(self.lacks(names))
    }

    /// Why none of `names` is there.
    pub(super) fn lacks(&self, names: &[&str]) -> Error {
        let quoted = |names: &[String]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        };
        let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let found = self.names();
        let error = Error::user(match found.is_empty() {
            true => format!("`{}` holds no arrays", self.file),
            false => format!(
                "`{}` has no array {}; it has {}",
                self.file,
                quoted(&wanted),
                quoted(&found)
            ),
        });
        let near = names
            .iter()
            .find_map(|name| nearest(name, found.iter().map(String::as_str)));
        match near {
            Some(near) => error.help(format!("rename `{near}` to `{}`", names[0])),
            None => error.help(format!(
                "write it with `numpy.savez(file, {}=...)`",
                names[0]
            )),
        }
    }

    /// Whether it is an npy file, whose one array goes by any name.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.content, Content::Single(_))
    }

    /// The samples: [`INPUT_NAMES`].
    ///
    /// # Errors
    /// As [`Arrays::first_of`].
    pub fn input(&mut self) -> Result<Array> {
        self.first_of(INPUT_NAMES)
    }

    /// The expected classes, where there are any: [`LABEL_NAMES`]. An npy file has none.
    ///
    /// # Errors
    /// A user error if they are no array of numbers.
    pub fn labels(&mut self) -> Result<Option<Array>> {
        if self.is_single() {
            return Ok(None);
        }
        for name in LABEL_NAMES {
            if let Some(array) = self.find(name)? {
                return Ok(Some(array));
            }
        }
        Ok(None)
    }
}

/// An npz file of the arrays in the order given: int64 or float64 (an f32 could not hold every real
/// output, and could make equals of two classes that differ). Equal arrays give equal bytes.
///
/// # Errors
/// A bug if the archive cannot be written.
pub fn write_npz(arrays: &[(&str, &Array)]) -> Result<Vec<u8>> {
    let broken = |cause: ZipError| Error::bug(format!("arrays cannot be stored: {cause}"));
    // The date is fixed and nothing is compressed, so that bytes depend on the arrays alone.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        archive
            .start_file(format!("{name}.npy"), options)
            .map_err(broken)?;
        archive
            .write_all(&npy::write(array))
            .map_err(|cause| broken(cause.into()))?;
    }
    Ok(archive.finish().map_err(broken)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Values;

    fn numbers(values: &[i64]) -> Array {
        Array {
            shape: vec![values.len()],
            values: Values::Integer(values.to_vec()),
        }
    }

    #[test]
    fn archives_are_read_back_and_reproducible() {
        let (x, y) = (numbers(&[1, 2, 3]), numbers(&[4]));
        let bytes = write_npz(&[("x", &x), ("label", &y)]).expect("writes");
        assert_eq!(
            bytes,
            write_npz(&[("x", &x), ("label", &y)]).expect("writes")
        );
        let mut arrays = Arrays::from_bytes("a.npz", bytes).expect("opens");
        assert_eq!(arrays.names(), ["label", "x"]);
        assert_eq!(arrays.input().expect("reads"), x);
        assert_eq!(arrays.labels().expect("reads"), Some(y));
    }

    #[test]
    fn what_is_missing_is_named() {
        let bytes = write_npz(&[("X", &numbers(&[1])), ("w", &numbers(&[1]))]).expect("writes");
        let mut arrays = Arrays::from_bytes("a.npz", bytes).expect("opens");
        let error = arrays.input().expect_err("refused");
        assert_eq!(
            error.message(),
            "`a.npz` has no array `x`, `input`; it has `X`, `w`"
        );
        assert_eq!(error.remedy(), Some("rename `X` to `x`"));
        assert_eq!(arrays.labels().expect("none"), None);
    }

    #[test]
    fn other_files_are_refused() {
        for bytes in [&b""[..], b"PK\x03\x04", b"hello"] {
            assert!(Arrays::from_bytes("a.npz", bytes.to_vec()).is_err());
        }
        let mut short = write_npz(&[("x", &numbers(&[1; 100]))]).expect("writes");
        let middle = short.len() / 2;
        short.iter_mut().skip(middle).take(40).for_each(|b| *b ^= 1);
        let read = Arrays::from_bytes("a.npz", short).and_then(|mut arrays| arrays.input());
        assert_eq!(read.expect_err("damaged").kind(), crate::error::Kind::User);
    }
}
