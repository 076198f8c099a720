//! Frames of a stream as `.npy`: what simulations read and write, and users can load.
//! Must not know layers.

use crate::error::{Error, Result};
use crate::layer::Port;

/// Whether 32 bits do not hold every element.
fn is_wide(port: Port) -> bool {
    port.element.min() < i64::from(i32::MIN) || port.element.max() > i64::from(i32::MAX)
}

/// Elements as they are stored: `<i4` where 32 bits hold them, else `<i8`.
pub(super) fn encode(elements: &[i64], port: Port) -> Vec<u8> {
    let size = if is_wide(port) { 8 } else { 4 };
    let mut bytes = Vec::with_capacity(elements.len() * size);
    for element in elements {
        bytes.extend_from_slice(&element.to_le_bytes()[..size]);
    }
    bytes
}

/// The frames of a stream, one after the other, as an array `[frames, pixels, channels]`.
pub(super) struct Recording {
    port: Port,
    frames: usize,
    data: Vec<u8>,
}

impl Recording {
    /// No frames yet.
    pub(super) fn new(port: Port) -> Self {
        Recording {
            port,
            frames: 0,
            data: Vec::new(),
        }
    }

    /// Adds a frame that [`encode`] made.
    pub(super) fn add(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.data.extend_from_slice(frame);
    }

    /// The file.
    pub(super) fn finish(self) -> Vec<u8> {
        let kind = if is_wide(self.port) { "<i8" } else { "<i4" };
        let Port {
            pixels, channels, ..
        } = self.port;
        let shape = format!("({}, {pixels}, {channels})", self.frames);
        let mut header =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        // The data begins at a multiple of 64 bytes, after a line break (NumPy's format 1.0).
        let padding = 63 - (10 + header.len()) % 64;
        header.extend(std::iter::repeat_n(' ', padding));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(self.data);
        bytes
    }
}

/// All frames at once, as a [`Recording`] has them.
pub(super) fn write(frames: &[Vec<i64>], port: Port) -> Vec<u8> {
    let mut recording = Recording::new(port);
    for frame in frames {
        recording.add(&encode(frame, port));
    }
    recording.finish()
}

/// Elements of all frames in order, as [`write`] or a simulation wrote them.
///
/// # Errors
/// A bug if the bytes are something else.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<i64>> {
    let broken = || Error::bug("a simulation wrote an array that cannot be read");
    let length = bytes
        .get(8..10)
        .map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let start = 10 + length.ok_or_else(broken)?;
    let header = bytes.get(10..start).ok_or_else(broken)?;
    let wide = header.windows(5).any(|window| window == b"'<i8'");
    let data = &bytes[start..];
    Ok(match wide {
        true => data
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            .collect(),
        false => data
            .chunks_exact(4)
            .map(|b| i64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            .collect(),
    })
}

/// The frames of a stream of `elements` elements each.
pub(super) fn split(elements: &[i64], per_frame: usize) -> Vec<Vec<i64>> {
    elements
        .chunks_exact(per_frame.max(1))
        .map(<[i64]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::DataType;

    #[test]
    fn there_and_back_in_both_widths() {
        for (element, value) in [(DataType::Int(8), -7), (DataType::Int(40), 1 << 35)] {
            let port = Port {
                element,
                pixels: 1,
                channels: 2,
                per_word: 1,
            };
            let frames = vec![vec![value, 1], vec![0, 2]];
            let bytes = write(&frames, port);
            let elements = read(&bytes).expect("reads");
            assert_eq!(split(&elements, 2), frames);
            assert_eq!(
                (bytes.len() - elements.len() * if value == -7 { 4 } else { 8 }) % 64,
                0
            );
        }
        assert!(read(b"\x93NUMPY\x01\x00\xff\xff").is_err());
    }
}
