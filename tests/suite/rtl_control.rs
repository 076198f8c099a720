//! The registers behind AXI4-Lite.
//! Must not know networks.

use std::fs;
use std::process::Command;

use finnp::backend::rtl::LIBRARY;

use super::rtl_bench::{compile, verilator};

#[test]
fn registers_are_read_written_and_counted() {
    if !verilator() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in LIBRARY {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let main = include_str!("rtl_control.cpp");
    fs::write(folder.path().join("main.cpp"), main).unwrap();
    let parameters = ["-GFRAME_WORDS=4", "-GSTREAMS=2"].map(str::to_owned);
    compile(folder.path(), "finnp_control", &parameters);
    let output = Command::new(folder.path().join("simulate"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(output.status.success());
}
