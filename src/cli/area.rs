//! Resources in words: one line for a build, a table for `finnp show`.
//! Must not know how they are found.

use super::table::{Table, grouped};
use crate::cost::{COLUMNS, Column, Figures, Spread};
use crate::stage::{Account, Basis, Entry, LayerCost};

/// Layers that the line of a build names as the largest.
const LARGEST: usize = 2;

/// How far something is off.
fn within(spread: &Spread) -> String {
    let ends = match spread.low.round() == spread.high.round() {
        true => format!("{:+.0} %", spread.low),
        false => format!("{:+.0}..{:+.0} %", spread.low, spread.high),
    };
    format!(
        "off by {ends} over {} shapes, half of them by {:.0} % at most",
        spread.shapes, spread.median
    )
}

fn basis(basis: &Basis) -> String {
    match basis {
        Basis::Model { off: Some(spread) } => format!("model, {}", within(spread)),
        Basis::Model { off: None } => "model".to_owned(),
        Basis::Synthesis {
            model,
            off_percent: Some(off),
        } => format!("Yosys; model {}, off by {off:+.0} %", grouped(*model)),
        Basis::Synthesis { .. } => "Yosys".to_owned(),
    }
}

/// Whole percents, but that little is not called nothing.
fn percent(percent: f64) -> String {
    match percent {
        0.0 => "0 %".to_owned(),
        little if little < 0.1 => "< 0.1 %".to_owned(),
        some if some < 10.0 => format!("{some:.1} %"),
        much => format!("{much:.0} %"),
    }
}

fn words(entry: &Entry, title: &str) -> String {
    format!(
        "{title} {} of {}, {} ({})",
        grouped(entry.used),
        grouped(entry.budget),
        percent(entry.percent),
        basis(&entry.basis)
    )
}

/// Figures of which there is any, in the order of columns.
fn used(account: &Account) -> impl Iterator<Item = (&'static Column, &Entry)> {
    let columns = COLUMNS.iter();
    let found = columns.filter_map(|column| Some((column, account.entry(column.name)?)));
    found.filter(|(_, entry)| entry.used > 0)
}

/// What a build says of the chip, a line for each figure.
pub(super) fn line(total: &[Entry]) -> String {
    let title = |entry: &Entry| COLUMNS.iter().find(|column| column.name == entry.figure);
    let some = total.iter().filter(|entry| entry.used > 0);
    let told = some.filter_map(|entry| Some(words(entry, title(entry)?.title)));
    let told: Vec<String> = told.collect();
    format!("takes {}\n", told.join("\n      "))
}

/// Layers one by one, and the sum.
pub(super) fn table(account: &Account, colour: bool) -> String {
    let synthesised = account.layers.iter().any(|layer| layer.synthesis.is_some());
    let from = if synthesised { "Yosys" } else { "model" };
    let mut headings = vec![from.to_owned()];
    for column in COLUMNS.iter().filter(|column| is_used(account, column)) {
        headings.push(format!(">{}", column.title));
        if column.name == "lut" {
            headings.push(">as memory".to_owned());
            headings.push(">share".to_owned());
        }
    }
    if synthesised {
        headings.push(">model LUT".to_owned());
        headings.push(">off by".to_owned());
    }
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut table = Table::new(&headings);
    let all = account.entry("lut").map_or(1, |entry| entry.used).max(1);
    for layer in &account.layers {
        table.row(cells(account, layer, all, synthesised));
    }
    if let Some(model) = account.edges {
        let edges = LayerCost {
            name: "registers, edges".to_owned(),
            kind: String::new(),
            model,
            synthesis: None,
        };
        table.row(cells(account, &edges, all, synthesised));
    }
    let totals = used(account).map(|(column, entry)| words(entry, column.title) + "\n");
    let totals: String = totals.collect();
    format!(
        "{}\n{}{totals}{}",
        table.text(colour),
        worst(account),
        left_out(account)
    )
}

/// What no sum has; empty where it has all.
fn left_out(account: &Account) -> String {
    let names: Vec<String> = account.cpp.iter().map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("not counted, as C++: {}\n", names.join(", ")),
    }
}

fn is_used(account: &Account, column: &Column) -> bool {
    account
        .entry(column.name)
        .is_some_and(|entry| entry.used > 0)
}

fn cells(account: &Account, layer: &LayerCost, all: u64, synthesised: bool) -> Vec<String> {
    let figures = layer.used();
    let mut cells = vec![layer.name.clone()];
    for column in COLUMNS.iter().filter(|column| is_used(account, column)) {
        cells.push(grouped((column.of)(&figures)));
        if column.name == "lut" {
            cells.push(grouped(figures.lut_memory));
            cells.push(percent(100.0 * figures.lut as f64 / all as f64));
        }
    }
    if synthesised {
        cells.push(grouped(layer.model.lut));
        let off = layer.off(|figures: &Figures| figures.lut);
        cells.push(off.map_or_else(|| "-".to_owned(), |off| format!("{off:+.0} %")));
    }
    cells
}

/// The layers that take most look-up tables.
fn worst(account: &Account) -> String {
    let mut layers: Vec<&LayerCost> = account.layers.iter().collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.used().lut));
    let named = layers.iter().take(LARGEST);
    let named: Vec<String> = named.map(|layer| format!("`{}`", layer.name)).collect();
    format!("most look-up tables are those of {}\n", named.join(" and "))
}
