//! The problems of a manifest: their words, and their order in the file.
//! Must not know how they are found.

use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;

use super::key::{Form, KEYS, Key, SECTIONS, Section};
use crate::error::{Error, Place, Result, nearest};

/// Problems printed at most: a file that is no manifest at all has one in every line.
const MOST: usize = 20;

/// A text that values come from: the file is number 0, the settings of the command line follow.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) order: usize,
    pub(super) source: Arc<NamedSource<String>>,
}

impl Text {
    pub(super) fn new(order: usize, name: &str, text: String) -> Self {
        let source = Arc::new(NamedSource::new(name, text));
        Text { order, source }
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place::new(&self.source, span.clone())
    }
}

/// Characters of a text.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) text: Text,
    pub(super) span: Range<usize>,
}

impl Spot {
    pub(super) fn place(&self) -> Place {
        self.text.place(&self.span)
    }
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<((usize, usize), Error)>);

impl Problems {
    /// Notes `error` at `spot`, with `label` under the characters.
    pub(super) fn add(&mut self, spot: &Spot, label: &str, error: Error) {
        let error = error.at(spot.place().label(label));
        self.0.push(((spot.text.order, spot.span.start), error));
    }

    /// Drops the problems of the file that start within one of `spans`.
    pub(super) fn forget(&mut self, spans: &[Range<usize>]) {
        self.0.retain(|((order, start), _)| {
            *order > 0 || !spans.iter().any(|span| span.contains(start))
        });
    }

    /// Takes over all of `other`.
    pub(super) fn append(&mut self, other: Problems) {
        self.0.extend(other.0);
    }

    /// All problems as one error, in the order of the file; `Ok` if there are none.
    pub(super) fn finish(mut self, name: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(order, _)| *order);
        let count = self.0.len();
        let of_file = self.0.iter().filter(|((text, _), _)| *text == 0).count();
        let place = match count - of_file {
            0 => format!("`{name}` has"),
            of_settings if of_settings == count => "the settings have".to_owned(),
            _ => format!("`{name}` and the settings have"),
        };
        let shown = if count > MOST {
            format!(", of which the first {MOST} are shown")
        } else {
            String::new()
        };
        let errors = self.0.into_iter().map(|(_, error)| error).take(MOST);
        let summary = format!("{place} {count} problems{shown}");
        Err(Error::many(summary, errors.collect()))
    }
}

pub(super) fn syntax(message: &str, spot: &Spot) -> (&'static str, Error) {
    let place = spot.place();
    if message == "duplicate key" {
        let error = Error::user(format!("`{}` is given twice", place.text()))
            .help("keep one of the two and remove the other");
        return ("already given above", error);
    }
    if message.starts_with("string values must be quoted") {
        return match place.text() {
            "" => (
                "expected a value",
                Error::user("a key has no value")
                    .help("write a value after `=`, or remove the line"),
            ),
            word => (
                "not quoted",
                Error::user(format!("`{word}` is no TOML value"))
                    .help(format!("text stands in quotes: `\"{word}\"`")),
            ),
        };
    }
    let error = Error::user(format!("invalid TOML: {message}"));
    (
        "here",
        error.help("see https://toml.io for the way a TOML file is written"),
    )
}

/// A key before the first header. A word that is no key is taken for a section.
pub(super) fn outside(name: &str) -> Error {
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) => {
            Error::user(format!("`{name}` stands outside of every section")).help(belongs(key))
        }
        None => unknown_section(name),
    }
}

pub(super) fn unknown_section(name: &str) -> Error {
    let error = Error::user(format!("unknown section `{name}`"));
    let names = SECTIONS.iter().map(|section| section.name);
    if let Some(near) = nearest(name, names) {
        return error.help(format!("did you mean `{near}`?"));
    }
    let headers: Vec<String> = SECTIONS
        .iter()
        .map(|section| format!("`{}`", section.header()))
        .collect();
    error.help(format!(
        "a manifest has the sections {}",
        headers.join(", ")
    ))
}

pub(super) fn unknown_key(section: &Section, name: &str) -> Error {
    let error = Error::user(format!("unknown key `{name}` in `{}`", section.header()));
    let names: Vec<&str> = super::key::keys_of(section.name)
        .map(|key| key.name)
        .collect();
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return error.help(belongs(key));
    }
    if let Some(near) = nearest(name, names.iter().copied()) {
        return error.help(format!("did you mean `{near}`?"));
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    error.help(format!("`{}` takes {}", section.header(), names.join(", ")))
}

fn belongs(key: &Key) -> String {
    let header = super::key::section(key.section).map(Section::header);
    format!(
        "`{}` belongs under `{}`",
        key.name,
        header.unwrap_or_default()
    )
}

pub(super) fn missing_section(section: &Section, key: &Key) -> Error {
    Error::user(format!("section `{}` is missing", section.header())).help(format!(
        "add `{}` with the line `{}`",
        section.header(),
        key.line()
    ))
}

pub(super) fn missing_key(section: &Section, key: &Key) -> Error {
    Error::user(format!(
        "`{}` lacks the key `{}`",
        section.header(),
        key.name
    ))
    .help(format!("add the line `{}`", key.line()))
}

pub(super) fn wrong_shape(section: &Section, is: &str) -> Error {
    let should = if section.list {
        "a list of tables"
    } else {
        "one table"
    };
    Error::user(format!(
        "`{}` must be {should}, not {}",
        section.name,
        noun(is)
    ))
    .help(format!("write `{}` and its keys below", section.header()))
}

pub(super) fn wrong_type(key: &Key, is: &str) -> Error {
    let (name, expects) = (key.name, key.form.expects());
    Error::user(format!("`{name}` must be {expects}, not {is}"))
        .help(format!("write for example `{}`", key.line()))
}

pub(super) fn out_of_range(key: &Key, given: &str) -> Error {
    let error = Error::user(format!("`{}` is out of range: {given}", key.name));
    error.help(format!("`{}` must be {}", key.name, key.form.expects()))
}

pub(super) fn not_one_of(key: &Key, given: &str, words: &[&str]) -> Error {
    let error = Error::user(format!("unknown {} `{given}`", noun_of(key)));
    let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let known = format!("finnp knows {}", list.join(", "));
    match nearest(given, words.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`? {known}")),
        None => error.help(known),
    }
}

fn noun_of(key: &Key) -> String {
    match key.form {
        Form::Board | Form::DataType => {
            format!("{} {}", key.section, key.name).replace("target ", "")
        }
        _ => key.name.to_owned(),
    }
}

/// The name of a TOML type with its article.
pub(super) fn noun(type_name: &str) -> String {
    match type_name {
        "array" | "integer" => format!("an {type_name}"),
        "float" => "a number with a fraction".to_owned(),
        "datetime" => "a date".to_owned(),
        _ => format!("a {type_name}"),
    }
}
