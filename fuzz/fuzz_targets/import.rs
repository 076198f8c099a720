//! Any bytes as a model: refused in words of finnp's own, or read as a network that is written and read again.
//! Must not know what is in the bytes.

#![no_main]

use finnp::error::{Error, Kind};
use finnp::pass::streamline;
use finnp::qonnx::{export, import};
use libfuzzer_sys::fuzz_target;

/// Refusals are fine, defects are not.
fn fine<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.kind() == Kind::User => None,
        Err(error) => panic!("{error:?}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(network) = fine(import(bytes)) else {
        return;
    };
    fine(streamline(&network, None, false));
    if let Some(written) = fine(export(&network)) {
        fine(import(&written));
    }
});
