//! Starts processes, each in a group of its own that can be stopped as a whole.
//! The only place that does; must not know what the process is for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::cancel::Cancel;
use crate::error::{Error, Result};

/// How often a running process is looked at when nothing else happens.
const POLL: Duration = Duration::from_millis(20);
/// How long a process may take to stop by itself before it is made to.
const GRACE: Duration = Duration::from_secs(2);

/// What to start, where, and where its words go.
#[derive(Debug)]
pub struct Process<'a> {
    /// The program, an absolute path.
    pub program: &'a Path,
    /// Its arguments.
    pub args: &'a [String],
    /// The folder that it runs in.
    pub dir: &'a Path,
    /// The folder for its own temporary files.
    pub temporary: &'a Path,
    /// Environment variables that it sees beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    pub keeps: &'a [&'a str],
    /// File that receives everything it writes to its standard output and error.
    pub log: &'a Path,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code; 0 is success.
    Code(i32),
    /// It was ended by the signal with this number.
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit code {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Runs `process` to its end.
///
/// # Errors
/// If it cannot be started, or [`crate::error::Kind::Interrupted`] if `cancel` was raised; then it and all
/// processes of its group are gone when this returns.
pub fn run(process: &Process, cancel: &Cancel) -> Result<Exit> {
    let log =
        File::create(process.log).map_err(|cause| Error::io("create", process.log, &cause))?;
    let start = |cause| Error::io("start", process.program, &cause);
    let command = duct::cmd(process.program, process.args)
        .dir(process.dir)
        .full_env(environment(process))
        .stdin_null()
        // The outer redirection is made first, so the error output follows the file.
        .stderr_to_stdout()
        .stdout_file(log)
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
    let child = spawn(&command).map_err(start)?;
    loop {
        if let Some(output) = child.wait_timeout(POLL).map_err(start)? {
            return Ok(exit(output.status));
        }
        if cancel.requested().is_some() {
            stop(&child);
            cancel.check()?;
        }
    }
}

/// A program that was written a moment ago is busy as long as another thread's child, between its birth
/// and its own start, has the written file open.
fn spawn(command: &duct::Expression) -> std::io::Result<duct::Handle> {
    let end = Instant::now() + GRACE;
    loop {
        match command.start() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(1));
            }
            started => return started,
        }
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

/// Everything else is left out: what is not in a job's key must not reach its process.
fn environment(process: &Process) -> BTreeMap<OsString, OsString> {
    let kept = ["PATH", "HOME"].iter().chain(process.keeps);
    let mut variables: BTreeMap<OsString, OsString> = kept
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
        .collect();
    variables.insert("LANG".into(), "C".into());
    variables.insert("LC_ALL".into(), "C".into());
    variables.insert("TMPDIR".into(), process.temporary.into());
    variables
}

/// The group as a whole, since a compiler driver's own children do the work.
fn stop(child: &duct::Handle) {
    let group = child
        .pids()
        .first()
        .and_then(|&id| Pid::from_raw(i32::try_from(id).ok()?));
    let Some(group) = group else { return };
    // That the group is gone already is no failure.
    let _ = kill_process_group(group, Signal::TERM);
    let end = Instant::now() + GRACE;
    let ended = child.wait_deadline(end);
    let _ = kill_process_group(group, Signal::KILL);
    if !matches!(ended, Ok(Some(_))) {
        let _ = child.wait();
    }
    // Members that the leader left behind die a moment after their signal.
    let end = Instant::now() + GRACE;
    while test_kill_process_group(group).is_ok() && Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    fn shell(script: &str, cancel: &Cancel, dir: &Path) -> (Result<Exit>, String) {
        let log = dir.join("log");
        let process = Process {
            program: Path::new("/bin/sh"),
            args: &["-c".to_owned(), script.to_owned()],
            dir,
            temporary: dir,
            keeps: &[],
            log: &log,
        };
        let exit = run(&process, cancel);
        (exit, std::fs::read_to_string(log).unwrap())
    }

    #[test]
    fn words_and_code_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "echo out; echo err >&2; echo $LANG; env | cut -d= -f1 | sort | tr '\n' ' '; exit 3";
        let (exit, log) = shell(script, &Cancel::default(), dir.path());
        assert_eq!(exit.unwrap(), Exit::Code(3));
        assert!(log.starts_with("out\nerr\nC\n"), "{log}");
        assert!(!log.contains("CARGO"), "{log}");
        let (exit, _) = shell("kill -9 $$", &Cancel::default(), dir.path());
        assert_eq!(exit.unwrap(), Exit::Signal(9));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_tool_error() {
        let dir = tempfile::tempdir().unwrap();
        let process = Process {
            program: Path::new("/no/such/program"),
            args: &[],
            dir: dir.path(),
            temporary: dir.path(),
            keeps: &[],
            log: &dir.path().join("log"),
        };
        let error = run(&process, &Cancel::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::Tool);
    }

    #[test]
    fn children_of_a_stopped_process_are_stopped_too() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::default();
        let raise = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            raise.request(2);
        });
        // The shell waits for a child that ignores nothing; both must go.
        let started = Instant::now();
        let (exit, log) = shell("sleep 60 & echo $!; wait", &cancel, dir.path());
        assert_eq!(exit.unwrap_err().kind(), Kind::Interrupted(2));
        assert!(started.elapsed() < Duration::from_secs(5));
        let child = log.trim();
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        // Gone, or a zombie that nobody has collected yet.
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}
