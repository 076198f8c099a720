//! AMD Vivado, which makes a netlist of register-transfer code, places and routes it.
//! Must not know what is implemented.

use super::Tool;

/// Vivado in batch mode.
pub(super) const VIVADO: Tool = Tool {
    name: "vivado",
    title: "AMD Vivado",
    unlocks: "resources and timing of the generated hardware, after placement and routing",
    variable: None,
    candidates: &["vivado"],
    version_args: &["-version"],
    least: None,
    keeps: &["LM_LICENSE_FILE", "XILINXD_LICENSE_FILE", "XILINX_VIVADO"],
    install: "install AMD Vivado and source its `settings64.sh`, which puts `vivado` into `PATH`",
};
