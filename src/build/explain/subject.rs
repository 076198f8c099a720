//! What an explanation is about: everything, a stage, or a layer, which the names of jobs tell.
//! Must not know what any stage does.

use std::collections::BTreeSet;

use super::story::{Node, Place};
use crate::build::key;
use crate::error::{Error, Result, nearest};

/// What an explanation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    All,
    Stage(String),
    Layer(String),
}

/// A job in all states of the project that are known.
pub(super) type States = Vec<(Place, Vec<Node>)>;

impl Subject {
    /// The stage `word`, or else the layer of that name.
    ///
    /// # Errors
    /// A user error with the nearest name if there is neither.
    pub(super) fn find(word: Option<&str>, stages: &[&str], states: &States) -> Result<Subject> {
        let Some(word) = word else {
            return Ok(Subject::All);
        };
        if stages.contains(&word) {
            return Ok(Subject::Stage(word.to_owned()));
        }
        let layers = layers(states);
        if layers.contains(word) || states.iter().any(|((_, job), _)| is_named(word, job)) {
            return Ok(Subject::Layer(word.to_owned()));
        }
        let names = stages.iter().copied();
        let names = names.chain(layers.iter().map(String::as_str));
        let help = match nearest(word, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None if layers.is_empty() => format!(
                "the stages are `{}`; layers are known after the first build",
                stages.join("`, `")
            ),
            None => format!(
                "the stages are `{}`; `finnp show` lists the layers",
                stages.join("`, `")
            ),
        };
        Err(Error::user(format!("there is no stage or layer `{word}`")).help(help))
    }

    /// Whether a job belongs to it.
    pub(super) fn holds(&self, place: &Place, nodes: &[Node]) -> bool {
        match self {
            Subject::All => true,
            Subject::Stage(stage) => place.0 == *stage,
            Subject::Layer(layer) => is_about(layer, place, nodes),
        }
    }

    /// Whether an output of a job belongs to it: of a job about the whole network, those about the layer.
    pub(super) fn holds_output(&self, place: &Place, output: &str) -> bool {
        match self {
            Subject::Layer(layer) => is_named(layer, &place.1) || is_part(layer, output),
            _ => true,
        }
    }
}

/// Whether a job is the layer's own: called like it, or like a verb and it.
fn is_named(layer: &str, job: &str) -> bool {
    let verb = job.strip_suffix(layer);
    verb.is_some_and(|verb| verb.is_empty() || verb.ends_with(' '))
}

/// Whether a path has the layer's name in it, as a folder or as a file's with some ending.
fn is_part(layer: &str, path: &str) -> bool {
    path.split('/').any(|part| {
        let stem = part.rsplit_once('.').map(|(stem, _)| stem);
        part == layer || stem == Some(layer)
    })
}

fn is_about(layer: &str, place: &Place, nodes: &[Node]) -> bool {
    let outputs = |node: &Node| {
        let outputs = node.outputs.iter().flatten();
        outputs
            .into_iter()
            .any(|(output, _)| is_part(layer, output))
    };
    let told = |node: &Node| facts(node).any(|name| name == layer);
    is_named(layer, &place.1) || nodes.iter().any(|node| outputs(node) || told(node))
}

/// Layers of which the facts of a job speak.
fn facts(node: &Node) -> impl Iterator<Item = String> {
    let lines = node.key.iter().flat_map(|text| key::lines(text));
    lines.filter(|line| line.word == "fact").filter_map(|line| {
        let (layer, _) = line.name.strip_prefix("layer ")?.split_once(' ')?;
        Some(layer.to_owned())
    })
}

/// Names of layers, as far as jobs tell.
fn layers(states: &States) -> BTreeSet<String> {
    let mut layers = BTreeSet::new();
    for ((_, job), nodes) in states {
        let named = job.split_once(' ').map(|(_, layer)| layer);
        layers.extend(named.filter(|name| !name.contains(' ')).map(str::to_owned));
        for node in nodes {
            layers.extend(facts(node));
            let outputs = node.outputs.iter().flatten();
            let folders = outputs.filter_map(|(output, _)| {
                let (layer, _) = output.strip_prefix("layers/")?.split_once('/')?;
                Some(layer.to_owned())
            });
            layers.extend(folders);
        }
    }
    layers
}
