//! What one build leaves for the words of the next: the action of every job, what the last build that ran
//! anything did, and where the inputs of actions came from.
//! Must not know how actions are compared; what is built must not depend on any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use finnp_cache::Digest;
use serde::{Deserialize, Serialize};

use super::project::{load_json, save_json};
use crate::error::Result;
use crate::stage::{Input, Job, OutputRef};

/// Action of every job of the last build, by stage and job.
const KEYS: &str = ".keys.json";
/// What the last build that ran anything did.
const HISTORY: &str = ".history.json";

/// Actions by stage and job.
pub(super) type Keys = BTreeMap<String, BTreeMap<String, Digest>>;
/// Jobs by stage.
pub(super) type Jobs = BTreeMap<String, BTreeSet<String>>;

/// Where an input of a job comes from, if it is not written while planning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// It is an output of a job.
    Job {
        /// Stage of the job.
        stage: String,
        /// The job.
        job: String,
        /// Name of the output.
        output: String,
    },
    /// It is a file of the user.
    File {
        /// Name without folders.
        file: String,
    },
}

impl Origin {
    /// Of the inputs of `job`, those that are not written while planning.
    pub(super) fn of(job: &Job) -> impl Iterator<Item = (&String, Origin)> {
        job.inputs.iter().filter_map(|(name, input)| {
            let origin = match input {
                Input::Output(OutputRef { stage, job, output }) => Origin::Job {
                    stage: (*stage).to_owned(),
                    job: job.clone(),
                    output: output.clone(),
                },
                Input::File(path) => Origin::File {
                    file: path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                },
                Input::Bytes(_) => return None,
            };
            Some((name, origin))
        })
    }
}

/// What was read under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fed {
    #[serde(flatten)]
    pub(super) origin: Origin,
    /// The action that made it, if a job did and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<Digest>,
}

/// What was read, by the name under which it was. What is written while planning is left out.
pub(super) type Feeds = BTreeMap<String, Fed>;

/// What the last build that ran anything did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    /// The actions that the project had before.
    pub(super) before: Keys,
    /// Actions that were done or found.
    pub(super) after: Keys,
    /// Jobs that ran to their end.
    pub(super) ran: Jobs,
    /// Jobs that failed.
    pub(super) failed: Jobs,
    /// Stages of which every job was done.
    pub(super) complete: BTreeSet<String>,
    /// By stage, job and action, as far as they are needed to explain anything above.
    sources: BTreeMap<String, BTreeMap<String, BTreeMap<Digest, Feeds>>>,
}

impl History {
    /// What the project's folder `build` holds; nothing if it cannot be read.
    pub(super) fn load(build: &Path) -> History {
        load_json(&build.join(HISTORY))
    }

    /// What a job read when it was this action, if that is remembered.
    pub(super) fn feeds(&self, stage: &str, job: &str, action: &Digest) -> Option<&Feeds> {
        self.sources.get(stage)?.get(job)?.get(action)
    }

    fn note(&mut self, stage: &str, job: &str, action: Digest, feeds: Feeds) {
        let jobs = self.sources.entry(stage.to_owned()).or_default();
        let actions = jobs.entry(job.to_owned()).or_default();
        actions.insert(action, feeds);
    }

    /// Forgets where inputs came from if neither `keys` nor this build's actions lead there.
    fn forget(&mut self, keys: &Keys) {
        let mut kept = History::default();
        let mut open: Vec<(String, String, Digest)> = Vec::new();
        for (stage, jobs) in [keys, &self.before, &self.after].into_iter().flatten() {
            open.extend(
                jobs.iter()
                    .map(|(job, action)| (stage.clone(), job.clone(), *action)),
            );
        }
        while let Some((stage, job, action)) = open.pop() {
            if kept.feeds(&stage, &job, &action).is_some() {
                continue;
            }
            let Some(feeds) = self.feeds(&stage, &job, &action) else {
                continue;
            };
            for fed in feeds.values() {
                if let (Origin::Job { stage, job, .. }, Some(action)) = (&fed.origin, fed.action) {
                    open.push((stage.clone(), job.clone(), action));
                }
            }
            kept.note(&stage, &job, action, feeds.clone());
        }
        self.sources = kept.sources;
    }
}

/// Actions of the last build in the project's folder `build`; none if they cannot be read.
pub(super) fn load_keys(build: &Path) -> Keys {
    load_json(&build.join(KEYS))
}

/// What a build notes while it goes on.
#[derive(Default)]
pub(super) struct Journal {
    last: Keys,
    state: Mutex<History>,
}

impl Journal {
    /// The journal of a build that comes after one whose actions were `last`.
    pub(super) fn new(last: Keys) -> Journal {
        Journal {
            last,
            state: Mutex::default(),
        }
    }

    /// Actions of the build before.
    pub(super) fn last(&self) -> &Keys {
        &self.last
    }

    /// A job is done; `ran` if it was not found in the cache. `made` tells the action of a job that it reads.
    pub(super) fn done(
        &self,
        stage: &str,
        job: &Job,
        action: Digest,
        ran: bool,
        made: &dyn Fn(&str, &str) -> Option<Digest>,
    ) {
        let known = self.last.get(stage).and_then(|jobs| jobs.get(&job.name));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let after = state.after.entry(stage.to_owned()).or_default();
        after.insert(job.name.clone(), action);
        if ran {
            let jobs = state.ran.entry(stage.to_owned()).or_default();
            jobs.insert(job.name.clone());
        }
        if ran || known != Some(&action) {
            let feeds = Origin::of(job).map(|(name, origin)| {
                let action = match &origin {
                    Origin::Job { stage, job, .. } => made(stage, job),
                    Origin::File { .. } => None,
                };
                (name.clone(), Fed { origin, action })
            });
            let feeds = feeds.collect();
            state.note(stage, &job.name, action, feeds);
        }
    }

    /// A job failed.
    pub(super) fn failed(&self, stage: &str, job: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = state.failed.entry(stage.to_owned()).or_default();
        jobs.insert(job.to_owned());
    }

    /// Every job of a stage is done.
    pub(super) fn complete(&self, stage: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.complete.insert(stage.to_owned());
    }

    /// Writes what there is to remember into the project's folder `build`.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn save(&self, build: &Path) -> Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.last.clone();
        for (stage, jobs) in &state.after {
            let kept = keys.entry(stage.clone()).or_default();
            if state.complete.contains(stage) {
                kept.clear();
            }
            kept.extend(jobs.clone());
        }
        let worked = !state.ran.is_empty() || !state.failed.is_empty();
        if !worked && keys == self.last {
            return Ok(());
        }
        let old = History::load(build);
        let mut history = match worked {
            true => History {
                before: self.last.clone(),
                sources: old.sources,
                ..state.clone()
            },
            false => old,
        };
        for (stage, jobs) in &state.sources {
            for (job, actions) in jobs {
                for (action, feeds) in actions {
                    history.note(stage, job, *action, feeds.clone());
                }
            }
        }
        history.forget(&keys);
        // First: without it the words about new actions would be poorer.
        save_json(&build.join(HISTORY), &history)?;
        if keys != self.last {
            save_json(&build.join(KEYS), &keys)?;
        }
        Ok(())
    }
}
