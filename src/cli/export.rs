//! `finnp export`: the network of a stage as an ONNX file.
//! Must not know how files of that kind are written.

use std::path::PathBuf;

use super::answer::Answer;
use super::call::{Call, shown};
use super::output;
use super::table::{bytes, count};
use crate::error::{Error, Result, nearest};
use crate::qonnx;
use crate::stage::{self, NETWORKS, STAGES};

/// Write the network of a stage as a QONNX file
#[derive(clap::Args)]
pub(super) struct Export {
    /// Stage whose network is written: `import`, `quantize`, or `prune` with its masks as tensors
    #[arg(long, value_name = "STAGE")]
    qonnx: String,
    /// File to write; `PROJECT-STAGE.onnx` in the present folder if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let stage = self.stage()?;
        let manifest = call.manifest()?;
        let file = match &self.output {
            Some(file) => file.clone(),
            None => format!("{}-{stage}.onnx", manifest.project.name).into(),
        };
        output::check_folder(&file)?;
        output::check_project(&file, &manifest)?;
        let built = call.reach(&manifest, stage)?;
        let network = stage::network(&built, stage)?;
        let model = qonnx::export(&network)?;
        output::write(&file, &model)?;
        let note = format!(
            "{}: {} of stage `{stage}`, {}\n",
            shown(&file),
            count(network.nodes.len(), "node"),
            bytes(model.len() as u64),
        );
        Ok(Answer::note(note)
            .with("output", file.display().to_string())
            .with("stage", stage)
            .with("nodes", network.nodes.len())
            .with("bytes", model.len()))
    }

    /// The stage that was asked for.
    fn stage(&self) -> Result<&'static str> {
        let known = NETWORKS.join("`, `");
        if let Some(stage) = NETWORKS.iter().find(|stage| **stage == self.qonnx) {
            return Ok(stage);
        }
        let asked = &self.qonnx;
        match STAGES.iter().any(|stage| stage.name() == asked) {
            true => Err(Error::user(format!(
                "stage `{asked}` leaves no network that a QONNX file can hold"
            ))
            .help(format!("`{known}` can be exported"))),
            false => {
                let error = Error::user(format!("there is no stage `{asked}`"));
                Err(match nearest(asked, NETWORKS.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("`{known}` can be exported")),
                })
            }
        }
    }
}
