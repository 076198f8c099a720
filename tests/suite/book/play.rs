//! Plays a page: its commands run in order in a folder of their own, beside a copy of the examples.
//! Must not know what they mean.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::page::{Block, How, Shown, blocks, edited};

/// What came of a page.
pub(super) struct Played {
    /// Commands that ran.
    pub(super) commands: usize,
    /// The page with the output of now where it differs.
    pub(super) text: String,
    /// Where it differs.
    pub(super) differences: Vec<String>,
    /// What makes no sense, whatever the output is.
    pub(super) problems: Vec<String>,
}

/// Where commands run.
struct Desk {
    folder: TempDir,
    here: PathBuf,
    /// Exit code of the last command.
    code: i32,
}

/// Runs every command of the page.
pub(super) fn play(name: &str, text: &str) -> Played {
    let mut played = Played {
        commands: 0,
        text: text.to_owned(),
        differences: Vec::new(),
        problems: Vec::new(),
    };
    let blocks = match blocks(text) {
        Ok(blocks) => blocks,
        Err(problems) => {
            played
                .problems
                .extend(problems.iter().map(|problem| format!("{name}:{problem}")));
            return played;
        }
    };
    if blocks.is_empty() {
        return played;
    }
    let mut desk = Desk::new();
    let mut outputs = Vec::new();
    for block in &blocks {
        match block {
            Block::Edit(how, lines) => {
                let problem = desk.edit(*how, lines).err();
                played
                    .problems
                    .extend(problem.map(|problem| format!("{name}: {problem}")));
            }
            Block::Console(all) => {
                for (at, shown) in all.iter().enumerate() {
                    outputs.push((shown, desk.run(&shown.command)));
                    played.commands += 1;
                    // A failure is meant where the page asks for its code.
                    let asked = all
                        .get(at + 1)
                        .is_some_and(|next| next.command == "echo $?");
                    if desk.code != 0 && !asked {
                        let problem = format!(
                            "{name}:{}: `{}` ends with {}",
                            shown.line, shown.command, desk.code
                        );
                        let said = &outputs.last().unwrap().1;
                        played
                            .problems
                            .push(format!("{problem}\n{}", said.join("\n")));
                        return played;
                    }
                }
            }
        }
    }
    compare(name, &mut played, &outputs);
    played
}

/// Puts what differs into the page, last command first so that the lines before it stay where they are.
fn compare(name: &str, played: &mut Played, outputs: &[(&Shown, Vec<String>)]) {
    let mut lines: Vec<String> = played.text.lines().map(str::to_owned).collect();
    for (shown, now) in outputs.iter().rev() {
        let same = |lines: &[String]| lines.iter().map(|line| constant(line)).collect::<Vec<_>>();
        if same(&shown.output) == same(now) {
            continue;
        }
        let end = shown.line + shown.output.len();
        lines.splice(shown.line..end, now.iter().cloned());
        played.differences.push(format!(
            "{name}:{}: `{}` now says (FINNP_BLESS=1 rewrites it)\n{}",
            shown.line,
            shown.command,
            now.join("\n")
        ));
    }
    played.differences.reverse();
    if !played.differences.is_empty() {
        played.text = lines.join("\n") + "\n";
    }
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let here = folder.path().join("here");
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"),
            &here.join("examples"),
        );
        Desk {
            folder,
            here,
            code: 0,
        }
    }

    /// What the command prints, on both streams in their order.
    fn run(&mut self, command: &str) -> Vec<String> {
        let place = self.folder.path().join("place");
        let script = format!(
            "exec 2>&1\n(exit {})\n{command}\ncode=$?\npwd > \"$PLACE\"\nexit $code\n",
            self.code
        );
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&self.here)
            .env("PATH", programs())
            .env("PLACE", &place)
            .env("FINNP_CACHE_DIR", self.folder.path().join("cache"))
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C")
            .env_remove("FINNP_BLESS")
            .output()
            .unwrap();
        self.code = output.status.code().unwrap();
        self.here = PathBuf::from(fs::read_to_string(&place).unwrap().trim_end());
        let said = String::from_utf8(output.stdout).unwrap();
        let folder = self.folder.path().display().to_string();
        let lines = said
            .lines()
            .map(|line| line.trim_end().replace(&folder, "~"));
        lines.collect()
    }

    fn edit(&self, how: How, lines: &[String]) -> Result<(), String> {
        let path = self.here.join("accel.toml");
        let manifest = fs::read_to_string(&path).map_err(|cause| format!("accel.toml: {cause}"))?;
        fs::write(&path, edited(&manifest, how, lines)?).map_err(|cause| cause.to_string())
    }
}

/// Where programs are looked for: finnp first, and none of the tools that a reader may lack and that take hours.
fn programs() -> OsString {
    const SLOW: [&str; 3] = ["vivado", "vitis_hls", "vitis-run"];
    let finnp = Path::new(env!("CARGO_BIN_EXE_finnp")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let others = std::env::split_paths(&path)
        .filter(|folder| SLOW.iter().all(|tool| !folder.join(tool).exists()));
    std::env::join_paths(std::iter::once(finnp.to_owned()).chain(others)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "build" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The line without what differs from run to run: times, rates of samples, hashes of sources.
fn constant(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    };
    let mut kept = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = |step: usize| {
            words
                .get(at + step)
                .copied()
                .unwrap_or_default()
                .trim_end_matches(',')
        };
        let time = number(word) && matches!(next(1), "ms" | "s" | "min");
        let rate = number(word) && next(1) == "per" && next(2) == "second";
        match time || rate {
            true => kept.push("N".to_owned()),
            // Fast and slow machines say it in other units.
            false
                if kept.last().is_some_and(|last| last == "N")
                    && matches!(*word, "ms" | "s" | "min") =>
            {
                kept.push("s".to_owned());
            }
            false => kept.push(without_hash(word)),
        }
    }
    kept.join(" ")
}

/// The word with every run of eight and more hexadecimal digits made equal. Only a run that is cut off, with dots
/// behind it, may be without letters: any other is a number.
fn without_hash(word: &str) -> String {
    let mut text = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        let mark = after.chars().next().map_or(0, char::len_utf8);
        let digits = run.contains(|c: char| c.is_ascii_digit());
        let letters = run.contains(|c: char| c.is_ascii_lowercase());
        let hexadecimal = run.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let cut = after.starts_with("..");
        let hash = run.len() >= 8 && hexadecimal && (cut || digits && letters);
        text += if hash { "#" } else { run };
        text += &after[..mark];
        rest = &after[mark..];
    }
    text
}

#[test]
fn only_times_rates_and_hashes_may_differ() {
    let same = |a: &str, b: &str| constant(a) == constant(b);
    assert!(same(
        "3 jobs run, 0 cached, 748 ms",
        "3 jobs run, 0 cached, 1.2 s"
    ));
    assert!(!same(
        "3 jobs run, 0 cached, 748 ms",
        "4 jobs run, 0 cached, 748 ms"
    ));
    assert!(same(
        "360 samples, 354 right, 588,522 per second",
        "360 samples, 354 right, 9 per second"
    ));
    assert!(!same(
        "360 samples, 354 right, 9 per second",
        "360 samples, 353 right, 9 per second"
    ));
    assert!(!same(
        "140,625 frames per second",
        "140,626 frames per second"
    ));
    assert!(same("mvau_9fafb3c7.hpp", "mvau_1bcdef00.hpp"));
    assert!(!same("mvau_9fafb3c7.hpp", "mvau_9fafb3c7.cpp"));
    assert!(!same("weights 12345678", "weights 12345679"));
    assert!(same(
        "(12345678.. -> deadbeef..)",
        "(1b345678.. -> 00000000..)"
    ));
}

#[test]
fn what_a_page_does_not_say_shows() {
    let page = "```console\n$ printf 'a\\nb\\n'\na\nc\n$ mkdir x\n$ cd x\n$ false\n$ echo $?\n1\n$ pwd\n```\n";
    let played = play("page", page);
    assert_eq!(
        (played.commands, played.problems.len()),
        (6, 0),
        "{:?}",
        played.problems
    );
    assert_eq!(played.differences.len(), 2, "{:?}", played.differences);
    assert_eq!(
        played.text,
        page.replace("\nc\n", "\nb\n")
            .replace("$ pwd\n", "$ pwd\n~/here/x\n")
    );
    assert!(play("page", &played.text).differences.is_empty());
    assert_eq!(play("page", "```console\n$ false\n```\n").problems.len(), 1);
}
