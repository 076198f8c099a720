//! `component.xml`: what a core or the network shows to the outside, and the files that it is made from.
//!
//! It describes the ports that synthesis will give the C++ function, and lists sources, not netlists: it is
//! for tools that read IP-XACT. Vivado's catalogue takes the archive that Vitis HLS exports, which has a
//! description of its own under the same name.
//! Must not know Tcl.

use super::core::{Core, Marks, Side};
use super::file::{self, File, Kind};
use super::outside::{OF_CORES, OF_RTL, Outside};
use super::stitch::Cores;
use super::whole::{self, memories, shapes};
use super::xml::{Element, empty, node, text};
use super::{LIBRARY, VENDOR, VERSION, stitched_name};
use crate::backend::Language;
use crate::backend::hls::{self, Ends, Target};
use crate::backend::rtl;
use crate::dataflow::Dataflow;
use crate::error::Result;

/// From the folder of the network's component to the folder of the HLS sources.
const TO_HLS: &str = "../hls";
/// And to the folder of the RTL sources.
const TO_RTL: &str = "../rtl";

/// The component of a core, which lies in a folder of its own.
///
/// # Errors
/// A bug if it cannot be written.
pub fn core_component(core: &Core, target: &Target) -> Result<String> {
    let outside = Outside {
        name: &core.name,
        title: &core.title,
        inputs: &core.inputs,
        outputs: &core.outputs,
        clock_hz: target.clock_hz(),
        style: &OF_CORES,
    };
    let files = core.files();
    let views = match core.language {
        Language::Cpp => vec![sources_view(&core.name)],
        Language::SystemVerilog => rtl_views(&core.name),
    };
    component(&outside, views, &files)
}

/// The component of the whole network: one IP from the sources of all layers, or the design that joins cores.
///
/// # Errors
/// A bug if it cannot be written.
pub(super) fn network_component(
    dataflow: &Dataflow,
    cores: &Cores,
    target: &Target,
) -> Result<String> {
    let name = hls::ip_name(&target.project);
    let title = format!("The accelerator {}.", target.project);
    let outside = Outside {
        name: &name,
        title: &title,
        inputs: &cores.input.inputs,
        outputs: &cores.output.outputs,
        clock_hz: target.clock_hz(),
        style: &OF_CORES,
    };
    let mut views = Vec::new();
    let mut paths = Vec::new();
    if cores.are_in(Language::Cpp) {
        let sources = hls::network_files(dataflow)?.into_iter();
        paths.extend(sources.map(|file| format!("{TO_HLS}/{file}")));
        paths.extend(file::library(TO_HLS));
        paths.push(format!("{TO_HLS}/vitis_hls.tcl"));
        views.push(sources_view("top"));
    }
    if !cores.are_in(Language::Cpp) {
        paths.push(super::LINK.to_owned());
    }
    paths.extend(super::SCRIPTS.iter().map(|script| (*script).to_owned()));
    let files: Vec<File> = paths.into_iter().map(File::new).collect();
    let stitched = stitched_name(target);
    views.push(node(
        "view",
        vec![
            text("name", "stitched"),
            text("description", "The cores of all layers, joined."),
            text("envIdentifier", ":vivado.xilinx.com:"),
            empty("hierarchyRef").called([VENDOR, LIBRARY, &stitched, VERSION]),
        ],
    ));
    component(&outside, views, &files)
}

/// The component of the whole network in SystemVerilog, with its registers: its own module and its memories lie beside
/// it.
///
/// # Errors
/// A user error where the network has several ends; a bug if the component cannot be written.
pub(super) fn accelerator_component(dataflow: &Dataflow, target: &Target) -> Result<String> {
    let ends = Ends::of(dataflow)?;
    let side = |port| Side {
        marks: Marks::Last,
        ..Side::inner(port)
    };
    let name = rtl::top_name(&target.project);
    let outside = Outside {
        name: &name,
        title: &format!("The accelerator {}.", target.project),
        inputs: &[side(ends.input)],
        outputs: &[side(ends.output)],
        clock_hz: target.clock_hz(),
        style: &OF_RTL,
    };
    let mut paths = vec![format!("{name}.v")];
    paths.extend(
        shapes(dataflow)?
            .into_iter()
            .map(|file| format!("{TO_RTL}/{file}")),
    );
    paths.extend(file::rtl_library(TO_RTL));
    paths.extend(memories(dataflow, &target.project));
    paths.extend(whole::SCRIPTS.iter().map(|script| (*script).to_owned()));
    let files: Vec<File> = paths.into_iter().map(File::new).collect();
    component(&outside, rtl_views(&name), &files)
}

/// Sets of files, in their order.
const SETS: [(&str, &[Kind]); 2] = [
    (
        "sources",
        &[
            Kind::Source,
            Kind::Header,
            Kind::Memory,
            Kind::Verilog,
            Kind::SystemVerilog,
            Kind::Words,
        ],
    ),
    ("scripts", &[Kind::Script]),
];

fn component(outside: &Outside<'_>, views: Vec<Element>, files: &[File]) -> Result<String> {
    let sets = SETS.iter().filter_map(|(name, kinds)| {
        let chosen = files.iter().filter(|file| kinds.contains(&file.kind));
        let chosen: Vec<Element> = chosen.map(listed).collect();
        let name = vec![text("name", name)];
        (!chosen.is_empty()).then(|| node("fileSet", [name, chosen].concat()))
    });
    let mut children = vec![
        text("vendor", VENDOR),
        text("library", LIBRARY),
        text("name", outside.name),
        text("version", VERSION),
        node("busInterfaces", outside.interfaces()),
    ];
    children.extend(outside.memory_maps());
    children.extend([
        node(
            "model",
            vec![node("views", views), node("ports", outside.ports())],
        ),
        node("fileSets", sets.collect()),
        text("description", outside.title),
    ]);
    node("component", children).document()
}

fn sources_view(function: &str) -> Element {
    node(
        "view",
        vec![
            text("name", "sources"),
            text("description", "C++ for high-level synthesis."),
            text("envIdentifier", "C++:vitis_hls.xilinx.com:synthesis"),
            text("language", "C++"),
            text("modelName", function),
            node("fileSetRef", vec![text("localName", "sources")]),
            node("fileSetRef", vec![text("localName", "scripts")]),
        ],
    )
}

/// Views of a module in Verilog, as Vivado calls them.
fn rtl_views(module: &str) -> Vec<Element> {
    let views = [
        ("xilinx_anylanguagesynthesis", "synthesis"),
        ("xilinx_anylanguagebehavioralsimulation", "simulation"),
    ];
    let view = |(name, purpose): (&str, &str)| {
        node(
            "view",
            vec![
                text("name", name),
                text("envIdentifier", format!(":vivado.xilinx.com:{purpose}")),
                text("language", "Verilog"),
                text("modelName", module),
                node("fileSetRef", vec![text("localName", SETS[0].0)]),
            ],
        )
    };
    views.map(view).into()
}

fn listed(file: &File) -> Element {
    let mut children = vec![
        text("name", &file.path),
        match file.kind {
            Kind::Source | Kind::Header => text("fileType", "cppSource"),
            Kind::Memory => text("userFileType", "decimal numbers"),
            Kind::Verilog => text("fileType", "verilogSource"),
            Kind::SystemVerilog => text("fileType", "systemVerilogSource"),
            Kind::Words => text("userFileType", "mem"),
            Kind::Script => text("fileType", "tclSource"),
        },
    ];
    if matches!(file.kind, Kind::Header | Kind::Memory) {
        children.push(text("isIncludeFile", true));
    }
    node("file", children)
}
