//! From the folder of a project to the text of its manifest.
//! Must not know what the text means.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::problem::Text;
use crate::error::{Error, Result};

/// Name of the manifest in its folder.
pub const FILE_NAME: &str = "accel.toml";

/// A manifest has a few hundred bytes: what is larger is another file under that name.
const MOST_BYTES: u64 = 1 << 20;

/// The manifest's path as it is shown to the user.
pub(super) fn shown(dir: &Path) -> String {
    if dir.as_os_str().is_empty() || dir == Path::new(".") {
        FILE_NAME.to_owned()
    } else {
        dir.join(FILE_NAME).display().to_string()
    }
}

/// The text of the manifest in `dir`.
pub(super) fn read(dir: &Path) -> Result<String> {
    let path = dir.join(FILE_NAME);
    let name = shown(dir);
    let facts = fs::metadata(&path).map_err(|cause| absent(dir, &path, &cause))?;
    if facts.is_dir() {
        return Err(Error::user(format!("`{name}` is a folder, not a file"))
            .help("rename the folder and put the manifest in its place"));
    }
    if !facts.is_file() {
        return Err(Error::user(format!("`{name}` is not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|cause| Error::io("read", &path, &cause))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::user(format!("`{name}` is larger than 1 MiB"))
            .help("a manifest is a short text: this is another file under its name"));
    }
    decode(bytes, &name)
}

fn absent(dir: &Path, path: &Path, cause: &std::io::Error) -> Error {
    let missing = matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    if !missing {
        return Error::io("read", path, cause);
    }
    let shown = dir.display();
    if dir.as_os_str().is_empty() || dir.is_dir() {
        let place = if dir.as_os_str().is_empty() || dir == Path::new(".") {
            "this folder".to_owned()
        } else {
            format!("`{shown}`")
        };
        Error::user(format!("there is no `{FILE_NAME}` in {place}"))
            .help("make a project with `finnp new NAME`, or name the folder of one with `-C DIR`")
    } else if dir.exists() {
        Error::user(format!("`{shown}` is not a folder"))
            .help(format!("`-C` takes the folder that holds `{FILE_NAME}`"))
    } else {
        Error::user(format!("there is no folder `{shown}`"))
            .help("make a project with `finnp new NAME`, or name the folder of one with `-C DIR`")
    }
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<String> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let valid = bytes.utf8_error().valid_up_to();
    let bytes = bytes.as_bytes();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::user(format!("`{name}` is UTF-16 text"))
            .help("save it as UTF-8: TOML files are UTF-8"));
    }
    // Up to the fault the repaired text has the same bytes, so the place is right.
    let text = Text::new(0, name, String::from_utf8_lossy(bytes).into_owned());
    let end = valid + char::REPLACEMENT_CHARACTER.len_utf8();
    Err(Error::user(format!("`{name}` is not UTF-8 text"))
        .at(text
            .place(&(valid..end))
            .label("the first byte that is not"))
        .help("save it as UTF-8: TOML files are UTF-8"))
}

/// The text that is read: without byte order mark, lines ended by `\n` alone.
pub(super) fn normal(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n")
}
