//! What quantising did, and what it cost on the samples.
//! Must not know how it was done.

use serde::{Deserialize, Serialize};

/// What became of a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Samples that were looked at.
    pub samples: usize,
    /// Tensors that got a quantiser, in the network's order.
    pub tensors: Vec<OfTensor>,
    /// Products, in the network's order.
    pub layers: Vec<OfLayer>,
}

/// A tensor that got a quantiser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfTensor {
    /// Its name in the float network.
    pub name: String,
    /// Bits of its integers.
    pub bits: u32,
    /// Whether they are below 0 too.
    pub signed: bool,
    /// What one of them stands for.
    pub scale: f64,
    /// Whether its channels are divided by factors first, which the next layer's weights take back.
    pub equalised: bool,
    /// Variance over the mean square of what this quantiser alone loses, in decibels; none where it loses nothing.
    pub snr_db: Option<f64>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfLayer {
    /// Its name.
    pub name: String,
    /// Bits of its weights.
    pub weights: u32,
    /// Variance of the float network's sums over the mean square of what those of the quantised one are off, all layers
    /// up to this one together, in decibels.
    pub snr_db: Option<f64>,
}

/// A ratio of squares in decibels, to a hundredth.
pub(super) fn decibels([lost, all]: [f64; 2]) -> Option<f64> {
    let ratio = 10.0 * (all / lost).log10();
    ratio.is_finite().then(|| (ratio * 100.0).round() / 100.0)
}
