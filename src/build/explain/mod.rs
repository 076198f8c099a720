//! Explanations: what a build would do, or what the last one did, and why, as the difference of two keys.
//! Must not know how an explanation is shown.

mod reason;
mod story;
mod subject;
mod tell;

#[cfg(test)]
mod test;

use std::collections::BTreeMap;

use finnp_cache::Store;
use serde::Serialize;

pub use reason::{Reason, Why};
pub use story::{Cause, Outputs, Step, because};
pub(super) use story::{Found, Node, Place, Story};

use super::dry::Outlook;
use super::history::{History, Jobs, Keys};
use crate::error::Result;
use subject::Subject;
use tell::Teller;

/// Which two states of the project are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// What a build would do now, with the last build.
    BuildNow,
    /// The last build that ran anything, with the one before it.
    LastBuild,
    /// Nothing would run, and no build that ran anything is remembered.
    Nothing,
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It failed.
    Failed,
    /// It ran.
    Ran,
    /// It would run.
    WouldRun,
    /// It would be looked at after others ran.
    Waits,
    /// It is another one than before, and equal to a job of the stage that runs or ran.
    Equal,
    /// It is another one than before, and was in the cache already.
    Found,
    /// Nothing that it reads changed.
    Untouched,
    /// It is no job any more.
    Removed,
    /// The build ended before.
    NotReached,
}

/// What happened to a job, and why.
#[derive(Debug, Clone, Serialize)]
pub struct JobStory {
    /// Its name.
    pub job: String,
    /// What became of it.
    pub status: Status,
    /// The job that is equal to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// Why: lines of its key that differ, or what else there is.
    pub why: Vec<Reason>,
    /// Root causes of the reasons that lie in other jobs.
    pub because: Vec<Cause>,
    /// How its outputs compare with those before, if it is another one than before and they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// Whether all outputs have the bytes that they had: nothing changes behind it.
    pub cut_off: bool,
    /// Jobs that read outputs of it, directly or through each other, and were not touched.
    pub spared: Vec<Step>,
}

/// What happened to a stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageStory {
    /// The stage.
    pub stage: String,
    /// Whether its jobs are known; otherwise they depend on what runs before.
    pub known: bool,
    /// Its jobs.
    pub jobs: Vec<JobStory>,
}

/// What a build would do or did, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// What is compared.
    pub basis: Basis,
    /// Distinct jobs that a build would run, as far as known.
    pub would_run: usize,
    /// Whether nothing had been built before.
    pub first: bool,
    /// Whether the build that is explained failed.
    pub failed: bool,
    /// Whether the project changed since the build that is explained and everything was in the cache.
    pub older: bool,
    /// The stage that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The layer that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// What happened, in the order of the build.
    pub stages: Vec<StageStory>,
}

/// What is known when an explanation is asked for.
pub(super) struct Known<'a> {
    pub(super) store: &'a Store,
    pub(super) history: &'a History,
    pub(super) last: &'a Keys,
    pub(super) outlook: &'a Outlook,
    /// Names of all stages, and not only of those that the outlook has.
    pub(super) stages: &'a [&'a str],
}

/// Explains what `word` names, a stage or a layer; all if it is none.
///
/// # Errors
/// A user error if there is nothing of that name; those of the cache.
pub(super) fn explain(known: &Known, word: Option<&str>) -> Result<Explanation> {
    let now =
        known.outlook.count > 0 || (known.outlook.stages.iter()).any(|stage| stage.jobs.is_none());
    let basis = match now {
        true => Basis::BuildNow,
        false if known.history.after.is_empty() && known.history.failed.is_empty() => {
            Basis::Nothing
        }
        false => Basis::LastBuild,
    };
    let past = basis == Basis::LastBuild;
    let story = Story {
        store: known.store,
        history: known.history,
        before: if past {
            &known.history.before
        } else {
            known.last
        },
        after: match past {
            true => past_state(known)?,
            false => future_state(known.outlook),
        },
    };
    let teller = Teller::new(known, &story, past)?;
    let subject = Subject::find(word, known.stages, &teller.states)?;
    let named = |stage: bool| match (&subject, stage) {
        (Subject::Stage(name), true) | (Subject::Layer(name), false) => Some(name.clone()),
        _ => None,
    };
    Ok(Explanation {
        basis,
        would_run: known.outlook.count,
        first: story.before.values().all(BTreeMap::is_empty),
        failed: past && !known.history.failed.is_empty(),
        older: past && is_older(known),
        stage: named(true),
        layer: named(false),
        stages: teller.tell(&subject)?,
    })
}

/// Whether a job was another one in the build that is explained than it is now.
fn is_older(known: &Known) -> bool {
    let now = future_state(known.outlook);
    now.iter().any(|((stage, job), node)| {
        let then = known
            .history
            .after
            .get(stage)
            .and_then(|jobs| jobs.get(job));
        then.is_some_and(|then| node.action != Some(*then))
    })
}

/// The jobs that a build would look at.
pub(super) fn future_state(outlook: &Outlook) -> BTreeMap<Place, Node> {
    let mut state = BTreeMap::new();
    for stage in &outlook.stages {
        for forecast in stage.jobs.iter().flatten() {
            let place = (stage.stage.to_owned(), forecast.job.clone());
            state.insert(place, forecast.node.clone());
        }
    }
    state
}

/// The jobs that the last build that ran anything did or found.
fn past_state(known: &Known) -> Result<BTreeMap<Place, Node>> {
    let mut state = BTreeMap::new();
    for (stage, jobs) in &known.history.after {
        for (job, action) in jobs {
            let place = (stage.clone(), job.clone());
            let node = Node::of(known.store, known.history, &place, *action)?;
            state.insert(place, node);
        }
    }
    Ok(state)
}

/// Why a job that runs does, and the root causes behind it; `failed` are jobs that failed last.
pub(super) fn why(
    story: &Story,
    failed: &Jobs,
    place: &Place,
    found: &mut Found,
) -> Result<(Vec<Reason>, Vec<Cause>)> {
    let mut why = story.reasons(place)?;
    if why.is_empty() {
        why.push(Reason::plain(Why::OutputsLost));
    }
    if failed
        .get(&place.0)
        .is_some_and(|jobs| jobs.contains(&place.1))
    {
        why.insert(0, Reason::plain(Why::Failed));
    }
    Ok((why, story.causes(place, found)?))
}
