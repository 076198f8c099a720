//! `finnp doctor`: what this machine has and what that is good for.
//! Must not know what any tool does.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Call, shown};
use super::machine::Folder;
use super::table::{bytes, count};
use super::{trial, version};
use crate::build::default_cache_dir;
use crate::error::{Error, Kind, Result};
use crate::tool::{self, Found, TOOLS, Tool};

/// Tell which tools are there, what they unlock, and how the cache is
#[derive(clap::Args)]
pub(super) struct Doctor {}

/// The tool that every build needs.
const NEEDED: &str = "c++";

/// A tool as it was found, or why it was not.
struct Finding {
    tool: &'static Tool,
    found: Result<Arc<Found>>,
    /// For the compiler, whether it compiles.
    trial: Option<Result<()>>,
}

impl Doctor {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let mut findings = Vec::new();
        for tool in TOOLS {
            call.cancel.check()?;
            let found = tool::find(tool.name);
            let trial = match &found {
                Ok(found) if tool.name == NEEDED => Some(trial::compiler(found, &call.cancel)),
                _ => None,
            };
            if let Some(Err(error)) = &trial
                && matches!(error.kind(), Kind::Interrupted(_))
            {
                return Err(error.clone());
            }
            findings.push(Finding { tool, found, trial });
        }
        let folder = match &call.options.cache_dir {
            Some(folder) => Ok(folder.clone()),
            None => default_cache_dir(),
        };
        let folder = folder.map(|folder| Folder::look(&folder));
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let tools: Vec<Value> = findings.iter().map(data).collect();
        let mut answer = Answer::text(text(&findings, &folder, processors))
            .with("version", version())
            .with("tools", tools)
            .with(
                "cache",
                folder.as_ref().map_or(Value::Null, |folder| json!(folder)),
            )
            .with("processors", processors);
        answer.failure = failure(&findings, folder);
        Ok(answer)
    }
}

/// What keeps the basic build from working.
fn failure(findings: &[Finding], folder: Result<Folder>) -> Option<Error> {
    let mut problems = Vec::new();
    for finding in findings
        .iter()
        .filter(|finding| finding.tool.name == NEEDED)
    {
        let title = finding.tool.title;
        match (&finding.found, &finding.trial) {
            (Err(error), _) => problems.push(error.clone()),
            (_, Some(Err(error))) => {
                let error = error.clone().within(format!("the {title} does not work"));
                problems.push(error.help(finding.tool.install));
            }
            _ => {}
        }
    }
    match folder {
        Err(error) => problems.push(error),
        Ok(Folder {
            path,
            problem: Some(problem),
            ..
        }) => {
            let what = format!(
                "nothing can be written to the cache in `{}`: {problem}",
                path.display()
            );
            let help = "choose another folder with `--cache-dir` or `FINNP_CACHE_DIR`";
            problems.push(Error::tool(what).help(help));
        }
        Ok(_) => {}
    }
    let problems: Vec<Error> = problems.into_iter().map(as_tool).collect();
    (!problems.is_empty()).then(|| Error::many("this machine cannot build yet", problems))
}

/// All that a machine lacks is for its owner to mend, whoever noticed it.
fn as_tool(error: Error) -> Error {
    let plain = Error::tool(error.message());
    match error.remedy() {
        Some(help) => plain.help(help),
        None => plain,
    }
}

fn data(finding: &Finding) -> Value {
    let Finding { tool, found, trial } = finding;
    let mut data = json!({
        "name": tool.name,
        "title": tool.title,
        "unlocks": tool.unlocks,
        "found": found.is_ok(),
    });
    match found {
        Ok(found) => {
            data["version"] = found.version.clone().into();
            data["path"] = found.path.display().to_string().into();
            data["sha256"] = found.sha256.clone().into();
        }
        Err(error) => {
            data["problem"] = error.message().into();
            data["install"] = tool.install.into();
        }
    }
    if let Some(trial) = trial {
        data["works"] = trial.is_ok().into();
        if let Err(error) = trial {
            data["problem"] = error.message().into();
        }
    }
    data
}

fn text(findings: &[Finding], folder: &Result<Folder>, processors: usize) -> String {
    let mut text = format!("{}\n\n", version());
    for Finding { tool, found, trial } in findings {
        let mut line = |name: &str, words: &str| {
            let _ = writeln!(text, "{name:<10}  {words}");
        };
        match found {
            Ok(found) => {
                line(tool.name, &format!("{}: {}", tool.title, found.version));
                line("", &path(&found.path, &found.lead));
                match trial {
                    Some(Ok(())) => line("", "compiles and runs C++17 with the bundled headers"),
                    Some(Err(error)) => line("", &format!("does not work: {error}")),
                    None => {}
                }
                line("", &format!("for {}", tool.unlocks));
            }
            Err(error) => {
                line(tool.name, error.message());
                line("", &format!("would be for {}", tool.unlocks));
                line("", tool.install);
            }
        }
    }
    text.push('\n');
    text += &cache(folder);
    let _ = writeln!(
        text,
        "{:<10}  {}",
        "machine",
        count(processors, "processor")
    );
    text
}

fn path(path: &Path, lead: &[String]) -> String {
    let mut words = vec![path.display().to_string()];
    words.extend(lead.iter().cloned());
    words.join(" ")
}

fn cache(folder: &Result<Folder>) -> String {
    let folder = match folder {
        Ok(folder) => folder,
        Err(error) => return format!("{:<10}  {error}\n", "cache"),
    };
    let state = match (&folder.problem, folder.exists) {
        (Some(problem), _) => format!("cannot be written: {problem}"),
        (None, true) => format!("{}, can be written", bytes(folder.bytes)),
        (None, false) => "not there yet, can be made".to_owned(),
    };
    let mut text = format!("{:<10}  {}: {state}\n", "cache", shown(&folder.path));
    let on = folder.mount.as_ref().map_or_else(String::new, |mount| {
        format!(" on `{}` ({})", mount.folder, mount.kind)
    });
    if let Some(free) = folder.free_bytes {
        let _ = writeln!(text, "{:<10}  {} free{on}", "", bytes(free));
    }
    text
}
