//! What a build says while it goes on, for progress bars and for `--json`.
//! Must not know who listens or how it is shown.

use serde::Serialize;

use super::explain::{Cause, Reason};

/// Who listens. Called from several threads.
pub type Sink<'a> = &'a (dyn Fn(Event) + Sync);

/// One thing that happened. Serialised as one object whose `event` is its name in `snake_case`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The jobs of a stage are known; each of them will be reported once more at least.
    Planned {
        /// The stage.
        stage: &'static str,
        /// How many jobs it has.
        jobs: usize,
    },
    /// A job that is not in the cache starts.
    JobStarted {
        /// Its stage.
        stage: &'static str,
        /// Its name.
        job: String,
    },
    /// How far a job is that takes long.
    Worked {
        /// Its stage.
        stage: &'static str,
        /// Its name.
        job: String,
        /// Steps that are done.
        done: usize,
        /// All steps.
        all: usize,
    },
    /// The outputs of a job are there.
    JobFinished {
        /// Its stage.
        stage: &'static str,
        /// Its name.
        job: String,
        /// Whether they were there already.
        cached: bool,
        /// The job with the same key that ran in its place.
        #[serde(skip_serializing_if = "Option::is_none")]
        same_as: Option<String>,
    },
    /// A job failed. The build starts no more jobs.
    JobFailed {
        /// Its stage.
        stage: &'static str,
        /// Its name.
        job: String,
        /// The failure's message.
        message: String,
    },
    /// Only in a dry run: a job would run.
    WouldRun {
        /// Its stage.
        stage: &'static str,
        /// Its name.
        job: String,
        /// Reasons: lines of the key that differ, jobs that it comes after.
        why: Vec<Reason>,
        /// Root causes of the reasons that lie in other jobs.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        because: Vec<Cause>,
    },
    /// Only in a dry run: the jobs of a stage depend on outputs that are not there yet.
    Unknown {
        /// The stage.
        stage: &'static str,
    },
    /// Another process is in the way; the build goes on when it is done.
    Waiting {
        /// What is waited for, a fragment.
        what: String,
    },
    /// The cache had damaged contents. They were put aside; what made them runs again.
    Repairing {
        /// What was damaged, a fragment.
        what: String,
    },
    /// The last event of a build.
    Finished {
        /// Distinct jobs that ran; equal jobs count once.
        jobs_run: usize,
        /// Distinct jobs whose outputs were there already.
        jobs_cached: usize,
        /// Only in a dry run: distinct jobs that would run, as far as known.
        #[serde(skip_serializing_if = "Option::is_none")]
        jobs_would_run: Option<usize>,
        /// Exit code that the outcome asks for.
        exit: u8,
        /// The failure's message.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Milliseconds from start to end.
        wall_ms: u64,
    },
}
