//! Tells what a build would do, and why, without doing it.
//! Must not run, write or lock anything of the project.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use finnp_cache::Blob;

use super::built::{Built, Done, blob_of};
use super::engine::{Engine, Keys};
use super::event::Event;
use super::graph::Graph;
use super::key::{self, Key};
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

/// Tells the listener what `stages` would do. Returns what is built already and how many distinct jobs
/// would run, as far as that is known.
///
/// # Errors
/// What keeps a stage from being planned, other than outputs that are not there yet.
pub(super) fn run(
    engine: &Engine,
    manifest: &Manifest,
    stages: &[&dyn Stage],
    last: &Keys,
) -> Result<(Built, usize)> {
    let mut built = Built::new(Arc::clone(&engine.vault));
    let mut count = 0;
    for stage in stages {
        engine.cancel.check()?;
        let probe = Probe {
            built: &built,
            missed: Cell::new(false),
        };
        let plan = stage.plan(manifest, &probe);
        let name = stage.name();
        // Even a plan that went well is a guess if it was made without what it asked for.
        if probe.missed.get() {
            (engine.sink)(Event::Unknown { stage: name });
            continue;
        }
        let graph = Graph::new(name, plan?)?;
        let jobs = graph.jobs.len();
        (engine.sink)(Event::Planned { stage: name, jobs });
        let dry = Dry {
            engine,
            stage: *stage,
            last: last.get(name),
        };
        count += dry.stage(&graph, &mut built)?;
    }
    Ok((built, count))
}

struct Dry<'a> {
    engine: &'a Engine<'a>,
    stage: &'a dyn Stage,
    last: Option<&'a BTreeMap<String, finnp_cache::Digest>>,
}

impl Dry<'_> {
    fn stage(&self, graph: &Graph, built: &mut Built) -> Result<usize> {
        let stage = self.stage.name();
        let mut actions = BTreeSet::new();
        let mut after_others = 0;
        for place in graph.order() {
            let job = &graph.jobs[place];
            let mut why = waits_for(job, built);
            if why.is_empty() {
                let stored = |output: &OutputRef| stored(built, output);
                let key = self.engine.ready(self.stage, job, &stored)?.key;
                let record = self.engine.vault.store.lookup(&key.text)?;
                if let Some(record) = record {
                    let action = key.action;
                    self.engine.tally.note(action, true);
                    let outputs = record.outputs;
                    built.add(stage, job, Arc::new(Done { action, outputs }));
                    (self.engine.sink)(Event::JobFinished {
                        stage,
                        job: job.name.clone(),
                        cached: true,
                        same_as: None,
                    });
                    continue;
                }
                why = self.reasons(job, &key)?;
                actions.insert(key.action);
            } else {
                after_others += 1;
            }
            let job = job.name.clone();
            (self.engine.sink)(Event::WouldRun { stage, job, why });
        }
        Ok(actions.len() + after_others)
    }

    fn reasons(&self, job: &Job, key: &Key) -> Result<Vec<String>> {
        let Some(last) = self.last.and_then(|jobs| jobs.get(&job.name)) else {
            return Ok(vec!["it was never built".to_owned()]);
        };
        let Some(record) = self.engine.vault.store.record(last)? else {
            return Ok(vec!["the cache has no record of its last run".to_owned()]);
        };
        let mut why = key::difference(&record.key, &key.text);
        if why.is_empty() {
            why.push("the cache lost its outputs".to_owned());
        }
        Ok(why)
    }
}

/// Jobs that have to run before the inputs of `job` are known.
fn waits_for(job: &Job, built: &Built) -> Vec<String> {
    let waits: BTreeSet<String> = job
        .inputs
        .values()
        .filter_map(|input| match input {
            Input::Output(output) if built.job(output.stage, &output.job).is_none() => {
                Some(format!("after `{}` of {}", output.job, output.stage))
            }
            _ => None,
        })
        .collect();
    waits.into_iter().collect()
}

fn stored(built: &Built, output: &OutputRef) -> Result<Blob> {
    let done = built.job(output.stage, &output.job);
    let done = done.ok_or_else(|| Error::bug(format!("`{}` is not built", output.job)))?;
    blob_of(done, output)
}
