//! The program that drives a module in simulation, as text.
//! Must not know how it is compiled.

use super::shape::{Wires, wires};
use super::top::top_name;
use crate::backend::hls::{Ends, tag};
use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::layer::Layer;

/// `(file, text)` of what every such program includes.
pub const BENCH: (&str, &str) = ("finnp_bench.hpp", include_str!("finnp_bench.hpp"));

/// The program that simulates the module of a shape, compiled beside what Verilator makes of the module with the
/// prefix `Vdut`.
///
/// # Errors
/// A bug if the layer's record cannot be written.
pub fn bench_source(layer: &Layer) -> Result<String> {
    let tag = tag(layer)?;
    let streams: String = wires(layer)
        .iter()
        .map(|wires| {
            let Wires { name, bits, words, .. } = wires;
            let side = if wires.read { "reads" } else { "writes" };
            format!(
                "    bench.{side}(dut.{name}_valid, dut.{name}_ready, dut.{name}_data, {bits}, {words});\n"
            )
        })
        .collect();
    Ok(program(&tag, "dut.clk, dut.rst, 1", &streams))
}

/// The program that simulates the module of the whole network.
///
/// # Errors
/// As [`Ends::of`].
pub fn network_bench_source(dataflow: &Dataflow, project: &str) -> Result<String> {
    let Ends { input, output } = Ends::of(dataflow)?;
    let streams = format!(
        "    bench.reads(dut.s_axis_tvalid, dut.s_axis_tready, dut.s_axis_tdata, {}, {});\n    \
         bench.marks(dut.s_axis_tlast);\n    \
         bench.writes(dut.m_axis_tvalid, dut.m_axis_tready, dut.m_axis_tdata, {}, {});\n    \
         bench.marks(dut.m_axis_tlast);\n    \
         bench.registers(dut.s_axilite_arvalid, dut.s_axilite_arready, dut.s_axilite_araddr, dut.s_axilite_rvalid,\n                    \
         dut.s_axilite_rready, dut.s_axilite_rdata);\n    \
         dut.s_axilite_awvalid = 0;\n    dut.s_axilite_wvalid = 0;\n    dut.s_axilite_bready = 0;\n    \
         dut.s_axilite_arvalid = 0;\n    dut.s_axilite_rready = 0;\n",
        8 * input.word_bytes(),
        input.words(),
        8 * output.word_bytes(),
        output.words(),
    );
    let top = top_name(project);
    let how = format!(
        "// With Verilator, in this folder:\n\
         //   verilator --cc --exe --build -O3 --no-assert --unroll-count 65536 --unroll-stmts 1000000 \\\n\
         //     --prefix Vdut -CFLAGS \"-std=c++17 -I..\" \\\n\
         //     -MAKEFLAGS \"OPT_FAST=-Og\" -o simulate \\\n\
         //     -y library -y shapes --top-module {top} {top}.sv testbench.cpp\n\
         //   obj_dir/simulate INPUT OUTPUT\n"
    );
    let text = program(&top, "dut.aclk, dut.aresetn, 0", &streams);
    Ok(how + &text)
}

fn program(module: &str, clock: &str, streams: &str) -> String {
    format!(
        "// Simulates {module}.\n#include \"Vdut.h\"\n#include \"finnp_bench.hpp\"\n\n\
         int main(int argc, char** argv) {{\n    // Registers begin with anything, where Verilator was told `--x-initial unique`.\n    \
         Verilated::randReset(2);\n    Vdut dut;\n    finnp::Bench<Vdut> bench(dut, {clock});\n\
         {streams}    return bench.run(argc, argv);\n}}\n"
    )
}
