//! What no file may say, and what the manifests must say.
//! Must not know Rust.

use std::fs;
use std::process::Command;

use super::source::{ALL, Kind};
use super::{none, root};

/// Marks of unfinished work, as they are written.
const LEFTOVERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("dbg", "!"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];
/// Words and paths of a workplace, in lower case.
const WORKPLACE: [&str; 11] = [
    concat!("clau", "de"),
    concat!("llm ", "agent"),
    concat!("ai ", "agent"),
    concat!("sub", "agent"),
    concat!("this ", "session"),
    concat!("steering", " repo"),
    concat!("before", "-stop"),
    concat!("/work", "/"),
    concat!("/farm", "/"),
    concat!("/tmp", "/w/"),
    concat!("bash", "_jobs"),
];

/// Files that git knows or would take, text only.
fn tracked() -> Vec<(String, String)> {
    let list = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output();
    let Some(list) = list.ok().filter(|list| list.status.success()) else {
        assert!(!root().join(".git").exists(), "git does not list the files");
        return Vec::new();
    };
    let names = String::from_utf8(list.stdout).unwrap();
    let names = names
        .split('\0')
        .filter(|name| !name.is_empty() && *name != "Cargo.lock");
    let read = names.filter_map(|name| {
        let text = fs::read_to_string(root().join(name)).ok()?;
        (!text.contains('\0')).then(|| (name.to_owned(), text))
    });
    read.collect()
}

/// Whether `line` holds `word` and no letter or digit touches it.
fn says(line: &str, word: &str) -> bool {
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].ends_with(is_word);
        let after = word.ends_with(is_word) && line[at + word.len()..].starts_with(is_word);
        !before && !after
    })
}

fn words(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let left = LEFTOVERS.iter().filter(|word| says(line, word));
        let place = WORKPLACE.iter().filter(|word| says(&lower, word));
        problems.extend(
            left.chain(place)
                .map(|word| format!("{name}:{}: `{word}`", number + 1)),
        );
    }
    problems
}

/// Lines of the tables of dependencies: number, kind of table, name, whole line.
fn dependencies(text: &str) -> Vec<(usize, &str, &str, &str)> {
    let mut table = "";
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            table = header.split(']').next().unwrap_or("");
        } else if table.ends_with("dependencies")
            && !line.trim().is_empty()
            && !line.starts_with('#')
        {
            let name = line.split(['=', '.']).next().unwrap_or("").trim();
            found.push((number + 1, table, name, line));
        }
    }
    found
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Whether a Rust file below `folder` names the crate; product code only, unless it is for tests.
fn uses(folder: &str, name: &str, tests: bool) -> bool {
    let name = name.replace('-', "_");
    let sources = ALL.iter().filter(|source| source.path.starts_with(folder));
    let mut tokens = sources.flat_map(|source| &source.tokens);
    tokens.any(|token| token.kind == Kind::Word && token.text == name && (tests || !token.test))
}

#[test]
fn no_leftovers_and_no_workplace() {
    let problems = tracked()
        .iter()
        .flat_map(|(name, text)| words(name, text))
        .collect();
    none(problems);
}

#[test]
fn every_dependency_has_a_reason() {
    let workspace = read("Cargo.toml");
    let shared: Vec<&str> = dependencies(&workspace)
        .into_iter()
        .filter(|(_, table, ..)| *table == "workspace.dependencies")
        .map(|(_, _, name, _)| name)
        .collect();
    let mut problems = Vec::new();
    for file in ["Cargo.toml", "cache/Cargo.toml"] {
        let text = read(file);
        for (number, _, name, line) in dependencies(&text) {
            let inherits = line.contains(".workspace = true") && shared.contains(&name);
            if !inherits && !line.contains(" # ") {
                problems.push(format!(
                    "{file}:{number}: `{name}` has no comment that says why"
                ));
            }
        }
    }
    none(problems);
}

#[test]
fn every_dependency_is_used() {
    let (workspace, cache) = (read("Cargo.toml"), read("cache/Cargo.toml"));
    let mut problems = Vec::new();
    for (file, text, folder) in [
        ("Cargo.toml", &workspace, "src/"),
        ("cache/Cargo.toml", &cache, "cache/src/"),
    ] {
        for (number, table, name, _) in dependencies(text) {
            let used = match table {
                "workspace.dependencies" => [&workspace, &cache].iter().any(|text| {
                    let mut lines = dependencies(text).into_iter();
                    lines.any(|(_, table, other, _)| {
                        other == name && !table.starts_with("workspace")
                    })
                }),
                "build-dependencies" => uses("build.rs", name, false),
                "dev-dependencies" => uses(folder, name, true) || uses("tests/", name, true),
                _ => uses(folder, name, false),
            };
            if !used {
                problems.push(format!("{file}:{number}: nothing uses `{name}`"));
            }
        }
    }
    none(problems);
}

#[test]
fn the_rules_find_what_they_forbid() {
    assert_eq!(
        words("a", &format!("// {} b\nmastodont todo", LEFTOVERS[0])).len(),
        1
    );
    assert_eq!(
        words("a", &format!("x = {}({}(y))", LEFTOVERS[3], LEFTOVERS[4])).len(),
        2
    );
    assert_eq!(words("a", &WORKPLACE[0].to_uppercase()).len(), 1);
    assert_eq!(words("a", &format!("cd {}main", WORKPLACE[7])).len(), 1);
    assert_eq!(words("a", "network/graph.json, todo = \"warn\"").len(), 0);
    let text = "[dependencies]\n# why\na-b.workspace = true\n[build-dependencies]\nc = \"1\"";
    let names: Vec<_> = dependencies(text)
        .into_iter()
        .map(|(at, table, name, _)| (at, table, name))
        .collect();
    assert_eq!(
        names,
        [(3, "dependencies", "a-b"), (5, "build-dependencies", "c")]
    );
}
