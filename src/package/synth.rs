//! Tcl for Vivado that implements the network alone, and says how much it takes and how fast it is.
//! Written for 2022.1 and later. Must not know how many layers there are.

use super::{LIBRARY, VENDOR, VERSION};
use crate::backend::hls::{Target, ip_name};

/// The report of what the network takes.
pub const UTILISATION: &str = "utilization.rpt";
/// The report of how fast it is.
pub const TIMING: &str = "timing.rpt";
/// The implemented network.
pub const CHECKPOINT: &str = "accelerator.dcp";
/// The constraints, beside the script.
pub const CONSTRAINTS: &str = "clock.xdc";

/// `clock.xdc`: the clock that is asked for.
pub(super) fn constraints(target: &Target, clock: &str) -> String {
    format!(
        "create_clock -name {clock} -period {} [get_ports {clock}]\n",
        target.period_ns()
    )
}

/// `synth.tcl`: out-of-context synthesis and, if asked for, placement and routing.
pub(super) fn synthesise(target: &Target) -> String {
    format!(
        "# Implements `{project}` out of context: alone, without pins. Leaves {UTILISATION}, {TIMING} and\n\
         # {CHECKPOINT} in the folder in which Vivado is started. (2022.1 and later)\n\
         #   vivado -mode batch -source synth.tcl -tclargs WHAT STEP\n\
         # WHAT is the archive that ../hls/vitis_hls.tcl exported, or the name of an IP in `repository`;\n\
         # STEP is `synth`, or `route` for placement and routing too.\n\
         set here [file normalize [file dirname [info script]]]\n\
         lassign $argv what step\n\
         if {{$step ni {{synth route}}}} {{\n    error \"say -tclargs WHAT STEP, where STEP is synth or route\"\n}}\n\n\
         create_project -in_memory -part {part}\n\
         if {{[file extension $what] eq \".zip\"}} {{\n    \
         set name {name}\n    \
         set repository [file normalize synth.repository]\n    \
         file delete -force $repository\n    file mkdir $repository\n    \
         set_property ip_repo_paths $repository [current_project]\n    \
         update_ip_catalog -rebuild\n    \
         update_ip_catalog -add_ip [file normalize $what] -repo_path $repository\n\
         }} else {{\n    \
         set name $what\n    \
         set_property ip_repo_paths $here/repository [current_project]\n    \
         update_ip_catalog -rebuild\n}}\n\n\
         set work [file normalize synth.work]\nfile delete -force $work\nfile mkdir $work\n\
         create_ip -vlnv {VENDOR}:{LIBRARY}:$name:{VERSION} -module_name accelerator -dir $work\n\
         # The IP is synthesised with the design, not beforehand.\n\
         set_property generate_synth_checkpoint false [get_files accelerator.xci]\n\
         generate_target all [get_ips accelerator]\n\
         read_xdc $here/{CONSTRAINTS}\n\n\
         synth_design -top accelerator -part {part} -mode out_of_context\n\
         {implement}",
        implement = implement(),
        project = target.project,
        part = target.part,
        name = ip_name(&target.project),
    )
}

/// Tcl behind synthesis: what `step` asks for, reports and a checkpoint.
pub(super) fn implement() -> String {
    format!(
        "if {{$step eq \"route\"}} {{\n    opt_design\n    place_design\n    route_design\n}}\n\
         report_utilization -file {UTILISATION}\n\
         report_timing_summary -file {TIMING}\n\
         write_checkpoint -force {CHECKPOINT}\n\
         close_project\nexit\n"
    )
}
