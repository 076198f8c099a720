//! Memories as text: decimal numbers with a comma after each, so that the same file is read by C simulation and
//! included as an initialiser by synthesis.
//! Must not know C++ beyond that.

use std::fmt::Write as _;

use crate::error::Result;
use crate::layer::{self, Layer, Memory, Tensors};

/// `(file, text)` of every memory of a layer.
///
/// # Errors
/// A bug where the tensors do not fit the layer.
pub fn memories(layer: &Layer, tensors: &Tensors) -> Result<Vec<(String, String)>> {
    let memories = layer::memories(layer, tensors)?;
    let file = |memory: Memory| {
        let mut text = String::with_capacity(memory.codes.len() * 3);
        for line in memory.lines() {
            for code in line {
                // Writing to a string never fails.
                let _ = write!(text, "{code},");
            }
            text.push('\n');
        }
        (format!("{}.dat", memory.name), text)
    };
    Ok(memories.into_iter().map(file).collect())
}
