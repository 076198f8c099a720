//! Masks as tensors of the network: a factor of zeros and ones behind the weights' quantiser.
//! Must not know how they were chosen.

use super::matrix::Matrix;
use crate::error::{Error, Result};
use crate::network::{Binary, Network, Node, Op, Value};
use crate::tensor::Tensor;

/// Which weights of one matrix product stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Stable name of the product.
    pub layer: String,
    /// 1 or 0 for each element of the tensor of its weights.
    pub kept: Tensor<f32>,
}

impl Mask {
    /// From `[rows, columns]` in the layer's order, for a tensor of that shape.
    pub(super) fn new(matrix: &Matrix, shape: &[usize], kept: &[bool]) -> Result<Self> {
        let mut values = vec![0.0; kept.len()];
        for (at, kept) in kept.iter().enumerate() {
            let index = matrix.place.index(at / matrix.columns, at % matrix.columns);
            values[index] = if *kept { 1.0 } else { 0.0 };
        }
        Ok(Mask {
            layer: matrix.name.clone(),
            kept: Tensor::new(shape.to_vec(), values)?,
        })
    }
}

/// Puts the masks into the network, each between the weights and the product that reads them.
///
/// # Errors
/// A bug if a mask names no matrix product.
pub fn apply(mut network: Network, masks: &[Mask]) -> Result<Network> {
    for mask in masks {
        let found = network
            .nodes
            .iter()
            .position(|node| node.name == mask.layer && node.op.is_product());
        let at =
            found.ok_or_else(|| Error::bug(format!("`{}` is no matrix product", mask.layer)))?;
        let weights = network.nodes[at].inputs[1];
        let shape = mask.kept.shape().to_vec();
        let name = free(&network, format!("{}.mask", mask.layer));
        let factor = network.add_value(Value {
            name,
            shape: shape.clone(),
            constant: Some(mask.kept.clone()),
        });
        let name = free(&network, format!("{}.pruned", network.value(weights).name));
        let pruned = network.add_value(Value {
            name,
            shape,
            constant: None,
        });
        network.nodes[at].inputs[1] = pruned;
        let mut name = format!("{}.prune", mask.layer);
        while network.nodes.iter().any(|node| node.name == name) {
            name.push('_');
        }
        let node = Node {
            name,
            onnx: "Mul".to_owned(),
            op: Op::Binary(Binary::Mul),
            permutation: Vec::new(),
            inputs: vec![weights, factor],
            output: pruned,
        };
        network.nodes.insert(at, node);
    }
    network.verify("prune")?;
    Ok(network)
}

/// `wanted` as the name of another tensor.
fn free(network: &Network, mut wanted: String) -> String {
    while network.values.iter().any(|value| value.name == wanted) {
        wanted.push('_');
    }
    wanted
}
