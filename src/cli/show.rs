//! `finnp show`: the folded network as a table.
//! Must not know how layers are folded.

use super::answer::Answer;
use super::call::Call;
use super::table::{Table, count, grouped, rate};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::stage::{self, Facts, LayerRow};

/// Show the layers with their parallelism and cycles
#[derive(clap::Args)]
pub(super) struct Show {}

impl Show {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let manifest = call.manifest()?;
        let built = call.reach(&manifest, "fold")?;
        let layers = stage::layers(&built)?;
        let facts = stage::facts(&manifest, &layers);
        let colour = call.screen.colour_out();
        let rows = serde_json::to_value(&layers).unwrap_or_default();
        Ok(Answer::text(text(&manifest, &layers, &facts, colour))
            .with("project", manifest.project.name.clone())
            .with("board", manifest.target.board.name.clone())
            .with_all(&facts)
            .with("layers", rows))
    }
}

fn text(manifest: &Manifest, layers: &[LayerRow], facts: &Facts, colour: bool) -> String {
    let mut table = Table::new(&[
        "layer",
        "kind",
        ">rows x cols",
        ">pixels",
        ">PE",
        ">SIMD",
        ">bits",
        ">density",
        ">cycles",
        ">share",
    ]);
    for layer in layers {
        table.row(cells(layer, facts));
    }
    format!(
        "{} on {} at {} MHz\n\n{}\n{}",
        manifest.project.name,
        manifest.target.board.name,
        facts.clock_mhz,
        table.text(colour),
        totals(layers, facts),
    )
}

fn cells(layer: &LayerRow, facts: &Facts) -> [String; 10] {
    let number =
        |number: Option<usize>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let weights = layer
        .weight_bits
        .map_or_else(String::new, |bits| format!("{bits} x "));
    let share = 100.0 * layer.cycles as f64 / facts.cycles as f64;
    [
        layer.name.clone(),
        layer.kind.clone(),
        format!("{} x {}", layer.rows, layer.cols),
        grouped(layer.pixels as u64),
        number(layer.pe),
        number(layer.simd),
        format!("{weights}{} -> {}", layer.act_bits, layer.output_bits),
        match layer.weight_bits {
            Some(_) => format!("{:.0} %", 100.0 * layer.density),
            None => "-".to_owned(),
        },
        grouped(layer.cycles),
        format!("{share:.0} %"),
    ]
}

fn totals(layers: &[LayerRow], facts: &Facts) -> String {
    let weighted = || {
        layers
            .iter()
            .filter_map(|layer| Some((layer, layer.weight_bits?)))
    };
    let weights = |layer: &LayerRow| (layer.rows * layer.cols) as u64;
    let number: u64 = weighted().map(|(layer, _)| weights(layer)).sum();
    let bits: u64 = weighted()
        .map(|(layer, bits)| weights(layer) * u64::from(bits))
        .sum();
    let products: u64 = weighted()
        .map(|(layer, _)| (layer.pe.unwrap_or(1) * layer.simd.unwrap_or(1)) as u64)
        .sum();
    format!(
        "{}, {} weights in {} bits, {} products per cycle\n\
         {} frames per second: one every {}, as many as `{}` needs\n",
        count(layers.len(), "layer"),
        grouped(number),
        grouped(bits),
        grouped(products),
        rate(facts.fps),
        count(facts.cycles as usize, "cycle"),
        facts.bottleneck,
    )
}
