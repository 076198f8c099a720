//! The manifest reference of the book, drawn from the table of keys.
//! Must not know how manifests are read.

use super::key::{Absent, Form, Key, SECTIONS, Section, is_needed, keys_of};

/// What stands above the sections.
const OPENING: &str = "\
# Manifest reference

This page is drawn from the table of keys that finnp itself reads manifests with. `finnp schema` prints the
same table as a JSON Schema, for editors that check and complete.

A project is a folder with a file `accel.toml`, in [TOML](https://toml.io). Paths in it are relative to that
folder. A key or a section that is not listed here is an error, and so is a value of another form: every
mistake is shown at its characters, all mistakes at once.

`--set SECTION.KEY=VALUE` sets a key for one call, whatever the file says; `--set layer.NAME.KEY=VALUE` does it
for the layer of that name. Both may be repeated. A job of a build is keyed by the values that it reads, not by
the text of the file: comments, order and spelling of numbers cost nothing.
";

/// Markdown page about every section and every key of `accel.toml`, ending in a line break.
pub fn reference() -> String {
    let mut page = OPENING.to_owned();
    for section in SECTIONS {
        page += &of_section(section);
    }
    page
}

fn of_section(section: &Section) -> String {
    let need = match (is_needed(section.name), section.list) {
        (true, _) => " Every manifest has this section.",
        (false, true) => " May be left out, and may be repeated.",
        (false, false) => " May be left out.",
    };
    let rows: String = keys_of(section.name).map(row).collect();
    format!(
        "\n## `{}`\n\n{}{need}\n\n| key, with an example | value | if absent | meaning |\n|---|---|---|---|\n{rows}",
        section.header(),
        section.about,
    )
}

fn row(key: &Key) -> String {
    let cells = [
        format!("`{}`", key.line()),
        value(key.form),
        absent(key.absent),
        key.about.to_owned(),
    ];
    format!(
        "| {} |\n",
        cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
    )
}

fn value(form: Form) -> String {
    match form {
        Form::Board => format!("{}, see [Boards](boards.md)", form.expects()),
        _ => form.expects(),
    }
}

fn absent(absent: Absent) -> String {
    match absent {
        Absent::Error => "an error".to_owned(),
        Absent::Open => "open".to_owned(),
        Absent::Text(text) => format!("`\"{text}\"`"),
        Absent::Integer(number) => format!("`{number}`"),
        Absent::Flag(flag) => format!("`{flag}`"),
        Absent::OfBoard => "the board's".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::key::KEYS;

    #[test]
    fn every_key_has_its_row_below_its_section() {
        let page = reference();
        for key in KEYS {
            let section = SECTIONS.iter().find(|section| section.name == key.section);
            let header = section.map(|section| format!("\n## `{}`\n", section.header()));
            let below = header.and_then(|header| page.split_once(&header).map(|(_, below)| below));
            let own = below.and_then(|below| below.split("\n## ").next());
            let row = format!("\n| `{} = ", key.name);
            assert!(own.is_some_and(|own| own.contains(&row)), "{}", key.name);
        }
    }

    #[test]
    fn bars_do_not_end_a_cell() {
        let key = Key {
            about: "One | two.",
            ..KEYS[0]
        };
        assert!(row(&key).ends_with(" | One \\| two. |\n"));
    }
}
