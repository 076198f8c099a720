//! Panics, which are always bugs of finnp: they become errors like all others.
//! Must not know what was going on.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Kind, Result};

/// What the first panic said, and where: those that follow from it say less.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the words of panics instead of printing them.
pub(super) fn watch() {
    panic::set_hook(Box::new(|info| {
        let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| describe(info));
    }));
}

fn describe(info: &PanicHookInfo) -> String {
    let words = info.payload();
    let words = words
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| words.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    match info.location() {
        Some(place) => format!("{words} ({}:{})", place.file(), place.line()),
        None => words.to_owned(),
    }
}

/// Runs `f`.
///
/// # Errors
/// Those of `f`; a bug if it panics.
pub(super) fn guard<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        let first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        let words = first.as_deref().unwrap_or("no message");
        let error = Error::new(Kind::Bug, format!("this is a bug in finnp: {words}"));
        Err(error.help("please report it with the command, the project and the version"))
    })
}
