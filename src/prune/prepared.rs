//! `Prepared`: a network of which is known in which form each layer loses weights, and what becomes of it.
//! Must not know how a mask enters the network.

use std::collections::BTreeMap;

use super::matrix::{Chain, Matrix, chain};
use super::obs::{self, Curve};
use super::plan::{Choices, Wanted, alive, blocks, kept, pattern, placed, pruned};
use super::repair::Repair;
use super::{Mask, Plan, arrange, none};
use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::layer::Balance;
use crate::network::Network;
use crate::pass::{Grid, Product, fuse, products};

/// A plan with all that makes the network keep to it.
#[derive(Default)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// For each layer that loses weights.
    pub masks: Vec<Mask>,
    /// For each layer that learns.
    pub repairs: Vec<Repair>,
    /// For each layer whose weights are decided by `obs`, how its loss grew.
    pub curves: Vec<Curve>,
}

/// A network of which is known in which form each layer loses weights, and not yet which.
pub struct Prepared {
    /// The integer network, all weights there, activations inside the layers before them.
    pub dense: Dataflow,
    /// Its products and depthwise convolutions.
    pub products: Vec<Product>,
    chain: Chain,
    wanted: Vec<Wanted>,
    orders: Vec<Vec<usize>>,
    blocks: Vec<Option<Balance>>,
}

/// Decides in which form `network` loses weights; `input` and `labels` as in [`crate::pass::streamline`]. Where there
/// are samples, in row-major order of its input, they tell what weights are worth. `None` where it loses none.
///
/// # Errors
/// A user error at the key that does not fit a layer, with what would; those of streamlining.
pub fn prepare(
    network: &Network,
    input: Option<&Grid>,
    labels: bool,
    choices: Choices<'_>,
    frames: Option<&[Vec<i64>]>,
) -> Result<Option<Prepared>> {
    let (dense, products) = products(network, input, labels)?;
    let dense = fuse(dense)?;
    let mut chain = chain(network, &dense, &products)?;
    let wanted: Vec<_> = chain
        .matrices
        .iter()
        .map(|matrix| choices(&matrix.name))
        .collect();
    if wanted
        .iter()
        .all(|(pruning, _)| pattern(pruning) == none::NAME)
    {
        return Ok(None);
    }
    if let Some(frames) = frames {
        obs::weigh(&mut chain, &dense, frames)?;
    }
    let mut orders = alive(&chain, &wanted)?;
    let blocks = chain
        .matrices
        .iter()
        .zip(&wanted)
        .map(|(matrix, wanted)| blocks(&chain, matrix, &orders, wanted))
        .collect::<Result<Vec<Option<Balance>>>>()?;
    arrange::arrange(&chain, &blocks, &mut orders);
    Ok(Some(Prepared {
        dense,
        products,
        chain,
        wanted,
        orders,
        blocks,
    }))
}

/// What is removed from `network` where the weights stay that are worth most: the plan, and a mask for each layer that
/// loses weights. Arguments as of [`prepare`].
///
/// # Errors
/// Those of [`prepare`].
pub fn plan(
    network: &Network,
    input: Option<&Grid>,
    labels: bool,
    choices: Choices<'_>,
) -> Result<(Plan, Vec<Mask>)> {
    let planned = match prepare(network, input, labels, choices, None)? {
        Some(prepared) => prepared.by_size(network)?,
        None => Planned::default(),
    };
    Ok((planned.plan, planned.masks))
}

impl Prepared {
    /// Keeps the weights that are worth most, as they are.
    ///
    /// # Errors
    /// A bug where masks do not fit.
    pub fn by_size(&self, network: &Network) -> Result<Planned> {
        let pairs = self.chain.matrices.iter().zip(&self.blocks);
        let kept = pairs.map(|(matrix, blocks)| kept(&self.chain, matrix, &self.orders, *blocks));
        self.planned(network, &kept.collect::<Vec<_>>())
    }

    /// Decides by method `obs`, on samples in row-major order of the network's input. `told` hears of each layer that
    /// is done, and may stop it.
    ///
    /// # Errors
    /// Those of `told`; a bug where samples do not fit.
    pub fn by_loss(
        &self,
        network: &Network,
        frames: &[Vec<i64>],
        told: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Planned> {
        let forms = (&self.orders[..], &self.blocks[..]);
        let learnt = obs::learn((&self.chain, &self.dense), forms, frames, told)?;
        let (mut repairs, mut curves) = (Vec::new(), Vec::new());
        let kept = learnt.into_iter().map(|outcome| {
            if let Some((repair, curve)) = outcome.learnt {
                repairs.push(repair);
                curves.push(curve);
            }
            outcome.kept
        });
        let planned = self.planned(network, &kept.collect::<Vec<_>>())?;
        Ok(Planned {
            repairs,
            curves,
            ..planned
        })
    }

    /// What somebody else has learnt: by layer, `[rows, columns]`, the weights that stay; of layers that are not there
    /// those that are worth most.
    ///
    /// # Errors
    /// A bug where masks do not fit.
    pub fn by_training(
        &self,
        network: &Network,
        masks: &BTreeMap<String, Vec<bool>>,
        repairs: Vec<Repair>,
    ) -> Result<Planned> {
        let pairs = self.chain.matrices.iter().zip(&self.blocks);
        let kept = pairs.map(|(matrix, blocks)| match masks.get(&matrix.name) {
            Some(mask) => mask.clone(),
            None => kept(&self.chain, matrix, &self.orders, *blocks),
        });
        let planned = self.planned(network, &kept.collect::<Vec<_>>())?;
        Ok(Planned { repairs, ..planned })
    }

    /// Names of the layers that can lose weights, in order.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.chain
            .matrices
            .iter()
            .map(|matrix| matrix.name.as_str())
    }

    /// The share of its weights that a layer shall keep, if blocks decide which.
    pub fn density(&self, layer: &str) -> Option<f64> {
        let (_, blocks) = self.find(layer)?;
        blocks.map(|blocks| blocks.density())
    }

    /// For scores `[rows, columns]` of a layer, in its old order, the mask of that density that its form allows with
    /// the largest sum. Densities are those of blocks that keep more than in the end, or as much.
    pub fn project(&self, layer: &str, scores: &[f64], density: f64) -> Vec<bool> {
        let Some((matrix, blocks)) = self.find(layer) else {
            return vec![true; scores.len()];
        };
        let blocks = blocks.map(|blocks| blocks.fuller(density));
        placed(&self.chain, (matrix, scores), &self.orders, blocks)
    }

    fn find(&self, layer: &str) -> Option<(&Matrix, Option<Balance>)> {
        let mut pairs = self.chain.matrices.iter().zip(&self.blocks);
        let found = pairs.find(|(matrix, _)| matrix.name == layer)?;
        Some((found.0, *found.1))
    }

    /// The plan where these weights, `[rows, columns]` layer by layer, stay.
    fn planned(&self, network: &Network, kept: &[Vec<bool>]) -> Result<Planned> {
        let mut planned = Planned::default();
        let layers = self.chain.matrices.iter().zip(&self.blocks);
        for (((matrix, blocks), (pruning, _)), kept) in layers.zip(&self.wanted).zip(kept) {
            let layer = pruned(matrix, kept, *blocks, pruning);
            planned.plan.layers.push(layer);
            if kept.contains(&false) {
                let shape = &network.value(matrix.weights).shape;
                planned.masks.push(Mask::new(matrix, shape, kept)?);
            }
            let named = blocks.map(|blocks| (matrix.name.clone(), blocks));
            planned.plan.rearrangement.blocks.extend(named);
        }
        planned.plan.rearrangement.orders = moved(&self.chain, &self.orders);
        Ok(planned)
    }
}

/// By tensor, the channels of the classes that move.
fn moved(chain: &Chain, orders: &[Vec<usize>]) -> BTreeMap<String, Vec<usize>> {
    let mut moved = BTreeMap::new();
    for (class, order) in chain.classes.iter().zip(orders) {
        if !order.iter().copied().eq(0..class.channels) {
            let tensors = class.tensors.iter();
            moved.extend(tensors.map(|tensor| (tensor.clone(), order.clone())));
        }
    }
    moved
}
