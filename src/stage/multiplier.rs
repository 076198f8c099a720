//! What multiplies in each layer, as the manifest asks.
//! Must not know how parallelism is chosen.

use super::language::language;
use crate::backend::Language;
use crate::board::Family;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::layer::{Layer, Multiplier};
use crate::manifest::{Manifest, glob};

/// What multiplies in a layer of `dataflow`.
///
/// # Errors
/// A user error where DSP slices are asked for by name and cannot multiply there, or for layers that are all C++, or
/// the board has others.
pub(super) fn choice(manifest: &Manifest, dataflow: &Dataflow, node: &Node) -> Result<Multiplier> {
    let (dsp, entry) = match manifest.choice(&node.name).dsp {
        Some((dsp, entry)) => (dsp, Some(entry)),
        None => (manifest.target.dsp, None),
    };
    let types = match &node.layer {
        Layer::Mvau(mvau) => Some((mvau.weight, mvau.input)),
        Layer::MvauBcr(mvau) => Some((mvau.weight, mvau.input)),
        Layer::MvauRc(mvau) => Some((mvau.weight, mvau.input)),
        _ => None,
    };
    let able = types.is_some_and(|(weight, input)| Multiplier::rows(weight, input).is_some());
    let cpp = language(manifest, &node.name) == Language::Cpp;
    if !dsp || cpp {
        return match entry.filter(|entry| dsp && only_cpp(manifest, dataflow, entry)) {
            Some(entry) => Err(Error::user("HLS chooses multipliers by itself")
                .help("take `multiplier` away, or write `backend = \"rtl\"`")
                .at(entry.place("multiplier"))),
            None => Ok(Multiplier::Lut),
        };
    }
    if manifest.target.board.family != Family::UltrascalePlus {
        let place = match entry {
            Some(entry) => entry.place("multiplier"),
            None => manifest.place("target.multiplier"),
        };
        return Err(Error::user(format!(
            "the board {} has DSP slices of another kind: products are packed for those of UltraScale+",
            manifest.target.board.name
        ))
        .help("take `multiplier` away, or choose another board")
        .at(place));
    }
    match entry.filter(|entry| !able && !entry.pattern.contains(['*', '?'])) {
        _ if able => Ok(Multiplier::Dsp),
        Some(entry) => {
            let why = match types {
                Some((weight, input)) => {
                    format!("multiplies {weight} weights by {input} inputs")
                }
                None => "does not multiply a matrix".to_owned(),
            };
            Err(Error::user(format!("layer `{}` {why}", node.name))
                .help("DSP slices are for weights `int2` to `int8` and inputs of 2 to 8 bits")
                .at(entry.place("multiplier")))
        }
        None => Ok(Multiplier::Lut),
    }
}

/// Whether all layers that an entry matches are C++: a glob may well match layers of both languages.
fn only_cpp(manifest: &Manifest, dataflow: &Dataflow, entry: &crate::manifest::Layer) -> bool {
    let names = dataflow.nodes.iter().map(|node| node.name.as_str());
    names
        .filter(|name| glob::matches(&entry.pattern, name))
        .all(|name| language(manifest, name) == Language::Cpp)
}

/// The layers with what multiplies in them, by name.
pub(super) fn set(dataflow: &mut Dataflow, chosen: &[(String, Multiplier)]) {
    for node in &mut dataflow.nodes {
        let found = chosen.iter().find(|(name, _)| *name == node.name);
        let multiplier = found.map_or(Multiplier::Lut, |(_, multiplier)| *multiplier);
        match &mut node.layer {
            Layer::Mvau(mvau) => mvau.multiplier = multiplier,
            Layer::MvauBcr(mvau) => mvau.multiplier = multiplier,
            Layer::MvauRc(mvau) => mvau.multiplier = multiplier,
            _ => {}
        }
    }
}
