//! The committed sweep of matrix units: its rows are derived again, what they show holds, the page shows them.
//! Each day other rows are chosen, or those of `FINNP_SEED`; with `FINNP_SWEEP` all of them are.
//! Must not know how figures are derived.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use finnp::stage::Limit;

use super::random::Random;
use super::rtl_bench::verilator;
use super::sweep::shape::{self, Form, Shape};
use super::sweep::{FILE, Speed, Sweep, area, page, shared, speed};

/// Rows of each form that are derived in an ordinary run.
const ROWS: usize = 3;
/// Products a cycle of a shape that is derived in an ordinary run, at most.
const SMALL: usize = 64;
/// Speed-up for each unit of compression, at least, where products limit.
const EFFICIENCY: f64 = 0.95;

fn everything() -> bool {
    std::env::var_os("FINNP_SWEEP").is_some()
}

/// What the rows of a run are chosen with.
fn seed() -> u64 {
    let given = std::env::var("FINNP_SEED").ok();
    let days = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
            / 86_400
    };
    given
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(days)
}

/// The rows to derive: all of them, or a few small ones of each form.
fn chosen(rows: &[Speed], seed: u64) -> Vec<&Speed> {
    if everything() {
        return rows.iter().collect();
    }
    let mut random = Random::new(seed);
    let mut chosen = Vec::new();
    for form in [Form::Columns, Form::Cross] {
        let own = |row: &&Speed| row.shape.form == form && row.shape.multipliers() <= SMALL;
        let mut left: Vec<&Speed> = rows.iter().filter(own).collect();
        for _ in 0..ROWS {
            chosen.push(left.remove(random.below(left.len())));
        }
    }
    chosen
}

#[test]
fn rows_of_the_sweep_are_derived_again() {
    if !verilator() {
        return;
    }
    let (sweep, seed) = (Sweep::read(), seed());
    for row in chosen(&sweep.speed, seed) {
        assert_eq!(speed(&row.shape), *row, "FINNP_SEED={seed}");
    }
}

/// As fast as the compression wherever nothing but products limits, in both forms and all widths.
#[test]
fn compression_is_speed_where_products_limit() {
    let rows = Sweep::read().speed;
    let shapes: Vec<Shape> = rows.iter().map(|row| row.shape).collect();
    assert_eq!(shapes, shape::all(), "`cargo bench --bench mvau` measures");
    let computing = |row: &&Speed| row.limit == Limit::Compute;
    for row in rows.iter().filter(computing) {
        assert!(row.efficiency >= EFFICIENCY, "{row:?}");
    }
    for form in [Form::Columns, Form::Cross] {
        let own = || rows.iter().filter(|row| row.shape.form == form);
        assert!(own().filter(computing).count() >= 16);
        assert!(own().any(|row| row.limit == Limit::Input));
        let bits: BTreeSet<u32> = own().map(|row| row.shape.weight_bits).collect();
        assert!(bits.len() >= 7, "{bits:?}");
    }
    let bits: BTreeSet<u32> = shapes.iter().map(|shape| shape.weight_bits).collect();
    let inputs: BTreeSet<u32> = shapes.iter().map(|shape| shape.input_bits).collect();
    assert!(bits.into_iter().eq(1..=8) && inputs.into_iter().eq([1, 2, 3, 4, 5, 6, 8]));
    assert!(shapes.len() >= 40);
}

/// What the pruned unit takes more is as little as was promised.
#[test]
fn pruned_units_are_hardly_larger() {
    let rows = Sweep::read().area;
    let shapes: Vec<Shape> = rows.iter().map(|row| row.shape).collect();
    assert_eq!(
        shapes,
        area::shapes(),
        "`cargo bench --bench mvau` measures"
    );
    let mut bound = BTreeSet::new();
    for row in &rows {
        let extra = row.pruned.luts() as i64 - row.dense.luts() as i64;
        assert_eq!(row.extra, extra, "{row:?}");
        let percent = 100.0 * extra as f64 / row.dense.luts() as f64;
        assert!((row.percent - percent).abs() < 1e-9, "{row:?}");
        if let Some(most) = row.bound() {
            assert!(row.percent <= most, "more than {most} %: {row:?}");
            bound.insert(row.shape.block[0]);
        }
    }
    assert!(bound.into_iter().eq(area::BOUNDS.map(|(rows, _)| rows)));
}

/// Only where `FINNP_YOSYS` names Yosys 0.70, which the committed figures are from.
#[test]
fn a_row_of_area_is_derived_again() {
    let named = std::env::var_os("FINNP_YOSYS").is_some();
    let Some(yosys) = area::yosys().filter(|_| named) else {
        eprintln!("SKIPPED: FINNP_YOSYS names no Yosys");
        return;
    };
    let (rows, seed) = (Sweep::read().area, seed());
    let one = Random::new(seed).below(rows.len());
    let chosen = rows
        .iter()
        .enumerate()
        .filter(|(at, _)| everything() || *at == one);
    let mut known = area::Known::new();
    for (_, row) in chosen {
        assert_eq!(
            area::area(&yosys, &row.shape, &mut known),
            *row,
            "FINNP_SEED={seed}"
        );
    }
}

#[test]
fn the_page_shows_the_figures_of_the_sweep() {
    let read =
        |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let kept = read(page::PAGE);
    assert_eq!(read(FILE), Sweep::read().text());
    assert_eq!(
        kept,
        page::fresh(&kept, &Sweep::read()),
        "`cargo bench --bench mvau` writes it"
    );
}

/// Banks of the primitives that synthesis is given, 32 words and 64, two bits a port and one, whole and cut.
#[test]
fn banks_that_share_primitives_are_banks() {
    if !verilator() {
        return;
    }
    let small = |shape: &Shape| shape.multipliers() <= SMALL;
    let all = shape::all();
    let lists = |form: Form, deep: bool| {
        let all = all.iter().filter(move |shape| {
            let places = 2 * shape.columns / shape.simd;
            let fits = if deep { 33..=64 } else { 1..=32 };
            shape.form == form && small(shape) && fits.contains(&places)
        });
        let mut bits = BTreeSet::new();
        let other: Vec<Shape> = all.filter(|s| bits.insert(s.input_bits)).copied().collect();
        other
    };
    for form in [Form::Columns, Form::Cross] {
        let chosen = [lists(form, false), lists(form, true)];
        assert!(chosen.iter().all(|shapes| !shapes.is_empty()), "{form:?}");
        for shape in chosen.iter().flat_map(|shapes| shapes.iter().take(2)) {
            shared(shape);
        }
    }
}
