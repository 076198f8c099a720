//! A layer with its memories, or an edge of the accelerator, as a core of its own: one function with
//! AXI4-Stream ports.
//! Must not know who connects cores, nor to what.

use super::stream::Streams;
use super::top::frame;
use super::unit;
use super::unit::Held;
use crate::backend::CorePart;
use crate::layer::Port;

/// From the folder of a core to the folder of the HLS sources.
pub const CORE_TO_HLS: &str = "../../../hls";

/// Ports that read and that write, names that synthesis leaves as they are; numbered where there are several.
const SIDES: [&str; 2] = ["s_axis", "m_axis"];

/// The interfaces of a synthesised function. Registers on both sides of each port hold two words.
pub(super) fn ports<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let ports = names.map(|name| {
        format!("#pragma HLS INTERFACE mode=axis register_mode=both port={name} register\n")
    });
    ports.collect::<String>() + "#pragma HLS INTERFACE mode=ap_ctrl_none port=return\n"
}

/// The interfaces of what has one stream on each side.
pub(super) fn two_ports() -> String {
    ports(SIDES.into_iter())
}

/// The source of the core called `name`. The files of its memories lie beside it.
pub fn core_source(part: CorePart<'_>, name: &str) -> String {
    match part {
        CorePart::Layer { layer, tag } => {
            let unit = unit(layer);
            let Held {
                constants,
                pragmas,
                arguments,
            } = unit.held(tag);
            let streams = Streams::new(layer, tag, SIDES);
            format!(
                "// {title}\n// {pace}\n#include \"shapes/{tag}.hpp\"\n\n\
                 void {name}({declared}) {{\n\
                 {ports}{constants}{pragmas}    {tag}({passed}{arguments});\n}}\n",
                title = unit.title,
                pace = unit.pace,
                declared = streams.declared(),
                ports = ports(streams.names()),
                passed = streams.passed(),
            )
        }
        CorePart::Input(port) => {
            "// Where frames enter the accelerator.\n".to_owned()
                + &edge(port, name, ["Edge::Stream", "Frame::Stream"], "from_axis")
        }
        CorePart::Output(port) => {
            "// Where frames leave the accelerator.\n".to_owned()
                + &edge(port, name, ["Frame::Stream", "Edge::Stream"], "to_axis")
        }
    }
}

fn edge(port: Port, name: &str, [read, written]: [&str; 2], callee: &str) -> String {
    format!(
        "#include \"finnp/edge.hpp\"\n\nusing Frame = {frame};\nusing Edge = finnp::Edge<Frame>;\n\n\
         void {name}({read}& s_axis, {written}& m_axis) {{\n\
         {ports}    finnp::{callee}<Frame>(s_axis, m_axis);\n}}\n",
        frame = frame(port),
        ports = two_ports(),
    )
}
