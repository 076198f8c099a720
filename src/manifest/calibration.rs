//! The keys of `[calibration]`: those of `[data]`, for another set.
//! Must not know what is learnt from it.

use super::form::{Form, MOST};
use super::key::{Absent, Key};

/// The section.
pub(super) const SECTION: &str = "calibration";

/// Its keys.
pub(super) const KEYS: [Key; 14] = [
    as_in_data(
        "path",
        Form::Path,
        Absent::Open,
        "\"train.npz\"",
        "Where the samples are, as in [data]; the set of [data] if absent.",
    ),
    as_in_data(
        "labels",
        Form::File,
        Absent::Open,
        "\"labels.csv\"",
        "As in [data]; training needs classes, or a teacher.",
    ),
    as_in_data(
        "x",
        Form::Text,
        Absent::Open,
        "\"x_train\"",
        "As in [data].",
    ),
    as_in_data(
        "y",
        Form::Text,
        Absent::Open,
        "\"y_train\"",
        "As in [data].",
    ),
    as_in_data(
        "file_column",
        Form::Text,
        Absent::Open,
        "\"file\"",
        "As in [data].",
    ),
    as_in_data(
        "label_column",
        Form::Text,
        Absent::Open,
        "\"label\"",
        "As in [data].",
    ),
    as_in_data(
        "label_offset",
        Form::Integer(i32::MIN as i64, i32::MAX as i64),
        Absent::Open,
        "1",
        "As in [data].",
    ),
    as_in_data(
        "skip",
        Form::Integer(0, MOST),
        Absent::Integer(0),
        "5000",
        "As in [data].",
    ),
    as_in_data(
        "samples",
        Form::Integer(1, MOST),
        Absent::Open,
        "1000",
        "How many samples are used at most; if absent 1,000 from all parts of the set, and all of them by methods that train.",
    ),
    as_in_data(
        "resize",
        Form::Size,
        Absent::Open,
        "[224, 224]",
        "As in [data].",
    ),
    as_in_data("crop", Form::Size, Absent::Open, "224", "As in [data]."),
    as_in_data(
        "channels",
        Form::Choice(&["RGB", "BGR", "grey"]),
        Absent::Open,
        "\"BGR\"",
        "As in [data].",
    ),
    as_in_data(
        "mean",
        Form::PerChannel { positive: false },
        Absent::Open,
        "[0.485, 0.456, 0.406]",
        "As in [data].",
    ),
    as_in_data(
        "std",
        Form::PerChannel { positive: true },
        Absent::Open,
        "[0.229, 0.224, 0.225]",
        "As in [data].",
    ),
];

const fn as_in_data(
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
