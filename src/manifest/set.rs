//! Settings of the command line, `section.key=value`, that take the place of values of the file.
//! Must not know whether the values are right.

use toml::de::DeValue;

use super::key::{self, Key};
use super::problem::{self, Problems, Spot, Text};
use super::read::{Draft, Entry};
use super::value::Given;
use crate::error::Error;

/// What stands before a setting on the command line, and in diagnostics.
const OPTION: &str = "--set ";

/// Enters the settings into the draft, in their order.
pub(super) fn apply(settings: &[String], draft: &mut Draft, problems: &mut Problems) {
    for (index, setting) in settings.iter().enumerate() {
        let text = Text::new(index + 1, "command line", format!("{OPTION}{setting}"));
        if let Err((spot, label, error)) = enter(setting, &text, draft) {
            problems.add(&spot, label, error);
        }
    }
}

type Refusal = (Spot, &'static str, Error);

fn enter(setting: &str, text: &Text, draft: &mut Draft) -> Result<(), Refusal> {
    let spot = |from: usize, to: usize| Spot {
        text: text.clone(),
        span: OPTION.len() + from..OPTION.len() + to,
    };
    let Some((path, given)) = setting.split_once('=') else {
        let error = Error::user(format!("the setting `{setting}` has no value"))
            .help("write it as `--set section.key=value`, such as `--set target.fps=1000`");
        return Err((spot(0, setting.len()), "no `=` in it", error));
    };
    let path_end = path.trim_end().len();
    let (key, middle) = key_of(path.trim(), &spot(0, path_end))?;
    let from = path.len() + 1 + (given.len() - given.trim_start().len());
    let value = Spot {
        text: text.clone(),
        span: OPTION.len() + from..OPTION.len() + from + given.trim().len(),
    };
    let at = match middle {
        Some(pattern) => Some(layer_of(&pattern, &spot(0, path_end), draft)),
        None => {
            draft.head(key.section, None, spot(0, path_end));
            None
        }
    };
    draft.put(Entry {
        key,
        at,
        value: parse(given.trim(), key),
        spot: value,
    });
    Ok(())
}

/// The key that a path names, and the layers' pattern in it.
fn key_of(path: &str, spot: &Spot) -> Result<(&'static Key, Option<String>), Refusal> {
    let Some((section_name, rest)) = path.split_once('.') else {
        let error = problem_of_path(path);
        return Err((spot.clone(), "not `section.key`", error));
    };
    let Some(section) = key::section(section_name) else {
        return Err((
            spot.clone(),
            "not a section",
            problem::unknown_section(section_name),
        ));
    };
    let (middle, name) = match rest.rsplit_once('.') {
        Some((middle, name)) if section.list => (Some(unquoted(middle)), name),
        _ => (None, rest),
    };
    let Some(key) = key::key(section_name, name) else {
        return Err((
            spot.clone(),
            "not a known key",
            problem::unknown_key(section, name),
        ));
    };
    if section.list && (middle.is_none() || key.name == "match") {
        let error = Error::user(format!("the setting `{path}` names no layer"))
            .help("put the layer's name in the middle: `--set layer.fc1.pe=8`");
        return Err((spot.clone(), "which layer?", error));
    }
    Ok((key, middle))
}

fn problem_of_path(path: &str) -> Error {
    let error = Error::user(format!("the setting `{path}` names no section"));
    match key::KEYS
        .iter()
        .find(|key| key.name == path && key.section != "layer")
    {
        Some(key) => error.help(format!("write `--set {}.{path}=...`", key.section)),
        None => {
            error.help("write it as `--set section.key=value`, such as `--set target.fps=1000`")
        }
    }
}

/// The index of the command line's own entry for that pattern. It comes after those of the file, so it counts.
fn layer_of(pattern: &str, spot: &Spot, draft: &mut Draft) -> usize {
    let same = draft.entries.values().find(|entry| {
        let text = matches!(&entry.value, Given::Text(text) if text == pattern);
        entry.key.name == "match" && entry.spot.text.order > 0 && text
    });
    if let Some(at) = same.and_then(|entry| entry.at) {
        return at;
    }
    let at = draft.layers;
    draft.layers += 1;
    draft.head("layer", Some(at), spot.clone());
    if let Some(key) = key::key("layer", "match") {
        draft.put(Entry {
            key,
            at: Some(at),
            value: Given::Text(pattern.to_owned()),
            spot: spot.clone(),
        });
    }
    at
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text).to_owned()
}

/// A TOML value, or the bare words as text. Keys that take text get it as it stands,
/// because shells take the quotes away from `--set project.name="2024"`.
fn parse(given: &str, key: &Key) -> Given {
    let bare = || Given::Text(given.to_owned());
    match DeValue::parse(given) {
        Ok(value) if value.get_ref().is_str() || !key.form.is_text() => Given::of(value.get_ref()),
        _ => bare(),
    }
}
