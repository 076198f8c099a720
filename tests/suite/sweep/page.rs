//! The tables of the page on speed and area, from the figures of the sweep.
//! Must not know how figures are derived.

use super::area::Area;
use super::shape::{Form, drawn};
use super::{Speed, Sweep};

/// The page, and the marks between which each table stands.
pub(crate) const PAGE: &str = "book/src/speed.md";

/// The page's text with fresh tables.
pub(crate) fn fresh(page: &str, sweep: &Sweep) -> String {
    let page = between(page, "cycles", &speeds(&sweep.speed));
    between(&page, "area", &areas(&sweep.area))
}

/// Replaces what stands between two marks, which are comments of the page.
fn between(page: &str, name: &str, table: &str) -> String {
    let marks = ["begin", "end"].map(|at| format!("<!-- {at} of {name} -->\n"));
    let (before, rest) = page.split_once(&marks[0]).unwrap();
    let (_, after) = rest.split_once(&marks[1]).unwrap();
    format!("{before}{}\n{table}\n{}{after}", marks[0], marks[1])
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: String = rows.map(|row| line(&row)).collect();
    format!("{}|{}\n{rows}", line(&head), "---|".repeat(head.len()))
}

fn speeds(all: &[Speed]) -> String {
    let head = [
        "pattern",
        "matrix",
        "PE x SIMD",
        "block",
        "kept",
        "W, A",
        "cycles, dense",
        "cycles",
        "speed-up / compression",
        "share",
        "limit",
    ];
    let rows = all.iter().filter(|row| !drawn(&row.shape)).map(|row| {
        let shape = &row.shape;
        let kept = match shape.form {
            Form::Columns => shape.keep[1].to_string(),
            Form::Cross => format!("{} x {}", shape.keep[0], shape.keep[1]),
        };
        vec![
            format!("`{}`", shape.form.pattern()),
            format!("{} x {}", shape.rows, shape.columns),
            format!("{} x {}", shape.pe, shape.simd),
            format!("{} x {}", shape.block[0], shape.block[1]),
            kept,
            format!("{}, {}", shape.weight_bits, shape.input_bits),
            row.dense_cycles.to_string(),
            row.cycles.to_string(),
            format!("{:.2} / {:.2}", row.speed_up, row.compression),
            format!("{:.2}", row.efficiency),
            row.limit.word().to_owned(),
        ]
    });
    table(&head, rows)
}

fn areas(all: &[Area]) -> String {
    let head = [
        "matrix",
        "PE x SIMD",
        "Br",
        "density",
        "W, A",
        "LUT dense",
        "pruned",
        "FF dense",
        "pruned",
        "RAMB18 dense",
        "pruned",
        "more LUT",
        "per lane and group",
    ];
    let rows = all.iter().map(|row| {
        let shape = &row.shape;
        let luts = |cells: &super::area::Cells| format!("{} + {}", cells.logic, cells.memory);
        vec![
            format!("{} x {}", shape.rows, shape.columns),
            format!("{} x {}", shape.pe, shape.simd),
            shape.block[0].to_string(),
            format!("{:.3}", row.density),
            format!("{}, {}", shape.weight_bits, shape.input_bits),
            luts(&row.dense),
            luts(&row.pruned),
            row.dense.registers.to_string(),
            row.pruned.registers.to_string(),
            row.dense.bram18.to_string(),
            row.pruned.bram18.to_string(),
            format!("{} ({:+.1} %)", row.extra, row.percent),
            format!("{:.1}", row.per_lane),
        ]
    });
    table(&head, rows)
}
