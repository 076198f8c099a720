//! Runs one job: calls its function or starts its process in a scratch folder.
//! Must not know why it runs or what comes after it.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use finnp_cache::Blob;

use super::built::LOG;
use super::log;
use super::name;
use super::source::Source;
use super::vault::Vault;
use crate::error::{Error, Result};
use crate::stage::{Command, Desk, Inputs, Job, Outputs, Program, Work};
use crate::tool::{self, Cancel, Exit, Process};

/// A failure with what the process said before.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) log: Option<Vec<u8>>,
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure {
            error: error.into(),
            log: None,
        }
    }
}

/// Runs `job` and stores its outputs.
pub(super) fn work(
    vault: &Vault,
    (cancel, desk): (&Cancel, &dyn Desk),
    job: &Job,
    sources: &BTreeMap<String, Source>,
) -> std::result::Result<BTreeMap<String, Blob>, Failure> {
    match &job.work {
        Work::Compute(function) => Ok(compute(vault, &**function, sources)?),
        Work::Learn(learn) => Ok(compute(vault, &|inputs| learn(inputs, desk), sources)?),
        Work::Run(command) => run(vault, cancel, command, sources),
    }
}

fn compute(
    vault: &Vault,
    function: &dyn Fn(&Inputs) -> Result<Outputs>,
    sources: &BTreeMap<String, Source>,
) -> Result<BTreeMap<String, Blob>> {
    let mut inputs = Inputs::default();
    for (name, source) in sources {
        inputs.0.insert(name.clone(), source.load(vault)?);
    }
    // A panic in one job must not take the others' results with it.
    let outputs = catch_unwind(AssertUnwindSafe(|| function(&inputs)))
        .unwrap_or_else(|panic| Err(Error::bug(format!("panic: {}", words(&*panic)))))?;
    let mut stored = BTreeMap::new();
    for (name, bytes) in outputs {
        name::check("the output", &name)?;
        stored.insert(name, vault.store.put_bytes(&bytes)?);
    }
    Ok(stored)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

fn run(
    vault: &Vault,
    cancel: &Cancel,
    command: &Command,
    sources: &BTreeMap<String, Source>,
) -> std::result::Result<BTreeMap<String, Blob>, Failure> {
    let scratch = vault.store.scratch()?;
    let dir = scratch.path().join("work");
    let temporary = scratch.path().join("tmp");
    let log = scratch.path().join("log");
    make(&dir)?;
    make(&temporary)?;
    lay_out(vault, command, sources, &dir)?;
    let (program, args, keeps) = program(command, &dir)?;
    let process = Process {
        program: &program,
        args: &args,
        dir: &dir,
        temporary: &temporary,
        keeps,
        log: &log,
    };
    let exit = tool::run(&process, cancel)?;
    let said = fs::read(&log).map_err(|cause| Error::io("read", &log, &cause))?;
    let said = log::without(&said, &[&dir, scratch.path()]);
    if exit != Exit::Code(0) {
        let error = log::failure(&title(command), exit, &said);
        let log = Some(said);
        return Err(Failure { error, log });
    }
    let mut stored = BTreeMap::new();
    for name in &command.outputs {
        let path = dir.join(name);
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            let what = format!("{} ended well but left no file `{name}`", title(command));
            let log = Some(said);
            return Err(Failure {
                error: Error::tool(what),
                log,
            });
        }
        stored.insert(name.clone(), vault.store.put_file(&path)?);
    }
    stored.insert(LOG.to_owned(), vault.store.put_bytes(&said)?);
    Ok(stored)
}

/// Makes the folder as the process expects it: its inputs, and folders for its outputs.
fn lay_out(
    vault: &Vault,
    command: &Command,
    sources: &BTreeMap<String, Source>,
    dir: &Path,
) -> Result<()> {
    for output in &command.outputs {
        make(dir.join(output).parent().unwrap_or(dir))?;
    }
    for (name, source) in sources {
        let path = dir.join(name);
        make(path.parent().unwrap_or(dir))?;
        let runs = matches!(&command.program, Program::Input(program) if program == name);
        source.place(vault, &path, if runs { 0o755 } else { 0o644 })?;
    }
    Ok(())
}

type Start = (PathBuf, Vec<String>, &'static [&'static str]);

fn program(command: &Command, dir: &Path) -> Result<Start> {
    Ok(match &command.program {
        Program::Input(name) => (dir.join(name), command.args.clone(), &[]),
        Program::Tool(name) => {
            let found = tool::find(name)?;
            let entry = tool::TOOLS.iter().find(|tool| tool.name == *name);
            let args = found.lead.iter().chain(&command.args).cloned().collect();
            (
                found.path.clone(),
                args,
                entry.map_or(&[], |tool| tool.keeps),
            )
        }
    })
}

fn title(command: &Command) -> String {
    match &command.program {
        Program::Input(name) => format!("`{name}`"),
        Program::Tool(name) => format!("`{name}`"),
    }
}

fn make(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|cause| Error::io("create", path, &cause))
}
