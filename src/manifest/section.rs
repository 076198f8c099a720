//! The sections of a manifest.
//! Must not know their keys.

/// A section of the manifest.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Name between the brackets.
    pub name: &'static str,
    /// Whether it is a list of tables, written `[[name]]`.
    pub list: bool,
    /// What it is for, as a sentence.
    pub about: &'static str,
}

/// The sections, in the order in which they are best written.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "project",
        list: false,
        about: "What is built.",
    },
    Section {
        name: "model",
        list: false,
        about: "The network.",
    },
    Section {
        name: "input",
        list: false,
        about: "What arrives at the accelerator; its integer grid is needed where the network starts with real numbers.",
    },
    Section {
        name: "output",
        list: false,
        about: "What leaves the accelerator.",
    },
    Section {
        name: "target",
        list: false,
        about: "The board, and how fast the accelerator shall be.",
    },
    Section {
        name: "quantize",
        list: false,
        about: "How a float network becomes one of few bits, on the samples of `[calibration]`; without it the network must have quantisers of its own.",
    },
    Section {
        name: "prune",
        list: false,
        about: "Which weights are removed.",
    },
    Section {
        name: "data",
        list: false,
        about: "The set of samples with their classes that `finnp eval` counts right answers on.",
    },
    Section {
        name: "calibration",
        list: false,
        about: "The set of samples that weights are learnt from; where the keys that say how samples are read are absent, those of `[data]` hold.",
    },
    Section {
        name: "train",
        list: false,
        about: "How methods train that do so, on all samples of `[calibration]`.",
    },
    Section {
        name: "verify",
        list: false,
        about: "What the generated hardware is checked with.",
    },
    Section {
        name: "layer",
        list: true,
        about: "Choices for single layers; of several entries that match a layer the last one counts, key by key.",
    },
];
