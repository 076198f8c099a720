//! `finnp schema`: JSON Schemas for editors.
//! Must not know what they say.

use clap::ValueEnum;
use serde_json::Value;

use super::answer::Answer;
use crate::error::{Error, Result};
use crate::{board, manifest};

/// Print the JSON Schema of a file, for editors that check and complete
#[derive(clap::Args)]
pub(super) struct Schema {
    /// Which file
    #[arg(value_enum, default_value_t = File::Accel)]
    file: File,
}

/// Files with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum File {
    /// The manifest, `accel.toml`
    Accel,
    /// A board of the board table
    Board,
}

impl Schema {
    pub(super) fn run(&self) -> Result<Answer> {
        let text = match self.file {
            File::Accel => manifest::schema(),
            File::Board => board::schema(),
        };
        let schema: Value = serde_json::from_str(&text)
            .map_err(|cause| Error::bug(format!("the schema is no JSON: {cause}")))?;
        Ok(Answer::text(text).with("schema", schema))
    }
}
