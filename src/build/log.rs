//! Reads the log of a process: what went wrong, without the names of folders that are gone.
//! Must not know which process it was.

use std::path::Path;

use crate::error::Error;
use crate::tool::Exit;

/// Words of compilers, linkers, run-time libraries and shells, most telling first.
const SIGNS: [&str; 8] = [
    "error:",
    "fatal",
    "undefined reference",
    "assertion",
    "terminate called",
    "what():",
    "not found",
    "error",
];

/// The first line that looks like an error, else the last line.
pub(super) fn first_error(log: &str) -> Option<&str> {
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    SIGNS
        .iter()
        .find_map(|sign| lines().find(|line| line.to_lowercase().contains(sign)))
        .or_else(|| lines().next_back())
}

/// That `title` ended by `exit` after it wrote `log`.
pub(super) fn failure(title: &str, exit: Exit, log: &[u8]) -> Error {
    let log = String::from_utf8_lossy(log);
    Error::tool(match first_error(&log) {
        Some(line) => format!("{title} failed with {exit}: {line}"),
        None => format!("{title} failed with {exit} and said nothing"),
    })
}

/// `log` with every one of `folders` written as `.`, so that it is the same in every run.
pub(super) fn without(log: &[u8], folders: &[&Path]) -> Vec<u8> {
    let mut log = log.to_vec();
    for folder in folders {
        let name = folder.as_os_str().as_encoded_bytes();
        let mut clean = Vec::with_capacity(log.len());
        let mut rest = &log[..];
        while let Some(place) = rest.windows(name.len()).position(|part| part == name) {
            clean.extend_from_slice(&rest[..place]);
            clean.push(b'.');
            rest = &rest[place + name.len()..];
        }
        clean.extend_from_slice(rest);
        log = clean;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_found() {
        let log =
            "g++ -c a.cpp\na.cpp: In function f\na.cpp:3:1: error: no such thing\nerror: two\n";
        assert_eq!(first_error(log), Some("a.cpp:3:1: error: no such thing"));
        assert_eq!(first_error("one\ntwo\n\n"), Some("two"));
        assert_eq!(first_error("\n"), None);
    }

    #[test]
    fn folders_are_left_out() {
        let folders = [Path::new("/s/job-1/work"), Path::new("/s/job-1")];
        let clean = without(b"/s/job-1/work/a.cpp /s/job-1/tmp/b /s", &folders);
        assert_eq!(clean, b"./a.cpp ./tmp/b /s");
    }
}
