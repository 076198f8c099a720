//! The keys of `[quantize]`, and those of `[[layer]]` that take their place for single layers.
//! Must not know how a network is quantised.

use super::build::{name, whole};
use super::form::Form;
use super::key::{Absent, Key};
use super::problem::Problems;
use super::read::{Draft, Values};
use super::{Manifest, glob};
use crate::error::{Error, Place};

/// The section.
pub(super) const SECTION: &str = "quantize";

/// Bits that something can have.
const BITS: Form = Form::Integer(1, 8);

/// Its keys.
pub(super) const KEYS: [Key; 2] = [
    Key {
        section: SECTION,
        name: "weights",
        form: BITS,
        absent: Absent::Error,
        example: "4",
        about: "Bits of the weights; of the first and the last layer 8, unless a [[layer]] says otherwise.",
    },
    Key {
        section: SECTION,
        name: "activations",
        form: BITS,
        absent: Absent::Error,
        example: "4",
        about: "Bits of what layers read; of what the last layer reads 8, unless a [[layer]] says otherwise. What arrives has the type of [input].",
    },
];

/// Those of `[[layer]]`.
pub(super) const OF_LAYERS: [Key; 2] = [
    Key {
        section: "layer",
        absent: Absent::Open,
        example: "8",
        about: "As in [quantize], for these layers.",
        ..KEYS[0]
    },
    Key {
        section: "layer",
        absent: Absent::Open,
        example: "8",
        about: "As in [quantize], for what these layers read.",
        ..KEYS[1]
    },
];

/// `[quantize]`: bits where no `[[layer]]` says otherwise, each 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantize {
    /// Of weights.
    pub weights: u32,
    /// Of what layers read.
    pub activations: u32,
}

/// Bits, as far as a table says them, each 1 to 8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bits {
    /// Of the weights of a layer.
    pub weights: Option<u32>,
    /// Of what the layer reads.
    pub activations: Option<u32>,
}

impl Bits {
    /// As text that means the same wherever it is equal.
    pub(super) fn canonical(&self, key: &str) -> Option<String> {
        let bits = match key {
            "weights" => self.weights,
            "activations" => self.activations,
            _ => None,
        };
        bits.map(|bits| bits.to_string())
    }
}

impl Quantize {
    /// Both as a table would say them.
    pub fn bits(&self) -> Bits {
        Bits {
            weights: Some(self.weights),
            activations: Some(self.activations),
        }
    }
}

impl Manifest {
    /// What the entries say of the bits of the layer of that name; of several that match the last counts, key by key.
    pub fn bits(&self, layer: &str) -> Bits {
        let mut found = Bits::default();
        let entries = self.layers.iter();
        for entry in entries.filter(|entry| glob::matches(&entry.pattern, layer)) {
            found.weights = entry.bits.weights.or(found.weights);
            found.activations = entry.bits.activations.or(found.activations);
        }
        found
    }

    /// Where the section stands.
    pub fn quantize_place(&self) -> Place {
        self.place(SECTION)
    }
}

/// The section, if it is there.
pub(super) fn read(values: &Values) -> Option<Quantize> {
    Some(Quantize {
        weights: whole(values, SECTION, None, "weights")?,
        activations: whole(values, SECTION, None, "activations")?,
    })
}

/// The bits that a table says.
pub(super) fn bits(values: &Values, at: usize) -> Bits {
    Bits {
        weights: whole(values, "layer", Some(at), "weights"),
        activations: whole(values, "layer", Some(at), "activations"),
    }
}

/// Bits of single layers, where nothing is quantised.
pub(super) fn idle(draft: &Draft, problems: &mut Problems) {
    let quantised = draft.headers.contains_key(&(SECTION, None))
        || draft
            .entries
            .keys()
            .any(|(section, _, _)| *section == SECTION);
    if draft.broken || quantised {
        return;
    }
    let is_bits = |key: &Key| OF_LAYERS.iter().any(|of| of.name == key.name);
    let mut entries = draft.entries.values();
    if let Some(entry) = entries.find(|entry| entry.key.section == "layer" && is_bits(entry.key)) {
        let error = Error::user(format!(
            "`{}` is given, but the network is not quantised",
            name("", None, entry.key.name).trim_start_matches('.')
        ))
        .help("add the section\n[quantize]\nweights = 8\nactivations = 8");
        problems.add(&entry.spot, "has no effect", error);
    }
}
