//! Memories as text: one word a line, hexadecimal, the first code of a line in the lowest bits.
//! Must not know modules.

use super::module;
use crate::error::Result;
use crate::layer::{self, Layer, Memory, Tensors};

/// Files of the memories of a layer, in the order of its module's parameters; none if it holds nothing.
pub fn memory_files(layer: &Layer) -> Vec<String> {
    let names = module(layer).memories.into_iter();
    names.map(|name| format!("{name}.mem")).collect()
}

/// `(file, text)` of every memory of a layer.
///
/// # Errors
/// A bug where the tensors do not fit the layer.
pub fn memories(layer: &Layer, tensors: &Tensors) -> Result<Vec<(String, String)>> {
    let memories = layer::memories(layer, tensors)?;
    Ok(memories
        .iter()
        .map(|memory| (format!("{}.mem", memory.name), text(memory)))
        .collect())
}

fn text(memory: &Memory) -> String {
    let digits = (memory.per_line * memory.bits as usize).div_ceil(4);
    let mut text = String::with_capacity(memory.codes.len() / memory.per_line * (digits + 1));
    for line in memory.lines() {
        let mut nibbles = vec![0u8; digits];
        for (at, code) in line.iter().enumerate() {
            let first = at * memory.bits as usize;
            for bit in 0..memory.bits as usize {
                nibbles[(first + bit) / 4] |= ((code >> bit & 1) as u8) << ((first + bit) % 4);
            }
        }
        let digit = |nibble: &u8| char::from(b"0123456789abcdef"[usize::from(*nibble)]);
        text.extend(nibbles.iter().rev().map(digit));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_code_is_in_the_lowest_bits() {
        let memory = Memory {
            name: "weights",
            bits: 3,
            per_line: 3,
            codes: vec![1, -1, 2, 0, 0, 7],
        };
        assert_eq!(text(&memory), "0b9\n1c0\n");
    }
}
