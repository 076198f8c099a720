//! `finnp graph`: the folded network or the stages as a drawing in text.
//! Must not know how drawings are written.

use clap::ValueEnum;
use serde_json::json;

use super::answer::Answer;
use super::call::Call;
use super::draw::{Drawing, Edge, Look, Node};
use super::table::{count, grouped};
use crate::build::StagePlan;
use crate::dataflow::{Dataflow, StreamId};
use crate::error::Result;
use crate::layer::Port;
use crate::manifest::Manifest;
use crate::stage::{self, Facts, LayerRow};

/// Print the layers or the stages as a graph, for Markdown or Graphviz
#[derive(clap::Args)]
pub(super) struct Graph {
    /// What to draw
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Of::Layers)]
    of: Of,
    /// In which language
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The folded network: its layers and the streams between them
    Layers,
    /// The stages, and which reads from which
    Stages,
}

/// In which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid, which Markdown viewers draw
    Mermaid,
    /// DOT, for Graphviz
    Dot,
}

impl Graph {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let manifest = call.manifest()?;
        let drawing = match self.of {
            Of::Layers => {
                let built = call.reach(&manifest, "fold")?;
                let rows = stage::layers(&built)?;
                let facts = stage::facts(&manifest, &rows);
                layers(&manifest, &stage::folded(&built)?, &rows, &facts)
            }
            Of::Stages => stages(&manifest, &call.plans(&manifest)?),
        };
        let text = match self.format {
            Format::Mermaid => drawing.mermaid(),
            Format::Dot => drawing.dot(),
        };
        let data = |value| serde_json::to_value(value).unwrap_or_default();
        Ok(Answer::text(text.clone())
            .with("project", manifest.project.name.clone())
            .with("nodes", data(&drawing.nodes))
            .with(
                "edges",
                serde_json::to_value(&drawing.edges).unwrap_or_default(),
            )
            .with("graph", text))
    }
}

fn node(id: String, look: Look, lines: Vec<String>, data: serde_json::Value) -> Node {
    Node {
        id,
        look,
        lines,
        data,
    }
}

/// The folded network.
fn layers(manifest: &Manifest, dataflow: &Dataflow, rows: &[LayerRow], facts: &Facts) -> Drawing {
    let mut drawing = Drawing {
        title: format!(
            "{} on {} at {} MHz",
            manifest.project.name, manifest.target.board.name, facts.clock_mhz
        ),
        ..Drawing::default()
    };
    for (at, input) in dataflow.inputs.iter().enumerate() {
        let data = json!({"kind": "input", "name": input.name, "shape": input.shape});
        let end = ["input".to_owned(), end(&input.name, &input.shape)];
        let id = format!("in{at}");
        drawing.nodes.push(node(id, Look::End, end.into(), data));
    }
    for (at, row) in rows.iter().enumerate() {
        drawing
            .nodes
            .push(layer(at, row, row.name == facts.bottleneck));
    }
    for (at, output) in dataflow.outputs.iter().enumerate() {
        let data = json!({"kind": "output", "name": output.name, "shape": output.shape});
        let end = ["output".to_owned(), end(&output.name, &output.shape)];
        let id = format!("out{at}");
        drawing.nodes.push(node(id, Look::End, end.into(), data));
    }
    let fed = dataflow.inputs.iter().map(|input| input.stream);
    let written = dataflow.nodes.iter().flat_map(|node| &node.outputs);
    let streams = fed.chain(written.copied());
    drawing
        .edges
        .extend(streams.filter_map(|id| stream(dataflow, id)));
    drawing
}

fn end(name: &str, shape: &[usize]) -> String {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("{name}: {}", shape.join(" x "))
}

fn layer(at: usize, row: &LayerRow, slowest: bool) -> Node {
    let parallel = [("PE", row.pe), ("SIMD", row.simd)];
    let parallel = parallel
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let parallel: Vec<String> = parallel.collect();
    let mut lines = vec![
        row.name.clone(),
        format!("{}: {} x {}", row.kind, row.rows, row.cols),
    ];
    if !parallel.is_empty() {
        lines.push(parallel.join(", "));
    }
    let cycles = count(row.cycles as usize, "cycle");
    lines.push(match slowest {
        true => format!("{cycles}, the bottleneck"),
        false => cycles,
    });
    let look = if slowest { Look::Marked } else { Look::Plain };
    let mut data = serde_json::to_value(row).unwrap_or_default();
    data["bottleneck"] = slowest.into();
    node(format!("n{at}"), look, lines, data)
}

/// The arrow of a stream, from who writes it to who reads it.
fn stream(dataflow: &Dataflow, id: StreamId) -> Option<Edge> {
    let nodes = || dataflow.nodes.iter().enumerate();
    let writer = nodes().find(|(_, node)| node.outputs.contains(&id));
    let reader = nodes().find(|(_, node)| node.inputs.contains(&id));
    let port: Port = match (writer, reader) {
        (Some((_, node)), _) => node.layer.hardware().output(),
        (None, Some((_, node))) => {
            let slot = node.inputs.iter().position(|read| *read == id)?;
            *node.layer.hardware().inputs().get(slot)?
        }
        (None, None) => return None,
    };
    let ends = |found: Option<usize>, name: &str| Some(format!("{name}{}", found?));
    let input = dataflow.inputs.iter().position(|input| input.stream == id);
    let output = dataflow
        .outputs
        .iter()
        .position(|output| output.stream == id);
    let from = ends(writer.map(|(at, _)| at), "n").or_else(|| ends(input, "in"))?;
    let to = ends(reader.map(|(at, _)| at), "n").or_else(|| ends(output, "out"))?;
    let depth = dataflow.stream(id).depth;
    let (element, lanes, bits) = (port.element.to_string(), port.per_word, port.word_bits());
    let word = match lanes {
        1 => format!("{element}: {}", count(bits as usize, "bit")),
        _ => format!("{lanes} x {element}: {}", count(bits as usize, "bit")),
    };
    let data =
        json!({"element": element, "elements_per_word": lanes, "bits": bits, "depth": depth});
    Some(Edge {
        from,
        to,
        lines: vec![word, format!("FIFO {}", grouped(depth as u64))],
        vague: false,
        data,
    })
}

/// The stages, as far as they are known.
fn stages(manifest: &Manifest, plans: &[StagePlan]) -> Drawing {
    let mut drawing = Drawing {
        title: format!("stages of {}", manifest.project.name),
        ..Drawing::default()
    };
    let mut files: Vec<&String> = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let id = format!("s{at}");
        drawing.nodes.push(stage_node(&id, plan));
        let stage = |name: &String| plans.iter().position(|plan| plan.stage == name);
        for (from, outputs) in &plan.reads {
            let from = stage(from).map(|from| format!("s{from}"));
            let lines = vec![count(*outputs, "output")];
            let data = json!({"outputs": outputs});
            drawing
                .edges
                .extend(from.map(|from| arrow(from, &id, lines, data)));
        }
        if plan.jobs.is_none() && at > 0 {
            let from = format!("s{}", at - 1);
            drawing.edges.push(Edge {
                vague: true,
                ..arrow(from, &id, Vec::new(), json!({}))
            });
        }
        for file in &plan.files {
            if !files.contains(&file) {
                files.push(file);
            }
            let number = files.iter().position(|other| *other == file);
            let from = format!("f{}", number.unwrap_or_default());
            drawing.edges.push(arrow(from, &id, Vec::new(), json!({})));
        }
    }
    for (at, file) in files.into_iter().enumerate() {
        let data = json!({"file": file});
        let file = vec![file.clone()];
        drawing
            .nodes
            .push(node(format!("f{at}"), Look::End, file, data));
    }
    drawing
}

fn stage_node(id: &str, plan: &StagePlan) -> Node {
    let (look, words) = match plan.jobs {
        None => (Look::Vague, "depends on what runs before it".to_owned()),
        Some(jobs) => {
            let cached = match plan.cached == jobs {
                true => "all".to_owned(),
                false => grouped(plan.cached as u64),
            };
            let words = format!("{}, {cached} cached", count(jobs, "job"));
            (Look::Plain, words)
        }
    };
    let lines = vec![plan.stage.to_owned(), words];
    let data = serde_json::to_value(plan).unwrap_or_default();
    node(id.to_owned(), look, lines, data)
}

fn arrow(from: String, to: &str, lines: Vec<String>, data: serde_json::Value) -> Edge {
    Edge {
        from,
        to: to.to_owned(),
        lines,
        vague: false,
        data,
    }
}
