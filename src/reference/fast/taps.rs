//! `Taps`: which pixel each position of a window reads, axis by axis, looked up instead of divided out.
//! Must not know what is made of the pixels.

use crate::layer::Sliding;

/// For each axis, for each place on it, what each position of the kernel on it reads; `None` in the padding.
#[derive(Debug)]
pub(super) struct Taps {
    rows: Vec<Option<usize>>,
    columns: Vec<Option<usize>>,
    kernel: [usize; 2],
    /// Columns of the picture.
    width: usize,
    /// Rows and columns of places.
    output: [usize; 2],
}

impl Taps {
    pub(super) fn new(sliding: &Sliding) -> Self {
        let (window, output) = (sliding.window, sliding.output());
        let axis = |axis: usize| {
            let places = 0..output[axis];
            let reads = places.flat_map(|place| {
                (0..window.kernel[axis]).map(move |at| {
                    let shifted = place * window.stride[axis] + at * window.dilation[axis];
                    let read = shifted.checked_sub(window.pads[axis])?;
                    (read < sliding.picture[axis]).then_some(read)
                })
            });
            reads.collect()
        };
        Taps {
            rows: axis(0),
            columns: axis(1),
            kernel: window.kernel,
            width: sliding.picture[1],
            output,
        }
    }

    /// Rows and columns of places.
    pub(super) fn output(&self) -> [usize; 2] {
        self.output
    }

    /// Pixels that the kernel reads at a place, row by row of the kernel; each row apart.
    pub(super) fn lines(
        &self,
        row: usize,
        column: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = Option<usize>>> {
        let columns = &self.columns[column * self.kernel[1]..][..self.kernel[1]];
        let rows = &self.rows[row * self.kernel[0]..][..self.kernel[0]];
        rows.iter().map(move |row| {
            let pixel = move |column: &Option<usize>| Some((*row)? * self.width + (*column)?);
            columns.iter().map(pixel)
        })
    }

    /// Pixels that the kernel reads at a place, position by position.
    pub(super) fn at(&self, row: usize, column: usize) -> impl Iterator<Item = Option<usize>> {
        self.lines(row, column).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Window;

    #[test]
    fn they_are_what_the_window_reads() {
        let window = Window {
            kernel: [3, 2],
            stride: [2, 1],
            dilation: [1, 3],
            pads: [1, 4, 2, 1],
        };
        let sliding = Sliding {
            picture: [6, 5],
            channels: 1,
            window,
        };
        let taps = Taps::new(&sliding);
        let [rows, columns] = taps.output();
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
        let found: Vec<Vec<_>> = places.map(|[r, c]| taps.at(r, c).collect()).collect();
        let expected: Vec<Vec<_>> = sliding.reads().map(Iterator::collect).collect();
        assert_eq!(found, expected);
        assert!(expected.len() > 10);
    }
}
