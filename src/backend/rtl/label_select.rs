//! Label select in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Hardware, LabelSelect};

/// The module of a label select.
pub(super) fn module(layer: &LabelSelect) -> Module {
    let words = layer.input().words_per_pixel();
    let mut parameters = vec![
        Module::number("PE", layer.pe),
        Module::number("WORDS", words),
        Module::number("LAST", layer.channels - (words - 1) * layer.pe),
    ];
    parameters.extend(Module::element(["IN_BITS", "IN_KIND"], layer.input));
    parameters.push(Module::number("OUT_BITS", layer.output.bits()));
    Module {
        name: "finnp_label_select",
        title: format!(
            "Label select: {} channels, {} inputs, {} outputs.",
            layer.channels, layer.input, layer.output
        ),
        parameters,
        memories: Vec::new(),
    }
}
