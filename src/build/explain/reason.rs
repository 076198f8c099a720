//! Why a job runs: the lines in which two keys differ, or what else there is, in words and as data.
//! Must not know which builds are compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::build::history::Origin;
use crate::build::key;

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It failed in the last build.
    Failed,
    /// It was never built.
    NeverBuilt,
    /// The record of its last run is not in the cache any more.
    RecordGone,
    /// The record is there, the outputs are not.
    OutputsLost,
    /// It comes after a job that would run.
    After,
    /// The form of keys.
    KeyFormat,
    /// The version of a stage.
    StageVersion,
    /// The kind of machine.
    Machine,
    /// The sources of finnp itself.
    Finnp,
    /// The version of a tool of the machine.
    Tool,
    /// The program of a tool, which says the same version as before.
    ToolProgram,
    /// The program that is started.
    Program,
    /// A fact that the job reads, such as a slice of the manifest.
    Fact,
    /// The contents of an input.
    Input,
    /// An argument of the program.
    Argument,
    /// The name of an output.
    Output,
}

/// One reason, as data and in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// What it is about.
    pub kind: Why,
    /// Which fact, input, tool, stage or job.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it was; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Where an input comes from, if it is known and not written while planning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// The same as a lower-case fragment.
    pub words: String,
}

/// Where the inputs of two runs of a job came from, by name.
pub(super) struct Origins<'a> {
    pub(super) old: &'a dyn Fn(&str) -> Option<Origin>,
    pub(super) new: &'a dyn Fn(&str) -> Option<Origin>,
}

impl Reason {
    /// A reason that is no line of a key.
    pub(super) fn plain(kind: Why) -> Reason {
        let words = match kind {
            Why::Failed => "it failed in the last build",
            Why::RecordGone => {
                "the cache has no record of its last run, so what changed is not known"
            }
            Why::OutputsLost => "the cache lost its outputs",
            _ => "it was never built before",
        };
        Reason {
            kind,
            name: String::new(),
            old: None,
            new: None,
            from: None,
            words: words.to_owned(),
        }
    }

    /// That a job comes after another that would run.
    pub(super) fn after(stage: &str, job: &str) -> Reason {
        Reason {
            name: job.to_owned(),
            words: format!("after `{job}` of {stage}"),
            ..Reason::plain(Why::After)
        }
    }

    fn line(kind: Why, name: &str, old: Option<&str>, new: Option<&str>) -> Reason {
        let mut reason = Reason {
            kind,
            name: name.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
            from: None,
            words: String::new(),
        };
        reason.words = reason.spoken(true);
        reason
    }

    /// Whether it may be the end of an explanation. What stages choose while they plan follows from what was
    /// built before, and inputs that jobs made have reasons of their own.
    pub fn is_root(&self) -> bool {
        match self.kind {
            Why::Program | Why::Argument | Why::Output | Why::After => false,
            Why::Input => matches!(self.from, Some(Origin::File { .. })),
            _ => true,
        }
    }

    /// The words without digests, which differ where all else is alike.
    pub fn alike(&self) -> String {
        match self.kind {
            Why::Input => self.spoken(false),
            _ => self.words.clone(),
        }
    }

    fn spoken(&self, digests: bool) -> String {
        let name = &self.name;
        let (old, new) = (self.old.as_deref(), self.new.as_deref());
        let about = match self.kind {
            Why::KeyFormat => "the form of keys".to_owned(),
            Why::StageVersion => format!("version of stage {name}"),
            Why::Machine => "machine".to_owned(),
            Why::Program => "program".to_owned(),
            Why::Tool | Why::ToolProgram => format!("tool {name}"),
            Why::Input => format!("input {name}"),
            Why::Fact => name.clone(),
            Why::Argument => "argument".to_owned(),
            Why::Output => "output".to_owned(),
            Why::Finnp => return finnp(old, new),
            _ => return self.words.clone(),
        };
        let about = about.replace('\n', "\\n");
        let what = match (self.kind, old, new) {
            (Why::ToolProgram, Some(old), Some(new)) => {
                let digests = format!("({} -> {})", short(old), short(new));
                format!("another program of the same version {digests}")
            }
            (Why::Input, Some(old), Some(new)) if digests => {
                format!("other contents ({} -> {})", short(old), short(new))
            }
            (Why::Input, Some(_), Some(_)) => "other contents".to_owned(),
            (Why::Input, None, _) => "added".to_owned(),
            (Why::Input, _, None) => "removed".to_owned(),
            (_, Some(old), Some(new)) => format!("{} -> {}", shown(old), shown(new)),
            (_, None, Some(new)) => format!("{} (added)", shown(new)),
            (_, old, None) => format!("{} (removed)", shown(old.unwrap_or_default())),
        };
        match (self.kind, new) {
            (Why::Input, None) => format!("{about}: {what}"),
            _ => format!("{about}: {what}{}", self.origin()),
        }
    }

    /// Where an input comes from, as the end of the words about it.
    fn origin(&self) -> String {
        match &self.from {
            Some(Origin::Job { stage, job, output }) => {
                let of = match self.name.rsplit_once('/') {
                    _ if self.name == *output => String::new(),
                    Some((_, file)) if file == output => String::new(),
                    _ => format!("{output} "),
                };
                format!(", {of}from `{job}` of {stage}")
            }
            Some(Origin::File { file }) if self.name != *file => format!(", file {file}"),
            _ => String::new(),
        }
    }
}

fn finnp(old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => {
            format!("finnp itself changed ({} -> {})", short(old), short(new))
        }
        (None, _) => "finnp computes it itself now".to_owned(),
        (_, None) => "finnp does not compute it itself any more".to_owned(),
    }
}

/// The beginning of a digest.
fn short(digest: &str) -> String {
    format!("{}..", digest.get(..8).unwrap_or(digest))
}

/// A value on one line; an empty one can be seen.
fn shown(value: &str) -> String {
    match value {
        "" => "nothing".to_owned(),
        value => value.replace('\n', "\\n"),
    }
}

/// Values of the lines of a key, by first word and name.
type Lines = BTreeMap<(String, String), Vec<String>>;

fn lines(text: &str) -> Lines {
    let mut lines = Lines::new();
    for line in key::lines(text) {
        let values = lines.entry((line.word, line.name)).or_default();
        values.push(line.value);
    }
    lines
}

/// The lines in which the key `old` differs from the key `new`.
pub(super) fn changes(old: &str, new: &str, origins: &Origins) -> Vec<Reason> {
    let (old, new) = (lines(old), lines(new));
    let names: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
    let mut reasons = Vec::new();
    let tools = |lines: &Lines| -> Vec<(String, Vec<String>)> {
        let tools = lines.iter().filter(|((word, _), _)| word == "tool");
        tools
            .map(|((_, name), version)| (name.clone(), version.clone()))
            .collect()
    };
    let same_tools = tools(&old) == tools(&new);
    for line in names {
        let values = |lines: &Lines| lines.get(line).cloned().unwrap_or_default();
        let (before, after) = (values(&old), values(&new));
        let (word, name) = (line.0.as_str(), line.1.as_str());
        match word {
            _ if before == after => {}
            // Another tool or version is another program.
            "tool-sha256" if !same_tools => {}
            "tool-sha256" => {
                let tool = tools(&new).pop().unwrap_or_default().0;
                reasons.extend(line_changes(word, &tool, &before, &after, origins));
            }
            _ => reasons.extend(line_changes(word, name, &before, &after, origins)),
        }
    }
    reasons.sort();
    reasons
}

/// How the values of the lines with one first word and name changed.
fn line_changes(
    word: &str,
    name: &str,
    old: &[String],
    new: &[String],
    origins: &Origins,
) -> Vec<Reason> {
    let kind = match word {
        "stage" => Why::StageVersion,
        "machine" => Why::Machine,
        "source" => Why::Finnp,
        "tool" => Why::Tool,
        "tool-sha256" => Why::ToolProgram,
        "program" => Why::Program,
        "arg" => Why::Argument,
        "output" => Why::Output,
        "fact" => Why::Fact,
        "input" => Why::Input,
        _ => Why::KeyFormat,
    };
    let joined = |values: &[String]| (!values.is_empty()).then(|| values.join(", "));
    let (before, after) = (joined(old), joined(new));
    match kind {
        Why::Argument | Why::Output => listed(kind, old, new),
        Why::Fact => fact(name, before.as_deref(), after.as_deref()),
        _ => {
            let mut reason = Reason::line(kind, name, before.as_deref(), after.as_deref());
            if kind == Why::Input {
                reason.from = (origins.new)(name).or_else(|| (origins.old)(name));
                reason.words = reason.spoken(true);
            }
            vec![reason]
        }
    }
}

/// Changes of a list: what was removed and what was added, in pairs if there are as many; else the order.
fn listed(kind: Why, old: &[String], new: &[String]) -> Vec<Reason> {
    let mut removed = old.to_vec();
    let mut added = Vec::new();
    for value in new {
        match removed.iter().position(|other| other == value) {
            Some(place) => drop(removed.remove(place)),
            None => added.push(value.clone()),
        }
    }
    let pair = |(old, new): (&String, &String)| Reason::line(kind, "", Some(old), Some(new));
    if removed.is_empty() && added.is_empty() {
        let pairs = old.iter().zip(new).filter(|(old, new)| old != new);
        return pairs.map(pair).collect();
    }
    if removed.len() == added.len() {
        return removed.iter().zip(&added).map(pair).collect();
    }
    let removed = removed
        .iter()
        .map(|value| Reason::line(kind, "", Some(value), None));
    let added = added
        .iter()
        .map(|value| Reason::line(kind, "", None, Some(value)));
    removed.chain(added).collect()
}

/// A fact of several lines `key = value` is as many facts.
fn fact(label: &str, old: Option<&str>, new: Option<&str>) -> Vec<Reason> {
    let several = |value: Option<&str>| value.is_some_and(|value| value.contains('\n'));
    let pairs = |value: Option<&str>| -> Option<BTreeMap<String, String>> {
        let lines = value.unwrap_or_default().lines();
        let pair = |line: &str| {
            let (key, value) = line.split_once(" = ")?;
            Some((key.to_owned(), value.to_owned()))
        };
        lines.map(pair).collect()
    };
    if (several(old) || several(new))
        && let (Some(old), Some(new)) = (pairs(old), pairs(new))
    {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let changed = keys
            .into_iter()
            .filter(|key| old.get(*key) != new.get(*key));
        return changed
            .map(|key| {
                let (old, new) = (old.get(key), new.get(key));
                Reason::line(Why::Fact, key, old.map(|v| &**v), new.map(|v| &**v))
            })
            .collect();
    }
    vec![Reason::line(Why::Fact, label, old, new)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(old: &str, new: &str) -> Vec<String> {
        let job = |name: &str| match name {
            "layer.json" => Some(Origin::Job {
                stage: "fold".to_owned(),
                job: "network".to_owned(),
                output: "layers/fc1/layer.json".to_owned(),
            }),
            "samples" => Some(Origin::File {
                file: "test.npz".to_owned(),
            }),
            _ => None,
        };
        let origins = Origins {
            old: &job,
            new: &job,
        };
        let reasons = changes(old, new, &origins);
        reasons.into_iter().map(|reason| reason.words).collect()
    }

    #[test]
    fn every_kind_of_line_has_words() {
        let old = "finnp-key 1\nstage fold 1\nmachine x86_64-linux\nsource aaaaaaaaaa\n";
        let new = "finnp-key 2\nstage fold 2\nmachine riscv64-linux\nsource bbbbbbbbbb\n";
        let told = [
            "the form of keys: 1 -> 2",
            "version of stage fold: 1 -> 2",
            "machine: x86_64-linux -> riscv64-linux",
            "finnp itself changed (aaaaaaaa.. -> bbbbbbbb..)",
        ];
        assert_eq!(words(old, new), told);
        let old = "tool c++ g++ 12.2\ntool-sha256 1\nprogram a\n";
        let new = "tool c++ g++ 13\ntool-sha256 2\nprogram b\n";
        assert_eq!(
            words(old, new),
            ["tool c++: g++ 12.2 -> g++ 13", "program: a -> b"]
        );
        let old = "tool c++ g++ 12.2\ntool-sha256 1111111111\n";
        let new = "tool c++ g++ 12.2\ntool-sha256 2222222222\n";
        let told = "tool c++: another program of the same version (11111111.. -> 22222222..)";
        assert_eq!(words(old, new), [told]);
    }

    #[test]
    fn facts_and_inputs_are_named() {
        let old = "fact layer\\sfc1\\sdensity 0.5\nfact gone 1\nfact empty \n";
        let new = "fact layer\\sfc1\\sdensity 0.25\nfact layer\\sfc1\\spe 4\nfact empty x\n";
        let told = [
            "empty: nothing -> x",
            "gone: 1 (removed)",
            "layer fc1 density: 0.5 -> 0.25",
            "layer fc1 pe: 4 (added)",
        ];
        assert_eq!(words(old, new), told);
        let old = "fact input input.scale = 1\\ninput.type = \"uint5\"\\n\n";
        let new = "fact input input.scale = 0.5\\ninput.type = \"uint5\"\\n\n";
        assert_eq!(words(old, new), ["input.scale: 1 -> 0.5"]);
        let old = "input layer.json 11112222aa\ninput samples 1\ninput x y 33334444bb\n";
        let new = "input layer.json 55556666cc\ninput samples 2\ninput z 77778888dd\n";
        let told = [
            "input layer.json: other contents (11112222.. -> 55556666..), layers/fc1/layer.json from `network` of fold",
            "input samples: other contents (1.. -> 2..), file test.npz",
            "input x y: removed",
            "input z: added",
        ];
        assert_eq!(words(old, new), told);
    }

    #[test]
    fn lists_are_paired_where_they_can_be() {
        assert_eq!(
            words("arg a\narg b\narg c\n", "arg b\narg d\narg c\n"),
            ["argument: a -> d"]
        );
        assert_eq!(
            words("arg a\narg b\n", "arg b\n"),
            ["argument: a (removed)"]
        );
        assert_eq!(
            words("output a\n", "output a\noutput b\n"),
            ["output: b (added)"]
        );
        let order = ["argument: a -> b", "argument: b -> a"];
        assert_eq!(words("arg a\narg b\n", "arg b\narg a\n"), order);
    }
}
