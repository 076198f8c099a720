//! `BatchNormalization` for tract. tract's own reads past the end of a shape without a channel axis, which no
//! panic handler catches; this one refuses it.
//! Must not know `Network`.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attribute::Attributes;

#[derive(Debug, Clone, Copy)]
struct BatchNorm {
    epsilon: f32,
}

/// Reads the node as tract asks for it.
pub(super) fn read(
    _: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let epsilon = Attributes(node).float("epsilon", 1e-5) as f32;
    Ok((expand(BatchNorm { epsilon }), vec![]))
}

impl Expansion for BatchNorm {
    fn name(&self) -> StaticName {
        "BatchNormalization".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 5)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)?;
        for parameter in &inputs[1..] {
            solver.equals(&parameter.rank, 1)?;
        }
        solver.given(&inputs[0].shape, move |solver, shape| {
            let channels = shape.get(1).context("no channel axis")?;
            for parameter in &inputs[1..] {
                solver.equals(&parameter.shape[0], channels.clone())?;
            }
            Ok(())
        })
    }

    /// `slope * x + offset`, as tract has it.
    fn wire(
        &self,
        prefix: &str,
        target: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let rank = target.outlet_fact(inputs[0])?.rank();
        let mut parameters: Vec<Vec<f32>> = Vec::new();
        for input in &inputs[1..] {
            let constant = target.outlet_fact(*input)?.konst.clone();
            let constant = constant.context("parameters are not constants")?;
            let constant = constant.cast_to::<f32>()?;
            let values = constant.to_plain_array_view::<f32>()?;
            parameters.push(values.iter().copied().collect());
        }
        let [gain, bias, mean, variance] = &parameters[..] else {
            bail!("{} parameters", parameters.len())
        };
        ensure!(rank >= 2, "no channel axis");
        ensure!(
            parameters.iter().all(|list| list.len() == gain.len()),
            "parameters of different lengths"
        );
        let root = |channel: usize| (variance[channel] + self.epsilon).sqrt();
        let slope: Vec<f32> = (0..gain.len()).map(|c| gain[c] / root(c)).collect();
        let offset: Vec<f32> = (0..gain.len())
            .map(|c| bias[c] - mean[c] * gain[c] / root(c))
            .collect();
        let mut shape = vec![1; rank];
        shape[1] = gain.len();
        let slope = target.add_const(
            format!("{prefix}.slope"),
            Tensor::from_shape(&shape, &slope)?,
        )?;
        let offset = target.add_const(
            format!("{prefix}.offset"),
            Tensor::from_shape(&shape, &offset)?,
        )?;
        let scaled = target.wire_node(
            format!("{prefix}.mul"),
            tract_onnx::tract_core::ops::math::mul(),
            &[slope, inputs[0]],
        )?;
        target.wire_node(
            prefix,
            tract_onnx::tract_core::ops::math::add(),
            &[offset, scaled[0]],
        )
    }
}
