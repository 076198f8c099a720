//! The add layer in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::Add;

/// The module of an addition.
pub(super) fn module(layer: &Add) -> Module {
    let [a, b] = layer.inputs;
    let mut parameters = vec![Module::number("PE", layer.pe)];
    parameters.extend(Module::element(["A_BITS", "A_KIND"], a));
    parameters.push(Module::wide("A_GAIN", layer.gains[0]));
    parameters.extend(Module::element(["B_BITS", "B_KIND"], b));
    parameters.push(Module::wide("B_GAIN", layer.gains[1]));
    parameters.push(Module::number("OUT_BITS", layer.output.bits()));
    Module {
        name: "finnp_add",
        title: format!("Add: {} of {a} and {b} elements.", layer.output),
        parameters,
        memories: vec![],
    }
}
