//! The last line of `--json`: how a call ended, in one object.
//! Must not know which command was called.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Place};

/// Jobs of a build, as the engine counts them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Distinct jobs that ran.
    pub(super) run: usize,
    /// Distinct jobs whose outputs were in the cache.
    pub(super) cached: usize,
    /// Only in a dry run: distinct jobs that would run.
    pub(super) would_run: Option<usize>,
}

/// How a call ended.
#[derive(Debug, Serialize)]
pub(super) struct Finished {
    event: &'static str,
    jobs_run: usize,
    jobs_cached: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs_would_run: Option<usize>,
    exit: u8,
    wall_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(flatten)]
    data: Map<String, Value>,
}

/// One failure with its place: lines and columns count from 1, in characters.
#[derive(Debug, Serialize)]
struct Problem {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(flatten)]
    spot: Option<Spot>,
}

#[derive(Debug, Serialize)]
struct Spot {
    file: String,
    line: usize,
    column: usize,
    length: usize,
}

impl Finished {
    /// The end of a call that began at `start`, with the values of a command's answer.
    pub(super) fn new(
        counts: Counts,
        start: Instant,
        outcome: Result<(), &Error>,
        data: Option<Map<String, Value>>,
    ) -> Self {
        let error = outcome.err();
        let mut problems = Vec::new();
        if let Some(error) = error {
            gather(error, &mut problems);
        }
        Finished {
            event: "finished",
            jobs_run: counts.run,
            jobs_cached: counts.cached,
            jobs_would_run: counts.would_run,
            exit: error.map_or(0, |error| error.kind().exit_code()),
            wall_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            error: error.map(|error| error.message().to_owned()),
            problems,
            data: data.unwrap_or_default(),
        }
    }

    /// The object on a line of its own.
    pub(super) fn line(&self) -> String {
        line(self)
    }
}

/// `value` as JSON on a line of its own.
pub(super) fn line(value: &impl Serialize) -> String {
    // Fails only for maps whose keys are no texts, and there are none.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// All single failures of a sum, in order.
fn gather(error: &Error, problems: &mut Vec<Problem>) {
    if error.parts().is_empty() {
        problems.push(Problem {
            message: error.message().to_owned(),
            help: error.remedy().map(str::to_owned),
            spot: error.place().map(spot),
        });
    }
    for part in error.parts() {
        gather(part, problems);
    }
}

fn spot(place: &Place) -> Spot {
    let text = place.source.inner();
    let before = text.get(..place.span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Spot {
        file: place.source.name().to_owned(),
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        length: place.text().chars().count(),
    }
}
