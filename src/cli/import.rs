//! `finnp import`: what becomes of a model, and where each layer comes from.
//! Must not know how it is found out.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::answer::Answer;
use super::call::{Call, shown};
use super::table::{count, grouped};
use crate::error::{Error, Result};
use crate::manifest::{self, Manifest};
use crate::stage::{self, Block, Derivation, End, Explanation, Part, Scale};

/// Tell whether a model can be built, and what keeps it from that
#[derive(clap::Args)]
pub(super) struct Import {
    /// Model (`.onnx`, `.onnx.gz`) or folder of a project; the present project if absent. Without a project,
    /// `--set input.type=uint8 --set input.scale=0.5` tells what arrives
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Tell where each layer comes from, or all nodes that block
    #[arg(long)]
    explain: bool,
}

/// Largest model that is read, in bytes: no protobuf message is larger.
const MOST_BYTES: u64 = (1 << 31) - 1;
/// Most bytes of a packed model: a small file can hold any number of them.
const MOST_UNPACKED: u64 = 1 << 28;

impl Import {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let set = &call.options.set;
        let manifest = match &self.file {
            None => call.manifest()?,
            Some(folder) if folder.is_dir() => Manifest::load(folder, set)?,
            Some(file) => alone(file, set)?,
        };
        let path = &manifest.model.path;
        // The path of a file is absolute in its manifest.
        let name = match &self.file {
            Some(file) if !file.is_dir() => file,
            _ => path,
        };
        let explanation =
            stage::explanation(&stage::with_files_beside(path, read(path)?)?, &manifest)?;
        let blocking = explanation.blocking();
        let text = match (self.explain, blocking) {
            (true, 0) => whole(&explanation),
            (true, _) => refused(&explanation),
            (false, 0) => summary(&explanation),
            (false, _) => String::new(),
        };
        let mut answer = Answer::text(text)
            .with("model", name.display().to_string())
            .with("blocking", blocking)
            .with_all(&explanation);
        if blocking > 0 {
            answer.failure = Some(failure(name, &explanation, self.explain));
        }
        Ok(answer)
    }
}

/// The manifest of a model that belongs to no project.
fn alone(file: &Path, set: &[String]) -> Result<Manifest> {
    if !file.exists() {
        return Err(
            Error::user(format!("there is no file `{}`", file.display()))
                .help("give a model, or the folder of a project"),
        );
    }
    let path = std::path::absolute(file).map_err(|cause| Error::io("find", file, &cause))?;
    let quoted = toml::Value::String(path.display().to_string());
    let text = format!(
        "[project]\nname = \"model\"\n[model]\npath = {quoted}\n[target]\nboard = \"alveo-u280\"\n"
    );
    manifest::parse(&text, &shown(file), Path::new(""), set)
}

/// The bytes of a model, which may be gzipped.
fn read(path: &Path) -> Result<Vec<u8>> {
    let io = |cause: std::io::Error| Error::io("read", path, &cause);
    let large = || {
        Error::user(format!(
            "`{}` has more than 2 GiB, more than an ONNX file can have",
            path.display()
        ))
    };
    if fs::metadata(path).map_err(io)?.len() > MOST_BYTES {
        return Err(large());
    }
    let mut file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    match path.extension().is_some_and(|end| end == "gz") {
        false => drop(file.read_to_end(&mut bytes).map_err(io)?),
        true => {
            let inside = MultiGzDecoder::new(file).take(MOST_UNPACKED + 1);
            let whole = { inside }.read_to_end(&mut bytes);
            whole.map_err(|cause| {
                Error::user(format!(
                    "`{}` is no gzip file, or is cut short: {cause}",
                    path.display()
                ))
            })?;
        }
    }
    match bytes.len() as u64 > MOST_UNPACKED && path.extension().is_some_and(|end| end == "gz") {
        true => Err(
            Error::user(format!("`{}` holds more than 256 MiB", path.display()))
                .help("unpack it first, if that is what it should hold"),
        ),
        false => Ok(bytes),
    }
}

fn failure(path: &Path, explanation: &Explanation, explained: bool) -> Error {
    let words = format!(
        "`{}` cannot be built: {}, {} not reached",
        path.display(),
        match explanation.blocking() {
            1 => "1 node blocks".to_owned(),
            many => format!("{} nodes block", grouped(many as u64)),
        },
        grouped(explanation.unreached.len() as u64),
    );
    let error = Error::user(words);
    match (explained, explanation.blocked.first()) {
        (false, Some(first)) => {
            let remedy = first
                .remedy
                .as_ref()
                .map_or_else(String::new, |remedy| format!("\n{remedy}"));
            let first = reason(first);
            error.help(format!(
                "the first reason is {first}{remedy}\n`--explain` lists all"
            ))
        }
        _ => error,
    }
}

fn reason(block: &Block) -> String {
    match block.operator.is_empty() {
        true => block.reason.clone(),
        false => format!("{}: {}", block.operator, block.reason),
    }
}

/// All that blocks.
fn refused(explanation: &Explanation) -> String {
    let mut text = String::new();
    for block in &explanation.blocked {
        text += &format!("{}\n", reason(block));
        if !block.nodes.is_empty() {
            text += &lines(&count(block.nodes.len(), "node"), &quoted(&block.nodes));
        }
        for (at, line) in block
            .remedy
            .iter()
            .flat_map(|remedy| remedy.lines())
            .enumerate()
        {
            text += &lines(if at == 0 { "help" } else { "" }, line);
        }
        text += "\n";
    }
    if !explanation.unreached.is_empty() {
        text += &format!(
            "not reached, because they depend on these: {} of {}\n",
            grouped(explanation.unreached.len() as u64),
            count(explanation.nodes, "node")
        );
    }
    text
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn summary(explanation: &Explanation) -> String {
    format!(
        "ok: {} became {}\n",
        count(explanation.nodes, "node"),
        count(explanation.layers.len(), "layer")
    )
}

/// Where everything comes from.
fn whole(explanation: &Explanation) -> String {
    let mut text = summary(explanation);
    for input in &explanation.inputs {
        text += &format!("\ninput {}\n{}", input.name, end(input));
        if !explanation.grid.is_empty() {
            text += &lines("from", &parts(&explanation.grid));
        }
    }
    for layer in &explanation.layers {
        text += &format!("\n{}\n", derivation(layer));
    }
    for output in &explanation.outputs {
        text += &format!("\noutput {}\n{}", output.name, end(output));
    }
    for (what, nodes) in [
        ("left to the host", &explanation.host),
        ("only names or arranges elements", &explanation.folded),
    ] {
        if !nodes.is_empty() {
            text += &format!("\n{what}\n{}", lines("", &parts(nodes)));
        }
    }
    text
}

fn end(end: &End) -> String {
    lines("integers", &end.element) + &lines("scale", &scale(&end.scale))
}

/// Nodes one after the other; those of one operator at once where they follow each other.
fn parts(parts: &[Part]) -> String {
    let mut said: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        // What a reader makes of one node of the file has that node's operator, and a name of which it is the head.
        let head = |other: &Part| {
            other.operator == part.operator && part.node.starts_with(&format!("{}.", other.node))
        };
        if at == 0 || !head(&parts[at - 1]) {
            said.push(format!("{} `{}`", part.operator, part.node));
        }
    }
    said.join(" + ")
}

fn derivation(layer: &Derivation) -> String {
    let from = match (layer.from.is_empty(), layer.kind.as_str()) {
        (false, _) => parts(&layer.from),
        (true, "duplicate") => "a tensor with several readers".to_owned(),
        (true, "label_select") => "`[output] labels`".to_owned(),
        (true, _) => "what its neighbours need".to_owned(),
    };
    let mut text = format!(
        "{}: {} {} x {}\n",
        layer.layer, layer.kind, layer.rows, layer.columns
    );
    text += &lines("from", &from);
    if !layer.constants.is_empty() {
        text += &lines("constants", &parts(&layer.constants));
    }
    let product = layer
        .weight
        .as_ref()
        .map_or_else(String::new, |weight| format!(" x {weight}"));
    let sums = layer
        .accumulator
        .as_ref()
        .map_or_else(String::new, |sums| format!(" -> {sums}"));
    let steps = match layer.thresholds {
        Some(levels) => format!(
            " -> {} by {} a channel",
            layer.output,
            count(levels, "threshold")
        ),
        None if layer.accumulator.as_ref() == Some(&layer.output) => String::new(),
        None => format!(" -> {}", layer.output),
    };
    text += &lines(
        "integers",
        &format!("{}{product}{sums}{steps}", layer.input),
    );
    if let Some(coding) = &layer.scale {
        text += &lines("scale", &scale(coding));
    }
    text.trim_end().to_owned()
}

fn scale(coding: &Scale) -> String {
    let range = |[low, high]: [f64; 2]| match low == high {
        true => format!("{low}"),
        false => format!("{low} to {high}"),
    };
    match coding.bias {
        [0.0, 0.0] => range(coding.scale),
        bias => format!("{}, offset {}", range(coding.scale), range(bias)),
    }
}

/// Longest line, in characters, unless a single word is longer.
const WIDTH: usize = 100;

/// A line for a name with what belongs to it, and as many more as that takes.
fn lines(name: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = format!("    {name:<9} ");
    let mut empty = true;
    for word in words.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text += &format!("{line}\n");
            line = " ".repeat(14);
        }
        line += " ";
        line += word;
        empty = false;
    }
    text + &line + "\n"
}
