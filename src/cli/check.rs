//! `finnp check`: whether manifest, model and overrides go together, without building.
//! Must not know how they are checked.

use super::answer::Answer;
use super::call::{Call, shown};
use super::table::{count, grouped, rate};
use crate::error::Result;
use crate::manifest::{Manifest, Rate};
use crate::qonnx;
use crate::stage::{self, Facts, LayerRow};

/// Check manifest, model and overrides without building
#[derive(clap::Args)]
pub(super) struct Check {
    /// List the ONNX operators that a network may have, instead
    #[arg(long)]
    operators: bool,
}

impl Check {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        if self.operators {
            let names: Vec<&str> = qonnx::operators().collect();
            return Ok(Answer::text(names.join("\n") + "\n").with("operators", names));
        }
        let manifest = call.manifest()?;
        let built = call.reach(&manifest, "fold")?;
        let layers = stage::layers(&built)?;
        let facts = stage::facts(&manifest, &layers);
        let text = format!("ok\n{}", lines(&manifest, &layers, &facts));
        Ok(Answer::text(text)
            .with("project", manifest.project.name.clone())
            .with("board", manifest.target.board.name.clone())
            .with("layers", layers.len())
            .with_all(&facts))
    }
}

fn lines(manifest: &Manifest, layers: &[LayerRow], facts: &Facts) -> String {
    let target = &manifest.target;
    let asked = match target.fps {
        Some(Rate::AtLeast(fps)) => format!(" (asked for: {})", rate(fps)),
        Some(Rate::Max) => " (asked for: as many as the board allows)".to_owned(),
        None => String::new(),
    };
    let verify = match &manifest.verify {
        Some(verify) => shown(&verify.inputs),
        None => "made-up inputs (there is no `[verify]`)".to_owned(),
    };
    let facts = [
        ("project", manifest.project.name.clone()),
        ("model", shown(&manifest.model.path)),
        ("layers", kinds(layers)),
        (
            "board",
            format!("{} ({})", target.board.name, target.board.title),
        ),
        ("clock", format!("{} MHz", facts.clock_mhz)),
        (
            "throughput",
            format!("{} frames per second{asked}", rate(facts.fps)),
        ),
        (
            "bottleneck",
            format!(
                "`{}`, {} per frame",
                facts.bottleneck,
                count(facts.cycles as usize, "cycle")
            ),
        ),
        ("verify", verify),
    ];
    let lines = facts.map(|(name, value)| format!("{name:<10}  {value}\n"));
    lines.concat()
}

/// How many layers of each kind there are, in the order of their first.
fn kinds(layers: &[LayerRow]) -> String {
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for layer in layers {
        match kinds.iter_mut().find(|(kind, _)| *kind == layer.kind) {
            Some((_, number)) => *number += 1,
            None => kinds.push((&layer.kind, 1)),
        }
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| format!("{} {kind}", grouped(*number)))
        .collect();
    format!("{} ({})", layers.len(), kinds.join(", "))
}
