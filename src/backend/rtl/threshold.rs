//! The threshold layer in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Threshold, grouping};

/// The module of a threshold layer.
pub(super) fn module(layer: &Threshold) -> Module {
    let (channels, _) = grouping(layer);
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("WORDS", channels.div_ceil(layer.pe)),
    ];
    parameters.extend(Module::element(["IN_BITS", "IN_KIND"], layer.input));
    parameters.extend(Module::activation(Some(&layer.activation)));
    let output = layer.activation.output;
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], output));
    Module {
        name: "finnp_threshold",
        title: format!(
            "Thresholds: {} channels, {} inputs, {output} outputs.",
            layer.channels, layer.input
        ),
        parameters,
        memories: vec!["thresholds", "flip"],
    }
}
