//! Student: the network that becomes what is learnt, layer by layer.
//! Must not know how it is learnt.

use crate::dataflow::Node;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::prune::repair::Repair;
use crate::tensor::Tensor;

/// Gives a matrix product the weights of `repair`, and thresholds that see its sums through the straight lines.
///
/// # Errors
/// A bug where it does not fit.
pub(super) fn teach(node: &mut Node, repair: &Repair) -> Result<()> {
    let Layer::Mvau(mvau) = &mut node.layer else {
        return Err(Error::bug(format!("`{}` is no matrix product", node.name)));
    };
    let shape = vec![mvau.rows, mvau.columns];
    node.tensors.weights = Some(Tensor::new(shape, repair.levels.clone())?);
    let Some(activation) = &mut mvau.activation else {
        return Ok(());
    };
    let (values, flip) = node
        .tensors
        .thresholds(activation.rows, activation.levels)?;
    let lists = values.chunks_exact(activation.levels.max(1)).cycle();
    let lines = repair.gain.iter().zip(&repair.offset);
    let moved = lines.zip(lists).flat_map(|((gain, offset), list)| {
        // The first sum that is seen at or above the threshold.
        list.iter()
            .map(move |threshold| ((*threshold as f64 - offset) / gain).ceil() as i64)
    });
    let moved: Vec<i64> = moved.collect();
    let flips: Vec<i32> = flip.iter().cycle().take(mvau.rows).copied().collect();
    activation.rows = mvau.rows;
    node.tensors.thresholds = Some(Tensor::new(vec![mvau.rows, activation.levels], moved)?);
    node.tensors.flip = Some(Tensor::new(vec![mvau.rows], flips)?);
    Ok(())
}
