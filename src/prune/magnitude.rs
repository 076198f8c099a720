//! Method `magnitude`: a weight is worth what its loss would cost the weight matrix itself.
//! Must not know patterns.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, ValueId};
use crate::reference::{Known, Real, evaluate};

/// Name in the manifest.
pub(super) const NAME: &str = "magnitude";

/// Gain of keeping each weight of the tensor `weights`, after quantisation: with w the trained weight and q
/// its quantised value the squared error falls from `w^2` to `(w - q)^2`. For weights of one bit that is a
/// ranking by absolute value.
///
/// # Errors
/// A bug if the tensor is not made from constants.
pub(super) fn scores(network: &Network, real: &Real<'_>, weights: ValueId) -> Result<Vec<f64>> {
    let quantised = real
        .constant(weights)
        .ok_or_else(|| Error::bug("the weights of a layer are not constants"))?;
    let producers: BTreeMap<ValueId, &Node> = network
        .nodes
        .iter()
        .map(|node| (node.output, node))
        .collect();
    let trained = trained(network, real, &producers, weights)?;
    let pairs = trained.real.data().iter().zip(quantised.real.data());
    Ok(pairs.map(|(w, q)| q * (2.0 * w - q)).collect())
}

/// The tensor as it would be without its quantisers.
fn trained(
    network: &Network,
    real: &Real<'_>,
    producers: &BTreeMap<ValueId, &Node>,
    id: ValueId,
) -> Result<Known> {
    let known = |id: ValueId| {
        let known = real.constant(id);
        known.ok_or_else(|| Error::bug("the weights of a layer are not constants"))
    };
    let Some(node) = producers.get(&id) else {
        return Ok(known(id)?.clone());
    };
    let first = node.inputs.first();
    let first = first.ok_or_else(|| Error::bug("a constant is made of nothing"))?;
    let source = trained(network, real, producers, *first)?;
    if node.op.is_quantiser() || matches!(node.op, Op::Unary(crate::network::Unary::Identity)) {
        return Ok(source);
    }
    let mut inputs = vec![&source];
    for id in &node.inputs[1..] {
        inputs.push(known(*id)?);
    }
    evaluate(node, &inputs, &network.value(id).shape)
}
