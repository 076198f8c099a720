//! What is seen of a build while it goes on: a bar on a terminal, plain lines elsewhere.
//! Must not know how the build ends.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::Screen;
use super::table::{count, grouped, seconds};
use crate::build::Event;

/// How often the bar moves by itself.
const TICK: Duration = Duration::from_millis(100);

/// How long nothing is said about a count where there is no bar.
const SILENCE: Duration = Duration::from_secs(10);
/// The bar of a stage.
const WORKING: &str = "{prefix:<10}  [{bar:24}] {pos}/{len}  {elapsed}  {wide_msg}";
/// The bar of a count of samples.
const COUNTING: &str =
    "{prefix:<10}  [{bar:24}] {human_pos}/{human_len}  {elapsed}, {eta} left, {per_sec}";

/// Shows events on standard error.
pub(super) struct Progress {
    quiet: bool,
    verbose: bool,
    terminal: bool,
    state: Mutex<State>,
}

/// The stage under way.
#[derive(Default)]
struct State {
    jobs: usize,
    done: usize,
    cached: usize,
    running: BTreeMap<String, Instant>,
    /// When the count of samples began, and when a line told of it last.
    count: Option<(Instant, Instant)>,
    /// There is one as soon as something takes time.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows nothing if `quiet`, and every job if `verbose`.
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        Progress {
            quiet,
            verbose,
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::default(),
        }
    }

    /// Shows one event.
    pub(super) fn hear(&self, event: &Event, screen: &Screen) {
        if self.quiet {
            return;
        }
        if let Event::Worked {
            stage, done, all, ..
        } = event
        {
            return self.count((stage, "step"), *done, *all, screen);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = state.lines(event, self.verbose, !self.terminal || self.verbose);
        if !lines.is_empty() {
            match &state.bar {
                Some(bar) => bar.suspend(|| screen.err(&lines)),
                None => screen.err(&lines),
            }
        }
        if self.terminal {
            state.draw(event);
        }
    }

    /// Shows one event on a bar, if there is one or the event makes it worth while, and nowhere else.
    pub(super) fn draw(&self, event: &Event) {
        if !self.quiet && self.terminal {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.lines(event, false, false);
            state.draw(event);
        }
    }

    /// Shows that `done` of `all` things are done, samples or others, in `what`: on a bar, elsewhere on a line now and then. A count begins
    /// with none that are done.
    pub(super) fn count(
        &self,
        (what, thing): (&'static str, &str),
        done: usize,
        all: usize,
        screen: &Screen,
    ) {
        if self.quiet {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.terminal {
            screen.err(&state.counted((what, thing), done, all, Instant::now()));
            return;
        }
        let bar = state.bar.get_or_insert_with(bar);
        if done == 0 {
            style(bar, COUNTING);
            bar.reset();
        }
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_prefix(what);
        bar.set_message("");
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl State {
    /// Enters the event and returns the lines that it is worth: jobs if `each`, stages if `stages`.
    fn lines(&mut self, event: &Event, each: bool, stages: bool) -> String {
        match event {
            Event::Planned { jobs, .. } => {
                self.jobs = *jobs;
                (self.done, self.cached) = (0, 0);
                self.running.clear();
            }
            Event::JobStarted { job, .. } => {
                self.running.insert(job.clone(), Instant::now());
            }
            Event::JobFinished {
                stage,
                job,
                cached,
                same_as,
            } => {
                let time = self.running.remove(job).map(|start| start.elapsed());
                self.done += 1;
                self.cached += usize::from(*cached);
                let mut lines = String::new();
                if each {
                    let how = match (same_as, cached, time) {
                        (Some(other), ..) => format!("same as {other}"),
                        (None, true, _) => "cached".to_owned(),
                        (None, false, Some(time)) => seconds(time),
                        (None, false, None) => String::new(),
                    };
                    lines += format!("{stage:<10}  {job}  {how}").trim_end();
                    lines.push('\n');
                }
                if stages && self.done == self.jobs {
                    let jobs = count(self.jobs, "job");
                    lines += &format!("{stage:<10}  {jobs}, {} cached\n", self.cached);
                }
                return lines;
            }
            Event::JobFailed { stage, job, .. } => {
                self.running.remove(job);
                return format!("{stage:<10}  {job}  failed\n");
            }
            Event::Waiting { what } => return format!("waiting for {what}\n"),
            Event::Repairing { what } => return format!("repairing the cache: {what}\n"),
            // A dry run is answered as a whole at its end.
            Event::WouldRun { .. }
            | Event::Unknown { .. }
            | Event::Finished { .. }
            | Event::Worked { .. } => {}
        }
        String::new()
    }

    /// The line about a count of samples at the time `now`, if it is time for one.
    fn counted(
        &mut self,
        (what, thing): (&str, &str),
        done: usize,
        all: usize,
        now: Instant,
    ) -> String {
        let (start, last) = match self.count {
            Some(count) if done > 0 => count,
            _ => (now, now),
        };
        self.count = Some((start, last));
        if done == 0 || done == all || now - last < SILENCE {
            return String::new();
        }
        self.count = Some((start, now));
        let left = (now - start).mul_f64((all - done) as f64 / done as f64);
        let (done, all) = (grouped(done as u64), count(all, thing));
        format!("{what:<10}  {done} of {all}, {} left\n", seconds(left))
    }

    /// Brings the bar up to date.
    fn draw(&mut self, event: &Event) {
        let stage = match event {
            Event::Planned { stage, .. }
            | Event::JobStarted { stage, .. }
            | Event::JobFinished { stage, .. }
            | Event::JobFailed { stage, .. } => *stage,
            _ => return,
        };
        if self.bar.is_none() {
            // What is in the cache is over before anybody could read a bar.
            if self.running.is_empty() {
                return;
            }
            self.bar = Some(bar());
        }
        if let Some(bar) = &self.bar {
            style(bar, WORKING);
            bar.set_length(self.jobs as u64);
            bar.set_position(self.done as u64);
            bar.set_prefix(stage);
            let running: Vec<&str> = self.running.keys().map(String::as_str).collect();
            bar.set_message(running.join(", "));
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    style(&bar, WORKING);
    bar.enable_steady_tick(TICK);
    bar
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn finished(job: &str, cached: bool) -> Event {
        Event::JobFinished {
            stage: "fold",
            job: job.into(),
            cached,
            same_as: None,
        }
    }

    #[test]
    fn a_stage_is_one_line_when_it_is_done() {
        let mut state = State::default();
        let mut lines = String::new();
        for event in [
            Event::Planned {
                stage: "fold",
                jobs: 2,
            },
            finished("a", true),
            Event::JobStarted {
                stage: "fold",
                job: "b".into(),
            },
            finished("b", false),
        ] {
            lines += &state.lines(&event, false, true);
        }
        assert_eq!(lines, "fold        2 jobs, 1 cached\n");
    }

    #[test]
    fn a_count_is_told_now_and_then() {
        let mut state = State::default();
        let start = Instant::now();
        let mut said = |done, after| {
            state.counted(
                ("eval", "sample"),
                done,
                1000,
                start + Duration::from_secs(after),
            )
        };
        assert_eq!(said(0, 0), "");
        assert_eq!(said(100, 9), "");
        assert_eq!(
            said(200, 20),
            "eval        200 of 1,000 samples, 1 min 20 s left\n"
        );
        assert_eq!(said(250, 25), "");
        assert_eq!(
            said(500, 50),
            "eval        500 of 1,000 samples, 50.0 s left\n"
        );
        assert_eq!(said(1000, 100), "");
    }

    #[test]
    fn verbose_tells_of_each_job() {
        let mut state = State::default();
        let line = state.lines(&finished("a", true), true, false);
        assert_eq!(line, "fold        a  cached\n");
    }
}
