//! The whole network in SystemVerilog as one IP: its module, its description, and Tcl for Vivado.
//! Written for 2022.1 and later. Must not know single layers.

use std::collections::BTreeSet;

use super::component::accelerator_component;
use super::outside::OF_RTL;
use super::synth::{constraints, implement};
use super::{CONSTRAINTS, LIBRARY, VENDOR, VERSION};
use crate::backend::hls::{Target, tag};
use crate::backend::rtl::{memory_files, top_name, top_source};
use crate::dataflow::Dataflow;
use crate::error::Result;

/// Scripts beside the component.
pub(super) const SCRIPTS: [&str; 3] = ["package_ip.tcl", "synth.tcl", CONSTRAINTS];

/// File of a memory beside the component. Vivado looks memories up by the names of their files alone, so that no two
/// layers may have equal ones: a file's name has no dot but that of its ending.
pub fn accelerator_memory(project: &str, layer: &str, file: &str) -> String {
    format!("{}_{layer}.{file}", top_name(project))
}

/// Files of the shapes of a network, relative to the folder of RTL sources.
pub(super) fn shapes(dataflow: &Dataflow) -> Result<BTreeSet<String>> {
    let tags = dataflow.nodes.iter().map(|node| tag(&node.layer));
    tags.map(|tag| Ok(format!("shapes/{}.sv", tag?))).collect()
}

/// Files of all memories beside the component.
pub(super) fn memories(dataflow: &Dataflow, project: &str) -> Vec<String> {
    let nodes = dataflow.nodes.iter();
    nodes
        .flat_map(|node| {
            let files = memory_files(&node.layer).into_iter();
            files.map(|file| accelerator_memory(project, &node.name, &file))
        })
        .collect()
}

/// `(file, text)` of the IP but for its memories; see [`accelerator_memory`].
///
/// # Errors
/// As [`top_source`].
pub fn accelerator(dataflow: &Dataflow, target: &Target) -> Result<Vec<(String, String)>> {
    let project = &target.project;
    let top = top_source(dataflow, project, |layer, file| {
        accelerator_memory(project, layer, file)
    })?;
    Ok(vec![
        (format!("{}.v", top_name(project)), top),
        (
            "component.xml".to_owned(),
            accelerator_component(dataflow, target)?,
        ),
        (SCRIPTS[0].to_owned(), package(target)),
        (SCRIPTS[1].to_owned(), synthesise(target)),
        (CONSTRAINTS.to_owned(), constraints(target, OF_RTL.clock)),
    ])
}

/// Tcl that lists all sources in `files`.
fn sources(target: &Target) -> String {
    format!(
        "set files [list $here/{top}.v]\n\
         lappend files {{*}}[lsort [glob $here/../rtl/library/*.sv $here/../rtl/shapes/*.sv]]\n\
         # Memories are found by the names of their files.\n\
         lappend files {{*}}[lsort [glob -nocomplain $here/*.mem]]\n",
        top = top_name(&target.project),
    )
}

/// `package_ip.tcl`.
fn package(target: &Target) -> String {
    let name = top_name(&target.project);
    format!(
        "# Packages the accelerator `{project}` as an IP, in the repository `repository` beside this script.\n\
         #   vivado -mode batch -source package_ip.tcl   (2022.1 and later)\n\
         # component.xml beside it is for tools that read IP-XACT; Vivado writes its own.\n\
         set here [file normalize [file dirname [info script]]]\n\
         set name {name}\n\
         file delete -force $here/repository\nfile mkdir $here/repository\n\n\
         create_project -force $name $here/packaged -part {part}\n\
         {sources}\
         add_files -norecurse $files\n\
         set_property top $name [current_fileset]\n\
         update_compile_order -fileset sources_1\n\n\
         {PACKAGED}close_project\nexit\n",
        PACKAGED = packaged("$here/repository/$name", "$name", ""),
        project = target.project,
        part = target.part,
        sources = sources(target),
    )
}

/// Tcl that makes an IP of the open project.
pub(super) fn packaged(folder: &str, name: &str, indent: &str) -> String {
    let core = "[ipx::current_core]";
    [
        format!("ipx::package_project -root_dir {folder} -vendor {VENDOR} -library {LIBRARY} \\"),
        "    -taxonomy /UserIP -import_files -force".to_owned(),
        format!("set_property name {name} {core}"),
        format!("set_property version {VERSION} {core}"),
        format!("ipx::create_xgui_files {core}"),
        format!("ipx::update_checksums {core}"),
        format!("ipx::save_core {core}"),
    ]
    .map(|line| format!("{indent}{line}\n"))
    .concat()
}

/// `synth.tcl`.
fn synthesise(target: &Target) -> String {
    let name = top_name(&target.project);
    format!(
        "# Implements `{project}` out of context from its sources. Leaves reports and a checkpoint in the folder in\n\
         # which Vivado is started. (2022.1 and later)\n\
         #   vivado -mode batch -source synth.tcl -tclargs STEP\n\
         # STEP is `synth`, or `route` for placement and routing too.\n\
         set here [file normalize [file dirname [info script]]]\n\
         lassign $argv step\n\
         if {{$step ni {{synth route}}}} {{\n    error \"say -tclargs STEP, where STEP is synth or route\"\n}}\n\n\
         create_project -in_memory -part {part}\n\
         {sources}\
         add_files -norecurse $files\n\
         read_xdc $here/{CONSTRAINTS}\n\n\
         synth_design -top {name} -part {part} -mode out_of_context\n\
         {implement}",
        project = target.project,
        part = target.part,
        sources = sources(target),
        implement = implement(),
    )
}
