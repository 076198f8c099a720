//! Layers as cores of their own, through the ports that block designs connect: as fast as the layers alone.
//! Must not know how cores are written.

use std::fmt::Write as _;
use std::fs;

use finnp::backend::hls::{numbered, tag};
use finnp::backend::rtl::{CORE_DEPTH, core_memory, core_source, memories};
use finnp::backend::{CorePart, Language};
use finnp::layer::{Layer, Port};
use finnp::package::Core;
use finnp::simulate::{self, Load};

use super::rtl::{Trial, threshold};
use super::rtl_bench::{Bench, verilator, write_sources};
use super::rtl_join::{joined, width_converter};
use super::rtl_matrix::{crossed, dense, sparse};
use super::simulate_graph::alone;

/// Name of the module around a core.
const AROUND: &str = "around";

/// Makes the layer of a seed.
type Make = fn(u64) -> Trial;

/// Layers of all forms: with one step a word and with many, with several streams, with memories and without.
const TRIALS: &[(&str, Make)] = &[
    ("threshold", threshold),
    ("join", joined),
    ("width converter", width_converter),
    ("dense", dense),
    ("sparse", sparse),
    ("crossed", crossed),
];

/// Words that the FIFO behind a module holds which is told nothing.
const LEAST_DEPTH: usize = 2;

/// A module with the ports of the layer's own, inside of which is the core.
fn around(layer: &Layer, core: &str) -> String {
    let hardware = layer.hardware();
    let inputs = hardware.inputs();
    let outputs = vec![hardware.output(); hardware.copies()];
    let sides = [
        (numbered("in", inputs.len()), "s_axis", &inputs),
        (numbered("out", outputs.len()), "m_axis", &outputs),
    ];
    let (mut ports, mut wires, mut joined) = (String::new(), String::new(), String::new());
    for (names, axis, streams) in sides {
        let axes = numbered(axis, streams.len());
        for ((name, axis), port) in names.iter().zip(axes).zip(streams) {
            let Stream {
                forth,
                back,
                padded,
            } = stream(name, *port, axis.starts_with('s'));
            let bits = port.word_bits();
            let _ = write!(
                ports,
                ",\n    {forth} {name}_valid,\n    {back} {name}_ready,\n    {forth} [{}:0] {name}_data",
                bits - 1
            );
            wires += &padded;
            let _ = write!(
                joined,
                ",\n        .{axis}_TVALID({name}_valid),\n        .{axis}_TREADY({name}_ready),\n        \
                 .{axis}_TDATA({name}_padded)"
            );
        }
    }
    format!(
        "`default_nettype none\nmodule {AROUND} (\n    input wire clk,\n    input wire rst{ports}\n);\n{wires}    \
         {core} unit (\n        .ap_clk(clk),\n        .ap_rst_n(!rst){joined}\n    );\nendmodule\n\
         `default_nettype wire\n"
    )
}

/// How a stream of the module around is declared, and the whole bytes that the core has of it.
struct Stream {
    forth: &'static str,
    back: &'static str,
    padded: String,
}

/// Bits of padding are set where they enter, and must be clear where they leave.
fn stream(name: &str, port: Port, read: bool) -> Stream {
    let (bits, all) = (port.word_bits(), 8 * port.word_bits().div_ceil(8));
    let padding = all - bits;
    let mut padded = format!("    wire [{}:0] {name}_padded;\n", all - 1);
    padded += &match (read, padding) {
        (true, 0) => format!("    assign {name}_padded = {name}_data;\n"),
        (true, _) => {
            format!("    assign {name}_padded = {{{{{padding}{{1'b1}}}}, {name}_data}};\n")
        }
        (false, 0) => format!("    assign {name}_data = {name}_padded;\n"),
        (false, _) => format!(
            "    assign {name}_data = {name}_padded[{}:0] ^ {{{bits}{{|{name}_padded[{}:{bits}]}}}};\n",
            bits - 1,
            all - 1
        ),
    };
    let [forth, back] = match read {
        true => ["input wire", "output wire"],
        false => ["output wire", "input wire"],
    };
    Stream {
        forth,
        back,
        padded,
    }
}

/// The core of a layer as a program that is fed through its ports.
fn packaged(trial: &Trial) -> Bench {
    let Trial { layer, tensors, .. } = trial;
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write_sources(layer, folder.path());
    let digests = [("weights.mem".to_owned(), "any".to_owned())].into();
    let core = Core::layer(layer, &digests, Language::SystemVerilog).unwrap();
    let tag = tag(layer).unwrap();
    let part = CorePart::Layer { layer, tag: &tag };
    write(&format!("{}.v", core.name), &core_source(part, &core.name));
    for (file, text) in memories(layer, tensors).unwrap() {
        write(&core_memory(&core.name, &file), &text);
    }
    write(&format!("{AROUND}.sv"), &around(layer, &core.name));
    Bench::compiled(folder, layer, AROUND, &[])
}

/// When words leave the copies of a layer's output, as simulation by words says.
fn said(trial: &Trial, depth: usize) -> Vec<Vec<u64>> {
    let frames = Load::frames(trial.inputs[0].len());
    let run = simulate::run(&alone(trial.layer.clone(), depth), &frames);
    run.unwrap().outputs
}

#[test]
fn packaged_cores_are_as_fast_as_their_layers() {
    if !verilator() {
        return;
    }
    let mut slower = 0;
    for (at, (kind, make)) in TRIALS.iter().enumerate() {
        let trial = make(at as u64);
        let place = || format!("{kind}: {:?}", trial.layer);
        let ahead = trial.layer.hardware().schedule().ahead().to_string();
        let options = ["--ahead", &ahead];
        let core = packaged(&trial).run(&trial.inputs, &options).unwrap();
        let own = Bench::new(&trial.layer, &trial.tensors, CORE_DEPTH);
        let own = own.run(&trial.inputs, &options).unwrap();
        let said_of = said(&trial, CORE_DEPTH);
        assert_eq!(core.len(), own.len(), "{}", place());
        assert_eq!(core.len(), said_of.len(), "{}", place());
        for ((core, own), said) in core.iter().zip(&own).zip(&said_of) {
            assert_eq!(core.elements, own.elements, "{}", place());
            assert_eq!(core.cycles, own.cycles, "{}", place());
            assert_eq!(&core.cycles, said, "{}", place());
        }
        slower += usize::from(said(&trial, LEAST_DEPTH) > said_of);
    }
    // Else this would hold for cores with other FIFOs too.
    assert!(slower > 1, "{slower}");
}
