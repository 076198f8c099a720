//! `Call`: one call of finnp, with what every command may use: options, progress, the engine.
//! Must not know what the commands do.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::finished::{Counts, Finished, line};
use super::progress::Progress;
use super::screen::Screen;
use super::{Options, version};
use crate::build::{self, Built, Event, Explanation, Outcome, StagePlan};
use crate::error::{Error, Kind, Result, render};
use crate::manifest::Manifest;
use crate::stage::STAGES;
use crate::tool::Cancel;

/// One call of finnp.
pub(super) struct Call {
    /// Options of the command line that all commands take.
    pub(super) options: Options,
    /// The wish to stop.
    pub(super) cancel: Cancel,
    /// Where everything is printed.
    pub(super) screen: Screen,
    progress: Progress,
    start: Instant,
    counts: Mutex<Counts>,
}

impl Call {
    /// A call that began at `start`.
    pub(super) fn new(options: Options, cancel: Cancel, start: Instant) -> Self {
        let screen = Screen::new(options.color);
        let progress = Progress::new(options.quiet || options.json, options.verbose);
        Call {
            options,
            cancel,
            screen,
            progress,
            start,
            counts: Mutex::default(),
        }
    }

    /// The project's manifest, with the settings of the command line.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub(super) fn manifest(&self) -> Result<Manifest> {
        Manifest::load(&self.options.dir, &self.options.set)
    }

    /// How to build, as far as the options that all commands take tell.
    pub(super) fn build_options(&self, to: Option<&str>) -> build::Options {
        build::Options {
            to: to.map(str::to_owned),
            jobs: self.options.jobs.map_or(0, usize::from),
            cache_dir: self.options.cache_dir.clone(),
            ..build::Options::default()
        }
    }

    /// Runs the engine on the project and shows what happens; `heed` hears it first.
    ///
    /// # Errors
    /// As [`build::build`].
    pub(super) fn build(
        &self,
        manifest: &Manifest,
        options: &build::Options,
        heed: &(dyn Fn(&Event) + Sync),
    ) -> Result<Outcome> {
        let sink = |event: Event| {
            heed(&event);
            self.hear(&event);
        };
        build::build(
            manifest,
            &manifest.dir,
            STAGES,
            options,
            &self.cancel,
            &sink,
        )
    }

    /// What the stages up to `to` make, from the cache as far as it is there. The project's `build/` folder
    /// stays as it is, and nobody who works on it is waited for. Jobs are shown only if the user wants to see all.
    ///
    /// # Errors
    /// As [`build::build`].
    pub(super) fn reach(&self, manifest: &Manifest, to: &str) -> Result<Built> {
        let options = self.build_options(Some(to));
        let elsewhere = tempfile::tempdir()
            .map_err(|cause| Error::io("create a folder in", &std::env::temp_dir(), &cause))?;
        let sink = |event: Event| self.hear_aside(&event);
        let folder = elsewhere.path();
        build::build(manifest, folder, STAGES, &options, &self.cancel, &sink)
            .map(|done| done.artifacts)
    }

    /// What a build would do or the last one did, and why; see [`build::explain`].
    ///
    /// # Errors
    /// As [`build::explain`].
    pub(super) fn explain(&self, manifest: &Manifest, about: Option<&str>) -> Result<Explanation> {
        build::explain(
            manifest,
            &manifest.dir,
            STAGES,
            &self.build_options(None),
            &self.cancel,
            &|event| self.hear_aside(&event),
            about,
        )
    }

    /// The stages as a build would find them; see [`build::plans`].
    ///
    /// # Errors
    /// As [`build::plans`].
    pub(super) fn plans(&self, manifest: &Manifest) -> Result<Vec<StagePlan>> {
        build::plans(
            manifest,
            &manifest.dir,
            STAGES,
            &self.build_options(None),
            &self.cancel,
            &|event| self.hear_aside(&event),
        )
    }

    /// Shows an event of what is not the point of the call: a bar if it takes time, no lines, no events.
    fn hear_aside(&self, event: &Event) {
        let trouble = matches!(event, Event::Waiting { .. } | Event::Repairing { .. });
        match event {
            Event::Finished { .. } => self.hear(event),
            _ if self.options.verbose || trouble => self.hear(event),
            _ if !self.options.json => self.progress.draw(event),
            _ => {}
        }
    }

    /// Shows an event. The engine's last one is only counted: the call goes on.
    pub(super) fn hear(&self, event: &Event) {
        if let Event::Finished {
            jobs_run,
            jobs_cached,
            jobs_would_run,
            ..
        } = event
        {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts = Counts {
                run: *jobs_run,
                cached: *jobs_cached,
                would_run: *jobs_would_run,
            };
        } else if !self.options.json {
            self.progress.hear(event, &self.screen);
        } else if !self.options.quiet {
            self.screen.out(&line(event));
        }
    }

    /// Shows that `done` of `all` samples are done, and how long the others take.
    pub(super) fn count(&self, what: &'static str, done: usize, all: usize) {
        self.progress
            .count((what, "sample"), done, all, &self.screen);
    }

    /// Time since the call began.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Prints the outcome and returns the exit code.
    pub(super) fn end(&self, outcome: Result<Answer>) -> ExitCode {
        self.progress.clear();
        let failure = match &outcome {
            Ok(answer) => answer.failure.as_ref(),
            Err(error) => Some(error),
        };
        let code = failure.map_or(0, |error| error.kind().exit_code());
        if self.options.json {
            let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let finished = match outcome {
                Ok(Answer { failure, data, .. }) => {
                    let outcome = failure.as_ref().map_or(Ok(()), Err);
                    Finished::new(counts, self.start, outcome, Some(data))
                }
                Err(error) => Finished::new(counts, self.start, Err(&error), None),
            };
            self.screen.out(&finished.line());
        } else {
            match outcome {
                Ok(answer) => self.say(&answer),
                Err(error) => self.complain(&error),
            }
        }
        self.screen.end(code)
    }

    fn say(&self, answer: &Answer) {
        self.screen.out(&answer.text);
        if let Some(failure) = &answer.failure {
            self.complain(failure);
        }
        if self.options.quiet {
            return;
        }
        let bold = match self.screen.colour_err() {
            true => "\x1b[33;1mwarning\x1b[0m",
            false => "warning",
        };
        for warning in &answer.warnings {
            self.screen.err(&format!("{bold}: {warning}\n"));
        }
        self.screen.out(&answer.note);
    }

    fn complain(&self, error: &Error) {
        self.screen.err(&render(error, self.screen.colour_err()));
        if error.kind() == Kind::Bug {
            self.screen.err(&format!("  version: {}\n", version()));
        }
    }
}

/// A path as people write it: without the `./` of the present folder.
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
