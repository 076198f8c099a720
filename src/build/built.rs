//! What is built: the outputs of every job so far, by digest.
//! Must not know how they came to be.

use std::collections::BTreeMap;
use std::sync::Arc;

use finnp_cache::{Blob, Digest};

use super::vault::Vault;
use crate::error::{Error, Result};
use crate::stage::{Artifacts, Job, OutputRef, Work};

/// What an action made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) action: Digest,
    pub(super) outputs: BTreeMap<String, Blob>,
}

/// A job that is done, and where its outputs are shown.
pub(super) struct BuiltJob {
    pub(super) done: Arc<Done>,
    pub(super) folder: Option<String>,
    /// Whether it ran a process, whose words are its output [`LOG`].
    pub(super) has_log: bool,
}

/// Name of the output that holds what a process wrote to its standard output and error.
pub(super) const LOG: &str = "log";

/// Outputs of all jobs that are done. Reading one checks its digest.
pub struct Built {
    vault: Arc<Vault>,
    stages: BTreeMap<&'static str, BTreeMap<String, BuiltJob>>,
}

impl Built {
    pub(super) fn new(vault: Arc<Vault>) -> Built {
        Built {
            vault,
            stages: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, stage: &'static str, job: &Job, done: Arc<Done>) {
        let built = BuiltJob {
            done,
            folder: job.folder.clone(),
            has_log: matches!(job.work, Work::Run(_)),
        };
        let jobs = self.stages.entry(stage).or_default();
        jobs.insert(job.name.clone(), built);
    }

    /// All jobs in a fixed order.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'static str, &str, &BuiltJob)> {
        self.stages.iter().flat_map(|(stage, jobs)| {
            let jobs = jobs.iter();
            jobs.map(move |(name, job)| (*stage, name.as_str(), job))
        })
    }

    pub(super) fn job(&self, stage: &str, job: &str) -> Option<&Arc<Done>> {
        Some(&self.stages.get(stage)?.get(job)?.done)
    }

    /// The blob of an output.
    ///
    /// # Errors
    /// A bug if there is no such job or output.
    pub(super) fn blob(&self, output: &OutputRef) -> Result<Blob> {
        let done = self
            .job(output.stage, &output.job)
            .ok_or_else(|| no_job(output.stage, &output.job))?;
        blob_of(done, output)
    }

    /// Names of the jobs of `stage`, in order; none if it was not built.
    pub fn jobs(&self, stage: &str) -> impl Iterator<Item = &str> {
        let jobs = self.stages.get(stage).into_iter();
        jobs.flat_map(|jobs| jobs.keys().map(String::as_str))
    }

    /// Text of the key of a job.
    ///
    /// # Errors
    /// A bug if there is no such job; a tool error if its record cannot be read.
    pub fn key(&self, stage: &str, job: &str) -> Result<String> {
        let done = self.job(stage, job).ok_or_else(|| no_job(stage, job))?;
        let record = self.vault.store.record(&done.action)?;
        record
            .map(|record| record.key)
            .ok_or_else(|| Error::tool(format!("the record of `{job}` of `{stage}` is gone")))
    }
}

/// The blob of an output of a job that is done.
pub(super) fn blob_of(done: &Done, output: &OutputRef) -> Result<Blob> {
    done.outputs.get(&output.output).copied().ok_or_else(|| {
        let OutputRef { stage, job, output } = output;
        Error::bug(format!("job `{job}` of `{stage}` has no output `{output}`"))
    })
}

fn no_job(stage: &str, job: &str) -> Error {
    Error::bug(format!("stage `{stage}` has no job `{job}`"))
}

impl Artifacts for Built {
    fn read(&self, output: &OutputRef) -> Result<Arc<[u8]>> {
        self.vault.read(&self.blob(output)?)
    }

    fn list(&self, stage: &str, job: &str) -> Result<BTreeMap<String, String>> {
        let done = self.job(stage, job).ok_or_else(|| no_job(stage, job))?;
        let outputs = done.outputs.iter();
        Ok(outputs
            .map(|(name, blob)| (name.clone(), blob.digest.to_string()))
            .collect())
    }
}
