//! AMD Vitis HLS, which turns generated C++ into register-transfer code.
//! Must not know what is synthesised.

use super::Tool;

/// Vitis HLS in batch mode.
pub(super) const VITIS_HLS: Tool = Tool {
    name: "vitis_hls",
    title: "AMD Vitis HLS",
    unlocks: "synthesis of the generated C++",
    variable: None,
    candidates: &["vitis_hls"],
    version_args: &["-version"],
    least: None,
    keeps: &[
        "LM_LICENSE_FILE",
        "XILINXD_LICENSE_FILE",
        "XILINX_HLS",
        "XILINX_VITIS",
        "XILINX_VIVADO",
    ],
    install: "install AMD Vitis and source its `settings64.sh`, which puts `vitis_hls` into `PATH`",
};
