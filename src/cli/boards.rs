//! `finnp boards`: the boards that a manifest may name.
//! Must not know what a design needs of them.

use super::answer::Answer;
use super::call::Call;
use super::table::{Table, grouped};
use crate::board::{self, Checked};
use crate::error::Result;

/// List the boards
#[derive(clap::Args)]
pub(super) struct Boards {}

impl Boards {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let mut table = Table::new(&[
            "board", "title", "part", ">MHz", ">most", ">SLRs", ">LUT", ">FF", ">DSP", ">BRAM18",
            ">URAM",
        ]);
        for board in board::all() {
            let total = board.total();
            table.row([
                board.name.clone(),
                board.title.clone(),
                board.part.clone(),
                board.clock.default_mhz.to_string(),
                board.clock.maximum_mhz.to_string(),
                board.slr.len().to_string(),
                grouped(total.lut),
                grouped(total.ff),
                grouped(total.dsp),
                grouped(total.bram18),
                grouped(total.uram),
            ]);
        }
        let boards = serde_json::to_value(board::all()).unwrap_or_default();
        let mut text = table.text(call.screen.colour_out());
        let unchecked =
            |board: &&board::Board| board.source.iter().any(|s| s.checked == Checked::No);
        let names: Vec<&str> = board::all()
            .iter()
            .filter(unchecked)
            .map(|board| board.name.as_str())
            .collect();
        if !names.is_empty() {
            text += &format!(
                "\nNot all figures of {} were compared with the vendor's documents: `--json` tells which.\n",
                names.join(", ")
            );
        }
        Ok(Answer::text(text).with("boards", boards))
    }
}
