//! `Train`: what `[train]` says, and its keys.
//! Must not know how networks are trained.

use super::build::{get, number, whole};
use super::canonical;
use super::form::{Form, MOST};
use super::key::{Absent, Key};
use super::read::Values;
use super::value::Value;

/// The section.
const SECTION: &str = "train";

/// How networks are trained; what is absent is left to the method.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Train {
    /// How often every sample is seen; above 0.
    pub epochs: Option<f64>,
    /// Samples of one step, at least 2.
    pub batch: Option<u32>,
    /// Part of a usual weight by which weights move in a step at most; above 0.
    pub rate: Option<f64>,
    /// Decides the order of samples.
    pub seed: Option<u32>,
    /// Whether pictures are mirrored.
    pub flip: bool,
    /// Pixels by which pictures are moved at most.
    pub shift: u32,
    /// Share of the dense network's results in what is learnt, above 0, at most 1; all where there are no classes.
    pub teacher: Option<f64>,
}

/// Its keys.
pub(super) const KEYS: [Key; 7] = [
    key(
        "epochs",
        Form::Number,
        Absent::Open,
        "10",
        "How often every sample is seen.",
    ),
    key(
        "batch",
        Form::Integer(2, 65_536),
        Absent::Open,
        "128",
        "Samples of one step.",
    ),
    key(
        "rate",
        Form::Number,
        Absent::Open,
        "0.02",
        "How far a weight goes in one step at most, as a part of a usual weight; it rises at first, then falls to 0.",
    ),
    key(
        "seed",
        Form::Integer(0, MOST),
        Absent::Open,
        "1",
        "Decides the order of samples and how pictures are changed.",
    ),
    key(
        "flip",
        Form::Flag,
        Absent::Flag(false),
        "true",
        "Whether half of the pictures are mirrored, left and right.",
    ),
    key(
        "shift",
        Form::Integer(0, 1024),
        Absent::Integer(0),
        "4",
        "By how many pixels pictures are moved at most.",
    ),
    key(
        "teacher",
        Form::Share,
        Absent::Open,
        "0.5",
        "Share of the dense network's results in what is learnt beside the classes; where there are no classes they are all.",
    ),
];

const fn key(
    name: &'static str,
    form: Form,
    absent: Absent,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key {
        section: SECTION,
        name,
        form,
        absent,
        example,
        about,
    }
}

impl Train {
    /// The value of the key `name` as canonical text; `None` for what is not given.
    pub(super) fn canonical(&self, name: &str) -> Option<String> {
        let whole = |value: Option<u32>| value.map(|value| value.to_string());
        match name {
            "epochs" => self.epochs.map(canonical::number),
            "batch" => whole(self.batch),
            "rate" => self.rate.map(canonical::number),
            "seed" => whole(self.seed),
            "flip" => Some(self.flip.to_string()),
            "shift" => Some(self.shift.to_string()),
            "teacher" => self.teacher.map(canonical::number),
            _ => None,
        }
    }
}

/// The section; all open where it is not there.
pub(super) fn read(values: &Values) -> Train {
    Train {
        epochs: number(values, SECTION, "epochs"),
        batch: whole(values, SECTION, None, "batch"),
        rate: number(values, SECTION, "rate"),
        seed: whole(values, SECTION, None, "seed"),
        flip: matches!(get(values, SECTION, None, "flip"), Some(Value::Flag(true))),
        shift: whole(values, SECTION, None, "shift").unwrap_or(0),
        teacher: number(values, SECTION, "teacher"),
    }
}
