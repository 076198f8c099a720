//! Finds tools in `PATH` and reads their version, once per process.
//! Must not know what they are used for.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::cancel::Cancel;
use super::run::{self, Process};
use super::{TOOLS, Tool};
use crate::error::{Error, Result};

/// A tool that this machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The program, an absolute path.
    pub path: PathBuf,
    /// Arguments before those of the job, from the tool's variable.
    pub lead: Vec<String>,
    /// The first line of what it says about its version.
    pub version: String,
    /// SHA-256 of the program's bytes, lower-case hexadecimal: two programs may claim one version.
    pub sha256: String,
}

/// The tool `name` of [`TOOLS`] on this machine.
///
/// # Errors
/// [`crate::error::Kind::Tool`] with how to install it if it is missing or does not start; a bug if the
/// table has no such tool.
pub fn find(name: &str) -> Result<Arc<Found>> {
    static KNOWN: Mutex<BTreeMap<&'static str, Arc<Found>>> = Mutex::new(BTreeMap::new());
    let tool = named(name)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(tool.name) {
        return Ok(Arc::clone(found));
    }
    let variable = tool.variable.and_then(std::env::var_os);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = Arc::new(probe(tool, variable.as_deref(), &path)?);
    known.insert(tool.name, Arc::clone(&found));
    Ok(found)
}

/// Whether this machine has the tool `name` of [`TOOLS`]. It is not started.
///
/// # Errors
/// A bug if the table has no such tool.
pub fn is_installed(name: &str) -> Result<bool> {
    let tool = named(name)?;
    let variable = tool.variable.and_then(std::env::var_os);
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(locate(tool, variable.as_deref(), &path).is_ok())
}

fn named(name: &str) -> Result<&'static Tool> {
    let found = TOOLS.iter().find(|tool| tool.name == name);
    found
        .copied()
        .ok_or_else(|| Error::bug(format!("a job asks for the unknown tool `{name}`")))
}

fn probe(tool: &Tool, variable: Option<&OsStr>, path: &OsStr) -> Result<Found> {
    let (program, lead) = locate(tool, variable, path)?;
    let dir = tempfile::tempdir()
        .map_err(|cause| Error::io("create a folder in", &std::env::temp_dir(), &cause))?;
    let log = dir.path().join("version");
    let mut args = lead.clone();
    args.extend(tool.version_args.iter().map(|&arg| arg.to_owned()));
    let process = Process {
        program: &program,
        args: &args,
        dir: dir.path(),
        temporary: dir.path(),
        keeps: tool.keeps,
        log: &log,
    };
    run::run(&process, &Cancel::default()).map_err(|error| error.help(tool.install))?;
    let text = std::fs::read(&log).map_err(|cause| Error::io("read", &log, &cause))?;
    let text = String::from_utf8_lossy(&text);
    let version = told(&text, tool.least.is_some()).to_owned();
    if let Some(least) = tool.least {
        recent(tool, &version, least)?;
    }
    let bytes = std::fs::read(&program).map_err(|cause| Error::io("read", &program, &cause))?;
    Ok(Found {
        sha256: finnp_cache::Digest::of(&bytes).to_string(),
        path: program,
        lead,
        version,
    })
}

/// The line that tells the version: the first one or, where its number is needed, the first one with a number, as some
/// tools prepare themselves, and say so, when they are first called.
fn told(text: &str, number: bool) -> &str {
    let starts = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or("unknown version");
    match number {
        true => lines
            .find(|line| line.split_whitespace().any(starts))
            .unwrap_or(first),
        false => first,
    }
}

/// Fails for a version that is too old, or that cannot be told.
fn recent(tool: &Tool, version: &str, least: [u32; 2]) -> Result<()> {
    let mut words = version.split_whitespace();
    let numbers = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut numbers = numbers.unwrap_or_default().split(['.', '+']);
    let mut next = || -> Option<u32> { numbers.next()?.parse().ok() };
    let found = [next().unwrap_or(0), next().unwrap_or(0)];
    if found >= least {
        return Ok(());
    }
    let [major, minor] = least;
    let what = format!(
        "{} is too old: it is `{version}`, and {major}.{minor} is needed",
        tool.title
    );
    Err(Error::tool(what).help(tool.install))
}

fn locate(tool: &Tool, variable: Option<&OsStr>, path: &OsStr) -> Result<(PathBuf, Vec<String>)> {
    let missing = |what: String| Error::tool(what).help(tool.install);
    let words = variable.map(OsStr::to_string_lossy).unwrap_or_default();
    let mut words = words.split_whitespace().map(str::to_owned);
    if let Some(program) = words.next() {
        let found = in_path(&program, path).ok_or_else(|| {
            let variable = tool.variable.unwrap_or_default();
            missing(format!("`{program}`, named by `{variable}`, was not found"))
        })?;
        return Ok((found, words.collect()));
    }
    let found = tool.candidates.iter().find_map(|name| in_path(name, path));
    found.map(|program| (program, Vec::new())).ok_or_else(|| {
        let names = tool.candidates.join("`, `");
        missing(format!("no {} was found: looked for `{names}`", tool.title))
    })
}

fn in_path(program: &str, path: &OsStr) -> Option<PathBuf> {
    let runs = |file: &Path| {
        file.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        let file = std::path::absolute(program).ok()?;
        return runs(&file).then_some(file);
    }
    let path: &OsString = &path.to_owned();
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| runs(file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;
    use crate::tool::cxx::CXX;

    fn folder(programs: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in programs {
            let path = dir.path().join(name);
            std::fs::write(&path, "#!/bin/sh\necho \"$0 says $*\" | sed 's|.*/||'\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir
    }

    #[test]
    fn what_a_tool_says_of_its_own_preparations_is_no_version() {
        let text = "Preparing to run yosys.wasm. This might take a while...\nYosys 0.70 (git)\n";
        assert_eq!(told(text, true), "Yosys 0.70 (git)");
        assert_eq!(
            told("\nVivado v2022.1\nSW Build 3526262", false),
            "Vivado v2022.1"
        );
        assert_eq!(told("Yosys", true), "Yosys");
    }

    #[test]
    fn the_first_candidate_is_taken_and_its_version_read() {
        let dir = folder(&["clang++", "g++"]);
        let found = probe(&CXX, None, dir.path().as_os_str()).unwrap();
        assert_eq!(found.path, dir.path().join("g++"));
        assert_eq!(found.version, "g++ says --version");
    }

    #[test]
    fn the_variable_comes_first_and_may_have_arguments() {
        let dir = folder(&["g++", "mine"]);
        let variable = Some(OsStr::new("mine -x c++"));
        let found = probe(&CXX, variable, dir.path().as_os_str()).unwrap();
        assert_eq!(found.path, dir.path().join("mine"));
        assert_eq!(found.lead, ["-x", "c++"]);
        assert_eq!(found.version, "mine says -x c++ --version");
    }

    #[test]
    fn an_old_tool_is_not_taken() {
        let tool = Tool {
            least: Some([0, 70]),
            ..CXX
        };
        for version in [
            "Yosys 0.70 (git)",
            "Yosys 0.70+3 (git)",
            "Yosys 1.2",
            "0.71",
        ] {
            recent(&tool, version, [0, 70]).unwrap();
        }
        for version in ["Yosys 0.23 (git)", "Yosys", "unknown version"] {
            let error = recent(&tool, version, [0, 70]).unwrap_err();
            assert_eq!(error.kind(), Kind::Tool);
            assert!(error.message().contains("0.70 is needed"), "{error:?}");
        }
    }

    #[test]
    fn a_missing_tool_says_what_to_install() {
        let dir = folder(&[]);
        for variable in [None, Some(OsStr::new("mine"))] {
            let error = probe(&CXX, variable, dir.path().as_os_str()).unwrap_err();
            assert_eq!(error.kind(), Kind::Tool);
            assert!(error.remedy().unwrap().contains("install"), "{error:?}");
        }
    }
}
