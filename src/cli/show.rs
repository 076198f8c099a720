//! `finnp show`: the folded network as a table.
//! Must not know how layers are folded.

use super::answer::Answer;
use super::area;
use super::call::Call;
use super::table::{Table, count, grouped, rate};
use crate::error::Result;
use crate::layer::{Balance, Cross};
use crate::manifest::Manifest;
use crate::stage::{self, Facts, LayerRow, PrunedRow};

/// Show the layers with their parallelism and cycles
#[derive(clap::Args)]
pub(super) struct Show {}

impl Show {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let manifest = call.manifest()?;
        let target = &manifest.target;
        // As far as figures of the chip need it; synthesis takes minutes where it is asked for, but once.
        let built = match (stage::some_rtl(&manifest), target.yosys) {
            (false, _) => call.reach(&manifest, "fold")?,
            (true, false) => call.reach(&manifest, "simulate")?,
            (true, true) => call.reach(&manifest, "cost")?,
        };
        let account = stage::accounted(&manifest, &built)?;
        let layers = stage::layers(&built)?;
        let facts = stage::facts(&manifest, &layers);
        let colour = call.screen.colour_out();
        let rows = serde_json::to_value(&layers).unwrap_or_default();
        let mut shown = text(&manifest, &layers, &facts, colour);
        if let Some(account) = &account {
            shown += &format!("\n{}", area::table(account, colour));
        }
        let answer = match &account {
            Some(account) => {
                let value = serde_json::to_value(account).unwrap_or_default();
                Answer::text(shown).with("cost", value)
            }
            None => Answer::text(shown),
        };
        Ok(answer
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
        "{} on {} at {} MHz\n\n{}\n{}{}",
        manifest.project.name,
        manifest.target.board.name,
        facts.clock_mhz,
        table.text(colour),
        pruned(layers, colour),
        totals(layers, facts),
    )
}

/// What pruning made of the layers; empty where nothing was removed.
fn pruned(layers: &[LayerRow], colour: bool) -> String {
    let mut table = Table::new(&[
        "pruned",
        "pattern",
        "keeps",
        ">compression",
        ">speed-up",
        "limited by",
        ">dense cycles",
        ">weight + index bits",
        ">dense bits",
        ">score kept",
    ]);
    let rows = layers
        .iter()
        .filter_map(|layer| Some((layer, layer.pruned.as_ref()?)));
    let mut any = false;
    for (layer, pruned) in rows {
        any = true;
        table.row(pruned_cells(layer, pruned));
    }
    match any {
        true => table.text(colour) + "\n",
        false => String::new(),
    }
}

fn pruned_cells(layer: &LayerRow, pruned: &PrunedRow) -> [String; 10] {
    let keeps = match &pruned.blocks {
        Some(Balance::Cross(Cross { rows, columns })) => format!(
            "{} x {} of {} x {} on {} x {} lanes",
            rows.keep, columns.keep, rows.entries, columns.entries, rows.lanes, columns.lanes
        ),
        Some(Balance::Columns(blocks)) => format!(
            "{} of {} x {} on {}",
            blocks.keep,
            blocks.rows,
            blocks.entries,
            count(blocks.lanes, "lane")
        ),
        None => format!("{} of the weights", percent(layer.density)),
    };
    let limit = pruned.limit.word();
    [
        layer.name.clone(),
        pruned.pattern.clone(),
        keeps,
        format!("{:.2}", pruned.compression),
        format!("{:.2}", pruned.speed_up),
        limit.to_owned(),
        grouped(layer.dense_cycles),
        format!(
            "{} + {}",
            grouped(pruned.weight_memory_bits),
            grouped(pruned.index_memory_bits)
        ),
        grouped(pruned.dense_memory_bits),
        percent(pruned.retained),
    ]
}

/// Whole percents, but that little is not called nothing.
fn percent(share: f64) -> String {
    match 100.0 * share {
        little if little > 0.0 && little < 1.0 => format!("{little:.2} %"),
        percents => format!("{percents:.0} %"),
    }
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
            Some(_) => percent(layer.density),
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
    let number: u64 = weighted().map(|(layer, _)| layer.weights).sum();
    let bits: u64 = weighted()
        .map(|(layer, bits)| layer.weights * u64::from(bits))
        .sum();
    let products: u64 = weighted()
        .map(|(layer, _)| (layer.pe.unwrap_or(1) * layer.simd.unwrap_or(1)) as u64)
        .sum();
    format!(
        "{}, {} weights in {} bits, {} products per cycle\n\
         {} frames per second: one every {}, as many as `{}` needs\n{}",
        count(layers.len(), "layer"),
        grouped(number),
        grouped(bits),
        grouped(products),
        rate(facts.fps),
        count(facts.cycles as usize, "cycle"),
        facts.bottleneck,
        dense(layers, facts),
    )
}

/// How fast the same parallelism is without pruning; empty where nothing was removed.
fn dense(layers: &[LayerRow], facts: &Facts) -> String {
    if layers.iter().all(|layer| layer.pruned.is_none()) {
        return String::new();
    }
    let cycles = layers.iter().map(|layer| layer.dense_cycles).max();
    let cycles = cycles.unwrap_or(1).max(1);
    format!(
        "not pruned, with the same PE and SIMD: {} frames per second, {:.2} times fewer\n",
        rate(facts.clock_mhz * 1e6 / cycles as f64),
        cycles as f64 / facts.cycles as f64,
    )
}
