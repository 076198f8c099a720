//! The concat layer in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Concat, Hardware, Port};

/// The module of a concatenation.
pub(super) fn module(layer: &Concat) -> Module {
    let inputs = layer.inputs();
    let of_each = |number: fn(&Port) -> u64| inputs.iter().map(number).map(u64::cast_signed);
    let kind = |port: &Port| u64::from(Module::code_kind(port.element));
    let gains = layer.inputs.iter().map(|part| part.gain);
    let all: u32 = inputs.iter().map(|port| port.element.bits()).sum();
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("INPUTS", inputs.len()),
        Module::numbers("WORDS", 32, of_each(|port| port.words_per_pixel() as u64)),
        Module::numbers(
            "IN_BITS",
            32,
            of_each(|port| u64::from(port.element.bits())),
        ),
        Module::numbers("IN_KIND", 32, of_each(kind)),
        Module::numbers("GAINS", 64, gains),
        Module::number("ALL_BITS", all),
    ];
    parameters.extend(Module::element(["OUT_BITS", "OUT_KIND"], layer.output));
    Module {
        name: "finnp_concat",
        title: format!(
            "Concat: the {} channels of {} streams.",
            layer.output().channels,
            inputs.len()
        ),
        parameters,
        memories: vec![],
    }
}
