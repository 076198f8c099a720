//! Walks the TOML tree along the table of keys, and gathers values, places and problems.
//! Must not know what values mean together; `build` does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::key::{self, Absent, Key, SECTIONS, Section};
use super::problem::{self, Problems, Spot, Text};
use super::value::{self, Given, Value};
use crate::error::nearest;

/// A value that was given, unchecked.
pub(super) struct Entry {
    pub(super) key: &'static Key,
    /// Which table of the list, for a section that is one.
    pub(super) at: Option<usize>,
    pub(super) value: Given,
    pub(super) spot: Spot,
}

/// All that was given, by the file and by the settings.
pub(super) struct Draft {
    pub(super) entries: BTreeMap<Path3, Entry>,
    /// Where sections stand.
    pub(super) headers: BTreeMap<(&'static str, Option<usize>), Spot>,
    /// Tables in the list of layers so far.
    pub(super) layers: usize,
    /// Whether the file stops making sense somewhere, so that nothing may be called missing.
    pub(super) broken: bool,
    /// What misspelt names were probably meant to be: to call that missing would be to say it twice.
    pub(super) misspelt: BTreeSet<Path3>,
}

/// Path of a value: section, table of the list, key.
pub(super) type Path3 = (&'static str, Option<usize>, &'static str);

/// Values that passed, with their places.
pub(super) type Values = BTreeMap<Path3, (Value, Spot)>;

impl Draft {
    /// Enters a value in the place of an earlier one.
    pub(super) fn put(&mut self, entry: Entry) {
        let path = (entry.key.section, entry.at, entry.key.name);
        self.entries.insert(path, entry);
    }

    /// Notes where a section stands, unless it is known.
    pub(super) fn head(&mut self, section: &'static str, at: Option<usize>, spot: Spot) {
        self.headers.entry((section, at)).or_insert(spot);
    }

    /// Whether a misspelt name probably stands for this one; the key is empty for a section.
    pub(super) fn meant(
        &self,
        section: &'static str,
        at: Option<usize>,
        key: &'static str,
    ) -> bool {
        self.misspelt.contains(&(section, at, key))
    }

    pub(super) fn header(&self, section: &'static str, at: Option<usize>) -> Option<&Spot> {
        self.headers.get(&(section, at))
    }
}

/// What the file gives.
pub(super) fn gather(text: &Text, problems: &mut Problems) -> Draft {
    let source = text.source.inner();
    let (tree, errors) = DeTable::parse_recoverable(source);
    let mut draft = Draft {
        entries: BTreeMap::new(),
        headers: BTreeMap::new(),
        layers: 0,
        broken: false,
        misspelt: BTreeSet::new(),
    };
    let mut found = Problems::default();
    for (name, value) in tree.get_ref() {
        top(
            text,
            name.get_ref(),
            &name.span(),
            value.get_ref(),
            value.span(),
            &mut draft,
            &mut found,
        );
    }
    let mut lines = Vec::new();
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        if error.message() != "duplicate key" {
            draft.broken = true;
            lines.push(line_of(source, &span));
        }
        let spot = Spot {
            text: text.clone(),
            span,
        };
        let (label, error) = problem::syntax(error.message(), &spot);
        problems.add(&spot, label, error);
    }
    // What the parser made of a line that it could not read is no mistake of the user.
    found.forget(&lines);
    draft.entries.retain(|_, entry| {
        !lines
            .iter()
            .any(|line| line.contains(&entry.spot.span.start))
    });
    problems.append(found);
    draft
}

fn line_of(source: &str, span: &Range<usize>) -> Range<usize> {
    let from = source
        .get(..span.start)
        .and_then(|text| text.rfind('\n'))
        .map_or(0, |at| at + 1);
    let end = source.get(span.start..).and_then(|text| text.find('\n'));
    from..end.map_or(source.len(), |at| span.start + at) + 1
}

fn top(
    text: &Text,
    name: &str,
    name_span: &Range<usize>,
    value: &DeValue<'_>,
    span: Range<usize>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let spot = |span: Range<usize>| Spot {
        text: text.clone(),
        span,
    };
    let Some(section) = key::section(name) else {
        let names = SECTIONS.iter().map(|section| section.name);
        draft
            .misspelt
            .extend(nearest(name, names).map(|meant| (meant, None, "")));
        let (label, error) = match value {
            DeValue::Table(_) | DeValue::Array(_) => {
                ("not a known section", problem::unknown_section(name))
            }
            _ => ("not within a section", problem::outside(name)),
        };
        return problems.add(&spot(name_span.clone()), label, error);
    };
    match value {
        DeValue::Table(table) if !section.list => {
            draft.head(section.name, None, spot(span));
            keys(text, section, None, table, draft, problems);
        }
        DeValue::Array(list) if section.list => {
            for item in list.iter() {
                let DeValue::Table(table) = item.get_ref() else {
                    let error = problem::wrong_shape(section, item.get_ref().type_str());
                    problems.add(&spot(item.span()), "not a table", error);
                    continue;
                };
                let at = Some(draft.layers);
                draft.layers += 1;
                draft.head(section.name, at, spot(item.span()));
                keys(text, section, at, table, draft, problems);
            }
        }
        other => {
            // What is said about a section of the wrong shape would only repeat this.
            draft.head(section.name, None, spot(span.clone()));
            draft.broken = true;
            let error = problem::wrong_shape(section, other.type_str());
            problems.add(&spot(span), "wrong shape", error);
        }
    }
}

fn keys(
    text: &Text,
    section: &'static Section,
    at: Option<usize>,
    table: &DeTable<'_>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    for (name, value) in table {
        let Some(key) = key::key(section.name, name.get_ref()) else {
            let spot = Spot {
                text: text.clone(),
                span: name.span(),
            };
            let names = key::keys_of(section.name).map(|key| key.name);
            let meant = nearest(name.get_ref(), names);
            draft
                .misspelt
                .extend(meant.map(|meant| (section.name, at, meant)));
            problems.add(
                &spot,
                "not a known key",
                problem::unknown_key(section, name.get_ref()),
            );
            continue;
        };
        draft.put(Entry {
            key,
            at,
            value: Given::of(value.get_ref()),
            spot: Spot {
                text: text.clone(),
                span: value.span(),
            },
        });
    }
}

/// The values of the draft that their keys take.
pub(super) fn check(draft: &Draft, dir: &Path, problems: &mut Problems) -> Values {
    let mut values = Values::new();
    for (path, entry) in &draft.entries {
        match value::check(entry.key, &entry.value, dir) {
            Ok(value) => {
                values.insert(*path, (value, entry.spot.clone()));
            }
            Err((label, error)) => problems.add(&entry.spot, label, error),
        }
    }
    values
}

/// Reports sections and keys that must be there and are not.
pub(super) fn require(draft: &Draft, start: &Spot, problems: &mut Problems) {
    if draft.broken {
        return;
    }
    for section in SECTIONS {
        let tables: Vec<Option<usize>> = if section.list {
            (0..draft.layers).map(Some).collect()
        } else {
            vec![None]
        };
        for at in tables {
            require_in(section, at, draft, start, problems);
        }
    }
}

fn require_in(
    section: &Section,
    at: Option<usize>,
    draft: &Draft,
    start: &Spot,
    problems: &mut Problems,
) {
    let header = draft.header(section.name, at);
    for key in key::keys_of(section.name).filter(|key| key.absent == Absent::Error) {
        let given = draft.entries.contains_key(&(section.name, at, key.name));
        match header {
            _ if given || draft.meant(section.name, at, key.name) => {}
            Some(spot) => {
                let label = "the key is missing here";
                problems.add(spot, label, problem::missing_key(section, key));
            }
            None if key::is_needed(section.name) && !draft.meant(section.name, None, "") => {
                problems.add(start, "", problem::missing_section(section, key));
            }
            None => {}
        }
    }
}
