//! The language of each layer's hardware, as the manifest asks.
//! Must not know how hardware is written.

use crate::backend::Language;
use crate::dataflow::Dataflow;
use crate::manifest::{Backend, Manifest};

/// The languages of the layers of a network, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Languages(Vec<Language>);

/// Whether a manifest asks for SystemVerilog for some layer; what its entries match is for others to say.
pub fn some_rtl(manifest: &Manifest) -> bool {
    let entries = manifest.layers.iter().filter_map(|layer| layer.backend);
    entries
        .chain([manifest.target.backend])
        .any(|backend| backend != Backend::Hls)
}

/// Whether a manifest asks for C++ for some layer; what its entries match is for others to say.
pub(super) fn some_cpp(manifest: &Manifest) -> bool {
    let entries = manifest.layers.iter().filter_map(|layer| layer.backend);
    entries
        .chain([manifest.target.backend])
        .any(|backend| backend == Backend::Hls)
}

/// The language of the layer of that name. What joins layers has the language of the project, unless an entry names it.
pub(super) fn language(manifest: &Manifest, layer: &str) -> Language {
    let own = manifest.choice(layer).backend.map(|(backend, _)| backend);
    match own.unwrap_or(manifest.target.backend) {
        Backend::Hls => Language::Cpp,
        // The library has a module for every layer.
        Backend::Rtl | Backend::Auto => Language::SystemVerilog,
    }
}

impl Languages {
    /// Those of the layers of `folded`.
    pub(super) fn of(manifest: &Manifest, folded: &Dataflow) -> Self {
        let names = folded.nodes.iter().map(|node| &node.name);
        Languages(names.map(|name| language(manifest, name)).collect())
    }

    /// The languages, in the order of the layers.
    pub(super) fn each(&self) -> &[Language] {
        &self.0
    }

    /// Whether some layer is written in SystemVerilog.
    pub(super) fn some_rtl(&self) -> bool {
        self.0.contains(&Language::SystemVerilog)
    }

    /// Whether all layers are, so that SystemVerilog joins them too.
    pub(super) fn all_rtl(&self) -> bool {
        !self.0.contains(&Language::Cpp)
    }

    /// Of things of which there is one for each layer those of the layers in SystemVerilog.
    pub(super) fn rtl<'a, T>(&'a self, of_layers: &'a [T]) -> impl Iterator<Item = &'a T> {
        let pairs = of_layers.iter().zip(&self.0);
        pairs
            .filter(|(_, language)| **language == Language::SystemVerilog)
            .map(|(of_layer, _)| of_layer)
    }
}
