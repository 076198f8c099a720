//! Tables of labels: files in CSV format with a line of headings.
//! Must not know what the labels stand for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::error::{Error, Result, nearest};
use crate::manifest::Manifest;

/// Most bytes of a table.
const MOST_BYTES: u64 = 1 << 28;

/// A row of a table of labels.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Line of the file, from 1.
    pub(super) line: u64,
    /// Name of a picture; empty where these were not asked for.
    pub(super) file: String,
    /// The class.
    pub(super) label: i64,
}

/// The rows of the table at `path` by the columns that `[data]` names; `with_files` if those of pictures count.
///
/// # Errors
/// A tool error if it cannot be read; a user error for a column that is missing, at its key in the manifest,
/// for labels that are no integers, and for what is no table.
pub(super) fn rows(path: &Path, with_files: bool, manifest: &Manifest) -> Result<Vec<Row>> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|cause| Error::io("read", path, &cause))?;
    let mut text = Vec::new();
    let taken = file.take(MOST_BYTES + 1).read_to_end(&mut text);
    if taken.map_err(|cause| Error::io("read", path, &cause))? as u64 > MOST_BYTES {
        return Err(Error::user(format!(
            "`{shown}` is larger than 256 MiB, too large for labels"
        )));
    }
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let broken = |cause: csv::Error| {
        Error::user(format!("`{shown}` is no table: {cause}"))
            .help("a table is a text of comma-separated values with a line of headings")
    };
    let headings = reader.headers().map_err(broken)?.clone();
    let data = manifest.data.as_ref();
    let wanted = |name: Option<&String>| name.cloned().unwrap_or_default();
    let column = |key: &str, name: String| {
        let found = headings.iter().position(|heading| heading == name);
        found.ok_or_else(|| missing(&shown, key, &name, &headings, manifest))
    };
    let files = match with_files {
        true => Some(column(
            "file_column",
            wanted(data.map(|data| &data.file_column)),
        )?),
        false => None,
    };
    let labels = column("label_column", wanted(data.map(|data| &data.label_column)))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let label = cell(labels).parse().map_err(|_| {
            let column = &headings[labels];
            Error::user(format!(
                "`{shown}`, line {line}: `{}` in the column `{column}` is no integer",
                cell(labels)
            ))
            .help("classes are integers from 0; `label_column` in `[data]` names their column")
        })?;
        rows.push(Row {
            line,
            file: files.map_or("", cell).to_owned(),
            label,
        });
    }
    Ok(rows)
}

fn missing(
    shown: &str,
    key: &str,
    name: &str,
    headings: &StringRecord,
    manifest: &Manifest,
) -> Error {
    let list: Vec<String> = headings
        .iter()
        .map(|heading| format!("`{heading}`"))
        .collect();
    let error = Error::user(format!("`{shown}` has no column `{name}`"));
    let place = manifest.place(&format!("data.{key}"));
    let has = format!(
        "its columns are {}; `{key}` in `[data]` names the one that is meant",
        list.join(", ")
    );
    let help = match nearest(name, headings.iter()) {
        Some(near) => format!("did you mean `{near}`? {has}"),
        None => has,
    };
    error.at(place.label("no such column")).help(help)
}
