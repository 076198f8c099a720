//! AMD's newer command for Vitis HLS.
//! Must not know what is synthesised.

use super::Tool;

/// Vitis HLS where `vitis_hls` is no more.
pub(super) const VITIS_RUN: Tool = Tool {
    name: "vitis-run",
    title: "AMD Vitis",
    unlocks: "synthesis of the generated C++, where there is no `vitis_hls`",
    variable: None,
    candidates: &["vitis-run"],
    version_args: &["--version"],
    least: None,
    keeps: super::vitis_hls::VITIS_HLS.keeps,
    install: "install AMD Vitis and source its `settings64.sh`, which puts `vitis-run` into `PATH`",
};
