//! Tcl for Vivado that makes a repository of cores, and of them the network.
//! Written for 2022.1 and later. Must not know C++.

use std::fmt::Write as _;

use super::stitch::{Stitched, What};
use super::{CLOCK, FIFO, LIBRARY, READ, RESET, VENDOR, VERSION, WRITTEN, stitched_name};
use crate::backend::hls::{Target, archive};

/// `package_ip.tcl`: the repository of what Vitis HLS exported.
pub(super) fn package_cores(stitched: &Stitched, target: &Target) -> String {
    let cores: String = stitched
        .cores()
        .iter()
        .map(|core| format!("    {core}\n"))
        .collect();
    format!(
        "# Makes the IP repository `repository` of the cores of `{project}`, beside this script. First\n\
         # synthesise every core: vitis_hls -f cores/CORE/vitis_hls.tcl. Then\n\
         #   vivado -mode batch -source package_ip.tcl   (2022.1 and later)\n\
         # Vivado takes each core as Vitis HLS exported it; component.xml beside its sources is for tools\n\
         # that read IP-XACT.\n\
         set here [file normalize [file dirname [info script]]]\n\
         set repository $here/repository\n\n\
         create_project -in_memory -part {part}\n\
         file delete -force $repository\nfile mkdir $repository\n\
         set_property ip_repo_paths $repository [current_project]\n\
         update_ip_catalog -rebuild\n\n\
         foreach core {{\n{cores}}} {{\n    \
         set archive $here/cores/$core/{archive}\n    \
         if {{![file exists $archive]}} {{\n        \
         error \"$archive is missing: run vitis_hls -f $here/cores/$core/vitis_hls.tcl first\"\n    }}\n    \
         update_ip_catalog -add_ip $archive -repo_path $repository\n}}\n\
         close_project\nexit\n",
        project = target.project,
        part = target.part,
        archive = archive("$core"),
    )
}

/// `stitch.tcl`: the block design of all cores, packaged as one IP.
pub(super) fn stitch(stitched: &Stitched, target: &Target) -> String {
    let name = stitched_name(target);
    let mut cells = String::new();
    for cell in &stitched.cells {
        let _ = match &cell.what {
            What::Core(core) => writeln!(cells, "core {} {core}", cell.name),
            What::Fifo { depth, bytes } => writeln!(cells, "fifo {} {depth} {bytes}", cell.name),
        };
    }
    let streams: String = stitched
        .streams
        .iter()
        .map(|(from, to)| {
            let (a, b) = (&from.interface, &to.interface);
            format!("stream {}/{a} {}/{b}\n", from.cell, to.cell)
        })
        .collect();
    format!(
        "{HEAD}\n{procedures}\n\
         # Edges, layers, and FIFOs where a stream is deeper than the registers at the cores' ports.\n\
         {cells}\n\
         # Streams.\n{streams}\n\
         # The ends of the accelerator.\n\
         make_bd_intf_pins_external -name {READ} [get_bd_intf_pins {input}]\n\
         make_bd_intf_pins_external -name {WRITTEN} [get_bd_intf_pins {output}]\n\
         set_property CONFIG.ASSOCIATED_BUSIF {READ}:{WRITTEN} [get_bd_ports {CLOCK}]\n\n\
         validate_bd_design\nsave_bd_design\n\
         generate_target all [get_files $name.bd]\n\n\
         # Vivado writes the description of this IP itself.\n\
         ipx::package_project -root_dir $here/repository/$name -vendor {VENDOR} -library {LIBRARY} \\\n    \
         -taxonomy /UserIP -module $name -import_files -force\n\
         set_property name $name [ipx::current_core]\n\
         set_property version {VERSION} [ipx::current_core]\n\
         ipx::create_xgui_files [ipx::current_core]\n\
         ipx::update_checksums [ipx::current_core]\n\
         ipx::save_core [ipx::current_core]\nclose_project\nexit\n",
        HEAD = head(target, &name),
        procedures = procedures(),
        input = format_args!("{}/{}", stitched.input.cell, stitched.input.interface),
        output = format_args!("{}/{}", stitched.output.cell, stitched.output.interface),
    )
}

fn head(target: &Target, name: &str) -> String {
    format!(
        "# Joins the cores of `{project}` to one IP `{name}` in `repository`, which package_ip.tcl made.\n\
         #   vivado -mode batch -source stitch.tcl   (2022.1 and later)\n\
         # The same network as one IP, synthesised as a whole, comes from ../hls/vitis_hls.tcl.\n\
         set here [file normalize [file dirname [info script]]]\n\
         set name {name}\n\n\
         create_project -force $name $here/$name -part {part}\n\
         set_property ip_repo_paths $here/repository [current_project]\n\
         update_ip_catalog -rebuild\n\n\
         create_bd_design $name\n\
         create_bd_port -dir I -type clk -freq_hz {hz} {CLOCK}\n\
         create_bd_port -dir I -type rst {RESET}\n\
         set_property CONFIG.POLARITY ACTIVE_LOW [get_bd_ports {RESET}]\n",
        project = target.project,
        part = target.part,
        hz = target.clock_hz(),
    )
}

fn procedures() -> String {
    let [vendor, library, fifo, version] = FIFO;
    format!(
        "proc clocked {{cell clock reset}} {{\n    \
         connect_bd_net [get_bd_ports {CLOCK}] [get_bd_pins $cell/$clock]\n    \
         connect_bd_net [get_bd_ports {RESET}] [get_bd_pins $cell/$reset]\n}}\n\n\
         proc core {{cell core}} {{\n    \
         create_bd_cell -type ip -vlnv {VENDOR}:{LIBRARY}:$core:{VERSION} $cell\n    \
         clocked $cell {CLOCK} {RESET}\n}}\n\n\
         proc fifo {{cell depth bytes}} {{\n    \
         create_bd_cell -type ip -vlnv {vendor}:{library}:{fifo}:{version} $cell\n    \
         set_property -dict [list CONFIG.FIFO_DEPTH $depth CONFIG.TDATA_NUM_BYTES $bytes] [get_bd_cells $cell]\n    \
         clocked $cell s_axis_aclk s_axis_aresetn\n}}\n\n\
         proc stream {{from to}} {{\n    \
         connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]\n}}\n"
    )
}
