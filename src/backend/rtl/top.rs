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

/// Where a memory of a layer lies, relative to the folder in which a tool runs: `memories/LAYER/NAME.mem`.
pub fn memory_path(layer: &str, memory: &str) -> String {
    format!("memories/{layer}/{memory}")
}

/// The module of the whole network, in Verilog that needs nothing of SystemVerilog itself. `place` says for a layer and
/// a file of its memories what the file is called there.
///
/// # Errors
/// As [`Ends::of`], and as for the modules of the layers.
pub fn top_source(
    dataflow: &Dataflow,
    project: &str,
    place: impl Fn(&str, &str) -> String,
) -> Result<String> {
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
        body += &instance(dataflow, node, name, &wires, &place)?;
    }
    body += &leaving(output, wires.name(read)?);
    body += &control(input, &wires);
    Ok(format!(
        "// The accelerator `{project}`: {} {} in, {} {} out a frame.\n`default_nettype none\n\nmodule {top} (\n    \
         input  wire aclk,\n    input  wire aresetn,\n    input  wire s_axis_tvalid,\n    \
         output wire s_axis_tready,\n    input  wire [{}:0] s_axis_tdata,\n    input  wire s_axis_tlast,\n    \
         output wire m_axis_tvalid,\n    input  wire m_axis_tready,\n    output wire [{}:0] m_axis_tdata,\n    \
         output wire m_axis_tlast,\n{});\n    wire clk = aclk;\n    wire rst = !aresetn;\n\n\
         {body}endmodule\n\n`default_nettype wire\n",
        input.elements(),
        input.element,
        output.elements(),
        output.element,
        8 * input.word_bytes() - 1,
        8 * output.word_bytes() - 1,
        control_ports(),
        top = top_name(project),
    ))
}

/// The names of all streams: `input`, or the layer that writes it.
struct Wires {
    names: Vec<Option<(Port, String)>>,
    /// The input first, then what the layers write, in their order.
    order: Vec<StreamId>,
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
        let written = dataflow.nodes.iter().flat_map(|node| &node.outputs);
        Ok(Wires {
            names: wires,
            order: [&fed].into_iter().chain(written).copied().collect(),
        })
    }

    fn all(&self) -> impl Iterator<Item = &(Port, String)> {
        let names = self.order.iter().map(|id| &self.names[id.0]);
        names.flatten()
    }

    fn name(&self, id: StreamId) -> Result<&str> {
        let found = self.names.get(id.0).and_then(Option::as_ref);
        let found = found.map(|(_, name)| name.as_str());
        found.ok_or_else(|| Error::bug(format!("nobody writes stream {}", id.0)))
    }
}

/// Port of the registers.
pub const CONTROL: &str = "s_axilite";
/// Bits of an address there.
pub const CONTROL_ADDRESS_BITS: u64 = 12;

/// Signals of AXI4-Lite, each a port of the module `finnp_control`: name, whether it enters, bits.
pub const CONTROL_SIGNALS: &[(&str, bool, u64)] = &[
    ("awvalid", true, 1),
    ("awready", false, 1),
    ("awaddr", true, CONTROL_ADDRESS_BITS),
    ("wvalid", true, 1),
    ("wready", false, 1),
    ("wdata", true, 32),
    ("wstrb", true, 4),
    ("bvalid", false, 1),
    ("bready", true, 1),
    ("bresp", false, 2),
    ("arvalid", true, 1),
    ("arready", false, 1),
    ("araddr", true, CONTROL_ADDRESS_BITS),
    ("rvalid", false, 1),
    ("rready", true, 1),
    ("rdata", false, 32),
    ("rresp", false, 2),
];

/// The ports of the registers; see `finnp_control.sv` for what they hold.
fn control_ports() -> String {
    let ports = CONTROL_SIGNALS.iter().map(|(signal, enters, bits)| {
        let direction = if *enters {
            "input  wire"
        } else {
            "output wire"
        };
        let range = match bits {
            1 => String::new(),
            bits => format!(" [{}:0]", bits - 1),
        };
        format!("    {direction}{range} {CONTROL}_{signal}")
    });
    ports.collect::<Vec<String>>().join(",\n") + "\n"
}

/// Version of the registers.
const VERSION: u32 = 1;
/// Address of the first counter of stalls.
const FIRST_COUNTER: usize = 0x40;
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
    let names = wires.all().take(COUNTED).enumerate();
    let names: String = names
        .map(|(at, (_, name))| {
            let name = name.trim_start_matches("w_");
            format!("    // 0x{:03x}: {name}\n", FIRST_COUNTER + 4 * at)
        })
        .collect();
    let stalls: Vec<String> = stalls.into_iter().rev().collect();
    let signals: String = CONTROL_SIGNALS
        .iter()
        .map(|(signal, ..)| format!("        .{signal}({CONTROL}_{signal}),\n"))
        .collect();
    format!(
        "\n    // Registers of the cycles in which a word waited, by stream.\n{names}    wire [{}:0] stalled = {{\n        {}\n    }};\n    finnp_control #(\n        \
         .VERSION(32'd{VERSION}),\n        .FRAME_WORDS({}),\n        .STREAMS({count})\n    ) control (\n        \
         .clk(clk),\n        .rst(rst),\n{signals}        .open(open),\n        .entered(s_axis_tvalid && s_axis_tready),\n        \
         .entered_last(s_axis_tlast),\n        .left(m_axis_tvalid && m_axis_tready && m_axis_tlast),\n        \
         .stalled(stalled)\n    );\n",
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
        "\n    finnp_edge #(\n{parameters}\n    ) edge_out (\n        .clk(clk),\n        .rst(rst),\n        \
         .in_valid({name}_valid),\n        .in_ready({name}_ready),\n        .in_data({name}_data),\n        \
         .tvalid(m_axis_tvalid),\n        .tready(m_axis_tready),\n        .tdata(m_axis_tdata),\n        \
         .tlast(m_axis_tlast)\n    );\n",
        parameters = edge_parameters(port),
    )
}

/// Parameters of the module of the output's edge.
pub(super) fn edge_parameters(port: Port) -> String {
    let last = port.channels - (port.words_per_pixel() - 1) * port.per_word;
    let parameters = [
        ("BITS", port.word_bits()),
        ("BYTES", port.word_bytes() as u64),
        ("WORDS", port.words() as u64),
        ("PIXEL_WORDS", port.words_per_pixel() as u64),
        ("LAST_BITS", last as u64 * u64::from(port.element.bits())),
    ];
    let lines = parameters.map(|(name, value)| format!("        .{name}({value})"));
    lines.join(",\n")
}

fn instance(
    dataflow: &Dataflow,
    node: &Node,
    name: &str,
    wires: &Wires,
    place: &impl Fn(&str, &str) -> String,
) -> Result<String> {
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
        let file = place(&node.name, &format!("{memory}.mem"));
        parameters.push(format!("        .{}(\"{file}\")", memory.to_uppercase()));
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
        "\n    // Layer `{}`.\n    {} #(\n{}\n    ) l_{name} (\n        .clk(clk),\n        .rst(rst){ports}\n    );\n",
        node.name,
        tag(&node.layer)?,
        parameters.join(",\n"),
    ))
}
