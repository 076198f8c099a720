//! Verilator.
//! Must not know what is simulated.

use super::Tool;

/// Verilator: compiles SystemVerilog into a program that simulates it cycle by cycle.
pub(super) const VERILATOR: Tool = Tool {
    name: "verilator",
    title: "Verilator",
    unlocks: "verification of generated SystemVerilog, cycle by cycle (5.006 and later)",
    variable: None,
    candidates: &["verilator"],
    version_args: &["--version"],
    least: None,
    keeps: &[],
    install: "install Verilator 5.006 or later, such as the package `verilator`",
};
