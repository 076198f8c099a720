//! A layer with its memories, or an edge of the accelerator, as a core of its own: one function with
//! AXI4-Stream ports.
//! Must not know who connects cores, nor to what.

use super::top::frame;
use super::unit;
use super::unit::Held;
use crate::layer::{Layer, Port};

/// From the folder of a core to the folder of the HLS sources.
pub const CORE_TO_HLS: &str = "../../../hls";

/// The interfaces of every synthesised function: `s_axis` and `m_axis`, names that synthesis leaves as they
/// are. Registers on both sides of each port hold two words.
pub(super) const PORTS: &str = "\
#pragma HLS INTERFACE mode=axis register_mode=both port=s_axis register
#pragma HLS INTERFACE mode=axis register_mode=both port=m_axis register
#pragma HLS INTERFACE mode=ap_ctrl_none port=return
";

/// What a core is made of.
#[derive(Debug, Clone, Copy)]
pub enum CorePart<'a> {
    /// A layer with its memories; `tag` is its shape.
    Layer {
        /// The layer.
        layer: &'a Layer,
        /// Its shape.
        tag: &'a str,
    },
    /// Where frames enter: TLAST is not looked at, bits of padding are left out.
    Input(Port),
    /// Where frames leave: with TLAST, their padding cleared.
    Output(Port),
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
            format!(
                "// {title}\n// {pace}\n#include \"shapes/{tag}.hpp\"\n\n\
                 void {name}({tag}_unit::Input& s_axis, {tag}_unit::Output& m_axis) {{\n\
                 {PORTS}{constants}{pragmas}    {tag}(s_axis, m_axis{arguments});\n}}\n",
                title = unit.title,
                pace = unit.pace,
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
         {PORTS}    finnp::{callee}<Frame>(s_axis, m_axis);\n}}\n",
        frame = frame(port),
    )
}
