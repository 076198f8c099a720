//! Nothing is unregistered: every file is declared, and every table names exactly the files of its folder.
//! Must not know what the entries are.

use std::collections::BTreeSet;

use super::none;
use super::source::{ALL, Kind, Source, files};

/// A folder whose members stand in one table.
struct Table {
    folder: &'static str,
    /// The words that begin it.
    name: [&'static str; 2],
    /// What only the file of a member holds, with `$` for the name of the file.
    marks: &'static [&'static str],
    /// What stands before the name by which users call a member; empty where that is not the file's.
    calls: &'static [&'static str],
}

const TABLES: [Table; 6] = [
    Table {
        folder: "src/layer",
        name: ["const", "LAYERS"],
        marks: &["impl", "Hardware", "for"],
        calls: &["fn", "kind"],
    },
    Table {
        folder: "src/pass",
        name: ["const", "PASSES"],
        marks: &["pub", "fn", "$", "("],
        calls: &[],
    },
    Table {
        folder: "src/backend",
        name: ["const", "BACKENDS"],
        marks: &[],
        calls: &[],
    },
    Table {
        folder: "src/tool",
        name: ["const", "TOOLS"],
        marks: &[":", "Tool", "="],
        calls: &[],
    },
    Table {
        folder: "src/stage",
        name: ["const", "STAGES"],
        marks: &["impl", "Stage", "for"],
        calls: &["fn", "name"],
    },
    Table {
        folder: "src/cli",
        name: ["enum", "Command"],
        marks: &["derive", "(", "clap", "::", "Args", ")"],
        calls: &[],
    },
];

/// Files of modules that are direct children of the folder.
fn children(folder: &str) -> impl Iterator<Item = &'static Source> {
    ALL.iter().filter(move |source| {
        let inside = source
            .path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'));
        inside.is_some_and(|inside| {
            let parts: Vec<&str> = inside.split('/').collect();
            matches!(parts[..], [file] if file != "mod.rs") || matches!(parts[..], [_, "mod.rs"])
        })
    })
}

fn named(path: &str) -> Option<&'static Source> {
    ALL.iter().find(|source| source.path == path)
}

/// Names of files in the value of a constant or the body of an enum: strings, and modules of paths.
fn entries(source: &Source, name: [&str; 2]) -> Option<BTreeSet<String>> {
    let start = *source.find(&name).first()?;
    let mut at = start + 2;
    while !matches!(source.tokens.get(at)?.text.as_str(), "=" | "{") {
        at = source.close(at) + 1;
    }
    let open = source.tokens[at..]
        .iter()
        .position(|token| matches!(token.text.as_str(), "[" | "{"))?;
    let value = &source.tokens[at + open..source.close(at + open)];
    let text = value.iter().filter(|token| token.kind == Kind::Text);
    let paths = value.windows(2).filter(|pair| pair[1].text == "::");
    let names = text.chain(paths.map(|pair| &pair[0]));
    Some(names.map(|token| token.text.clone()).collect())
}

/// The string that a file returns where `words` stand.
fn call<'a>(source: &'a Source, words: &[&str]) -> Option<&'a str> {
    let start = *source.find(words).first()?;
    let mut after = source.tokens[start..].iter();
    after
        .find(|token| token.kind == Kind::Text)
        .map(|token| token.text.as_str())
}

fn check(table: &Table) -> Vec<String> {
    if children(table.folder).next().is_none() {
        return Vec::new();
    }
    let path = format!("{}/mod.rs", table.folder);
    let [_, name] = table.name;
    let Some(list) = named(&path).and_then(|source| entries(source, table.name)) else {
        return vec![format!("{path}: has no `{name}`")];
    };
    let mut problems = Vec::new();
    let mut members = BTreeSet::new();
    for source in children(table.folder) {
        let stem = source.stem();
        let marks: Vec<&str> = table
            .marks
            .iter()
            .map(|mark| if *mark == "$" { stem } else { mark })
            .collect();
        if !marks.is_empty() && source.find(&marks).is_empty() {
            continue;
        }
        members.insert(stem.to_owned());
        if !list.contains(stem) {
            problems.push(format!("{}: is not in `{name}`", source.path));
        }
        let called = call(source, table.calls);
        if !table.calls.is_empty() && called != Some(stem) {
            problems.push(format!("{}: calls itself {called:?}", source.path));
        }
    }
    let lost = list.difference(&members);
    problems.extend(lost.map(|name| format!("{path}: `{name}` has no file")));
    problems
}

#[test]
fn tables_name_their_files() {
    none(TABLES.iter().flat_map(check).collect());
}

#[test]
fn backends_know_every_layer() {
    let layers = named("src/layer/mod.rs")
        .and_then(|source| entries(source, ["const", "LAYERS"]))
        .unwrap();
    let emits = |source: &&Source| !source.find(&["fn", "unit", "("]).is_empty();
    let emitters: BTreeSet<String> = children("src/backend/hls")
        .filter(emits)
        .map(|source| source.stem().to_owned())
        .collect();
    assert_eq!(emitters, layers);
}

#[test]
fn every_module_is_declared() {
    let declared: BTreeSet<String> = (ALL.iter())
        .flat_map(|source| source.declared().into_iter().map(|(path, _)| path))
        .collect();
    let is_root = |path: &str| {
        path == "build.rs" || matches!(path.rsplit('/').next(), Some("lib.rs" | "main.rs"))
    };
    let mut problems = Vec::new();
    for source in &*ALL {
        let module = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        if !is_root(&source.path) && !declared.contains(module) {
            problems.push(format!("{}: no `mod` declares it", source.path));
        }
        let detours = source.find(&["#", "[", "path"]);
        problems.extend(
            detours.iter().map(|at| {
                source.at(source.tokens[*at].line) + "names equal files, so no `#[path]`"
            }),
        );
    }
    none(problems);
}

/// Boards, hardware libraries: whatever is no Rust is in a table as `("name", include_str!("file"))`.
#[test]
fn every_other_file_is_in_a_table() {
    let mut included = BTreeSet::new();
    let mut problems = Vec::new();
    for source in &*ALL {
        for at in source.find(&["include_str", "!", "("]) {
            let (folder, _) = source.path.rsplit_once('/').unwrap_or_default();
            let file = format!("{folder}/{}", source.tokens[at + 3].text);
            let key = at.checked_sub(2).map(|key| &source.tokens[key]);
            if let Some(key) =
                key.filter(|key| key.kind == Kind::Text && source.path.starts_with("src/"))
            {
                let stem = file.rsplit_once('.').map_or(&*file, |(stem, _)| stem);
                let ends = |path: &str| path.ends_with(&format!("/{}", key.text));
                if !ends(&file) && !ends(stem) {
                    problems.push(format!(
                        "{}`{}` is another name than that of {file}",
                        source.at(key.line),
                        key.text
                    ));
                }
            }
            included.insert(file);
        }
    }
    let others = files("src").into_iter().chain(files("cache/src"));
    let others = others.filter(|path| !path.ends_with(".rs") && !included.contains(path));
    problems.extend(others.map(|path| format!("{path}: is in no table")));
    none(problems);
}

#[test]
fn entries_are_strings_and_modules() {
    let text = "const A: &[&str] = &[\"a\", \"b\"]; const B: [&dyn C; 2] = [&d::D, &e::E]; enum F { G(g::G) }";
    let source = Source::new("src/a.rs", text);
    let names =
        |name| entries(&source, name).map(|names| names.into_iter().collect::<Vec<_>>().join(" "));
    assert_eq!(names(["const", "A"]).as_deref(), Some("a b"));
    assert_eq!(names(["const", "B"]).as_deref(), Some("d e"));
    assert_eq!(names(["enum", "F"]).as_deref(), Some("g"));
    assert_eq!(names(["const", "C"]), None);
}
