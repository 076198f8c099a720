//! The module of one shape: it names no layer, so that equal shapes are one module.
//! Must not know weights.

use super::module;
use crate::backend::hls::{numbered, tag};
use crate::error::Result;
use crate::layer::Layer;

/// One stream of a module.
pub(super) struct Wires {
    /// `in`, `in_0`, `out`: the beginning of its ports' names.
    pub(super) name: String,
    /// Whether the module reads it.
    pub(super) read: bool,
    /// Bits of a word.
    pub(super) bits: u64,
    /// Words of a frame.
    pub(super) words: usize,
}

/// The streams of a layer's module, those that it reads first.
pub(super) fn wires(layer: &Layer) -> Vec<Wires> {
    let hardware = layer.hardware();
    let inputs = hardware.inputs();
    let (output, copies) = (hardware.output(), hardware.copies());
    let read = numbered("in", inputs.len()).into_iter().zip(&inputs);
    let written = numbered("out", copies).into_iter();
    read.map(|(name, port)| Wires {
        name,
        read: true,
        bits: port.word_bits(),
        words: port.words(),
    })
    .chain(written.map(|name| Wires {
        name,
        read: false,
        bits: output.word_bits(),
        words: output.words(),
    }))
    .collect()
}

/// Depth parameters of a layer's module: one for each copy of its output.
pub(super) fn depths(layer: &Layer) -> Vec<String> {
    numbered("DEPTH", layer.hardware().copies())
}

/// `(file, text)` of the module of a shape. Its parameters are the words that the FIFO behind each of its outputs
/// holds, and the files of its memories.
///
/// # Errors
/// A bug if the layer's record cannot be written.
pub fn shape_source(layer: &Layer) -> Result<(String, String)> {
    let (tag, module) = (tag(layer)?, module(layer));
    let files = module.memories.iter().map(|name| {
        let parameter = name.to_uppercase();
        (parameter, format!("\"{name}.mem\""))
    });
    let depths = depths(layer).into_iter();
    let depths = depths.map(|name| (name, "2".to_owned()));
    let open: Vec<(String, String)> = depths.chain(files).collect();
    let declared: Vec<String> = open
        .iter()
        .map(|(name, value)| match value.starts_with('"') {
            true => format!("    parameter {name} = {value}"),
            false => format!("    parameter int unsigned {name} = {value}"),
        })
        .collect();
    let ports: String = wires(layer).iter().map(declaration).collect();
    let fixed = module.parameters.iter();
    let mut parameters: Vec<String> = fixed
        .map(|(name, value)| format!("        .{name}({value})"))
        .collect();
    let copies = layer.hardware().copies();
    if copies > 1 {
        let all: Vec<String> = open[..copies]
            .iter()
            .rev()
            .map(|(n, _)| n.clone())
            .collect();
        parameters.push(format!("        .DEPTHS({{{}}})", all.join(", ")));
    }
    let passed = open.iter().skip(if copies > 1 { copies } else { 0 });
    parameters.extend(passed.map(|(name, _)| format!("        .{name}({name})")));
    let text = format!(
        "// {title}\n`default_nettype none\n\nmodule {tag} #(\n{declared}\n) (\n    \
         input  wire clk,\n    input  wire rst{ports}\n);\n    {name} #(\n{parameters}\n    ) unit (\n        \
         .clk,\n        .rst{connected}\n    );\nendmodule\n\n`default_nettype wire\n",
        title = module.title,
        declared = declared.join(",\n"),
        name = module.name,
        parameters = parameters.join(",\n"),
        connected = connections(layer),
    );
    Ok((format!("{tag}.sv"), text))
}

fn declaration(wires: &Wires) -> String {
    let Wires {
        name, read, bits, ..
    } = wires;
    let high = bits - 1;
    let [forth, back] = match read {
        true => ["input  wire", "output wire"],
        false => ["output wire", "input  wire"],
    };
    format!(
        ",\n    {forth} {name}_valid,\n    {back} {name}_ready,\n    {forth} [{high}:0] {name}_data"
    )
}

/// How the module of the library is connected: several streams of one side are one vector each.
fn connections(layer: &Layer) -> String {
    let wires = wires(layer);
    let mut text = String::new();
    for (side, read) in [("in", true), ("out", false)] {
        for signal in ["valid", "ready", "data"] {
            let names: Vec<String> = wires
                .iter()
                .rev()
                .filter(|wires| wires.read == read)
                .map(|wires| format!("{}_{signal}", wires.name))
                .collect();
            let joined = match &names[..] {
                [one] => one.clone(),
                several => format!("{{{}}}", several.join(", ")),
            };
            text += &format!(",\n        .{side}_{signal}({joined})");
        }
    }
    text
}
