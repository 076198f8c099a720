//! Runs stages one after the other, each when all jobs of the ones before are done.
//! Must not know what a stage does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use finnp_cache::{Blob, Digest};

use super::built::Built;
use super::event::{Event, Sink};
use super::graph::Graph;
use super::history::Journal;
use super::key;
use super::pool::{Failed, Pool, Ready};
use super::source::Digests;
use super::vault::Vault;
use super::view;
use crate::error::{Error, Kind, Result};
use crate::manifest::Manifest;
use crate::stage::{Job, OutputRef, Stage};
use crate::tool::Cancel;

/// What all parts of one build share.
pub(super) struct Engine<'a> {
    pub(super) vault: Arc<Vault>,
    pub(super) cancel: &'a Cancel,
    pub(super) sink: Sink<'a>,
    /// How many jobs run at once, at least 1.
    pub(super) jobs: usize,
    pub(super) digests: Digests,
    pub(super) tally: &'a Tally,
    pub(super) journal: Journal,
}

/// Distinct actions of a build.
#[derive(Default)]
pub(super) struct Tally(Mutex<(BTreeSet<Digest>, BTreeSet<Digest>)>);

impl Tally {
    /// An action ran (`cached` false) or was found.
    pub(super) fn note(&self, action: Digest, cached: bool) {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !cached {
            sets.0.insert(action);
        } else if !sets.0.contains(&action) {
            sets.1.insert(action);
        }
    }

    /// How many ran, and how many were found.
    pub(super) fn counts(&self) -> (usize, usize) {
        let sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An action that was found damaged and ran again, ran.
        (sets.0.len(), sets.1.difference(&sets.0).count())
    }
}

impl Engine<'_> {
    /// Runs `stages` and returns what is built. On failure the logs are in `view`'s folder.
    ///
    /// # Errors
    /// Whatever a stage or a job says.
    pub(super) fn run(
        &self,
        manifest: &Manifest,
        stages: &[&dyn Stage],
        view: &view::View,
    ) -> Result<Built> {
        let mut built = Built::new(Arc::clone(&self.vault));
        for stage in stages {
            self.cancel.check()?;
            self.stage(manifest, *stage, &mut built, view)?;
        }
        Ok(built)
    }

    fn stage(
        &self,
        manifest: &Manifest,
        stage: &dyn Stage,
        built: &mut Built,
        view: &view::View,
    ) -> Result<()> {
        let name = stage.name();
        let graph = Graph::new(name, stage.plan(manifest, built)?)?;
        let jobs = graph.jobs.len();
        (self.sink)(Event::Planned { stage: name, jobs });
        let (done, failed) = Pool::new(self, stage, &graph, built).run();
        self.cancel.check()?;
        if !failed.is_empty() {
            return Err(self.report(name, &graph, failed, view)?);
        }
        for (job, done) in graph.jobs.iter().zip(done) {
            let done = done.ok_or_else(|| {
                Error::bug(format!("job `{}` of `{name}` was never run", job.name))
            })?;
            built.add(name, job, done);
        }
        self.journal.complete(name);
        Ok(())
    }

    /// All that failed as one failure; their logs are written where they can be read.
    fn report(
        &self,
        stage: &str,
        graph: &Graph,
        failed: Vec<Failed>,
        view: &view::View,
    ) -> Result<Error> {
        let count = failed.len();
        let mut errors = Vec::with_capacity(count);
        for Failed { job, failure } in failed {
            let name = &graph.jobs[job].name;
            let mut error = failure.error;
            if matches!(error.kind(), Kind::Tool | Kind::Bug) {
                error = error.within(format!("{stage} `{name}`"));
            }
            if let Some(log) = failure.log {
                let path = view.write_log(stage, name, &log)?;
                error = error.help(format!("the whole log is in `{path}`"));
            }
            errors.push(error);
        }
        Ok(Error::many(
            format!("{count} jobs of `{stage}` failed"),
            errors,
        ))
    }

    /// Finds the inputs of `job` and its key; `stored` answers for outputs of jobs.
    ///
    /// # Errors
    /// If an input or the job's tool is missing.
    pub(super) fn ready(
        &self,
        stage: &dyn Stage,
        job: &Job,
        stored: &dyn Fn(&OutputRef) -> Result<Blob>,
    ) -> Result<Ready> {
        let mut sources = BTreeMap::new();
        for (name, input) in &job.inputs {
            sources.insert(name.clone(), self.digests.find(input, stored)?);
        }
        let inputs = sources
            .iter()
            .map(|(name, source)| (name.clone(), source.digest()))
            .collect();
        let key = key::key(stage, job, &inputs)?;
        Ok(Ready { key, sources })
    }
}
