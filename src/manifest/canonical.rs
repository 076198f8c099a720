//! The values of a manifest as text that means the same wherever it is equal.
//! Must not know what the text is used for.

use super::key::{Form, KEYS, Key};
use super::{Layout, Manifest, Pruning, Rate};

/// Lines `section.key = value` of a part of the manifest; see [`Manifest::canonical`].
pub(super) fn text(manifest: &Manifest, part: &str) -> String {
    let mut lines = String::new();
    let asked = |key: &&Key| {
        let inside = part
            .strip_prefix(key.section)
            .and_then(|rest| rest.strip_prefix('.'));
        part.is_empty() || part == key.section || inside == Some(key.name)
    };
    for key in KEYS
        .iter()
        .filter(asked)
        .filter(|key| key.section != "layer")
    {
        if let Some(value) = value(manifest, key) {
            lines += &format!("{}.{} = {value}\n", key.section, key.name);
        }
    }
    for (at, layer) in manifest.layers.iter().enumerate() {
        for key in KEYS
            .iter()
            .filter(asked)
            .filter(|key| key.section == "layer")
        {
            let value = match key.name {
                "match" => Some(format!("{:?}", layer.pattern)),
                "pe" => layer.pe.map(|pe| pe.to_string()),
                "backend" => layer.backend.map(|backend| format!("\"{backend}\"")),
                "multiplier" => layer.dsp.map(multiplier),
                "simd" => layer.simd.map(|simd| simd.to_string()),
                "weights" | "activations" => layer.bits.canonical(key.name),
                name => pruned(&layer.pruning, name),
            };
            if let Some(value) = value {
                lines += &format!("layer[{at}].{} = {value}\n", key.name);
            }
        }
    }
    lines
}

fn value(manifest: &Manifest, key: &Key) -> Option<String> {
    if matches!(key.form, Form::File | Form::Path) {
        return None;
    }
    let grid = manifest.input.grid.as_ref();
    match (key.section, key.name) {
        ("project", "name") => Some(format!("{:?}", manifest.project.name)),
        ("input", "type") => grid.map(|grid| format!("\"{}\"", grid.data_type)),
        ("input", "scale") => grid.map(|grid| number(grid.scale)),
        ("input", "zero_point") => grid.map(|grid| grid.zero_point.to_string()),
        ("input", "layout") => Some(match manifest.input.layout {
            Layout::Nhwc => "\"NHWC\"".to_owned(),
            Layout::Nchw => "\"NCHW\"".to_owned(),
        }),
        ("output", "labels") => Some(manifest.output.labels.to_string()),
        ("target", "board") => Some(format!("{:?}", manifest.target.board.name)),
        ("target", "clock_mhz") => Some(number(manifest.target.clock_mhz)),
        ("target", "fps") => manifest.target.fps.map(|fps| match fps {
            Rate::Max => "\"max\"".to_owned(),
            Rate::AtLeast(fps) => number(fps),
        }),
        ("target", "backend") => Some(format!("\"{}\"", manifest.target.backend)),
        ("target", "synthesis") => Some(format!(
            "{:?}",
            if manifest.target.yosys {
                "yosys"
            } else {
                "none"
            }
        )),
        ("target", "multiplier") => Some(multiplier(manifest.target.dsp)),
        ("quantize", name) => manifest.quantize?.bits().canonical(name),
        ("prune", "pattern") => {
            Some(pruned(&manifest.prune.pruning, "pattern").unwrap_or("\"none\"".to_owned()))
        }
        ("prune", "method") => Some(format!("{:?}", manifest.prune.method)),
        ("prune", name) => pruned(&manifest.prune.pruning, name),
        ("data", name) => manifest.data.as_ref()?.canonical(name),
        ("train", name) => manifest.train.canonical(name),
        ("calibration", name) => manifest.calibration.as_ref()?.canonical(name),
        ("verify", "samples") => manifest.verify.as_ref()?.samples.map(|n| n.to_string()),
        _ => None,
    }
}

fn multiplier(dsp: bool) -> String {
    format!("{:?}", if dsp { "dsp" } else { "lut" })
}

/// A value of `[prune]`, or of the keys that layers share with it.
fn pruned(pruning: &Pruning, name: &str) -> Option<String> {
    match name {
        "pattern" => pruning
            .pattern
            .as_ref()
            .map(|pattern| format!("{pattern:?}")),
        "density" => pruning.density.map(number),
        "block" => pruning.block.map(|block| format!("{block:?}")),
        "keep" => pruning.keep.map(|keep| keep.to_string()),
        "lanes" => pruning.lanes.map(|lanes| lanes.to_string()),
        _ => None,
    }
}

/// Shortest digits that give the same number: 144 for 144, 144.0 and 1.44e2.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
