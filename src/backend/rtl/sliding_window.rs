//! The sliding window in the library's terms.
//! Must not know other layers.

use super::module::Module;
use super::window::{parameters, view};
use crate::layer::SlidingWindow;

/// The module of a sliding window.
pub(super) fn module(layer: &SlidingWindow) -> Module {
    let mut parameters = parameters(&layer.sliding);
    parameters.extend([
        Module::number("GROUPS", layer.groups),
        Module::number("PE", layer.pe),
        Module::number("SIMD", layer.simd),
    ]);
    parameters.extend(Module::element(["IN_BITS", "IN_KIND"], layer.input));
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], layer.output));
    parameters.push(Module::wide("PAD", layer.pad));
    Module {
        name: "finnp_sliding_window",
        title: format!("Sliding window: {}.", view(&layer.sliding, layer.input)),
        parameters,
        memories: vec![],
    }
}
