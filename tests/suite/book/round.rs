//! The round of the pages: where links and inclusions lead, and what none of them reaches.
//! Must not know how pages are shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::book;

/// Dead links, missing figures, pages and figures that nothing names.
pub(super) fn problems(folder: &Path, pages: &[(String, String)]) -> Vec<String> {
    let mut reached = BTreeSet::from(["SUMMARY.md".to_owned()]);
    let mut problems = Vec::new();
    for (name, text) in pages {
        let own = targets(text).into_iter();
        for (line, target) in own.filter(|(_, target)| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if path.is_empty() { name } else { path };
            if name == "SUMMARY.md" || !path.ends_with(".md") {
                reached.insert(path.to_owned());
            }
            let found = fs::read_to_string(folder.join(path));
            match found {
                Err(_) => problems.push(format!("{name}:{line}: there is no `{path}`")),
                Ok(text) if !anchor.is_empty() && !anchors(&text).contains(anchor) => {
                    problems.push(format!(
                        "{name}:{line}: `{path}` has no heading `#{anchor}`"
                    ));
                }
                Ok(_) => {}
            }
        }
    }
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    for entry in entries
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
    {
        let path = entry
            .path()
            .strip_prefix(folder)
            .unwrap()
            .display()
            .to_string();
        if !reached.contains(&path) {
            problems.push(format!("{path}: no page leads there"));
        }
    }
    problems
}

/// Lines of a page outside blocks of code, with their numbers from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((at + 1, line))
    })
}

/// Targets of links, pictures and inclusions.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (number, line) in prose(text) {
        for (open, close) in [
            ("](", ")"),
            ("{{#include ", "}}"),
            ("src=\"", "\""),
            ("href=\"", "\""),
        ] {
            let parts = line.split(open).skip(1);
            let found = parts.filter_map(|part| Some(part.split_once(close)?.0.trim()));
            targets.extend(found.map(|target| (number, target.to_owned())));
        }
    }
    targets
}

/// Names that mdBook gives to headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|(_, line)| {
        let words = line.trim_start_matches('#');
        (words.len() < line.len())
            .then(|| words.strip_prefix(' '))
            .flatten()
    });
    let name = |heading: &str| {
        let kept = heading.trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(name).collect()
}

#[test]
fn the_book_is_where_the_tests_think() {
    assert!(book().join("book.toml").is_file());
}

#[test]
fn dead_ends_are_found() {
    let folder = tempfile::TempDir::new().unwrap();
    let pages = [
        ("SUMMARY.md", "- [a](a.md)\n"),
        (
            "a.md",
            "# A `b` c\n[x](#a-b-c) [y](#a) [z](c.md)\n```text\n[no](d.md)\n```\n{{#include f.svg}}\n[w](https://a/b)\n",
        ),
        ("b.md", "# B\n"),
    ];
    let pages = pages.map(|(name, text)| (name.to_owned(), text.to_owned()));
    for (name, text) in &pages {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let found = problems(folder.path(), &pages);
    let expected = [
        "a.md:2: `a.md` has no heading `#a`",
        "a.md:2: there is no `c.md`",
        "a.md:6: there is no `f.svg`",
        "b.md: no page leads there",
    ];
    assert_eq!(found, expected);
}
