//! Latent weights: the real numbers of which the levels of a layer are the nearest.
//! Must not know how they are trained.

use crate::network::{Network, Op};
use crate::pass::Product;
use crate::reference::Real;

/// A latent weight may be so far from its level, in levels, beside one bit: where it is farther, another quantiser
/// stands behind the one that was found.
const FAR: f64 = 0.7;

/// The latent weights of `product`, `[rows, columns]` in the layer's order and in units of its levels: those in front
/// of the quantiser that makes its weights, where that is what makes them; the levels where nothing else is known.
pub fn latent(
    network: &Network,
    real: &Real<'_>,
    product: &Product,
    columns: usize,
    levels: &[i32],
) -> Vec<f64> {
    let plain: Vec<f64> = levels.iter().map(|level| f64::from(*level)).collect();
    let mut at = product.weights;
    let node = loop {
        match network.nodes.iter().find(|node| node.output == at) {
            Some(node) if matches!(node.op, Op::Quant(_) | Op::BipolarQuant) => break node,
            Some(node) if !node.inputs.is_empty() => at = node.inputs[0],
            _ => return plain,
        }
    };
    let [Some(known), Some(scale)] = [0, 1].map(|input| real.constant(node.inputs[input])) else {
        return plain;
    };
    let Some(scale) = scale.real.broadcast(known.real.shape()) else {
        return plain;
    };
    if known.real.len() != levels.len() {
        return plain;
    }
    let found = plain.iter().enumerate().map(|(at, level)| {
        let index = product.place.index(at / columns, at % columns);
        let latent = known.real.data()[index] / scale.data()[index];
        match (latent - level).abs() < FAR || node.op == Op::BipolarQuant {
            true => latent,
            false => *level,
        }
    });
    found.collect()
}
