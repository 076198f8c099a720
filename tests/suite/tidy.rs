//! The house rules, read off the tree: floors, tables, headers, sizes, names, words, dependencies.
//! Must not know what any module does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod floor;
mod form;
mod source;
mod table;
mod tree;

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with one line per problem.
fn none(problems: Vec<String>) {
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}
