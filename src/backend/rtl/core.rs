//! A layer with its memories, or an edge of the accelerator, as a core of its own: a Verilog module with AXI4-Stream
//! ports of whole bytes, named as those of the cores that high-level synthesis makes.
//!
//! Plain Verilog, because block designs take no other language at a core's top. Must not know who connects cores, nor
//! to what.

use std::fmt::Write as _;

use super::module;
use super::shape::{depths, wires};
use super::top::edge_parameters;
use crate::backend::CorePart;
use crate::backend::hls::{numbered, title};
use crate::layer::{Layer, Port};

/// Words that the FIFO behind a layer holds that is a core of its own, or is simulated alone: enough that it never
/// waits for room there while its words are taken.
pub const CORE_DEPTH: usize = 32;

/// From the folder of a core to the folder of the RTL sources.
pub const CORE_TO_RTL: &str = "../../../rtl";

/// Ports that read and that write, numbered where there are several.
const SIDES: [&str; 2] = ["s_axis", "m_axis"];

/// File of a memory of a core, beside its source. Tools look memories up by the names of their files alone, so that no
/// two cores may have equal ones: a core's name has no dot.
pub fn core_memory(core: &str, file: &str) -> String {
    format!("{core}.{file}")
}

/// A stream at the ports of a core.
struct Axis {
    name: String,
    read: bool,
    /// Bits of a word, which TDATA fills up to whole bytes.
    bits: u64,
    /// Whether it has TKEEP, TSTRB and TLAST.
    frames: bool,
}

impl Axis {
    fn bytes(&self) -> u64 {
        self.bits.div_ceil(8)
    }

    /// Its signals but for the handshake's: name, bits.
    fn payload(&self) -> Vec<(&'static str, u64)> {
        let mut payload = vec![("TDATA", 8 * self.bytes())];
        if self.frames {
            payload.extend([
                ("TKEEP", self.bytes()),
                ("TSTRB", self.bytes()),
                ("TLAST", 1),
            ]);
        }
        payload
    }

    fn ports(&self) -> String {
        let Axis { name, read, .. } = self;
        let [forth, back] = match read {
            true => ["input  wire", "output wire"],
            false => ["output wire", "input  wire"],
        };
        let mut text = String::new();
        for (signal, bits) in self.payload() {
            let _ = write!(text, ",\n    {forth} [{}:0] {name}_{signal}", bits - 1);
        }
        text + &format!(",\n    {forth} {name}_TVALID,\n    {back} {name}_TREADY")
    }

    /// What no word fills: cleared where it leaves, not looked at where it enters.
    fn padding(&self) -> String {
        let (name, bits, all) = (&self.name, self.bits, 8 * self.bytes());
        match (bits < all, self.read) {
            (false, _) => String::new(),
            (true, true) => {
                format!(
                    "    wire unused_{name} = &{{1'b0, {name}_TDATA[{}:{bits}]}};\n",
                    all - 1
                )
            }
            (true, false) => {
                let count = all - bits;
                format!(
                    "    assign {name}_TDATA[{}:{bits}] = {count}'d0;\n",
                    all - 1
                )
            }
        }
    }
}

/// The source of the core called `name`. The files of its memories lie beside it; see [`core_memory`].
pub fn core_source(part: CorePart<'_>, name: &str) -> String {
    match part {
        CorePart::Layer { layer, tag } => layer_source(layer, tag, name),
        CorePart::Input(port) => written(
            "Where frames enter the accelerator. Words are counted: marks are not looked at.",
            name,
            &edge_axes(port, true),
            &entering(port),
        ),
        CorePart::Output(port) => written(
            "Where frames leave the accelerator.",
            name,
            &edge_axes(port, false),
            &leaving(port),
        ),
    }
}

/// A layer's module between the ports of the core called `name`.
fn layer_source(layer: &Layer, tag: &str, name: &str) -> String {
    let inside = wires(layer);
    let count = |read: bool| inside.iter().filter(|wires| wires.read == read).count();
    let outside = [
        numbered(SIDES[0], count(true)),
        numbered(SIDES[1], count(false)),
    ]
    .concat();
    let (mut axes, mut joined, mut padding) = (Vec::new(), String::new(), String::new());
    for (wires, name) in inside.iter().zip(outside) {
        let inner = &wires.name;
        let _ = write!(
            joined,
            ",\n        .{inner}_valid({name}_TVALID),\n        .{inner}_ready({name}_TREADY),\n        \
             .{inner}_data({name}_TDATA[{}:0])",
            wires.bits - 1
        );
        let axis = Axis {
            name,
            read: wires.read,
            bits: wires.bits,
            frames: false,
        };
        padding += &axis.padding();
        axes.push(axis);
    }
    let body = format!(
        "    {tag} #(\n{}\n    ) unit (\n        .clk(ap_clk),\n        .rst(!ap_rst_n){joined}\n    );\n{padding}",
        parameters(layer, name)
    );
    written(&title(layer), name, &axes, &body)
}

/// Parameters of the module in the core called `name`: the words of its FIFOs, the files of its memories.
fn parameters(layer: &Layer, name: &str) -> String {
    let depths = depths(layer).into_iter();
    // Verilator takes a number without a size for one inside the module too.
    let depths = depths.map(|depth| format!("        .{depth}(32'd{CORE_DEPTH})"));
    let files = module(layer).memories.into_iter().map(|memory| {
        let file = core_memory(name, &format!("{memory}.mem"));
        format!("        .{}(\"{file}\")", memory.to_uppercase())
    });
    depths.chain(files).collect::<Vec<String>>().join(",\n")
}

/// The two streams of an edge of which the outer one is read or not.
fn edge_axes(port: Port, entering: bool) -> [Axis; 2] {
    let axis = |name: &str, read: bool| Axis {
        name: name.to_owned(),
        read,
        bits: port.word_bits(),
        frames: read == entering,
    };
    [axis(SIDES[0], true), axis(SIDES[1], false)]
}

fn entering(port: Port) -> String {
    let (bits, bytes) = (port.word_bits(), port.word_bits().div_ceil(8));
    let high = bits - 1;
    let mut ignored = "ap_clk, ap_rst_n, s_axis_TKEEP, s_axis_TSTRB, s_axis_TLAST".to_owned();
    let mut cleared = String::new();
    if bits < 8 * bytes {
        let _ = write!(ignored, ", s_axis_TDATA[{}:{bits}]", 8 * bytes - 1);
        let _ = write!(cleared, "{}'d0, ", 8 * bytes - bits);
    }
    format!(
        "    assign m_axis_TVALID = s_axis_TVALID;\n    assign s_axis_TREADY = m_axis_TREADY;\n    \
         assign m_axis_TDATA = {{{cleared}s_axis_TDATA[{high}:0]}};\n    \
         wire unused = &{{1'b0, {ignored}}};\n"
    )
}

fn leaving(port: Port) -> String {
    let (bits, bytes) = (port.word_bits(), port.word_bits().div_ceil(8));
    let unused = match bits < 8 * bytes {
        true => format!(
            "    wire unused = &{{1'b0, s_axis_TDATA[{}:{bits}]}};\n",
            8 * bytes - 1
        ),
        false => String::new(),
    };
    format!(
        "    finnp_edge #(\n{parameters}\n    ) unit (\n        .clk(ap_clk),\n        .rst(!ap_rst_n),\n        \
         .in_valid(s_axis_TVALID),\n        .in_ready(s_axis_TREADY),\n        .in_data(s_axis_TDATA[{high}:0]),\n        \
         .tvalid(m_axis_TVALID),\n        .tready(m_axis_TREADY),\n        .tdata(m_axis_TDATA),\n        \
         .tlast(m_axis_TLAST)\n    );\n    assign m_axis_TKEEP = {{{bytes}{{1'b1}}}};\n    \
         assign m_axis_TSTRB = {{{bytes}{{1'b1}}}};\n{unused}",
        parameters = edge_parameters(port),
        high = bits - 1,
    )
}

/// The module with its ports. Attributes say to Vivado which streams the clock belongs to, and the reset's level.
fn written(title: &str, name: &str, axes: &[Axis], body: &str) -> String {
    let streams: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
    let ports: String = axes.iter().map(Axis::ports).collect();
    format!(
        "// {title}\n`default_nettype none\n\nmodule {name} (\n    \
         (* X_INTERFACE_PARAMETER = \"ASSOCIATED_BUSIF {}, ASSOCIATED_RESET ap_rst_n\" *)\n    \
         input  wire ap_clk,\n    (* X_INTERFACE_PARAMETER = \"POLARITY ACTIVE_LOW\" *)\n    \
         input  wire ap_rst_n{ports}\n);\n{body}endmodule\n\n`default_nettype wire\n",
        streams.join(":"),
    )
}
