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
        "\n    assign {entering}_valid = s_axis_tvalid;\n    assign s_axis_tready = {entering}_ready;\n    \
         assign {entering}_data = s_axis_tdata[{}:0];\n",
        input.word_bits() - 1
    );
    body += &unused_bits(input);
    for (node, name) in dataflow.nodes.iter().zip(&names) {
        body += &instance(dataflow, node, name, &wires)?;
    }
    body += &leaving(output, wires.name(read)?);
    Ok(format!(
        "// The accelerator `{project}`: {} {} in, {} {} out a frame.\n`default_nettype none\n\nmodule {top} (\n    \
         input  wire aclk,\n    input  wire aresetn,\n    input  wire s_axis_tvalid,\n    \
         output wire s_axis_tready,\n    input  wire [{}:0] s_axis_tdata,\n    input  wire s_axis_tlast,\n    \
         output wire m_axis_tvalid,\n    input  wire m_axis_tready,\n    output wire [{}:0] m_axis_tdata,\n    \
         output wire m_axis_tlast\n);\n    wire clk = aclk;\n    wire rst = !aresetn;\n\n\
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

/// Bits of the input's bytes that no element has, and the mark of the last word: words are counted.
fn unused_bits(port: Port) -> String {
    let (bits, bytes) = (port.word_bits(), 8 * port.word_bytes() as u64);
    let above = match bits < bytes {
        true => format!(", s_axis_tdata[{}:{bits}]", bytes - 1),
        false => String::new(),
    };
    format!("    wire unused_input = &{{1'b0, s_axis_tlast{above}}};\n")
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
            format!(
                "        .{parameter}({})",
                dataflow.stream(*id).depth.max(1)
            )
        })
        .collect();
    for memory in module(&node.layer)?.memories {
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
