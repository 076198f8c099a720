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
/// Where the quantiser makes weights much larger (one bit, or rounding up) that gain is negative. Then all are
/// lifted until the least is 0, so that shares of their sum mean something: as many weights are kept
/// whichever they are, so the choice stays the same.
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
    Ok(lifted(pairs.map(|(w, q)| q * (2.0 * w - q)).collect()))
}

/// The gains, all raised by as much as the least of them is below 0.
fn lifted(gains: Vec<f64>) -> Vec<f64> {
    let least = gains.iter().copied().fold(0.0, f64::min);
    gains.into_iter().map(|gain| gain - least).collect()
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
        return Ok(known(id)?.into_owned());
    };
    let first = node.inputs.first();
    let first = first.ok_or_else(|| Error::bug("a constant is made of nothing"))?;
    let source = trained(network, real, producers, *first)?;
    if node.op.is_quantiser() || matches!(node.op, Op::Unary(crate::network::Unary::Identity)) {
        return Ok(source);
    }
    let others = node.inputs[1..].iter().map(|id| known(*id));
    let others = others.collect::<Result<Vec<_>>>()?;
    let mut inputs = vec![&source];
    inputs.extend(others.iter().map(|known| &**known));
    evaluate(node, &inputs, &network.value(id).shape)
}

#[cfg(test)]
mod tests {
    use super::lifted;

    #[test]
    fn only_losses_lift() {
        assert_eq!(lifted(vec![-0.75, 0.25, 0.0]), [0.0, 1.0, 0.75]);
        assert_eq!(lifted(vec![0.5, 0.25]), [0.5, 0.25]);
    }
}
