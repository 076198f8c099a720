//! `component.xml`: what a core or the network shows to the outside, and the files that it is made from.
//!
//! It describes the ports that synthesis will give the C++ function, and lists sources, not netlists: it is
//! for tools that read IP-XACT. Vivado's catalogue takes the archive that Vitis HLS exports, which has a
//! description of its own under the same name.
//! Must not know Tcl.

use super::core::{Core, Side};
use super::file::{self, File, Kind};
use super::stitch::Cores;
use super::xml::{Element, empty, node, text};
use super::{CLOCK, LIBRARY, READ, RESET, VENDOR, VERSION, WRITTEN, stitched_name};
use crate::backend::hls::{self, Target, numbered};
use crate::dataflow::Dataflow;
use crate::error::Result;

/// From the folder of the network's component to the folder of the HLS sources.
const TO_HLS: &str = "../hls";

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
    };
    let files = core.files();
    component(&outside, vec![sources_view(&core.name)], &files)
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
    };
    let sources = hls::network_files(dataflow)?.into_iter();
    let mut paths: Vec<String> = sources.map(|file| format!("{TO_HLS}/{file}")).collect();
    paths.extend(file::library(TO_HLS));
    paths.push(format!("{TO_HLS}/vitis_hls.tcl"));
    paths.extend(super::SCRIPTS.iter().map(|script| (*script).to_owned()));
    let files: Vec<File> = paths.into_iter().map(File::new).collect();
    let stitched = stitched_name(target);
    let design = node(
        "view",
        vec![
            text("name", "stitched"),
            text("description", "The cores of all layers, joined."),
            text("envIdentifier", ":vivado.xilinx.com:"),
            empty("hierarchyRef").called([VENDOR, LIBRARY, &stitched, VERSION]),
        ],
    );
    component(&outside, vec![sources_view("top"), design], &files)
}

/// What a component shows.
struct Outside<'a> {
    name: &'a str,
    title: &'a str,
    inputs: &'a [Side],
    outputs: &'a [Side],
    clock_hz: u64,
}

/// A stream with the name that its ports have, and whether it is read.
struct Stream {
    name: String,
    side: Side,
    is_read: bool,
}

impl Outside<'_> {
    /// All streams, those that are read first.
    fn streams(&self) -> Vec<Stream> {
        let mut streams = Vec::new();
        for (name, sides, is_read) in [(READ, self.inputs, true), (WRITTEN, self.outputs, false)] {
            let names = numbered(name, sides.len()).into_iter();
            streams.extend(names.zip(sides).map(|(name, side)| Stream {
                name,
                side: *side,
                is_read,
            }));
        }
        streams
    }
}

/// Sets of files, in their order.
const SETS: [(&str, &[Kind]); 2] = [
    ("sources", &[Kind::Source, Kind::Header, Kind::Memory]),
    ("scripts", &[Kind::Script]),
];

fn component(outside: &Outside<'_>, views: Vec<Element>, files: &[File]) -> Result<String> {
    let sets = SETS.iter().map(|(name, kinds)| {
        let chosen = files.iter().filter(|file| kinds.contains(&file.kind));
        let mut children = vec![text("name", name)];
        children.extend(chosen.map(listed));
        node("fileSet", children)
    });
    let streams = outside.streams();
    let mut interfaces: Vec<Element> = streams.iter().map(stream).collect();
    interfaces.extend([clock(outside.clock_hz, &streams), reset()]);
    let root = node(
        "component",
        vec![
            text("vendor", VENDOR),
            text("library", LIBRARY),
            text("name", outside.name),
            text("version", VERSION),
            node("busInterfaces", interfaces),
            node(
                "model",
                vec![node("views", views), node("ports", ports(&streams))],
            ),
            node("fileSets", sets.collect()),
            text("description", outside.title),
        ],
    );
    root.document()
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

fn listed(file: &File) -> Element {
    let mut children = vec![
        text("name", &file.path),
        match file.kind {
            Kind::Source | Kind::Header => text("fileType", "cppSource"),
            Kind::Memory => text("userFileType", "decimal numbers"),
            Kind::Script => text("fileType", "tclSource"),
        },
    ];
    if matches!(file.kind, Kind::Header | Kind::Memory) {
        children.push(text("isIncludeFile", true));
    }
    node("file", children)
}

/// Signals of a stream: name, direction at a slave, bits (none for a single wire).
fn signals(side: Side) -> Vec<(&'static str, Direction, Option<u64>)> {
    let mut signals = vec![("TDATA", Direction::In, Some(8 * side.bytes))];
    if side.frames {
        signals.extend([
            ("TKEEP", Direction::In, Some(side.bytes)),
            ("TSTRB", Direction::In, Some(side.bytes)),
            ("TLAST", Direction::In, Some(1)),
        ]);
    }
    signals.extend([
        ("TVALID", Direction::In, None),
        ("TREADY", Direction::Out, None),
    ]);
    signals
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

fn stream(stream: &Stream) -> Element {
    let (name, side) = (&stream.name, stream.side);
    let role = if stream.is_read { "slave" } else { "master" };
    let maps = signals(side)
        .into_iter()
        .map(|(signal, ..)| (signal, format!("{name}_{signal}")));
    let has = |what: bool| u8::from(what);
    interface(
        name,
        ["interface", "axis"],
        role,
        maps.collect(),
        vec![
            ("TDATA_NUM_BYTES", side.bytes.to_string()),
            ("HAS_TREADY", "1".to_owned()),
            ("HAS_TKEEP", has(side.frames).to_string()),
            ("HAS_TSTRB", has(side.frames).to_string()),
            ("HAS_TLAST", has(side.frames).to_string()),
        ],
    )
}

fn clock(hz: u64, streams: &[Stream]) -> Element {
    let streams: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    interface(
        CLOCK,
        ["signal", "clock"],
        "slave",
        vec![("CLK", CLOCK.to_owned())],
        vec![
            ("ASSOCIATED_BUSIF", streams.join(":")),
            ("ASSOCIATED_RESET", RESET.to_owned()),
            ("FREQ_HZ", hz.to_string()),
        ],
    )
}

fn reset() -> Element {
    interface(
        RESET,
        ["signal", "reset"],
        "slave",
        vec![("RST", RESET.to_owned())],
        vec![("POLARITY", "ACTIVE_LOW".to_owned())],
    )
}

/// A bus interface in the terms of Vivado's catalogue.
fn interface(
    name: &str,
    [library, kind]: [&str; 2],
    role: &'static str,
    maps: Vec<(&'static str, String)>,
    parameters: Vec<(&'static str, String)>,
) -> Element {
    let maps = maps.into_iter().map(|(logical, physical)| {
        node(
            "portMap",
            vec![
                node("logicalPort", vec![text("name", logical)]),
                node("physicalPort", vec![text("name", physical)]),
            ],
        )
    });
    let parameters = parameters
        .into_iter()
        .map(|(name, value)| node("parameter", vec![text("name", name), text("value", value)]));
    let abstraction = format!("{kind}_rtl");
    node(
        "busInterface",
        vec![
            text("name", name),
            empty("busType").called(["xilinx.com", library, kind, "1.0"]),
            empty("abstractionType").called(["xilinx.com", library, &abstraction, "1.0"]),
            empty(role),
            node("portMaps", maps.collect()),
            node("parameters", parameters.collect()),
        ],
    )
}

fn ports(streams: &[Stream]) -> Vec<Element> {
    let mut ports = vec![
        port(CLOCK, Direction::In, None),
        port(RESET, Direction::In, None),
    ];
    for Stream {
        name,
        side,
        is_read,
    } in streams
    {
        for (signal, at_slave, bits) in signals(*side) {
            let direction = match (at_slave, is_read) {
                (Direction::In, true) | (Direction::Out, false) => Direction::In,
                _ => Direction::Out,
            };
            ports.push(port(&format!("{name}_{signal}"), direction, bits));
        }
    }
    ports
}

fn port(name: &str, direction: Direction, bits: Option<u64>) -> Element {
    let direction = match direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let mut wire = vec![text("direction", direction)];
    if let Some(bits) = bits {
        wire.push(node(
            "vector",
            vec![text("left", bits - 1), text("right", 0)],
        ));
    }
    node("port", vec![text("name", name), node("wire", wire)])
}
