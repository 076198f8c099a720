//! What a layer must have read before it can write: by pixel of its output, the last pixel of its input.
//! Must not know how long that takes.

use super::{Hardware, Layer, Sliding};

impl Layer {
    /// By pixel of the output, in the order in which they leave, the last pixel of each input that it depends on.
    pub fn needs(&self) -> Vec<usize> {
        match self {
            Layer::SlidingWindow(window) => window.sliding.needs(window.groups),
            Layer::Vvau(vvau) => vvau.sliding.needs(1),
            Layer::MaxPool(pool) => pool.sliding.needs(1),
            Layer::SumPool(pool) => pool.sliding.needs(1),
            Layer::Upsample(upsample) => {
                let ([rows, columns], [down, right]) = (upsample.size(), upsample.factor);
                let row = move |row: usize| {
                    let above = row / down * upsample.picture[1];
                    (0..columns).map(move |column| above + column / right)
                };
                (0..rows).flat_map(row).collect()
            }
            _ => aligned(self.hardware()),
        }
    }
}

/// As many pixels on both sides, or the same elements in pixels of another size.
fn aligned(layer: &dyn Hardware) -> Vec<usize> {
    let (input, output) = (layer.input(), layer.output());
    let last = input.pixels.saturating_sub(1);
    let need = |pixel: usize| match () {
        () if input.pixels == output.pixels => pixel,
        () if input.elements() == output.elements() => {
            ((pixel + 1) * output.channels).div_ceil(input.channels.max(1)) - 1
        }
        () => last,
    };
    (0..output.pixels)
        .map(|pixel| need(pixel).min(last))
        .collect()
}

impl Sliding {
    /// For every place, `times` in a row, the last pixel that it or a place before it reads.
    fn needs(&self, times: usize) -> Vec<usize> {
        let mut last = 0;
        let mut needs = Vec::with_capacity(self.places() * times);
        for place in self.reads() {
            last = place.flatten().fold(last, usize::max);
            needs.extend(std::iter::repeat_n(last, times));
        }
        needs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{MaxPool, WidthConverter};
    use crate::tensor::{DataType, Window};

    #[test]
    fn a_window_needs_what_it_sees() {
        let window = Window {
            pads: [1; 4],
            ..Window::dense([3; 2])
        };
        let layer = Layer::MaxPool(MaxPool {
            sliding: Sliding {
                picture: [3, 3],
                channels: 1,
                window,
            },
            input: DataType::Uint(2),
            pe: 1,
            simd: 1,
        });
        assert_eq!(layer.needs(), [4, 5, 5, 7, 8, 8, 8, 8, 8]);
    }

    #[test]
    fn pixels_of_another_size_hold_the_same_elements() {
        let converter = |pixels, channels| {
            Layer::WidthConverter(WidthConverter {
                element: DataType::Uint(2),
                pixels,
                channels,
                from: 1,
                to: 2,
            })
        };
        assert_eq!(converter(4, 3).needs(), [0, 1, 2, 3]);
    }
}
