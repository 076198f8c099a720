//! The whole network: layers with their memories, the dataflow region that joins them, the test bench.
//! Must not know weights.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::core::two_ports;
use super::ends::Ends;
use super::identifier::{identifiers, streams};
use super::shape::tag;
use super::stream::Streams;
use super::tcl::{self, Target};
use super::unit::{Held, Memory, class};
use super::{memory_files, unit};
use crate::dataflow::{Dataflow, Node, StreamId};
use crate::error::{Error, Result};
use crate::layer::Port;

/// A layer in its place, with the names that the text uses.
struct Placed<'a> {
    node: &'a Node,
    /// C++ function.
    function: String,
    /// Names of the streams that it writes.
    written: Vec<String>,
    /// Shape.
    tag: String,
}

/// `(file, text)` of everything that names layers, relative to the HLS folder. Layers without memories
/// are functions of `top.cpp`; those with memories have a folder under `layers/`.
///
/// # Errors
/// As [`Ends::of`].
pub fn top_sources(dataflow: &Dataflow, target: &Target) -> Result<Vec<(String, String)>> {
    let placed = place(dataflow)?;
    let edges = Ends::of(dataflow)?;
    let mut files = vec![
        ("top.hpp".to_owned(), header(&placed, edges, target)),
        ("top.cpp".to_owned(), source(dataflow, &placed)?),
        ("testbench.cpp".to_owned(), TESTBENCH.to_owned()),
        (
            "vitis_hls.tcl".to_owned(),
            tcl::network(target, &source_list(&placed)),
        ),
    ];
    for layer in placed.iter().filter(|layer| layer.has_memories()) {
        let folder = format!("layers/{}", layer.node.name);
        files.push((
            format!("{folder}/{}.cpp", layer.function),
            layer.with_memories(),
        ));
    }
    Ok(files)
}

fn place(dataflow: &Dataflow) -> Result<Vec<Placed<'_>>> {
    let functions = identifiers(&dataflow.nodes);
    let nodes = dataflow.nodes.iter().zip(functions);
    nodes
        .map(|(node, function)| {
            Ok(Placed {
                node,
                written: streams(&function, node.outputs.len()),
                function,
                tag: tag(&node.layer)?,
            })
        })
        .collect()
}

const TESTBENCH: &str = "// C simulation with any C++ compiler, in this folder:
//   c++ -std=c++17 -O1 -I. -Ilibrary -Ilibrary/bundled/ap -Ilibrary/bundled/stream top.cpp testbench.cpp shapes/*.cpp layers/*/*.cpp -o testbench
//   ./testbench layers ../sim/inputs.npy output.npy [TAPS]
#include \"top.hpp\"

int main(int argc, char** argv) {
    return finnp::simulate_network<input_edge, output_edge>(argc, argv, top);
}
";

impl Placed<'_> {
    fn has_memories(&self) -> bool {
        !unit(&self.node.layer).memories.is_empty()
    }

    fn streams(&self) -> Streams {
        Streams::new(&self.node.layer, &self.tag, ["in", "out"])
    }

    /// The layer's function with its memories: constants for synthesis, files for simulation.
    fn with_memories(&self) -> String {
        let (tag, folder) = (&self.tag, &self.node.name);
        let unit = unit(&self.node.layer);
        let files: String = unit
            .memories
            .iter()
            .map(|Memory { name, class, .. }| {
                format!("    static const auto& {name} = finnp::memory<{tag}_unit::{class}>(\"{folder}/{name}.dat\");\n")
            })
            .collect();
        let Held {
            constants,
            pragmas,
            arguments,
        } = unit.held(tag);
        format!(
            "// Layer `{folder}`: {tag} with its memories.\n#include \"finnp/simulate.hpp\"\n\
             #include \"shapes/{tag}.hpp\"\n\nvoid {function}({parameters}) {{\n#pragma HLS INLINE off\n\
             #ifdef __SYNTHESIS__\n{constants}#else\n{files}#endif\n{pragmas}    {tag}({passed}{arguments});\n}}\n",
            function = self.function,
            parameters = self.streams().declared(),
            passed = self.streams().passed(),
        )
    }
}

/// Everything that is synthesised with the whole network, relative to the HLS folder: its sources and
/// the headers and memories that they include, those of the library left out.
///
/// # Errors
/// A bug if a layer's record cannot be written.
pub fn network_files(dataflow: &Dataflow) -> Result<Vec<String>> {
    let placed = place(dataflow)?;
    let mut files = vec!["top.hpp".to_owned()];
    files.extend(source_list(&placed));
    files.extend(tags(&placed).iter().map(|tag| format!("shapes/{tag}.hpp")));
    for Placed { node, .. } in &placed {
        let memories = memory_files(&node.layer).into_iter();
        files.extend(memories.map(|file| format!("layers/{}/{file}", node.name)));
    }
    Ok(files)
}

fn source_list(placed: &[Placed<'_>]) -> Vec<String> {
    let mut files = vec!["top.cpp".to_owned()];
    let with_memories = placed.iter().filter(|layer| layer.has_memories());
    files.extend(
        with_memories.map(|layer| format!("layers/{}/{}.cpp", layer.node.name, layer.function)),
    );
    files.extend(tags(placed).iter().map(|tag| format!("shapes/{tag}.cpp")));
    files
}

fn tags<'a>(placed: &'a [Placed<'_>]) -> BTreeSet<&'a str> {
    placed.iter().map(|layer| layer.tag.as_str()).collect()
}

/// A frame of a stream, as the library calls it.
pub(super) fn frame(port: Port) -> String {
    format!(
        "finnp::Frame<{}, {}, {}, {}>",
        class(port.element),
        port.per_word,
        port.channels,
        port.pixels
    )
}

fn header(placed: &[Placed<'_>], edges: Ends, target: &Target) -> String {
    let includes: String = tags(placed)
        .iter()
        .map(|tag| format!("#include \"shapes/{tag}.hpp\"\n"))
        .collect();
    let declared: String = placed
        .iter()
        .filter(|layer| layer.has_memories())
        .map(|layer| format!("void {}({});\n", layer.function, layer.streams().declared()))
        .collect();
    let Ends { input, output } = edges;
    format!(
        "// The accelerator `{project}`: {} {} in, {} {} out.\n#ifndef TOP_HPP\n#define TOP_HPP\n\n\
         #include \"finnp/edge.hpp\"\n#include \"finnp/fifo.hpp\"\n#include \"finnp/simulate.hpp\"\n{includes}\n\
         // Edges: type of an element, elements a word, channels, pixels.\n\
         using input_edge = finnp::Edge<{}>;\nusing output_edge = finnp::Edge<{}>;\n\n\
         // Layers with memories: each in its own file.\n{declared}\n\
         void top(input_edge::Stream& s_axis, output_edge::Stream& m_axis);\n\n#endif\n",
        input.elements(),
        input.element,
        output.elements(),
        output.element,
        frame(input),
        frame(output),
        project = target.project,
    )
}

/// A process for each edge and for each layer without memories.
fn processes(placed: &[Placed<'_>]) -> String {
    let mut text = String::from(
        "#include \"top.hpp\"\n\n// Layers without memories, and the edges: one process each.\n",
    );
    text.push_str(&process(
        "input_adapter",
        "input_edge::Stream& in, input_edge::Frame::Stream& out",
        "",
        "finnp::from_axis<input_edge::Frame>(in, out)",
    ));
    for layer in placed.iter().filter(|layer| !layer.has_memories()) {
        let held = unit(&layer.node.layer).held(&layer.tag);
        let streams = layer.streams();
        let call = format!("{}({}{})", layer.tag, streams.passed(), held.arguments);
        text.push_str(&process(
            &layer.function,
            &streams.declared(),
            &held.pragmas,
            &call,
        ));
    }
    text.push_str(&process(
        "output_adapter",
        "output_edge::Frame::Stream& in, output_edge::Stream& out",
        "",
        "finnp::to_axis<output_edge::Frame>(in, out)",
    ));
    text
}

fn source(dataflow: &Dataflow, placed: &[Placed<'_>]) -> Result<String> {
    let mut text = processes(placed);
    text.push_str(&format!(
        "void top(input_edge::Stream& s_axis, output_edge::Stream& m_axis) {{\n\
         {}#pragma HLS DATAFLOW disable_start_propagation\n\n",
        two_ports()
    ));
    let depth = |id: StreamId| dataflow.stream(id).depth;
    // By stream: its name.
    let mut names: Vec<Option<&str>> = vec![None; dataflow.streams.len()];
    let fed = dataflow.inputs[0].stream;
    names[fed.0] = Some("input_out");
    let _ = writeln!(
        text,
        "    finnp::fifo<input_edge::Frame::Word, {}> input_out(\"input\");",
        depth(fed)
    );
    for layer in placed {
        let (tag, function) = (&layer.tag, &layer.function);
        for (id, name) in layer.node.outputs.iter().zip(&layer.written) {
            names[id.0] = Some(name);
            let depth = depth(*id);
            let _ = writeln!(
                text,
                "    finnp::fifo<{tag}_unit::Sink::Word, {depth}> {name}(\"{function}\");"
            );
        }
    }
    let name = |id: StreamId| {
        names[id.0].ok_or_else(|| Error::bug(format!("nobody writes stream {}", id.0)))
    };
    text.push_str("\n    input_adapter(s_axis, input_out);\n");
    for layer in placed {
        let read = layer.node.inputs.iter().map(|id| name(*id));
        let mut passed = read.collect::<Result<Vec<&str>>>()?;
        passed.extend(layer.written.iter().map(String::as_str));
        let _ = writeln!(text, "    {}({});", layer.function, passed.join(", "));
        // Of several streams that carry the same the first stands for all: what is read from the others
        // shows in the layers behind them.
        if let Some(written) = layer.written.first() {
            let (tag, file) = (&layer.tag, &layer.node.name);
            let _ = writeln!(
                text,
                "    FINNP_TAP({tag}_unit::Sink, {written}, \"{file}\");"
            );
        }
    }
    let last = name(dataflow.outputs[0].stream)?;
    let _ = writeln!(text, "    output_adapter({last}, m_axis);\n}}");
    Ok(text)
}

/// A process that keeps `held` from frame to frame, and does nothing but one call.
fn process(name: &str, parameters: &str, held: &str, call: &str) -> String {
    format!(
        "static void {name}({parameters}) {{\n#pragma HLS INLINE off\n{held}    {call};\n}}\n\n"
    )
}
