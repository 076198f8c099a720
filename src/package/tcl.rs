//! Tcl for Vivado that makes a repository of cores, and of them the network.
//! Written for 2022.1 and later. Must not know C++.

use std::fmt::Write as _;

use super::core::Core;
use super::stitch::{Cores, Stitched, What};
use super::whole;
use super::{CLOCK, FIFO, LIBRARY, READ, RESET, VENDOR, VERSION, WRITTEN, stitched_name};
use crate::backend::Language;
use crate::backend::hls::{Target, archive};

/// `package_ip.tcl`: the repository of what Vitis HLS exported, and of modules in SystemVerilog.
pub(super) fn package_cores(cores: &Cores, target: &Target) -> String {
    let distinct = cores.distinct();
    let of = |language: Language| {
        let cores = distinct
            .iter()
            .filter(move |core| core.language == language);
        cores.copied().collect::<Vec<&Core>>()
    };
    let [exported, written] = [Language::Cpp, Language::SystemVerilog].map(of);
    let (mut first, mut then) = (String::new(), String::new());
    if !exported.is_empty() {
        first += " First\n# synthesise every core in C++: vitis_hls -f cores/CORE/vitis_hls.tcl.";
        then += "\n# Vivado takes each of them as Vitis HLS exported it; component.xml beside sources is for tools\n\
                 # that read IP-XACT.";
    }
    format!(
        "# Makes the IP repository `repository` of the cores of `{project}`, beside this script.{first} Then\n\
         #   vivado -mode batch -source package_ip.tcl   (2022.1 and later){then}\n\
         set here [file normalize [file dirname [info script]]]\n\
         set repository $here/repository\n\n\
         file delete -force $repository\nfile mkdir $repository\n\n\
         {}{}exit\n",
        packaged(&written, target),
        catalogued(&exported, target),
        project = target.project,
    )
}

/// Packages cores from their sources; nothing where there are none.
fn packaged(cores: &[&Core], target: &Target) -> String {
    if cores.is_empty() {
        return String::new();
    }
    let calls: String = cores
        .iter()
        .map(|core| format!("packaged {} {{{}}}\n", core.name, core.shapes().join(" ")))
        .collect();
    format!(
        "proc packaged {{core shapes}} {{\n    global here repository\n    \
         create_project -force $core $here/packaged/$core -part {part}\n    \
         set files [list $here/cores/$core/$core.v]\n    \
         foreach shape $shapes {{\n        lappend files $here/../rtl/shapes/$shape.sv\n    }}\n    \
         lappend files {{*}}[lsort [glob $here/../rtl/library/*.sv]]\n    \
         # Memories are found by the names of their files.\n    \
         lappend files {{*}}[lsort [glob -nocomplain $here/cores/$core/*.mem]]\n    \
         add_files -norecurse $files\n    \
         set_property top $core [current_fileset]\n    \
         update_compile_order -fileset sources_1\n{ip}    \
         close_project\n}}\n{calls}\n",
        part = target.part,
        ip = whole::packaged("$repository/$core", "$core", "    "),
    )
}

/// Adds to the repository what Vitis HLS exported; nothing where it has nothing to do.
fn catalogued(cores: &[&Core], target: &Target) -> String {
    if cores.is_empty() {
        return String::new();
    }
    let names: String = cores
        .iter()
        .map(|core| format!("    {}\n", core.name))
        .collect();
    format!(
        "create_project -in_memory -part {part}\n\
         set_property ip_repo_paths $repository [current_project]\n\
         update_ip_catalog -rebuild\n\n\
         foreach core {{\n{names}}} {{\n    \
         set archive $here/cores/$core/{archive}\n    \
         if {{![file exists $archive]}} {{\n        \
         error \"$archive is missing: run vitis_hls -f $here/cores/$core/vitis_hls.tcl first\"\n    }}\n    \
         update_ip_catalog -add_ip $archive -repo_path $repository\n}}\n\
         close_project\n",
        part = target.part,
        archive = archive("$core"),
    )
}

/// `link.tcl`: all cores packaged, joined and implemented, each by a Vivado of its own.
pub(super) fn link(target: &Target) -> String {
    format!(
        "# Packages, joins and implements the cores of `{project}`; those in C++ were synthesised before.\n\
         # Leaves reports and a checkpoint in the folder in which Vivado is started. (2022.1 and later)\n\
         #   vivado -mode batch -source link.tcl\n\
         set here [file normalize [file dirname [info script]]]\n\
         foreach {{script arguments}} {{\n    package_ip.tcl {{}}\n    stitch.tcl {{}}\n    \
         synth.tcl {{-tclargs {name} route}}\n}} {{\n    \
         exec vivado -mode batch -nolog -nojournal -notrace -source $here/$script {{*}}$arguments \\\n        \
         >@ stdout 2>@ stderr\n}}\nexit\n",
        project = target.project,
        name = stitched_name(target),
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
