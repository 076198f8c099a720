//! Words as they lie on the wires of a stream, in bytes.
//! Must not know layers.

use super::Port;
use crate::tensor::DataType;

impl DataType {
    /// The bit pattern of a value, in the lowest bits.
    pub fn code(self, value: i64) -> u64 {
        let mask = u64::MAX >> (64 - self.bits());
        match self {
            DataType::Bipolar => u64::from(value > 0),
            _ => value.cast_unsigned() & mask,
        }
    }

    /// The value of a bit pattern; bits above the type's are ignored.
    pub fn value(self, code: u64) -> i64 {
        let above = 64 - self.bits();
        match self {
            DataType::Bipolar => (code & 1) as i64 * 2 - 1,
            DataType::Uint(_) => (code << above >> above).cast_signed(),
            DataType::Int(_) | DataType::Ternary => (code << above).cast_signed() >> above,
        }
    }
}

impl Port {
    /// Bytes of a word, as it is kept in files: whole bytes, the lowest first.
    pub fn word_bytes(&self) -> usize {
        self.word_bits().div_ceil(8) as usize
    }

    /// The words of whole pixels, `word_bytes` each; the padding of their last words is all ones, which shows any
    /// dependence on it.
    pub fn words_of(&self, elements: &[i64]) -> Vec<u8> {
        let bits = self.element.bits();
        let mut bytes = Vec::new();
        for pixel in elements.chunks(self.channels) {
            for word in pixel.chunks(self.per_word) {
                let first = bytes.len();
                bytes.resize(first + self.word_bytes(), 0);
                for lane in 0..self.per_word {
                    let code = match word.get(lane) {
                        Some(value) => self.element.code(*value),
                        None => u64::MAX >> (64 - bits),
                    };
                    put(&mut bytes[first..], lane * bits as usize, bits, code);
                }
            }
        }
        bytes
    }

    /// The elements of whole pixels, without padding.
    pub fn elements_of(&self, words: &[u8]) -> Vec<i64> {
        let bits = self.element.bits();
        let mut elements = Vec::new();
        for (at, word) in words.chunks(self.word_bytes()).enumerate() {
            let first = at % self.words_per_pixel() * self.per_word;
            for lane in 0..self.per_word.min(self.channels - first) {
                elements.push(self.element.value(take(word, lane * bits as usize, bits)));
            }
        }
        elements
    }
}

/// Sets `bits` bits from bit `at` on.
fn put(bytes: &mut [u8], at: usize, bits: u32, code: u64) {
    for bit in 0..bits as usize {
        if code >> bit & 1 == 1 {
            bytes[(at + bit) / 8] |= 1 << ((at + bit) % 8);
        }
    }
}

/// `bits` bits from bit `at` on.
fn take(bytes: &[u8], at: usize, bits: u32) -> u64 {
    let bit = |bit: usize| u64::from(bytes[(at + bit) / 8] >> ((at + bit) % 8) & 1) << bit;
    (0..bits as usize).map(bit).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back() {
        for element in [
            DataType::Bipolar,
            DataType::Ternary,
            DataType::Int(5),
            DataType::Uint(3),
            DataType::Int(63),
        ] {
            let port = Port {
                element,
                pixels: 2,
                channels: 5,
                per_word: 3,
            };
            let values = [element.min(), element.max()];
            let elements: Vec<i64> = (0..10).map(|at| values[at * at % 3 % 2]).collect();
            let words = port.words_of(&elements);
            assert_eq!(words.len(), 4 * port.word_bytes());
            assert_eq!(port.elements_of(&words), elements, "{element}");
        }
    }

    #[test]
    fn element_0_is_in_the_lowest_bits() {
        let port = Port {
            element: DataType::Int(4),
            pixels: 1,
            channels: 2,
            per_word: 3,
        };
        assert_eq!(port.words_of(&[1, -2]), [0xE1, 0x0F]);
    }
}
