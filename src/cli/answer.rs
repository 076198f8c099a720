//! `Answer`: what a command has to say when it went well, for people and for programs.
//! Must not know where it is printed.

use serde_json::{Map, Value};

use crate::error::Error;

/// What a command found out or did.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What was asked for. Ends with a line break, unless it is empty.
    pub(super) text: String,
    /// What was done, in words that `--quiet` leaves out. Ends with a line break, unless it is empty.
    pub(super) note: String,
    /// What the user should look at though it went well; lower-case fragments.
    pub(super) warnings: Vec<String>,
    /// What is wrong though there is an answer: it decides how the call ends.
    pub(super) failure: Option<Error>,
    /// The same for programs: keys of the last line of `--json`.
    pub(super) data: Map<String, Value>,
}

impl Answer {
    /// An answer to a question.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Answer {
            text: text.into(),
            ..Answer::default()
        }
    }

    /// An answer that tells what was done.
    pub(super) fn note(note: impl Into<String>) -> Self {
        Answer {
            note: note.into(),
            ..Answer::default()
        }
    }

    /// Adds a value for programs.
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// Adds all fields of `value` for programs. What is no JSON object adds nothing.
    #[must_use]
    pub(super) fn with_all(mut self, value: &impl serde::Serialize) -> Self {
        if let Ok(Value::Object(fields)) = serde_json::to_value(value) {
            self.data.extend(fields);
        }
        self
    }
}
