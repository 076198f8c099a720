//! The duplicate layer in the library's terms.
//! Must not know other layers.

use super::module::Module;
use crate::layer::{Duplicate, Hardware};

/// The module of a fork.
pub(super) fn module(layer: &Duplicate) -> Module {
    Module {
        name: "finnp_duplicate",
        title: format!(
            "Duplicate: {} streams of {} elements.",
            layer.copies, layer.element
        ),
        parameters: vec![
            Module::number("WIDTH", layer.input().word_bits()),
            Module::number("COPIES", layer.copies),
        ],
        memories: vec![],
    }
}
