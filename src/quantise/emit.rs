//! Products of the quantised network as nodes: the quantiser of the weights, the product itself, and its bias.
//! Must not know samples.

use super::student::Student;
use crate::error::Result;
use crate::network::{Binary, Node, Op, Quant, Rounding};
use crate::tensor::Tensor;

/// What weights are quantised with.
const WEIGHTS: Quant = Quant {
    signed: true,
    narrow: true,
    rounding: Rounding::HalfEven,
};

impl Student<'_> {
    /// Adds a product, the quantiser of its weights, and its bias.
    pub(super) fn emit(
        &mut self,
        node: &Node,
        shape: &[usize],
        (real, scales, bits): (Vec<f32>, &[f32], u32),
        bias: &[f32],
    ) -> Result<()> {
        let named = |what: &str| format!("{}.{what}", node.name);
        let draft = &mut self.draft;
        let mut along = vec![1; shape.len()];
        match node.op {
            Op::MatMul => along[1] = scales.len(),
            _ => along[0] = scales.len(),
        }
        let weights = draft.constant(named("weights"), Tensor::new(shape.to_vec(), real)?);
        let scale = draft.constant(named("weights.scale"), Tensor::new(along, scales.to_vec())?);
        let (op, onnx, mut inputs) = match bits {
            1 => (Op::BipolarQuant, "BipolarQuant", vec![weights, scale]),
            _ => (Op::Quant(WEIGHTS), "Quant", vec![weights, scale]),
        };
        if bits > 1 {
            inputs.push(draft.constant(named("weights.zero_point"), Tensor::scalar(0.0)));
            inputs.push(draft.constant(named("weights.bits"), Tensor::scalar(bits as f32)));
        }
        let quantised = draft.fresh(named("weights.quantised"), shape.to_vec());
        draft.add((named("weights.quantise"), onnx, op), inputs, quantised);
        let output = self.plain.network.value(node.output);
        let sums = draft.fresh(named("sums"), output.shape.clone());
        draft.keep(node, vec![self.ids[node.inputs[0].0], quantised], sums);
        let mut along = vec![1; output.shape.len()];
        let axis = match node.op {
            Op::MatMul => along.len() - 1,
            _ => 1,
        };
        along[axis] = bias.len();
        let bias = draft.constant(named("bias"), Tensor::new(along, bias.to_vec())?);
        let op = (named("add_bias"), "Add", Op::Binary(Binary::Add));
        draft.add(op, vec![sums, bias], node.output);
        Ok(())
    }
}
