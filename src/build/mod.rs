//! The build engine: what must run again, in which order, and where the results are kept and shown.
//! Must not know what a stage does.

mod ask;
mod built;
mod desk;
mod dry;
mod engine;
mod event;
mod explain;
mod graph;
mod history;
mod key;
mod log;
mod name;
mod pool;
mod project;
mod source;
mod stamp;
mod vault;
mod view;
mod work;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod test;

use std::path::{Path, PathBuf};
use std::time::Instant;

use finnp_cache::Store;

pub use ask::{StagePlan, explain, plans};
pub use built::Built;
pub use event::{Event, Sink};
pub use explain::{
    Basis, Cause, Explanation, JobStory, Outputs, Reason, StageStory, Status, Step, Why, because,
};
pub use finnp_cache::Durability;
pub use history::Origin;
pub use project::{is_ours, lock};

use crate::error::{Error, Kind, Result};
use crate::manifest::Manifest;
use crate::stage::Stage;
use crate::tool::Cancel;
use engine::{Engine, Tally};
use history::{History, Journal};
use source::Digests;
use stamp::Stamps;
use vault::Vault;
use view::View;

/// What the file system said about the user's files.
const FILES: &str = ".files.json";
/// So often in one build damage of the cache is repaired before the cache is given up.
const REPAIRS: usize = 100;

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Last stage to run; all if `None`.
    pub to: Option<String>,
    /// Names of stages that must do their work: an optional one that cannot is an error.
    pub require: Vec<String>,
    /// How many jobs run at once; 0 for as many as the machine has processors.
    pub jobs: usize,
    /// Tell what would run instead of running it.
    pub dry_run: bool,
    /// Fail instead of waiting for another build of the same project.
    pub no_wait: bool,
    /// What of the cache survives a crash of the machine.
    pub durability: Durability,
    /// Folder of the cache; [`default_cache_dir`] if `None`.
    pub cache_dir: Option<PathBuf>,
}

/// What a build did.
pub struct Outcome {
    /// Distinct jobs that ran.
    pub jobs_run: usize,
    /// Distinct jobs whose outputs were in the cache.
    pub jobs_cached: usize,
    /// Distinct jobs that would run, as far as known; 0 unless it was a dry run.
    pub jobs_would_run: usize,
    /// All outputs. After a dry run only those that were in the cache.
    pub artifacts: Built,
}

/// Runs `stages` for the project in `dir` and makes its `build/` folder show the results. `sink` hears
/// what happens, at last [`Event::Finished`], whether or not the build went well.
///
/// # Errors
/// What a stage or a job says; [`Kind::User`] if there is no stage `options.to`; [`Kind::LockHeld`],
/// [`Kind::Interrupted`], [`Kind::CacheCorrupt`] and those of the file system. Then `build/` shows what the
/// last good build left, beside the logs of the jobs that failed.
pub fn build(
    manifest: &Manifest,
    dir: &Path,
    stages: &[&dyn Stage],
    options: &Options,
    cancel: &Cancel,
    sink: Sink,
) -> Result<Outcome> {
    let start = Instant::now();
    let tally = Tally::default();
    let built = select(stages, options.to.as_deref())
        .and_then(|chosen| {
            require(manifest, stages, chosen, &options.require)?;
            Ok(chosen)
        })
        .and_then(|stages| run(manifest, dir, stages, options, cancel, sink, &tally));
    let (jobs_run, jobs_cached) = tally.counts();
    let jobs_would_run = built.as_ref().map_or(0, |(_, count)| *count);
    let error = built.as_ref().err();
    sink(Event::Finished {
        jobs_run,
        jobs_cached,
        jobs_would_run: options.dry_run.then_some(jobs_would_run),
        exit: error.map_or(0, |error| error.kind().exit_code()),
        error: error.map(|error| error.message().to_owned()),
        wall_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let (artifacts, _) = built?;
    Ok(Outcome {
        jobs_run,
        jobs_cached,
        jobs_would_run,
        artifacts,
    })
}

/// Folder of the cache: `$FINNP_CACHE_DIR`, else `$XDG_CACHE_HOME/finnp`, else `~/.cache/finnp`.
///
/// # Errors
/// [`Kind::User`] if none of the variables is set.
pub fn default_cache_dir() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = |name| variable(name).map(PathBuf::from);
    folder("FINNP_CACHE_DIR")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("finnp")))
        .or_else(|| Some(folder("HOME")?.join(".cache/finnp")))
        .ok_or_else(|| {
            Error::user("there is no folder for the cache: `HOME` is not set")
                .help("name one in the variable `FINNP_CACHE_DIR`")
        })
}

/// The stages up to and with `to`.
fn select<'a>(stages: &'a [&'a dyn Stage], to: Option<&str>) -> Result<&'a [&'a dyn Stage]> {
    let Some(to) = to else { return Ok(stages) };
    let last = stages.iter().position(|stage| stage.name() == to);
    match last {
        Some(last) => Ok(&stages[..=last]),
        None => Err(no_stage(stages, to)),
    }
}

fn no_stage(stages: &[&dyn Stage], name: &str) -> Error {
    let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
    let help = format!("the stages are `{}`", names.join("`, `"));
    Error::user(format!("there is no stage `{name}`")).help(help)
}

/// Fails where a stage of `names` is not among those that are `chosen` or cannot do its work.
fn require(
    manifest: &Manifest,
    stages: &[&dyn Stage],
    chosen: &[&dyn Stage],
    names: &[String],
) -> Result<()> {
    for name in names {
        let is_named = |stage: &&&dyn Stage| stage.name() == name;
        let Some(stage) = stages.iter().find(is_named) else {
            return Err(no_stage(stages, name));
        };
        if !chosen.iter().any(|stage| stage.name() == name) {
            let what = format!("`{name}` is required, but the build stops before it");
            return Err(Error::user(what).help("name a later stage with `--to`, or leave it out"));
        }
        if let Some(error) = stage.missing(manifest)? {
            return Err(error.within(format!("`{name}` is required and cannot run")));
        }
    }
    Ok(())
}

fn run(
    manifest: &Manifest,
    dir: &Path,
    stages: &[&dyn Stage],
    options: &Options,
    cancel: &Cancel,
    sink: Sink,
    tally: &Tally,
) -> Result<(Built, usize)> {
    let folder = dir.join("build");
    let _lock = match options.dry_run {
        true => None,
        false => Some(project::lock(dir, options.no_wait, cancel, sink)?),
    };
    let files = Stamps::load(&folder.join(FILES));
    let engine = open(&folder, files.clone(), options, cancel, sink, tally)?;
    if options.dry_run {
        let outlook = repairing(&engine, || dry::outlook(&engine, manifest, stages))?;
        ask::announce(&engine, &History::load(&folder), &outlook)?;
        return Ok((outlook.built, outlook.count));
    }
    let view = View::new(&folder);
    let built = repairing(&engine, || {
        let built = engine.run(manifest, stages, &view)?;
        view.show(&built, &engine.vault)?;
        Ok(built)
    });
    engine.journal.save(&folder)?;
    let seen = engine.digests.files();
    if seen != files {
        project::save_json(&folder.join(FILES), &seen)?;
    }
    Ok((built?, 0))
}

/// What the parts of one build share, for the project whose `build/` is `folder`.
fn open<'a>(
    folder: &Path,
    files: Stamps,
    options: &Options,
    cancel: &'a Cancel,
    sink: Sink<'a>,
    tally: &'a Tally,
) -> Result<Engine<'a>> {
    let cache = match &options.cache_dir {
        Some(cache) => cache.clone(),
        None => default_cache_dir()?,
    };
    Ok(Engine {
        vault: Vault::new(Store::open(&cache, options.durability)?),
        cancel,
        sink,
        jobs: threads(options.jobs),
        digests: Digests::new(files),
        tally,
        journal: Journal::new(history::load_keys(folder)),
    })
}

/// Does it again while what fails is the cache: what was damaged is put aside by then and made again.
fn repairing<T>(engine: &Engine, work: impl Fn() -> Result<T>) -> Result<T> {
    let mut result = work();
    for _ in 0..REPAIRS {
        match &result {
            Err(error) if engine.vault.take_lost() && error.kind() == Kind::CacheCorrupt => {
                let what = error.message().to_owned();
                (engine.sink)(Event::Repairing { what });
                result = work();
            }
            _ => break,
        }
    }
    result
}

fn threads(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        jobs => jobs,
    }
}
