//! The model of what layers take on the chip against what was measured, and what was measured against Yosys.
//! Must not know how the model estimates.

use finnp::cost::{COLUMNS, Figures, calibration, figures};

use super::area_shape::{ROUND, shape};
use super::area_yosys::{synthesise, wanted_yosys};
use super::random::Random;

/// Rows that are measured again in every run.
const AGAIN: usize = 2;

#[test]
fn the_rows_of_the_calibration_are_those_of_the_model() {
    for row in &calibration().rows {
        let shape = shape(row.seed);
        assert_eq!(
            row.kind,
            shape.layer.hardware().kind(),
            "shape {}",
            row.seed
        );
        let model = figures(&shape.layer, &shape.depths);
        assert_eq!(
            row.model, model,
            "shape {}: run `cargo bench --bench area`",
            row.seed
        );
        // These are counted, not estimated.
        let counted = |figures: Figures| [figures.bram18, figures.uram, figures.dsp];
        assert_eq!(counted(model), counted(row.measured), "shape {}", row.seed);
    }
}

#[test]
fn the_model_is_near_what_it_was_not_fitted_to() {
    let rows = calibration().rows.len() as u64;
    assert!(rows >= 2 * ROUND, "{rows} shapes");
    for column in COLUMNS.iter().filter(|column| column.name != "uram") {
        let spread = calibration().spread(column.of).unwrap();
        let most = if column.name == "lut" { 15.0 } else { 5.0 };
        assert!(spread.median <= most, "{}: {spread:?}", column.title);
    }
}

/// What the book says of the model, figure by figure.
#[test]
fn the_book_has_the_errors_of_the_calibration() {
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/book/src/rtl.md");
    let page = std::fs::read_to_string(book).unwrap();
    for column in COLUMNS.iter().filter(|column| column.name != "uram") {
        let spread = calibration().spread(column.of).unwrap();
        let row = format!(
            "| {} | {:.0} .. {:.0} % | {:.1} % | {} |",
            column.title, spread.low, spread.high, spread.median, spread.shapes
        );
        assert!(page.contains(&row), "the page lacks `{row}`");
    }
    let count = format!("one half of {} random shapes", calibration().rows.len());
    assert!(page.contains(&count), "the page lacks `{count}`");
}

/// Which ones, changes from run to run; a failure names the shape.
#[test]
fn random_rows_of_the_calibration_are_what_yosys_makes_of_them() {
    let Some(yosys) = wanted_yosys() else { return };
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut random = Random::new(now.as_secs());
    for _ in 0..AGAIN {
        let row = random.pick(&calibration().rows);
        let folder = tempfile::tempdir().unwrap();
        let measured = synthesise(&yosys, &shape(row.seed), folder.path(), &[]);
        assert_eq!(measured, row.measured, "shape {}", row.seed);
    }
}
