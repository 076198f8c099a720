//! `Start`: where a layer begins to learn.
//! Must not know how.

use crate::dataflow::Node;
use crate::error::Result;
use crate::layer::Layer;
use crate::prune::Repair;

/// Where a layer begins, in units of its integers.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// `[rows, columns]`, of a depthwise layer `[channels, positions]`: real weights of which the levels are the
    /// nearest, or the levels themselves.
    pub weights: Vec<f64>,
    /// Of the same shape: which are kept. Where there is a density, all are at first.
    pub mask: Vec<bool>,
    /// The share that is to be kept in the end; without it the mask stays.
    pub density: Option<f64>,
    /// Smallest and largest level that the layer's quantiser allows, both inside the type of its weights.
    pub range: (i64, i64),
    /// `[rows]`, above 0: the activation begins with `gain * sum + offset`. Empty for 1.
    pub gain: Vec<f64>,
    /// `[rows]`, in units of the sum. Empty for 0.
    pub offset: Vec<f64>,
}

impl Start {
    /// The layer as it is, all weights kept; none where it cannot learn.
    ///
    /// # Errors
    /// A bug where its weights do not fit.
    pub fn of(node: &Node) -> Result<Option<Self>> {
        let (shape, grid) = match &node.layer {
            Layer::Mvau(mvau) if mvau.groups == 1 => ([mvau.rows, mvau.columns], mvau.weight),
            Layer::Vvau(vvau) => {
                let sliding = &vvau.sliding;
                ([sliding.channels, sliding.positions()], vvau.weight)
            }
            _ => return Ok(None),
        };
        let weights = node.tensors.weights(&shape)?;
        Ok(Some(Start {
            weights: weights.iter().map(|w| f64::from(*w)).collect(),
            mask: vec![true; weights.len()],
            density: None,
            range: (grid.min(), grid.max()),
            gain: Vec::new(),
            offset: Vec::new(),
        }))
    }

    /// A layer that was repaired; weights of level 0 are not kept.
    pub fn repaired(repair: &Repair) -> Self {
        Start {
            weights: repair.levels.iter().map(|w| f64::from(*w)).collect(),
            mask: repair.levels.iter().map(|w| *w != 0).collect(),
            density: None,
            range: (i64::MIN, i64::MAX),
            gain: repair.gain.clone(),
            offset: repair.offset.clone(),
        }
    }
}
