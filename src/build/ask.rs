//! Questions about builds, answered without building.
//! Must not run, write or lock anything of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::dry::{self, Forecast, Outlook, StageForecast};
use super::engine::{Engine, Tally};
use super::event::{Event, Sink};
use super::explain::{Explanation, Found, Known, Story, explain as told, future_state, why};
use super::history::{History, Origin};
use super::stamp::Stamps;
use super::{FILES, Options, open, repairing};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::stage::Stage;
use crate::tool::Cancel;

/// Tells the listener what a build would do, and why.
pub(super) fn announce(engine: &Engine, history: &History, outlook: &Outlook) -> Result<()> {
    let story = Story {
        store: &engine.vault.store,
        history,
        before: engine.journal.last(),
        after: future_state(outlook),
    };
    let mut found = Found::new();
    for StageForecast { stage, jobs } in &outlook.stages {
        let Some(jobs) = jobs else {
            (engine.sink)(Event::Unknown { stage });
            continue;
        };
        let count = jobs.len();
        (engine.sink)(Event::Planned { stage, jobs: count });
        for Forecast { job, cached, .. } in jobs {
            let place = (String::from(*stage), job.clone());
            let job = job.clone();
            let event = if *cached {
                Event::JobFinished {
                    stage,
                    job,
                    cached: true,
                    same_as: None,
                }
            } else {
                let (why, because) = why(&story, &history.failed, &place, &mut found)?;
                Event::WouldRun {
                    stage,
                    job,
                    why,
                    because,
                }
            };
            (engine.sink)(event);
        }
    }
    Ok(())
}

/// What a build of the project in `dir` would do, or, if it would run nothing, what the last one that ran
/// anything did, and why: all of it, or what `about` names, a stage or a layer.
///
/// # Errors
/// [`Kind::User`] if nothing is called `about`; what keeps a stage from being planned; those of the cache.
pub fn explain(
    manifest: &Manifest,
    dir: &Path,
    stages: &[&dyn Stage],
    options: &Options,
    cancel: &Cancel,
    sink: Sink,
    about: Option<&str>,
) -> Result<Explanation> {
    let folder = dir.join("build");
    let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
    let upto = about.and_then(|about| names.iter().position(|name| *name == about));
    let planned = upto.map_or(stages, |last| &stages[..=last]);
    let tally = Tally::default();
    let files = Stamps::load(&folder.join(FILES));
    let engine = open(&folder, files, options, cancel, sink, &tally)?;
    let outlook = repairing(&engine, || dry::outlook(&engine, manifest, planned))?;
    let known = Known {
        store: &engine.vault.store,
        history: &History::load(&folder),
        last: engine.journal.last(),
        outlook: &outlook,
        stages: &names,
    };
    told(&known, about)
}

/// A stage as a build would find it.
#[derive(Debug, Clone, Serialize)]
pub struct StagePlan {
    /// Its name.
    pub stage: &'static str,
    /// How many jobs it has; none if that depends on what runs before it.
    pub jobs: Option<usize>,
    /// How many of them are in the cache.
    pub cached: usize,
    /// Other stages that its jobs read from, and how many outputs.
    pub reads: BTreeMap<String, usize>,
    /// Files of the user that its jobs read.
    pub files: BTreeSet<String>,
}

/// The stages of the project in `dir` as a build would find them.
///
/// # Errors
/// What keeps a stage from being planned; those of the cache.
pub fn plans(
    manifest: &Manifest,
    dir: &Path,
    stages: &[&dyn Stage],
    options: &Options,
    cancel: &Cancel,
    sink: Sink,
) -> Result<Vec<StagePlan>> {
    let folder = dir.join("build");
    let tally = Tally::default();
    let files = Stamps::load(&folder.join(FILES));
    let engine = open(&folder, files, options, cancel, sink, &tally)?;
    let outlook = repairing(&engine, || dry::outlook(&engine, manifest, stages))?;
    Ok(outlook.stages.iter().map(plan).collect())
}

fn plan(StageForecast { stage, jobs }: &StageForecast) -> StagePlan {
    let mut plan = StagePlan {
        stage,
        jobs: jobs.as_ref().map(Vec::len),
        cached: jobs.iter().flatten().filter(|job| job.cached).count(),
        reads: BTreeMap::new(),
        files: BTreeSet::new(),
    };
    let nodes = jobs.iter().flatten().map(|job| &job.node);
    let mut outputs = BTreeSet::new();
    for fed in nodes.flat_map(|node| node.feeds.iter().flat_map(BTreeMap::values)) {
        match &fed.origin {
            Origin::Job { stage: of, .. } if of == stage => {}
            Origin::Job { stage, .. } => {
                if outputs.insert(&fed.origin) {
                    *plan.reads.entry(stage.clone()).or_default() += 1;
                }
            }
            Origin::File { file } => drop(plan.files.insert(file.clone())),
        }
    }
    plan
}
