//! Fold: the parallelism of every layer, and the width converters that it makes necessary.
//! Must not know the cache.

use super::multiplier;
use super::record::{feed, of_inputs, of_stage, read, write};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Kind, Result};
use crate::fold::{Candidate, Goal, Misfit, fold, misfit};
use crate::layer::{Hardware, Layer, Multiplier, Parallelism, Range};
use crate::manifest::{Manifest, Rate, glob};
use crate::pass;

/// The stage.
pub(super) struct Fold;

/// Share of a board's look-up tables that folding may fill, in percent: beyond it routing fails.
const LUT_PERCENT: u64 = 70;

impl Stage for Fold {
    fn name(&self) -> &'static str {
        "fold"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        let dataflow = read(&of_stage(done, "reorder"))?;
        let names: Vec<&str> = dataflow
            .nodes
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        manifest.check_layers(&names)?;
        let fixed = dataflow
            .nodes
            .iter()
            .map(|node| choice(manifest, node))
            .collect::<Result<Vec<_>>>()?;
        let multipliers = dataflow
            .nodes
            .iter()
            .map(|node| {
                Ok((
                    node.name.clone(),
                    multiplier::choice(manifest, &dataflow, node)?,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        let goal = goal(manifest)?;
        let mut lines = vec![("goal".to_owned(), describe(goal))];
        for (name, fixed) in names.iter().zip(&fixed) {
            let values = [("pe", fixed.pe), ("simd", fixed.simd)];
            let set = values
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)));
            lines
                .extend(set.map(|(key, value)| (format!("layer {name} {key}"), value.to_string())));
        }
        let slices = multipliers.iter().filter(|(_, chosen)| !chosen.is_lut());
        lines.extend(slices.map(|(name, _)| (format!("layer {name} multiplier"), "dsp".into())));
        let place = manifest.place("target.fps");
        let mut job = Job::compute(NETWORK, move |inputs| {
            run(inputs, &fixed, &multipliers, goal).map_err(|error| {
                match (error.kind(), error.place()) {
                    (Kind::Design, None) => error.at(place.clone()),
                    _ => error,
                }
            })
        });
        job.lines = lines;
        Ok(vec![
            feed(job, "reorder", &dataflow, false).shown_in("dataflow/folded"),
        ])
    }
}

/// What the manifest asks of one layer, within what the layer can do.
fn choice(manifest: &Manifest, node: &Node) -> Result<Parallelism> {
    let limits = node.layer.hardware().limits();
    let choice = manifest.choice(&node.name);
    let checked = |key: &str,
                   chosen: Option<(u32, &crate::manifest::Layer)>,
                   range: Option<Range>| {
        let Some((value, entry)) = chosen else {
            return Ok(None);
        };
        // What is said of convolutions is not said of the windows in front of them.
        if let (Layer::SlidingWindow(_), Some((convolution, _))) =
            (&node.layer, node.name.rsplit_once(".window"))
            && glob::matches(&entry.pattern, convolution)
        {
            return Ok(None);
        }
        let refused =
            |why: String| Error::user(format!("layer `{}` {why}", node.name)).at(entry.place(key));
        match range {
            Some(_) => match misfit(&node.layer, key, value as usize) {
                None => Ok(Some(value as usize)),
                Some(Misfit { why, help: None }) => Err(refused(why)),
                Some(Misfit {
                    why,
                    help: Some(help),
                }) => Err(refused(why).help(help)),
            },
            // A glob may well match layers of several kinds.
            None if entry.pattern.contains(['*', '?']) => Ok(None),
            None => Err(refused(format!(
                "is of the kind {} and has no `{key}`",
                node.layer.hardware().kind()
            ))),
        }
    };
    Ok(Parallelism {
        pe: checked("pe", choice.pe, limits.pe)?,
        simd: checked("simd", choice.simd, limits.simd)?,
    })
}

fn goal(manifest: &Manifest) -> Result<Goal> {
    let target = &manifest.target;
    match target.fps {
        Some(Rate::AtLeast(fps)) => match (target.clock_mhz * 1e6 / fps).floor() as u64 {
            0 => Err(Error::design(format!(
                "{fps} frames per second are more than the clock's {} MHz",
                target.clock_mhz
            ))
            .help("a frame takes at least one cycle: lower `fps`")
            .at(manifest.place("target.fps"))),
            cycles => Ok(Goal::Cycles(cycles)),
        },
        Some(Rate::Max) | None => Ok(Goal::Luts(target.board.total().lut * LUT_PERCENT / 100)),
    }
}

fn describe(goal: Goal) -> String {
    match goal {
        Goal::Cycles(cycles) => format!("at most {cycles} cycles"),
        Goal::Luts(luts) => format!("fewest cycles within {luts} look-up tables"),
    }
}

fn run(
    inputs: &Inputs,
    fixed: &[Parallelism],
    multipliers: &[(String, Multiplier)],
    goal: Goal,
) -> Result<Outputs> {
    let dataflow = read(&of_inputs(inputs))?;
    let candidates: Vec<Candidate> = dataflow
        .nodes
        .iter()
        .zip(fixed)
        .map(|(node, fixed)| Candidate {
            name: node.name.clone(),
            layer: node.layer.clone(),
            fixed: *fixed,
            full_output: regrouped(&dataflow, node),
            full_input: regroups(&dataflow, node),
            words: words(&dataflow, node),
        })
        .collect();
    let mut folded = connected(&dataflow, &candidates, goal)?;
    multiplier::set(&mut folded, multipliers);
    write(&folded, false)
}

/// The folded layers with their width converters. A converter between words of which neither divides the
/// other takes a cycle more per pixel than both of its neighbours: where that misses the goal, the layers
/// are given fewer cycles.
fn connected(dataflow: &Dataflow, candidates: &[Candidate], goal: Goal) -> Result<Dataflow> {
    let mut aim = goal;
    loop {
        let mut folded = dataflow.clone();
        let layers = match fold(candidates, aim) {
            Err(_) if aim != goal => return Err(converters(goal)),
            layers => layers?,
        };
        for (node, layer) in folded.nodes.iter_mut().zip(layers) {
            node.layer = layer;
        }
        let cycles = folded
            .nodes
            .iter()
            .map(|node| node.layer.hardware().cycles())
            .max();
        let most = match aim {
            Goal::Cycles(bound) => bound,
            Goal::Luts(_) => cycles.unwrap_or(0),
        };
        let fixed: Vec<Parallelism> = candidates.iter().map(|c| c.fixed).collect();
        let folded = pass::depth(pass::connect(pass::adopt(folded, &fixed, most)?)?)?;
        let slowest = folded
            .nodes
            .iter()
            .map(|node| node.layer.hardware().cycles())
            .max();
        match (goal, aim) {
            (Goal::Cycles(bound), Goal::Cycles(tried)) if slowest > Some(bound) && tried > 1 => {
                // All goals down to the slowest of these layers give the same layers.
                aim = Goal::Cycles(cycles.map_or(tried, |cycles| cycles.min(tried)).max(2) - 1);
            }
            (Goal::Cycles(bound), _) if slowest > Some(bound) => return Err(converters(goal)),
            _ => return Ok(folded),
        }
    }
}

/// The error for a goal that the layers meet, and what joins them does not.
fn converters(goal: Goal) -> Error {
    let goal = describe(goal);
    Error::design(format!("a width converter between layers misses the goal: {goal}"))
        .help("lower `fps`, or choose `pe` and `simd` of neighbouring layers so that one divides the other")
}

/// Words that the sliding window in front of the node can write, if there is one.
fn words(dataflow: &Dataflow, node: &Node) -> Option<Range> {
    let writer = dataflow.producer(*node.inputs.first()?)?;
    match &writer.layer {
        Layer::SlidingWindow(window) => window.limits().simd,
        _ => None,
    }
}

/// Whether the node sees other pixels in its input than its writer wrote, and several.
fn regroups(dataflow: &Dataflow, node: &Node) -> bool {
    let ports = node.layer.hardware().inputs();
    let mut ends = node.inputs.iter().zip(ports);
    ends.any(|(stream, read)| {
        let writer = dataflow.producer(*stream);
        let written = writer.map(|writer| writer.layer.hardware().output().channels);
        read.pixels > 1 && written.is_some_and(|written| written != read.channels)
    })
}

/// Whether a reader of the node's output sees other pixels in it than the node wrote.
fn regrouped(dataflow: &Dataflow, node: &Node) -> bool {
    let written = node.layer.hardware().output();
    node.outputs.iter().any(|stream| {
        let mut readers = dataflow.consumers(*stream);
        readers.any(|reader| {
            let ports = reader.layer.hardware().inputs();
            let mut slots = reader.inputs.iter().zip(ports);
            slots.any(|(id, port)| id == stream && port.channels != written.channels)
        })
    })
}
