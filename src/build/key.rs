//! The key of a job: a readable text whose digest names the action.
//! Must not know how the action is run; the job's name is no part of it.

use std::collections::BTreeMap;

use finnp_cache::Digest;

use crate::error::Result;
use crate::stage::{Job, Program, Stage, Work};
use crate::tool;

/// First line of every key; raised when the lines change their meaning.
const FORMAT: &str = "finnp-key 1";
/// Digest of everything that finnp is made of, from `build.rs`.
const SOURCE: &str = env!("FINNP_SOURCE_HASH");

/// A key and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) action: Digest,
}

/// The key of `job` of `stage`, whose inputs have the contents `inputs`.
///
/// # Errors
/// If the job's tool is missing.
pub(super) fn key(stage: &dyn Stage, job: &Job, inputs: &BTreeMap<String, Digest>) -> Result<Key> {
    let mut lines = vec![
        FORMAT.to_owned(),
        format!("stage {} {}", stage.name(), stage.version()),
    ];
    let machine = (std::env::consts::ARCH, std::env::consts::OS);
    lines.push(format!("machine {}-{}", machine.0, machine.1));
    match &job.work {
        Work::Compute(_) | Work::Learn(_) => lines.push(format!("source {SOURCE}")),
        Work::Run(command) => {
            let mut lead = Vec::new();
            match &command.program {
                Program::Tool(name) => {
                    let found = tool::find(name)?;
                    lines.push(format!("tool {name} {}", escape(&found.version)));
                    lines.push(format!("tool-sha256 {}", found.sha256));
                    lead.clone_from(&found.lead);
                }
                Program::Input(name) => lines.push(format!("program {}", escape(name))),
            }
            let args = lead.iter().chain(&command.args);
            lines.extend(args.map(|arg| format!("arg {}", escape(arg))));
            let mut outputs: Vec<&String> = command.outputs.iter().collect();
            outputs.sort();
            lines.extend(
                outputs
                    .iter()
                    .map(|name| format!("output {}", escape(name))),
            );
        }
    }
    // By label alone: the order in which a stage says things is no part of what it says, but
    // several values of one label are a list.
    let mut facts: Vec<&(String, String)> = job.lines.iter().collect();
    facts.sort_by_key(|(label, _)| label);
    for (label, value) in facts {
        let label = escape(label).replace(' ', "\\s");
        lines.push(format!("fact {label} {}", escape(value)));
    }
    for (name, digest) in inputs {
        lines.push(format!("input {} {digest}", escape(name)));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    let action = Digest::of(text.as_bytes());
    Ok(Key { text, action })
}

/// One line for any text, and different lines for different texts.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// One line of a key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its first word: `fact`, `input`, `tool` and so on.
    pub(super) word: String,
    /// Label of a fact, name of an input, tool or stage; empty for the others.
    pub(super) name: String,
    pub(super) value: String,
}

/// The lines of a key's text, in their order. What is written by [`key`] is read here and nowhere else.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> {
    text.lines().map(|line| {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, value) = match word {
            "stage" | "tool" | "fact" => rest.split_once(' ').unwrap_or((rest, "")),
            "input" => rest.rsplit_once(' ').unwrap_or((rest, "")),
            _ => ("", rest),
        };
        Line {
            word: word.to_owned(),
            name: plain(name),
            value: plain(value),
        }
    })
}

/// What [`escape`] was given.
fn plain(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        plain.push(match (letter, letter == '\\') {
            (_, false) => letter,
            _ => match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('s') => ' ',
                Some(other) => other,
                None => letter,
            },
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::build::fixture::Fake;
    use crate::stage::{Command, Outputs};

    fn of(job: &Job) -> Key {
        let inputs = BTreeMap::from([("in".to_owned(), Digest::of(b"x"))]);
        let stage = Fake::new("make", |_| Ok(Vec::new()));
        key(&stage, job, &inputs).unwrap()
    }

    fn job(name: &str) -> Job {
        Job::compute(name, |_| Ok(Outputs::new()))
    }

    #[test]
    fn the_text_can_be_read() {
        let found = of(&job("a").line("pe", "8").line("board", "u280"));
        let digest = Digest::of(b"x");
        let text = format!(
            "finnp-key 1\nstage make 1\nmachine {}-{}\nsource {SOURCE}\nfact board u280\nfact pe 8\ninput in {digest}\n",
            std::env::consts::ARCH,
            std::env::consts::OS
        );
        assert_eq!(found.text, text);
        assert_eq!(found.action, Digest::of(text.as_bytes()));
    }

    #[test]
    fn order_and_names_of_jobs_do_not_matter_but_all_else_does() {
        let one = of(&job("a").line("pe", "8").line("simd", "2"));
        assert_eq!(one, of(&job("b").line("simd", "2").line("pe", "8")));
        assert_ne!(one, of(&job("a").line("pe", "8")));
        assert_ne!(one, of(&job("a").line("pe", "8\nfact simd 2")));
        let list = |a: &str, b: &str| of(&job("a").line("l", a).line("l", b));
        assert_ne!(list("1", "2"), list("2", "1"));
        assert_ne!(
            of(&job("a").line("a b", "c")),
            of(&job("a").line("a", "b c"))
        );
    }

    #[test]
    fn finnp_itself_is_no_part_of_the_key_of_a_tool_run() {
        let command = |args: &[&str]| Command {
            program: Program::Input("in".to_owned()),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            outputs: vec!["out".to_owned()],
        };
        let one = of(&Job::run("a", command(&["x", "y"])));
        assert!(
            one.text.contains("program in\narg x\narg y\noutput out\n"),
            "{}",
            one.text
        );
        assert!(!one.text.contains(SOURCE));
        assert_ne!(one, of(&Job::run("a", command(&["x y"]))));
    }

    #[test]
    fn lines_are_read_as_they_were_meant() {
        let job = job("a").line("layer fc1 pe", "a\\b \n c").line("x\\s", "");
        let found: Vec<Line> = lines(&of(&job).text).collect();
        let line = |word: &str, name: &str, value: &str| Line {
            word: word.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(found[0], line("finnp-key", "", "1"));
        assert_eq!(found[1], line("stage", "make", "1"));
        assert_eq!(found[4], line("fact", "layer fc1 pe", "a\\b \n c"));
        assert_eq!(found[5], line("fact", "x\\s", ""));
        let digest = Digest::of(b"x").to_string();
        assert_eq!(found[6], line("input", "in", &digest));
    }
}
