//! The source of one shape: it names no layer, so that equal shapes are one source.
//! Must not know weights.

use sha2::{Digest, Sha256};

use super::stream::Streams;
use super::unit;
use crate::error::{Error, Result};
use crate::layer::Layer;

/// Name of a shape: the kind of layer and the beginning of its record's digest.
///
/// # Errors
/// A bug if the record cannot be written.
pub fn tag(layer: &Layer) -> Result<String> {
    let record = serde_json::to_vec(layer).map_err(|cause| Error::bug(cause.to_string()))?;
    let digest = Sha256::digest(&record);
    let short: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("{}_{short}", layer.hardware().kind()))
}

/// `(file, text)` of a shape's header and source.
///
/// # Errors
/// A bug if the record cannot be written.
pub fn shape_sources(layer: &Layer) -> Result<Vec<(String, String)>> {
    let tag = tag(layer)?;
    Ok(vec![
        (format!("{tag}.hpp"), header(layer, &tag)),
        (format!("{tag}.cpp"), source(layer, &tag)),
    ])
}

/// The program that simulates one shape.
pub fn main_source(tag: &str) -> String {
    format!(
        "// {tag} MEMORIES INPUT.npy... OUTPUT.npy [CYCLES.json]\n\
         int simulate_{tag}(int argc, char** argv);\n\n\
         int main(int argc, char** argv) {{ return simulate_{tag}(argc, argv); }}\n"
    )
}

/// Streams of the function of a shape: `in` and `out`, numbered where there are several.
fn streams(layer: &Layer, tag: &str) -> Streams {
    Streams::new(layer, tag, ["in", "out"])
}

/// `NAME(in, out, memories...)` as declared.
fn signature(layer: &Layer, tag: &str) -> String {
    let start = format!("void {tag}(");
    let indent = " ".repeat(start.len());
    let memories = unit(layer).memories;
    let mut arguments = vec![streams(layer, tag).declared()];
    arguments.extend(
        memories
            .iter()
            .map(|memory| format!("const {tag}_unit::{}& {}", memory.class, memory.name)),
    );
    if unit(layer).has_state {
        arguments.push(format!("{tag}_unit::State& state"));
    }
    start + &arguments.join(&format!(",\n{indent}")) + ")"
}

fn header(layer: &Layer, tag: &str) -> String {
    let unit = unit(layer);
    let guard = format!("{}_HPP", tag.to_uppercase());
    let fields: String = unit
        .fields
        .iter()
        .map(|(name, value)| match value.starts_with("finnp::") {
            true => format!("    using {name} = {value};\n"),
            false => {
                let kind = match value.parse::<i32>() {
                    Ok(_) => "int",
                    Err(_) => "long long",
                };
                format!("    static constexpr {kind} {name} = {value};\n")
            }
        })
        .collect();
    format!(
        "// {title}\n// {pace}\n#ifndef {guard}\n#define {guard}\n\n#include \"finnp/{header}.hpp\"\n\n\
         struct {tag}_shape {{\n{fields}}};\nusing {tag}_unit = finnp::{template}<{tag}_shape>;\n\n\
         {signature};\n\n#endif\n",
        title = unit.title,
        pace = unit.pace,
        header = unit.header,
        template = unit.template,
        signature = signature(layer, tag),
    )
}

fn source(layer: &Layer, tag: &str) -> String {
    let unit = unit(layer);
    let names: String = unit
        .memories
        .iter()
        .map(|memory| format!(", {}", memory.name))
        .collect();
    let files: String = unit
        .memories
        .iter()
        .map(|memory| format!(", \"{}.dat\"", memory.name))
        .collect();
    let (state, simulated) = match unit.has_state {
        true => (", state", format!("{tag}_simulated")),
        false => ("", tag.to_owned()),
    };
    let streams = streams(layer, tag);
    let simulation = match streams.are_several() {
        true => format!("simulate_streams<{tag}_unit>(argc, argv, {tag})"),
        false => format!("simulate<{tag}_unit>(argc, argv, {simulated}{files})"),
    };
    format!(
        "#include \"{tag}.hpp\"\n\n#include \"finnp/simulate.hpp\"\n\n{signature} {{\n#pragma HLS INLINE\n    \
         {tag}_unit::run({passed}{names}{state});\n}}\n\n#ifndef __SYNTHESIS__\n{wrapper}\
         int simulate_{tag}(int argc, char** argv) {{\n    \
         return finnp::{simulation};\n}}\n#endif\n",
        passed = streams.passed(),
        signature = signature(layer, tag),
        wrapper = if unit.has_state {
            with_state(layer, tag, &names)
        } else {
            String::new()
        },
    )
}

/// The layer with a state of its own.
fn with_state(layer: &Layer, tag: &str, names: &str) -> String {
    let memories: String = unit(layer)
        .memories
        .iter()
        .map(|memory| format!(", const {tag}_unit::{}& {}", memory.class, memory.name))
        .collect();
    format!(
        "static void {tag}_simulated({tag}_unit::Input& in, {tag}_unit::Output& out{memories}) {{\n    \
         static {tag}_unit::State state;\n    {tag}(in, out{names}, state);\n}}\n\n"
    )
}
