//! The whole network: layers, the wires that join them, and the AXI4-Stream edges.
//! Must not know what memories hold.

use std::fmt::Write as _;

use super::module;
use super::shape::depths;
use crate::backend::hls::{Ends, identifiers, ip_name, numbered, tag};
use crate::dataflow::{Dataflow, Node, StreamId};
use crate::error::{Error, Result};
use crate::layer::Port;

/// Name of the module of the whole network.
pub fn top_name(project: &str) -> String {
    ip_name(project)
}

/// The module of the whole network. Memory files are named relative to the folder in which it is read:
/// `memories/LAYER/NAME.mem`.
///
/// # Errors
/// As [`Ends::of`], and as for the modules of the layers.
pub fn top_source(dataflow: &Dataflow, project: &str) -> Result<String> {
    let Ends { input, output } = Ends::of(dataflow)?;
    let (fed, read) = Ends::streams(dataflow)?;
    let names = identifiers(&dataflow.nodes);
    let wires = Wires::new(dataflow, &names, fed)?;
    let mut body = String::new();
    for (port, id) in wires.all() {
        let _ = write!(
            body,
            "    wire {id}_valid, {id}_ready;\n    wire [{}:0] {id}_data;\n",
            port.word_bits() - 1
        );
    }
    let entering = wires.name(fed)?;
    let _ = write!(
        body,
        "\n    wire open;\n    assign {entering}_valid = s_axis_tvalid && open;\n    \
         assign s_axis_tready = {entering}_ready && open;\n    \
         assign {entering}_data = s_axis_tdata[{}:0];\n",
        input.word_bits() - 1
    );
    body += &unused_bits(input);
    for (node, name) in dataflow.nodes.iter().zip(&names) {
        body += &instance(dataflow, node, name, &wires)?;
    }
    body += &leaving(output, wires.name(read)?);
    body += &control(input, &wires);
    Ok(format!(
        "// The accelerator `{project}`: {} {} in, {} {} out a frame.\n`default_nettype none\n\nmodule {top} (\n    \
         input  wire aclk,\n    input  wire aresetn,\n    input  wire s_axis_tvalid,\n    \
         output wire s_axis_tready,\n    input  wire [{}:0] s_axis_tdata,\n    input  wire s_axis_tlast,\n    \
         output wire m_axis_tvalid,\n    input  wire m_axis_tready,\n    output wire [{}:0] m_axis_tdata,\n    \
         output wire m_axis_tlast,\n{CONTROL_PORTS});\n    wire clk = aclk;\n    wire rst = !aresetn;\n\n\
         {body}endmodule\n\n`default_nettype wire\n",
        input.elements(),
        input.element,
        output.elements(),
        output.element,
        8 * input.word_bytes() - 1,
        8 * output.word_bytes() - 1,
        top = top_name(project),
    ))
}

/// The names of all streams: `input`, or the layer that writes it.
struct Wires {
    names: Vec<Option<(Port, String)>>,
}

impl Wires {
    fn new(dataflow: &Dataflow, names: &[String], fed: StreamId) -> Result<Self> {
        let mut wires = vec![None; dataflow.streams.len()];
        let reader = dataflow.consumers(fed).next();
        let port = reader.and_then(|node| {
            let slot = node.inputs.iter().position(|id| *id == fed)?;
            node.layer.hardware().inputs().get(slot).copied()
        });
        let port = port.ok_or_else(|| Error::bug("no layer reads the input"))?;
        wires[fed.0] = Some((port, "w_input".to_owned()));
        for (node, name) in dataflow.nodes.iter().zip(names) {
            let port = node.layer.hardware().output();
            let own = numbered(&format!("w_{name}"), node.outputs.len());
            for (id, wire) in node.outputs.iter().zip(own) {
                wires[id.0] = Some((port, wire));
            }
        }
        Ok(Wires { names: wires })
    }

    fn all(&self) -> impl Iterator<Item = &(Port, String)> {
        self.names.iter().flatten()
    }

    fn name(&self, id: StreamId) -> Result<&str> {
        let found = self.names.get(id.0).and_then(Option::as_ref);
        let found = found.map(|(_, name)| name.as_str());
        found.ok_or_else(|| Error::bug(format!("nobody writes stream {}", id.0)))
    }
}

/// The ports of the registers; see `finnp_control.sv` for what they hold.
const CONTROL_PORTS: &str = "    \
    input  wire s_axilite_awvalid,
    output wire s_axilite_awready,
    input  wire [11:0] s_axilite_awaddr,
    input  wire s_axilite_wvalid,
    output wire s_axilite_wready,
    input  wire [31:0] s_axilite_wdata,
    input  wire [3:0] s_axilite_wstrb,
    output wire s_axilite_bvalid,
    input  wire s_axilite_bready,
    output wire [1:0] s_axilite_bresp,
    input  wire s_axilite_arvalid,
    output wire s_axilite_arready,
    input  wire [11:0] s_axilite_araddr,
    output wire s_axilite_rvalid,
    input  wire s_axilite_rready,
    output wire [31:0] s_axilite_rdata,
    output wire [1:0] s_axilite_rresp
";

/// Signals of AXI4-Lite, each a port of the control module.
const CONTROL_SIGNALS: &[&str] = &[
    "awvalid", "awready", "awaddr", "wvalid", "wready", "wdata", "wstrb", "bvalid", "bready",
    "bresp", "arvalid", "arready", "araddr", "rvalid", "rready", "rdata", "rresp",
];

/// Version of the registers.
const VERSION: u32 = 1;
/// Streams whose stalls fit the registers' 4 KiB.
const COUNTED: usize = 1008;

/// The registers: of every stream how long a word waited there, in the order of the layers.
fn control(input: Port, wires: &Wires) -> String {
    let stalls: Vec<String> = wires
        .all()
        .take(COUNTED)
        .map(|(_, name)| format!("{name}_valid && !{name}_ready"))
        .collect();
    let count = stalls.len();
    let stalls: Vec<String> = stalls.into_iter().rev().collect();
    let signals: String = CONTROL_SIGNALS
        .iter()
        .map(|signal| format!("        .{signal}(s_axilite_{signal}),\n"))
        .collect();
    format!(
        "\n    wire [{}:0] stalled = {{\n        {}\n    }};\n    finnp_control #(\n        \
         .VERSION(32'd{VERSION}),\n        .FRAME_WORDS({}),\n        .STREAMS({count})\n    ) control (\n        \
         .clk,\n        .rst,\n{signals}        .open,\n        .entered(s_axis_tvalid && s_axis_tready),\n        \
         .entered_last(s_axis_tlast),\n        .left(m_axis_tvalid && m_axis_tready && m_axis_tlast),\n        \
         .stalled\n    );\n",
        count - 1,
        stalls.join(",\n        "),
        input.words(),
    )
}

/// Bits of the input's bytes that no element has.
fn unused_bits(port: Port) -> String {
    let (bits, bytes) = (port.word_bits(), 8 * port.word_bytes() as u64);
    match bits < bytes {
        true => format!(
            "    wire unused_input = &{{1'b0, s_axis_tdata[{}:{bits}]}};\n",
            bytes - 1
        ),
        false => String::new(),
    }
}

/// The last stream, its words padded to whole bytes and the last one of a frame marked. What is padding in a pixel's
/// last word is cleared.
fn leaving(port: Port, name: &str) -> String {
    format!(
        "\n    finnp_edge #(\n        .BITS({bits}),\n        .BYTES({bytes}),\n        .WORDS({words}),\n        \
         .PIXEL_WORDS({pixel}),\n        .LAST_BITS({last})\n    ) edge_out (\n        .clk,\n        .rst,\n        \
         .in_valid({name}_valid),\n        .in_ready({name}_ready),\n        .in_data({name}_data),\n        \
         .tvalid(m_axis_tvalid),\n        .tready(m_axis_tready),\n        .tdata(m_axis_tdata),\n        \
         .tlast(m_axis_tlast)\n    );\n",
        bits = port.word_bits(),
        bytes = port.word_bytes(),
        words = port.words(),
        pixel = port.words_per_pixel(),
        last = (port.channels - (port.words_per_pixel() - 1) * port.per_word) as u64
            * u64::from(port.element.bits()),
    )
}

fn instance(dataflow: &Dataflow, node: &Node, name: &str, wires: &Wires) -> Result<String> {
    let mut parameters: Vec<String> = depths(&node.layer)
        .iter()
        .zip(&node.outputs)
        .map(|(parameter, id)| {
            // Verilator takes a number without a size for one inside the module too.
            format!(
                "        .{parameter}(32'd{})",
                dataflow.stream(*id).depth.max(1)
            )
        })
        .collect();
    for memory in module(&node.layer).memories {
        parameters.push(format!(
            "        .{}(\"memories/{}/{memory}.mem\")",
            memory.to_uppercase(),
            node.name
        ));
    }
    let mut ports = String::new();
    let reads = numbered("in", node.inputs.len()).into_iter();
    let writes = numbered("out", node.outputs.len()).into_iter();
    let streams = reads.zip(&node.inputs).chain(writes.zip(&node.outputs));
    for (port, id) in streams {
        let wire = wires.name(*id)?;
        for signal in ["valid", "ready", "data"] {
            let _ = write!(ports, ",\n        .{port}_{signal}({wire}_{signal})");
        }
    }
    Ok(format!(
        "\n    // Layer `{}`.\n    {} #(\n{}\n    ) l_{name} (\n        .clk,\n        .rst{ports}\n    );\n",
        node.name,
        tag(&node.layer)?,
        parameters.join(",\n"),
    ))
}
