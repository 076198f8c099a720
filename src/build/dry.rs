//! Finds out what a build would do without doing it.
//! Must not run, write or lock anything of the project, nor say why.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use finnp_cache::{Blob, Digest};

use super::built::{Built, Done, blob_of};
use super::engine::Engine;
use super::explain::{Node, Place};
use super::graph::Graph;
use super::history::{Fed, Feeds, Origin};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::stage::{Artifacts, Input, Job, OutputRef, Stage};

/// What is there, and whether something was asked for that is not.
struct Probe<'a> {
    built: &'a Built,
    missed: Cell<bool>,
}

impl Probe<'_> {
    fn ask<T>(&self, stage: &str, job: &str, answer: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.built.job(stage, job).is_none() {
            self.missed.set(true);
            return Err(Error::bug(format!("`{job}` of `{stage}` is not built")));
        }
        answer()
    }
}

impl Artifacts for Probe<'_> {
    fn read(&self, output: &OutputRef) -> Result<Arc<[u8]>> {
        self.ask(output.stage, &output.job, || self.built.read(output))
    }

    fn list(&self, stage: &str, job: &str) -> Result<BTreeMap<String, String>> {
        self.ask(stage, job, || self.built.list(stage, job))
    }
}

/// A job that a build would look at.
pub(super) struct Forecast {
    pub(super) job: String,
    pub(super) node: Node,
    /// Whether its outputs are in the cache.
    pub(super) cached: bool,
}

/// The jobs of one stage; none if they depend on outputs that are not there yet.
pub(super) struct StageForecast {
    pub(super) stage: &'static str,
    pub(super) jobs: Option<Vec<Forecast>>,
}

/// What a build would do.
pub(super) struct Outlook {
    pub(super) stages: Vec<StageForecast>,
    /// What is built already.
    pub(super) built: Built,
    /// Distinct jobs that would run, as far as that is known.
    pub(super) count: usize,
}

/// Looks at `stages` one after the other.
///
/// # Errors
/// What keeps a stage from being planned, other than outputs that are not there yet.
pub(super) fn outlook(
    engine: &Engine,
    manifest: &Manifest,
    stages: &[&dyn Stage],
) -> Result<Outlook> {
    let mut outlook = Outlook {
        stages: Vec::new(),
        built: Built::new(Arc::clone(&engine.vault)),
        count: 0,
    };
    for stage in stages {
        engine.cancel.check()?;
        let probe = Probe {
            built: &outlook.built,
            missed: Cell::new(false),
        };
        let plan = stage.plan(manifest, &probe);
        // Even a plan that went well is a guess if it was made without what it asked for.
        let jobs = match probe.missed.get() {
            true => None,
            false => {
                let graph = Graph::new(stage.name(), plan?)?;
                Some(forecast(engine, *stage, &graph, &mut outlook)?)
            }
        };
        let stage = stage.name();
        outlook.stages.push(StageForecast { stage, jobs });
    }
    Ok(outlook)
}

fn forecast(
    engine: &Engine,
    stage: &dyn Stage,
    graph: &Graph,
    outlook: &mut Outlook,
) -> Result<Vec<Forecast>> {
    let mut actions: BTreeMap<String, Digest> = BTreeMap::new();
    let mut jobs = Vec::new();
    for place in graph.order() {
        let job = &graph.jobs[place];
        let waits = waits_for(job, &outlook.built);
        let mut node = Node {
            feeds: Some(feeds(job, &outlook.built)),
            ..Node::default()
        };
        let mut cached = false;
        if waits.is_empty() {
            let stored = |output: &OutputRef| stored(&outlook.built, output);
            let key = engine.ready(stage, job, &stored)?.key;
            if let Some(record) = engine.vault.store.lookup(&key.text)? {
                cached = true;
                engine.tally.note(key.action, true);
                let outputs = record.outputs.iter();
                let digests = outputs.map(|(name, blob)| (name.clone(), blob.digest));
                node.outputs = Some(digests.collect());
                let done = Done {
                    action: key.action,
                    outputs: record.outputs,
                };
                outlook.built.add(stage.name(), job, Arc::new(done));
            } else {
                actions.insert(job.name.clone(), key.action);
            }
            node.action = Some(key.action);
            node.key = Some(key.text);
        } else {
            outlook.count += 1;
        }
        node.waits = waits.into_iter().collect();
        let job = job.name.clone();
        jobs.push(Forecast { job, node, cached });
    }
    outlook.count += actions.values().collect::<BTreeSet<_>>().len();
    Ok(jobs)
}

/// Jobs that have to run before the inputs of `job` are known.
fn waits_for(job: &Job, built: &Built) -> BTreeSet<Place> {
    let waits = job.inputs.values().filter_map(|input| match input {
        Input::Output(output) if built.job(output.stage, &output.job).is_none() => {
            Some((output.stage.to_owned(), output.job.clone()))
        }
        _ => None,
    });
    waits.collect()
}

fn feeds(job: &Job, built: &Built) -> Feeds {
    let feeds = Origin::of(job).map(|(name, origin)| {
        let action = match &origin {
            Origin::Job { stage, job, .. } => built.job(stage, job).map(|done| done.action),
            Origin::File { .. } => None,
        };
        (name.clone(), Fed { origin, action })
    });
    feeds.collect()
}

fn stored(built: &Built, output: &OutputRef) -> Result<Blob> {
    let done = built.job(output.stage, &output.job);
    let done = done.ok_or_else(|| Error::bug(format!("`{}` is not built", output.job)))?;
    blob_of(done, output)
}
