//! The program that drives a module in simulation, as text.
//! Must not know how it is compiled.

use super::shape::wires;
use crate::backend::hls::tag;
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
            let (name, bits) = (&wires.name, wires.bits);
            let side = if wires.read { "reads" } else { "writes" };
            format!(
                "    bench.{side}(dut.{name}_valid, dut.{name}_ready, dut.{name}_data, {bits});\n"
            )
        })
        .collect();
    Ok(format!(
        "// Simulates {tag}.\n#include \"Vdut.h\"\n#include \"finnp_bench.hpp\"\n\n\
         int main(int argc, char** argv) {{\n    Vdut dut;\n    finnp::Bench<Vdut> bench(dut);\n{streams}    \
         return bench.run(argc, argv);\n}}\n"
    ))
}
