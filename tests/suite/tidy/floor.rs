//! Who may use whom: floors import downwards only, and few modules touch the world outside.
//! Must not know what the modules do.

use super::none;
use super::source::{ALL, Source};

/// The door: what talks to people.
const DOOR: [&str; 2] = ["cli", "main"];
/// Modules that may touch the disk.
const DISK: [&str; 8] = [
    "manifest", "data", "tool", "stage", "build", "report", "cli", "main",
];

/// Modules of `src/lib.rs` in their order, which is the architecture.
fn floors(root: &Source) -> Vec<&str> {
    let starts = root.find(&["mod"]);
    let names = starts.iter().map(|at| root.tokens[at + 1].text.as_str());
    names.collect()
}

/// Paths that lead to a later floor or around the order.
fn upward(floors: &[&str], source: &Source) -> Vec<String> {
    let module = source.module();
    let rank = |name: &str| floors.iter().position(|floor| *floor == name);
    let Some(own) = module.first().and_then(|floor| rank(floor)) else {
        return vec![format!("{}is on no floor", source.at(1))];
    };
    let mut problems = Vec::new();
    for chain in source.chains() {
        let parts: Vec<&str> = chain.parts.iter().map(String::as_str).collect();
        let depth = module.len() + chain.inner;
        let problem = match parts[..] {
            ["crate", name, ..] => match rank(name) {
                None => format!("`crate::{name}` is no floor"),
                Some(floor) if floor > own => {
                    format!("floor `{}` uses `{name}`, which comes later", floors[own])
                }
                Some(_) => continue,
            },
            ["super", "super", ..] | ["self", "super", ..] => {
                "say `crate::` instead of `super::super::`".to_owned()
            }
            ["super", ..] if depth == 1 => "say `crate::` instead of `super::` here".to_owned(),
            _ => continue,
        };
        problems.push(source.at(chain.line) + &problem);
    }
    problems.dedup();
    problems
}

/// Uses of the world outside, where the module may not.
fn outside(source: &Source) -> Vec<String> {
    let module = source.module();
    let floor = module.first().copied().unwrap_or(match &*source.path {
        "src/main.rs" => "main",
        _ => "",
    });
    let mut problems = Vec::new();
    for chain in source.chains().iter().filter(|chain| !chain.test) {
        let parts: Vec<&str> = chain.parts.iter().map(String::as_str).collect();
        let problem = match parts[..] {
            ["std", "io", "stdout" | "stderr", ..] | ["io", "stdout" | "stderr"]
                if !DOOR.contains(&floor) =>
            {
                "only `cli` prints"
            }
            ["std", "process"] | ["std", "process", "Command", ..] | ["process", "Command", ..]
                if floor != "tool" =>
            {
                "only `tool` starts processes"
            }
            ["std", "process", ..] if floor != "tool" && !DOOR.contains(&floor) => {
                "only `tool` and `cli` know processes"
            }
            ["std", "fs", ..] | ["rustix", "fs", ..] if !DISK.contains(&floor) => {
                "this module must not touch the disk"
            }
            _ => continue,
        };
        problems.push(source.at(chain.line) + problem);
    }
    for token in source.tokens.iter().filter(|token| !token.test) {
        let problem = match token.text.as_str() {
            "println" | "print" | "eprintln" | "eprint" | "indicatif" | "clap"
                if !DOOR.contains(&floor) =>
            {
                "only `cli` prints"
            }
            "duct" if floor != "tool" => "only `tool` starts processes",
            _ => continue,
        };
        problems.push(source.at(token.line) + problem);
    }
    problems
}

fn library() -> impl Iterator<Item = &'static Source> {
    ALL.iter().filter(|source| source.path.starts_with("src/"))
}

#[test]
fn floors_import_from_those_above_only() {
    let root = library()
        .find(|source| source.path == "src/lib.rs")
        .unwrap();
    let floors = floors(root);
    assert!(floors.len() > 10 && floors[0] == "error", "{floors:?}");
    let inside = library().filter(|source| !source.module().is_empty());
    none(inside.flat_map(|source| upward(&floors, source)).collect());
}

#[test]
fn few_modules_touch_the_world() {
    none(library().flat_map(outside).collect());
}

#[test]
fn the_store_knows_bytes_only() {
    let cache = ALL
        .iter()
        .filter(|source| source.path.starts_with("cache/"));
    let chains = cache.flat_map(|source| {
        source
            .chains()
            .into_iter()
            .map(move |chain| (source, chain))
    });
    let wrong = chains.filter(|(_, chain)| {
        let parts: Vec<&str> = chain.parts.iter().map(String::as_str).collect();
        matches!(parts[..], ["finnp" | "duct", ..] | ["super", "super", ..])
    });
    none(
        wrong
            .map(|(source, chain)| source.at(chain.line) + &chain.parts.join("::"))
            .collect(),
    );
}

#[test]
fn the_rules_find_what_they_forbid() {
    let floors = ["error", "layer", "stage"];
    let count = |path: &str, text: &str| upward(&floors, &Source::new(path, text)).len();
    assert_eq!(
        count("src/layer/a.rs", "use crate::{error::Error, layer::b};"),
        0
    );
    assert_eq!(
        count(
            "src/layer/a.rs",
            "use crate::{error::{self, Error}, stage::c};"
        ),
        1
    );
    assert_eq!(
        count(
            "src/layer/a.rs",
            "use super::b; fn f() { crate::stage::c() }"
        ),
        1
    );
    assert_eq!(
        count(
            "src/layer/a.rs",
            "use super::super::stage; use crate::other;"
        ),
        2
    );
    assert_eq!(
        count(
            "src/layer/mod.rs",
            "use super::stage; mod tests { use super::*; }"
        ),
        1
    );
    assert_eq!(count("src/new.rs", ""), 1);
}

#[test]
fn the_world_is_found() {
    let count = |path: &str, text: &str| outside(&Source::new(path, text)).len();
    assert_eq!(
        count(
            "src/layer/a.rs",
            "use std::{fs, process::Command}; fn f() { println!() }"
        ),
        3
    );
    assert_eq!(
        count(
            "src/build/a.rs",
            "use std::fs; fn f() { duct::cmd!(\"ls\") }"
        ),
        1
    );
    assert_eq!(
        count("src/layer/a.rs", "#[cfg(test)] mod tests { use std::fs; }"),
        0
    );
    assert_eq!(
        count(
            "src/main.rs",
            "use std::process::ExitCode; fn f() { println!() }"
        ),
        0
    );
}
