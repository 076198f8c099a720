//! `Left`: what of a configuration is not taken over, and why.
//! Must not know what is taken over.

use serde::Serialize;

/// Why something is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// finnp knows better, or does it always.
    Decided,
    /// finnp has nothing of the kind.
    NoEquivalent,
    /// finnp is to have it later.
    NotYet,
    /// It is a parameter of the manifest, but not with this value, or nobody can tell of which layer.
    DoesNotFit,
    /// The name is none that finnp knows of FINN.
    Unknown,
}

impl Why {
    /// All of them, in the order in which they are told: what the user should look at first.
    pub const ALL: [Why; 5] = [
        Why::DoesNotFit,
        Why::Unknown,
        Why::NotYet,
        Why::NoEquivalent,
        Why::Decided,
    ];

    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Why::Decided => "decided by finnp itself",
            Why::NoEquivalent => "without an equivalent in finnp",
            Why::NotYet => "not yet in finnp",
            Why::DoesNotFit => "does not fit",
            Why::Unknown => "not known to finnp",
        }
    }
}

/// Keys that are not taken over for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Why.
    pub why: Why,
    /// The reason in a sentence.
    pub words: String,
    /// FINN's names of the keys.
    pub keys: Vec<String>,
    /// FINN's names of the layers that have them; none for keys of a build.
    pub layers: Vec<String>,
}

/// Adds keys of a layer, or of a build, to those with the same reason.
pub(super) fn leave(
    left: &mut Vec<Left>,
    (why, words): (Why, &str),
    keys: &[&str],
    layer: Option<&str>,
) {
    let same = |other: &&mut Left| {
        let alike = match layer {
            Some(_) => other.keys == keys && !other.layers.is_empty(),
            None => other.layers.is_empty(),
        };
        other.why == why && other.words == words && alike
    };
    match (left.iter_mut().find(same), layer) {
        (Some(other), Some(layer)) => other.layers.push(layer.to_owned()),
        (Some(other), None) => other.keys.extend(keys.iter().map(|key| (*key).to_owned())),
        (None, layer) => left.push(Left {
            why,
            words: words.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            layers: layer.map(str::to_owned).into_iter().collect(),
        }),
    }
}
