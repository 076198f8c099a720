//! `Window`: where a kernel that slides over a picture reads, for convolutions and pooling alike.
//! Must not know what is computed of what it reads.

use serde::{Deserialize, Serialize};

/// A kernel that slides over a picture of rows and columns; a signal of one dimension is a picture of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Rows and columns that are read at once.
    pub kernel: [usize; 2],
    /// Rows and columns from one place to the next.
    pub stride: [usize; 2],
    /// Rows and columns between two neighbours of the kernel; 1 where it is dense.
    pub dilation: [usize; 2],
    /// Rows and columns added at the top, the left, the bottom and the right.
    pub pads: [usize; 4],
}

impl Window {
    /// A dense kernel without padding that takes one step at a time.
    pub fn dense(kernel: [usize; 2]) -> Self {
        Window {
            kernel,
            stride: [1; 2],
            dilation: [1; 2],
            pads: [0; 4],
        }
    }

    /// Positions of the kernel.
    pub fn positions(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Rows and columns from the first to the last position of the kernel, both included.
    pub fn span(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.kernel[axis] - 1) * self.dilation[axis] + 1)
    }

    /// Whether anything is added around the picture.
    pub fn is_padded(&self) -> bool {
        self.pads != [0; 4]
    }

    /// Whether no element of a picture is read at two places, nor any padding: kernels lie side by side.
    pub fn is_disjoint(&self) -> bool {
        !self.is_padded() && (0..2).all(|axis| self.stride[axis] >= self.span()[axis])
    }

    /// Whether every place is the pixel itself.
    pub fn is_identity(&self) -> bool {
        self.kernel == [1; 2] && self.stride == [1; 2] && !self.is_padded()
    }

    /// Rows and columns of places on a picture; `None` where it is smaller than the kernel.
    pub fn output(&self, picture: [usize; 2]) -> Option<[usize; 2]> {
        let mut places = [0; 2];
        for axis in 0..2 {
            let padded = picture[axis] + self.pads[axis] + self.pads[axis + 2];
            places[axis] = padded.checked_sub(self.span()[axis])? / self.stride[axis] + 1;
        }
        Some(places)
    }

    /// The dense step-by-step window of the same size that slides over the places of this one, moved apart by the
    /// stride with zeros between them, and makes `picture` again: the transposed convolution, its kernel mirrored.
    /// `None` where padding crops more than the kernel spans.
    pub fn transposed(&self, picture: [usize; 2]) -> Option<Window> {
        let (places, span) = (self.output(picture)?, self.span());
        let mut pads = [0; 4];
        for axis in 0..2 {
            let apart = (places[axis] - 1) * self.stride[axis] + 1;
            pads[axis] = (span[axis] - 1).checked_sub(self.pads[axis])?;
            pads[axis + 2] = (picture[axis] + span[axis] - 1).checked_sub(apart + pads[axis])?;
        }
        Some(Window {
            stride: [1; 2],
            pads,
            ..*self
        })
    }

    /// Row and column that the kernel's position `at` (row by row) reads at the place `[row, column]` of the
    /// output; `None` in the padding.
    pub fn reads(&self, picture: [usize; 2], place: [usize; 2], at: usize) -> Option<[usize; 2]> {
        let position = [at / self.kernel[1], at % self.kernel[1]];
        let mut read = [0; 2];
        for axis in 0..2 {
            let shifted = place[axis] * self.stride[axis] + position[axis] * self.dilation[axis];
            read[axis] = shifted.checked_sub(self.pads[axis])?;
            if read[axis] >= picture[axis] {
                return None;
            }
        }
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_padding() {
        let window = Window {
            kernel: [3, 2],
            stride: [2, 1],
            dilation: [1, 2],
            pads: [1, 0, 0, 1],
        };
        assert_eq!(window.span(), [3, 3]);
        assert_eq!(window.output([6, 4]), Some([3, 3]));
        assert_eq!(window.output([1, 4]), None);
        assert_eq!(window.reads([6, 4], [0, 0], 0), None);
        assert_eq!(window.reads([6, 4], [0, 0], 3), Some([0, 2]));
        assert_eq!(window.reads([6, 4], [2, 2], 4), Some([5, 2]));
        assert_eq!(window.reads([6, 4], [2, 2], 5), None);
        assert!(!window.is_disjoint());
        assert!(Window::dense([1, 1]).is_identity());
        let pool = Window {
            stride: [2, 2],
            ..Window::dense([2, 2])
        };
        assert!(pool.is_disjoint());
        let back = window.transposed([6, 4]).expect("is not cropped");
        assert_eq!((back.pads, back.stride), ([1, 2, 2, 1], [1, 1]));
        // Places [3, 3] are moved apart to [5, 3].
        assert_eq!(back.output([5, 3]), Some([6, 4]));
    }
}
