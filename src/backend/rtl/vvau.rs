//! The depthwise unit in the library's terms.
//! Must not know other layers.

use super::module::Module;
use super::window::{parameters, view};
use crate::layer::{Hardware, Vvau};

/// The module of a VVAU.
pub(super) fn module(layer: &Vvau) -> Module {
    let output = layer.output().element;
    let activation = layer.activation.as_ref();
    let padding = layer.sliding.window.is_padded().then_some(layer.pad);
    let mut parameters = parameters(&layer.sliding);
    parameters.extend([
        Module::number("PE", layer.pe),
        Module::number("SIMD", layer.simd),
    ]);
    parameters.extend(Module::element(["IN_BITS", "IN_KIND"], layer.input));
    let input = layer.input.widened(padding);
    parameters.extend(Module::element(["X_BITS", "X_KIND"], input));
    parameters.push(Module::wide("PAD", layer.pad));
    parameters.extend(Module::weight(layer.weight));
    parameters.push(Module::number("ACC_BITS", layer.accumulator.bits()));
    parameters.extend(Module::activation(activation));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], output));
    Module {
        name: "finnp_vvau",
        title: format!(
            "Depthwise unit: {}, {} weights, {output} outputs.",
            view(&layer.sliding, layer.input),
            layer.weight
        ),
        parameters,
        memories: Module::memories(&["weights"], activation),
    }
}
