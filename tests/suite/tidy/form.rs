//! The form of every file: its header, its size, its names.
//! Must not know what belongs where.

use super::none;
use super::source::{ALL, Kind, Source};

const FILE_LINES: usize = 500;
const MEDIAN_LINES: usize = 150;
const FUNCTION_LINES: usize = 60;
/// One of them says in the header what a file must not know.
const LIMITS: [&str; 4] = ["Must not", "must not", "Knows nothing of", "Knows bytes"];
/// Names of modules that would collect anything.
const MODULES: [&str; 7] = [
    "utils", "util", "helpers", "helper", "common", "misc", "manager",
];
/// Ends of type names that say nothing.
const TYPES: [&str; 7] = [
    "Manager", "Helper", "Helpers", "Util", "Utils", "Info", "Infos",
];

fn header(source: &Source) -> Option<String> {
    let lines = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"));
    let header = lines.collect::<Vec<_>>().join(" ");
    let said = LIMITS.iter().any(|limit| header.contains(limit));
    let problem = match header.is_empty() {
        true => "opens with no `//!` that says what it owns",
        false if !said => "its header does not say what it must not know",
        false => return None,
    };
    Some(source.at(1) + problem)
}

/// Functions with their first line and their number of lines.
fn functions(source: &Source) -> Vec<(&str, usize, usize)> {
    let tokens = &source.tokens;
    let mut functions = Vec::new();
    for start in source.find(&["fn"]) {
        let Some(name) = tokens.get(start + 1).filter(|name| name.kind == Kind::Word) else {
            continue;
        };
        let mut at = start + 2;
        while at < tokens.len() && !matches!(tokens[at].text.as_str(), "{" | ";") {
            at = source.close(at) + 1;
        }
        if at < tokens.len() {
            let last = tokens[source.close(at)].line;
            functions.push((&*name.text, name.line, last - name.line + 1));
        }
    }
    functions
}

fn names(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    if MODULES.contains(&source.stem()) {
        problems.push(format!(
            "{}`{}` is no name for a module",
            source.at(1),
            source.stem()
        ));
    }
    for pair in source.tokens.windows(2) {
        let (word, name) = (pair[0].text.as_str(), pair[1].text.as_str());
        let wrong = match word {
            "mod" => MODULES.contains(&name),
            "struct" | "enum" | "trait" | "type" | "union" => {
                TYPES.iter().any(|end| name.ends_with(end))
            }
            "fn" => name.starts_with("get_"),
            _ => continue,
        };
        if wrong && pair[0].kind == Kind::Word {
            problems.push(format!(
                "{}`{name}` is no name for a `{word}`",
                source.at(pair[1].line)
            ));
        }
    }
    problems
}

#[test]
fn files_say_what_they_own_and_must_not_know() {
    none(ALL.iter().filter_map(header).collect());
}

#[test]
fn files_and_functions_are_short() {
    let mut problems = Vec::new();
    for source in &*ALL {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            problems.push(format!(
                "{}{lines} lines, not {FILE_LINES} at most",
                source.at(1)
            ));
        }
        let long = functions(source)
            .into_iter()
            .filter(|(_, _, lines)| *lines > FUNCTION_LINES);
        problems.extend(long.map(|(name, line, lines)| {
            format!(
                "{}`{name}` has {lines} lines, not {FUNCTION_LINES} at most",
                source.at(line)
            )
        }));
    }
    let mut lines: Vec<usize> = ALL
        .iter()
        .map(|source| source.text.lines().count())
        .collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    if median > MEDIAN_LINES {
        problems.push(format!(
            "half of all files have {median} lines or more, not {MEDIAN_LINES}"
        ));
    }
    none(problems);
}

#[test]
fn names_say_something() {
    none(ALL.iter().flat_map(names).collect());
}

#[test]
fn the_rules_find_what_they_forbid() {
    let source = |text: &str| Source::new("src/layer/a.rs", text);
    assert!(header(&source("//! Owns a.\n//! Must not know b.\n")).is_none());
    assert!(header(&source("//! Owns a.\n")).is_some());
    assert!(header(&source("fn a() {}\n//! Must not\n")).is_some());
    let text =
        "trait A { fn a(b: [u8; 2]); }\nfn c<T>()\nwhere T: A {\n if true {\n }\n}\nfn d() {}";
    let expected = [("a", 1, 1), ("c", 2, 5), ("d", 7, 1)];
    assert_eq!(functions(&source(text)), expected);
    let text = "struct BoardInfo; fn get_a() {} mod misc; enum Information {} // fn get_b";
    assert_eq!(names(&source(text)).len(), 3);
    assert_eq!(names(&Source::new("src/layer/utils.rs", "")).len(), 1);
}
