//! The book: its commands run, its tables and figures are fresh, its links lead somewhere, it builds silently.
//! Must not know what the pages explain.

mod page;
mod play;
mod round;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::board;
use finnp::error::Kind;
use finnp::layer::LAYERS;
use finnp::manifest;
use finnp::stage::{PROOF, STAGES};
use tempfile::TempDir;

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book")
}

/// Every page by its path below `book/src`, with its text.
fn pages() -> Vec<(String, String)> {
    let entries = walkdir::WalkDir::new(book().join("src")).sort_by_file_name();
    let paths = entries.into_iter().map(|entry| entry.unwrap().into_path());
    let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let read = pages.map(|path| {
        let name = path.strip_prefix(book().join("src")).unwrap();
        (
            name.to_str().unwrap().to_owned(),
            fs::read_to_string(&path).unwrap(),
        )
    });
    read.collect()
}

fn text(page: &str) -> String {
    fs::read_to_string(book().join("src").join(page)).unwrap()
}

fn bless() -> bool {
    std::env::var_os("FINNP_BLESS").is_some_and(|value| value == "1")
}

/// The folder of the programs that `tests/requirements.txt` brings.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("FINNP_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let needed = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!needed, "FINNP_PYTHON is not set");
        eprintln!(
            "SKIPPED: FINNP_PYTHON names no Python with the packages of tests/requirements.txt"
        );
    }
    python
}

/// Fails with one line per problem.
fn none(problems: Vec<String>) {
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn shown_commands_say_what_is_shown() {
    let pages = pages();
    let played: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = pages
            .iter()
            .map(|(name, text)| scope.spawn(move || (name, text, play::play(name, text))))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut commands = 0;
    let mut problems = Vec::new();
    for (name, text, played) in played {
        commands += played.commands;
        problems.extend(played.problems);
        if bless() && played.text != *text {
            fs::write(book().join("src").join(name), played.text).unwrap();
        } else if !bless() {
            problems.extend(played.differences);
        }
    }
    none(problems);
    assert!(commands > 10, "the commands are gone");
}

#[test]
fn the_manifest_reference_is_fresh() {
    let path = book().join("src/manifest.md");
    let now = manifest::reference();
    if bless() {
        fs::write(&path, &now).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, now, "FINNP_BLESS=1 rewrites it");
}

#[test]
fn figures_are_those_that_the_script_draws() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let script = book().join("draw.py");
    let drawn = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        drawn.status.success(),
        "{}",
        String::from_utf8_lossy(&drawn.stderr)
    );
    let files = |path: &Path| -> BTreeSet<(String, String)> {
        let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
        let files = entries.map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        });
        files.collect()
    };
    let (kept, drawn) = (files(&book().join("src/figures")), files(folder.path()));
    assert!(kept.len() >= 5);
    let differing = kept.symmetric_difference(&drawn);
    let names: BTreeSet<&str> = differing.map(|(name, _)| name.as_str()).collect();
    assert!(
        names.is_empty(),
        "{names:?}: `python3 book/draw.py book/src/figures` draws them"
    );
    // A blank line would end the HTML block that the figure stands in.
    assert!(kept.iter().all(|(_, text)| !text.contains("\n\n")));
}

/// Headings of the second level, without code marks.
fn headings(page: &str) -> Vec<String> {
    let text = text(page);
    let lines = text.lines().filter_map(|line| line.strip_prefix("## "));
    lines
        .map(|line| line.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn every_stage_and_every_layer_has_its_paragraph() {
    let stages: Vec<&str> = STAGES.iter().map(|stage| stage.name()).collect();
    assert_eq!(headings("stages.md"), stages);
    assert_eq!(headings("layers.md"), LAYERS);
}

#[test]
fn every_exit_code_has_its_row() {
    let kinds = [
        Kind::Design,
        Kind::User,
        Kind::Tool,
        Kind::LockHeld,
        Kind::NotReproducible,
        Kind::CacheCorrupt,
        Kind::Timeout,
        Kind::Bug,
        Kind::Interrupted(2),
        Kind::Interrupted(15),
    ];
    let page = text("exit-codes.md");
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .collect();
    let codes: Vec<u8> = rows
        .iter()
        .filter_map(|row| row.split(' ').next()?.parse().ok())
        .collect();
    let known = kinds.map(Kind::exit_code);
    assert_eq!(codes, [&[0], &known[..]].concat());
}

#[test]
fn proof_and_boards_are_named_as_finnp_names_them() {
    assert!(text("proof.md").contains(PROOF));
    let page = text("boards.md");
    none(
        board::all()
            .iter()
            .filter(|board| !page.contains(&*board.name))
            .map(|board| board.name.clone())
            .collect(),
    );
}

#[test]
fn links_lead_somewhere_and_nothing_is_left_over() {
    none(round::problems(&book().join("src"), &pages()));
}

#[test]
fn the_book_builds_without_a_warning() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let output = Command::new(python.with_file_name("mdbook"))
        .arg("build")
        .arg(book())
        .arg("--dest-dir")
        .arg(folder.path())
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim_start().starts_with("INFO "))
        .collect();
    assert!(lines.is_empty(), "{said}");
    // Whatever a page loads lies beside it.
    for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|end| end == "html") {
            let page = fs::read_to_string(entry.path()).unwrap();
            for load in [
                "src=\"http",
                "src=\"//",
                "<link rel=\"stylesheet\" href=\"http",
            ] {
                assert!(
                    !page.contains(load),
                    "{} loads {load}",
                    entry.path().display()
                );
            }
        }
    }
}
