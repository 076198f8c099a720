//! One action's record: its key as text and its outputs, sealed against damage.
//! Must not know where records are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::digest::Digest;

/// What an action was and what it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The key's text; its digest names the action.
    pub key: String,
    /// What the action made, by name.
    pub outputs: BTreeMap<String, Blob>,
    /// Digest of the outputs' names and digests: a flipped bit in a name would otherwise go unseen.
    seal: Digest,
}

impl Record {
    pub(crate) fn new(key: String, outputs: BTreeMap<String, Blob>) -> Record {
        let seal = seal(&outputs);
        Record { key, outputs, seal }
    }

    /// The record in `text` if it is whole and that of `action`.
    pub(crate) fn parse(text: &[u8], action: &Digest) -> Option<Record> {
        let record: Record = serde_json::from_slice(text).ok()?;
        let whole =
            Digest::of(record.key.as_bytes()) == *action && seal(&record.outputs) == record.seal;
        whole.then_some(record)
    }

    pub(crate) fn text(&self) -> String {
        // Serialising strings and numbers into memory cannot fail; an empty record reads as none.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn seal(outputs: &BTreeMap<String, Blob>) -> Digest {
    let mut text = String::new();
    for (name, blob) in outputs {
        text.push_str(&format!("{} {} {name:?}\n", blob.digest, blob.size));
    }
    Digest::of(text.as_bytes())
}
