//! Explanations as text: a few lines for every stage, or some for every kind of job.
//! Must not know how reasons are found.

use std::fmt::Write;

use super::table::{count, grouped};
use crate::build::{
    Basis, Explanation, JobStory, Outputs, Reason, StageStory, Status, Step, because,
};

/// Most names in a list.
const NAMED: usize = 6;
/// Most outputs that are named.
const OUTPUTS: usize = 4;

/// One paragraph for every stage.
pub(super) fn stages(explanation: &Explanation) -> String {
    let mut text = heading(explanation);
    if explanation.basis == Basis::Nothing {
        return text;
    }
    for story in &explanation.stages {
        let _ = writeln!(text, "{:<10}  {}", story.stage, tally(story));
        // Of a first build there is nothing to say but that.
        let roots = if explanation.first {
            Vec::new()
        } else {
            roots(story)
        };
        for line in roots.into_iter().chain(ends(explanation, story)) {
            let _ = writeln!(text, "{:<10}  {line}", "");
        }
    }
    text
}

/// All jobs that belong to a stage or a layer, those that are alike as one.
pub(super) fn jobs(explanation: &Explanation) -> String {
    let mut text = heading(explanation);
    if explanation.basis == Basis::Nothing {
        return text;
    }
    let layer = explanation.layer.as_deref();
    let stages = explanation.stages.iter();
    let stages: Vec<&StageStory> = stages
        .filter(|story| layer.is_none() || !story.jobs.is_empty() || !story.known)
        .collect();
    for story in stages {
        let _ = writeln!(text, "{}", story.stage);
        if !story.known {
            text += "  its jobs depend on what runs before it\n";
        }
        for alike in groups(&story.jobs) {
            text += &paragraph(&alike);
        }
    }
    text
}

/// What is compared with what.
fn heading(explanation: &Explanation) -> String {
    let unknown = explanation.stages.iter().any(|story| !story.known);
    let least = if unknown { "at least " } else { "" };
    let jobs = count(explanation.would_run, "job");
    let failed = if explanation.failed {
        ", which failed"
    } else {
        ""
    };
    let older = match explanation.older {
        true => "; since then the project changed, and everything was in the cache",
        false => "",
    };
    match (explanation.basis, explanation.first) {
        (Basis::Nothing, _) => {
            "nothing would run: everything is in the cache, and no build that ran anything is remembered here\n"
                .to_owned()
        }
        (Basis::BuildNow, true) => {
            format!("a build now would be the first here and run {least}{jobs}\n\n")
        }
        (Basis::BuildNow, false) => {
            format!("a build now would run {least}{jobs}; compared with the last build:\n\n")
        }
        (Basis::LastBuild, true) => {
            format!("nothing would run now{older}; the last build that ran anything was the first here{failed}:\n\n")
        }
        (Basis::LastBuild, false) => format!(
            "nothing would run now{older}; the last build that ran anything{failed}, compared with the one before:\n\n"
        ),
    }
}

/// How many jobs of a stage ran and how many did not.
fn tally(story: &StageStory) -> String {
    if !story.known {
        return "depends on what runs before it".to_owned();
    }
    let number = |status: Status| story.jobs.iter().filter(|job| job.status == status).count();
    let all = story.jobs.len() - number(Status::Removed);
    let kinds = [
        (Status::Failed, "failed"),
        (Status::Ran, "ran"),
        (Status::WouldRun, "would run"),
        (Status::Waits, "may run"),
        (Status::Equal, "equal to these"),
        (Status::Found, "changed but in the cache"),
        (Status::Untouched, "not touched"),
        (Status::NotReached, "not reached"),
        (Status::Removed, "no longer there"),
    ];
    let kinds = kinds
        .into_iter()
        .map(|(status, words)| (number(status), words));
    let kinds = kinds.filter(|(number, _)| *number > 0);
    let mut parts: Vec<String> = kinds
        .map(|(number, words)| format!("{} {words}", grouped(number as u64)))
        .collect();
    if let [only] = &mut parts[..]
        && let Some(words) = only.strip_prefix(&format!("{} ", grouped(all as u64)))
    {
        *only = words.to_owned();
    }
    match parts.is_empty() {
        true => "nothing to do".to_owned(),
        false => format!("{}: {}", count(all, "job"), parts.join(", ")),
    }
}

/// The root causes of everything in a stage, each once.
fn roots(story: &StageStory) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut causes = Vec::new();
    for job in &story.jobs {
        let own: Vec<&Reason> = job.why.iter().filter(|reason| reason.is_root()).collect();
        let own = match own.is_empty() && job.because.is_empty() {
            true => job.why.iter().collect(),
            false => own,
        };
        lines.extend(own.iter().map(|reason| reason.alike()));
        for mut cause in job.because.iter().cloned() {
            // The way is another one for every job.
            cause.through.clear();
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    lines.extend(because(&causes));
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// Where the effects of a stage's jobs end.
fn ends(explanation: &Explanation, story: &StageStory) -> Vec<String> {
    let cut: Vec<&JobStory> = story.jobs.iter().filter(|job| job.cut_off).collect();
    if cut.is_empty() {
        return Vec::new();
    }
    let mut spared: Vec<Step> = cut.iter().flat_map(|job| job.spared.clone()).collect();
    let stages = &explanation.stages;
    let order = |step: &Step| stages.iter().position(|story| story.stage == step.stage);
    spared.sort_by_cached_key(|step| (order(step), step.job.clone()));
    spared.dedup();
    let names = cut.iter().map(|job| format!("`{}`", job.job)).collect();
    let names = listed(names, NAMED);
    vec![format!(
        "cut off after {names}: the same bytes as before{}",
        behind(&spared)
    )]
}

/// Jobs for which the same is to be said, but for the name of their layer.
struct Alike<'a> {
    jobs: Vec<&'a JobStory>,
    body: Vec<String>,
}

fn groups(jobs: &[JobStory]) -> Vec<Alike<'_>> {
    let mut groups: Vec<Alike> = Vec::new();
    for job in jobs {
        let body = body(job, true);
        let same = |alike: &&mut Alike| {
            let first = alike.jobs[0];
            first.status == job.status && first.same_as == job.same_as && alike.body == body
        };
        match groups.iter_mut().find(same) {
            Some(alike) => alike.jobs.push(job),
            None => groups.push(Alike {
                jobs: vec![job],
                body,
            }),
        }
    }
    groups.sort_by_key(|alike| alike.jobs[0].status);
    groups
}

/// What is said of a job; for comparison without digests and with `*` for the name of its layer.
fn body(job: &JobStory, alike: bool) -> Vec<String> {
    let why = job.why.iter().map(|reason| match alike {
        true => reason.alike(),
        false => reason.words.clone(),
    });
    let lines = why.chain(because(&job.because)).chain(effect(job));
    match job.job.split_once(' ') {
        Some((_, layer)) if alike => lines.map(|line| starred(&line, layer)).collect(),
        _ => lines.collect(),
    }
}

/// `text` with `*` where `name` stands as a word.
fn starred(text: &str, name: &str) -> String {
    let inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut starred = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let alone = !before.ends_with(inside) && !after.starts_with(inside);
        starred += before;
        starred += if alone { "*" } else { name };
        rest = after;
    }
    starred + rest
}

/// What became of the outputs, and of what reads them.
fn effect(job: &JobStory) -> Vec<String> {
    let Some(outputs) = &job.outputs else {
        return Vec::new();
    };
    let Outputs {
        same,
        changed,
        added,
        removed,
    } = outputs;
    if job.cut_off {
        let what = match &same[..] {
            [one] => format!("{one} has the same bytes as before"),
            _ => format!("all {} outputs have the same bytes as before", same.len()),
        };
        return vec![format!("cut off: {what}{}", behind(&job.spared))];
    }
    let parts = [
        ("other bytes", changed),
        ("new", added),
        ("gone", removed),
        ("as before", same),
    ];
    let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts
        .map(|(what, names)| format!("{what}: {}", listed(names.clone(), OUTPUTS)))
        .collect();
    if same.is_empty() && added.is_empty() && removed.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("outputs: {}", parts.join("; "))];
    if !same.is_empty() && !job.spared.is_empty() {
        lines.push(format!(
            "not touched, as they read only what is as before: {}",
            saved(&job.spared)
        ));
    }
    lines
}

/// What was not touched behind equal bytes, as the end of a sentence.
fn behind(spared: &[Step]) -> String {
    match spared.is_empty() {
        true => String::new(),
        false => format!("; not touched behind that: {}", saved(spared)),
    }
}

/// How many jobs of which stages; one or two by name.
fn saved(spared: &[Step]) -> String {
    let mut stages: Vec<(&str, Vec<String>)> = Vec::new();
    for Step { stage, job } in spared {
        match stages.iter_mut().find(|(other, _)| other == stage) {
            Some((_, jobs)) => jobs.push(format!("`{job}`")),
            None => stages.push((stage, vec![format!("`{job}`")])),
        }
    }
    let stages: Vec<String> = stages
        .into_iter()
        .map(|(stage, jobs)| match jobs.len() {
            1 | 2 => format!("{} of {stage}", jobs.join(", ")),
            number => format!("{} of {stage}", count(number, "job")),
        })
        .collect();
    stages.join(", ")
}

fn paragraph(alike: &Alike) -> String {
    let job = alike.jobs[0];
    let names = alike.jobs.iter().map(|job| job.job.clone()).collect();
    let what = match job.status {
        Status::Failed => "failed".to_owned(),
        Status::Ran => "ran".to_owned(),
        Status::WouldRun => "would run".to_owned(),
        Status::Waits => "may run".to_owned(),
        Status::Equal => {
            let other = job.same_as.as_deref().unwrap_or_default();
            format!("needs no run of its own, being equal to `{other}`")
        }
        Status::Found => "changed but was in the cache".to_owned(),
        Status::Untouched => "not touched".to_owned(),
        Status::Removed => "no longer there".to_owned(),
        Status::NotReached => "not reached".to_owned(),
    };
    let mut text = format!("  {}: {what}\n", listed(names, NAMED));
    let lines = match alike.jobs.len() {
        1 => body(job, false),
        _ => alike.body.clone(),
    };
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text
}

/// Names with commas; of many the first, and how many more there are.
fn listed(names: Vec<String>, most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let mut names = names;
    names.truncate(most);
    let text = names.join(", ");
    match more {
        0 => text,
        more => format!("{text} and {} more", grouped(more as u64)),
    }
}
