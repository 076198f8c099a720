//! Training as part of a job: where layers begin, how far it is, and what becomes of it.
//! Must not know how networks learn.

use std::collections::BTreeMap;

use super::Desk;
use super::calibration::Lessons;
use crate::dataflow::Dataflow;
use crate::error::{Error, Kind, Result};
use crate::layer::Layer;
use crate::manifest::Train;
use crate::network::Network;
use crate::prune::{Planned, Prepared, latent};
use crate::reference::Real;
use crate::train::{METHODS, Method, Point, Settings, Start, Task, train};

/// The method of that name in a manifest, if it trains.
pub(super) fn method(name: &str) -> Option<Method> {
    let found = METHODS.iter().find(|(known, _)| *known == name);
    found.map(|(_, method)| *method)
}

/// What the manifest says, and for the rest what is usual.
pub(super) fn settings(train: &Train, method: Method) -> Settings {
    let usual = Settings::default();
    let whole = |given: Option<u32>, usual: usize| given.map_or(usual, |given| given as usize);
    Settings {
        epochs: train.epochs.unwrap_or(usual.epochs),
        batch: whole(train.batch, usual.batch),
        rate: train.rate.unwrap_or(usual.rate),
        seed: train.seed.map_or(usual.seed, u64::from),
        flip: train.flip,
        shift: train.shift as usize,
        teacher: train.teacher.unwrap_or(usual.teacher),
        method,
        ..usual
    }
}

/// Trains a network while its layers lose weights; the plan, and what the training was like.
///
/// # Errors
/// Those of training and of the desk.
pub(super) fn trained(
    (network, prepared): (&Network, &Prepared),
    lessons: &Lessons,
    settings: &Settings,
    desk: &dyn Desk,
) -> Result<(Planned, Vec<Point>)> {
    let dense = &prepared.dense;
    let starts = starts(network, prepared)?;
    let order = input_order(dense)?;
    let frames: Vec<Vec<i64>> = lessons
        .frames
        .iter()
        .map(|frame| order.to_stream(frame))
        .collect();
    let project =
        |layer: &str, scores: &[f64], density: f64| prepared.project(layer, scores, density);
    let task = Task {
        dataflow: dense,
        starts: &starts,
        frames: &frames,
        labels: lessons.labels.as_deref(),
        project: &project,
    };
    let watch = |progress: crate::train::Progress<'_>| {
        if let Some(state) = progress.state {
            desk.leave(&state()?)?;
        }
        desk.told(progress.step, progress.steps)
    };
    let left = desk.left();
    let learnt = match train(&task, settings, &watch, left.as_deref()) {
        // What was left may be damaged, or of another kind.
        Err(error) if left.is_some() && error.kind() == Kind::Bug => {
            train(&task, settings, &watch, None)?
        }
        learnt => learnt?,
    };
    let planned = prepared.by_training(network, &learnt.masks, learnt.repairs)?;
    Ok((planned, learnt.curve))
}

fn input_order(dense: &Dataflow) -> Result<crate::dataflow::Order> {
    let [input] = &dense.inputs[..] else {
        return Err(Error::user("networks with exactly one input are supported"));
    };
    Ok(dense.stream(input.stream).order)
}

/// Where layers begin: with the weights that stand in front of their quantisers.
fn starts(network: &Network, prepared: &Prepared) -> Result<BTreeMap<String, Start>> {
    let real = Real::new(network)?;
    let mut starts = BTreeMap::new();
    for node in &prepared.dense.nodes {
        let Some(mut start) = Start::of(node)? else {
            continue;
        };
        let product = prepared
            .products
            .iter()
            .find(|product| product.name == node.name);
        // What cannot be mended afterwards stays.
        let Some(product) = product else {
            continue;
        };
        let columns = match &node.layer {
            Layer::Mvau(mvau) => mvau.columns,
            Layer::Vvau(vvau) => vvau.sliding.positions(),
            _ => continue,
        };
        if let Some(levels) = &node.tensors.weights {
            start.weights = latent(network, &real, product, columns, levels.data());
        }
        let is_pruned = prepared.layers().any(|layer| layer == node.name);
        start.density = prepared.density(&node.name).filter(|_| is_pruned);
        if start.density.is_none() && is_pruned {
            start.mask = prepared.project(&node.name, &start.weights, 1.0);
        }
        starts.insert(node.name.clone(), start);
    }
    Ok(starts)
}
