//! `misfit`: whether a layer may have a certain PE or SIMD, and if not, why.
//! Must not know who asks for it.

use super::LARGEST_WORD_BITS;
use crate::layer::{Layer, Parallelism, Range};

/// Why a parameter of a layer cannot have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What stands behind the name of the layer.
    pub why: String,
    /// What to choose instead.
    pub help: Option<String>,
}

/// Why `pe` or `simd`, which `key` names, cannot be `value` in this layer; `None` if it can.
pub fn misfit(layer: &Layer, key: &str, value: usize) -> Option<Misfit> {
    let (hardware, pe) = (layer.hardware(), key == "pe");
    let limits = hardware.limits();
    let kind = hardware.kind();
    match if pe { limits.pe } else { limits.simd } {
        None => Some(Misfit {
            why: format!("is a {kind} and has no `{key}`"),
            help: None,
        }),
        Some(range) if !range.allows(value) => {
            let (why, help) = outside(kind, key, value, &range);
            Some(Misfit {
                why,
                help: Some(help),
            })
        }
        Some(_) => wide(layer, key, value).map(|why| Misfit { why, help: None }),
    }
}

/// Why a parameter cannot be `value`, and what it can be.
fn outside(kind: &str, key: &str, value: usize, range: &Range) -> (String, String) {
    match range {
        Range::UpTo(limit) => {
            let what = if key == "pe" { "rows" } else { "columns" };
            (
                format!("has {limit} {what}, so `{key}` cannot be {value}"),
                format!("choose `{key}` from {}; it need not divide", range.words()),
            )
        }
        Range::OneOf(_) if matches!(kind, "mvau_bcr" | "mvau_rc") => (
            format!("is pruned in blocks that do not allow `{key} = {value}`"),
            format!("choose `{key}` among {}, or other blocks", range.words()),
        ),
        Range::OneOf(_) => (
            format!("is a {kind} that does not allow `{key} = {value}`"),
            format!("choose `{key}` among {}", range.words()),
        ),
    }
}

/// A word that no tool accepts.
fn wide(layer: &Layer, key: &str, value: usize) -> Option<String> {
    let layer = layer.clone().folded(Parallelism {
        pe: (key == "pe").then_some(value),
        simd: (key == "simd").then_some(value),
    });
    let (input, output) = (layer.hardware().input(), layer.hardware().output());
    let bits = input.word_bits().max(output.word_bits());
    (bits > LARGEST_WORD_BITS).then(|| {
        format!(
            "would have words of {bits} bits with `{key} = {value}`; {LARGEST_WORD_BITS} is the most"
        )
    })
}
