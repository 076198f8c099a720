//! `finnp build`: runs the stages and tells what came of it.
//! Must not know what a stage does.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;

use super::answer::Answer;
use super::area;
use super::call::{Call, shown};
use super::table::{count, grouped, rate, seconds};
use crate::build::{self, Built, Durability, Event, Outcome};
use crate::error::{Error, Kind, Result};
use crate::stage::{Artifacts, Figures, Link, PROOF, Summary, link};

/// Artifacts that are read when a build is done: what it has to say of itself.
const READ: usize = 2;

/// Build the accelerator into the folder `build`
#[derive(clap::Args)]
pub(super) struct Build {
    /// Last stage to run, such as `fold`; a name that is none lists them
    #[arg(long, value_name = "STAGE")]
    to: Option<String>,
    /// Fail unless this stage does its work, such as `link`, which else does not run where its tools are missing
    #[arg(long, value_name = "STAGE")]
    require: Vec<String>,
    /// Simulate large layers and networks whole, which takes long, instead of a part of the picture
    #[arg(long)]
    full: bool,
    /// Tell what would run, and why, without running it
    #[arg(long)]
    dry_run: bool,
    /// Fail instead of waiting for another build of this project
    #[arg(long)]
    no_wait: bool,
    /// What of the cache survives a crash of the machine: `safe` is slower
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Survive::Fast)]
    durability: Survive,
}

/// What of the cache survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Survive {
    /// Results of the last seconds may be lost, and are made again
    Fast,
    /// Every result that was reported
    Safe,
}

impl Build {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let mut manifest = call.manifest()?;
        manifest.full = self.full;
        let mut options = call.build_options(self.to.as_deref());
        options.require = self.require.clone();
        options.dry_run = self.dry_run;
        options.no_wait = self.no_wait;
        options.durability = match self.durability {
            Survive::Fast => Durability::Fast,
            Survive::Safe => Durability::Safe,
        };
        let plan = Mutex::new(String::new());
        let heed = |event: &Event| {
            let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            *plan += &planned(event);
        };
        let mut outcome = call.build(&manifest, &options, &heed)?;
        if self.dry_run {
            let text = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
            return Ok(Answer::text(text + &dry(&outcome)));
        }
        let folder = manifest.dir.join("build");
        for _ in 0..READ {
            match self.answer(call, &outcome, &folder) {
                // Damage that nobody met before the end: it is put aside by now, and made again.
                Err(error) if error.kind() == Kind::CacheCorrupt => {
                    outcome = call.build(&manifest, &options, &heed)?;
                }
                answer => return answer,
            }
        }
        self.answer(call, &outcome, &folder)
    }

    /// What a build has to say that ran and went well.
    fn answer(&self, call: &Call, outcome: &Outcome, folder: &Path) -> Result<Answer> {
        let summary = summary(&outcome.artifacts, &call.options.dir)?;
        let mut note = String::new();
        if let Some(summary) = &summary {
            note += &result(summary);
            note += &summary.cost.as_deref().map_or_else(String::new, area::line);
        } else if let Some(to) = &self.to {
            let verified = outcome.artifacts.jobs("verify").next().is_some();
            note += &match verified {
                true => format!("stopped after `{to}`: {PROOF}\n"),
                false => format!("stopped after `{to}`: nothing is verified\n"),
            };
        }
        let linked = match outcome.artifacts.jobs("link").next() {
            Some(_) => Some(link(&outcome.artifacts)?),
            None => None,
        };
        if let Some(linked) = &linked {
            note += &line(linked);
        }
        note += &format!(
            "{} run, {} cached, {}\n{}\n",
            count(outcome.jobs_run, "job"),
            grouped(outcome.jobs_cached as u64),
            seconds(call.elapsed()),
            shown(folder),
        );
        let mut answer = Answer::note(note).with("folder", folder.display().to_string());
        if let Some(linked) = &linked {
            if let Link::Done(done) = linked {
                answer.warnings.clone_from(&done.warnings);
            }
            let value = serde_json::to_value(linked);
            let value = value.map_err(|cause| Error::bug(cause.to_string()))?;
            answer = answer.with("link", value);
        }
        if let Some(summary) = summary {
            answer = answer
                .with("project", summary.project)
                .with("board", summary.board)
                .with("proof", summary.proof)
                .with("left_out", summary.left_out)
                .with("warnings", summary.warnings.clone())
                .with_all(&summary.facts);
            answer.warnings = summary.warnings;
        }
        Ok(answer)
    }
}

/// The line of a dry run that an event is worth.
fn planned(event: &Event) -> String {
    match event {
        Event::WouldRun {
            stage,
            job,
            why,
            because,
        } => {
            let why = why.iter().map(|reason| reason.words.clone());
            let why: Vec<String> = why.chain(build::because(because)).collect();
            format!("{stage:<10}  {job}: {}\n", why.join("; "))
        }
        Event::Unknown { stage } => format!("{stage:<10}  depends on what runs before it\n"),
        _ => String::new(),
    }
}

fn dry(outcome: &Outcome) -> String {
    match outcome.jobs_would_run {
        0 => format!(
            "nothing to run: {} cached\n",
            count(outcome.jobs_cached, "job")
        ),
        jobs => format!(
            "{} would run, {} cached; nothing was changed\n",
            count(jobs, "job"),
            grouped(outcome.jobs_cached as u64)
        ),
    }
}

/// What was built and proved.
fn result(summary: &Summary) -> String {
    let left_out = summary.left_out.iter().map(|line| format!("{line}\n"));
    let network = summary.rtl.as_ref().and_then(|rtl| rtl.network.as_ref());
    let cycles = network.map_or_else(String::new, |network| {
        let every = network.interval.map_or_else(String::new, |cycles| {
            format!(", the others every {}", grouped(cycles))
        });
        format!(
            "the first frame takes {} cycles in RTL{every}\n",
            grouped(network.latency)
        )
    });
    format!(
        "{} for {}: {} frames per second at {} MHz, bottleneck `{}`\n{}\n{cycles}{}",
        summary.project,
        summary.board,
        rate(summary.facts.fps),
        summary.facts.clock_mhz,
        summary.facts.bottleneck,
        summary.proof,
        left_out.collect::<String>(),
    )
}

/// What came of Vivado, in a line.
fn line(link: &Link) -> String {
    let done = match link {
        Link::NotRun { reason } => return format!("link not run: {reason}\n"),
        Link::Done(done) => done,
    };
    let Figures {
        lut, ff, bram, dsp, ..
    } = done.figures;
    let met = match done.timing_met {
        true => "met",
        false => "NOT met",
    };
    format!(
        "link done (out of context): {} LUT, {} FF, {bram} BRAM, {} DSP; {} MHz {met}, WNS {} ns\n",
        grouped(lut),
        grouped(ff),
        grouped(dsp),
        done.clock_mhz,
        done.figures.wns_ns,
    )
}

/// The summary, if it was built.
fn summary(built: &Built, dir: &Path) -> Result<Option<Summary>> {
    const OUTPUT: &str = "summary.json";
    for job in built.jobs("summary") {
        if built.list("summary", job)?.contains_key(OUTPUT) {
            let path = dir.join("build").join(OUTPUT);
            let text = std::fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))?;
            let summary = serde_json::from_slice(&text);
            let broken = |cause| Error::bug(format!("`{OUTPUT}` cannot be read: {cause}"));
            return summary.map(Some).map_err(broken);
        }
    }
    Ok(None)
}
