//! `Product`: matrix products with what precedes and follows them, block by block of pixels, so that a block never
//! leaves the cache.
//! Must not know how layers are folded.

use pulp::{Arch, Simd, WithSimd};

use super::gather::Gather;
use super::threshold::{Thresholds, lanes};

/// Elements of the input that a block holds, about.
const BLOCK: usize = 1 << 16;
/// Pixels of a block at most.
const PIXELS: usize = 512;
/// Pixels that are multiplied at once.
const TILE: usize = 8;

/// Matrices that take turns pixel by pixel: a place is a pixel of each.
#[derive(Debug)]
pub(super) struct Product {
    groups: usize,
    rows: usize,
    columns: usize,
    /// Rows of a panel: two registers.
    width: usize,
    /// `[groups, panels, columns, width]`, padded with rows of 0.
    panels: Vec<f32>,
    gather: Option<Gather>,
    thresholds: Option<Thresholds>,
}

impl Product {
    /// Prepares `groups` matrices of `rows` times `columns`, none of these is 0.
    pub(super) fn new(arch: Arch, [groups, rows, columns]: [usize; 3], weights: &[i32]) -> Self {
        let width = 2 * lanes(arch);
        let count = rows.div_ceil(width);
        let mut panels = vec![0.0; groups * count * columns * width];
        for (at, weight) in weights.iter().enumerate() {
            let (group, row, column) = (at / columns / rows, at / columns % rows, at % columns);
            let panel = group * count + row / width;
            panels[(panel * columns + column) * width + row % width] = *weight as f32;
        }
        Product {
            groups,
            rows,
            columns,
            width,
            panels,
            gather: None,
            thresholds: None,
        }
    }

    /// The same with an activation behind it.
    pub(super) fn then(self, thresholds: Option<Thresholds>) -> Self {
        Product { thresholds, ..self }
    }

    /// The same behind a sliding window; gives the window back where its places are not the matrices' pixels.
    pub(super) fn behind(&mut self, gather: Gather) -> Result<(), Gather> {
        match gather.width() == self.place() {
            true => self.gather = Some(gather),
            false => return Err(gather),
        }
        Ok(())
    }

    /// Elements of the input of a place.
    fn place(&self) -> usize {
        self.groups * self.columns
    }

    /// Places of a block.
    fn places(&self) -> usize {
        let places = (BLOCK / self.place()).clamp(TILE, PIXELS);
        places / TILE * TILE
    }

    /// Elements of scratch memory that [`Product::run`] needs.
    pub(super) fn scratch(&self) -> usize {
        match &self.gather {
            Some(gather) => self.places().min(gather.places()) * self.place(),
            None => 0,
        }
    }

    /// Computes a frame.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        arch.dispatch(Run {
            product: self,
            input,
            output,
            scratch,
        });
    }

    /// Products of a block of places, without what precedes and follows.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, input: &[f32], output: &mut [f32]) {
        let places = input.len() / self.place();
        let strides = [self.place(), self.groups * self.rows];
        let count = self.rows.div_ceil(self.width);
        let panels = self.panels.chunks_exact(self.columns * self.width);
        for (number, panel) in panels.enumerate() {
            let (group, row) = (number / count, number % count * self.width);
            let tile = Tile {
                panel,
                columns: self.columns,
                rows: (self.rows - row).min(self.width),
                strides,
            };
            let starts = |place: usize| {
                [
                    place * strides[0] + group * self.columns,
                    place * strides[1] + group * self.rows + row,
                ]
            };
            let mut place = 0;
            while place + TILE <= places {
                tile.run::<S, TILE>(simd, input, output, starts(place));
                place += TILE;
            }
            if place + TILE / 2 <= places {
                tile.run::<S, { TILE / 2 }>(simd, input, output, starts(place));
                place += TILE / 2;
            }
            while place < places {
                tile.run::<S, 1>(simd, input, output, starts(place));
                place += 1;
            }
        }
    }
}

struct Run<'a> {
    product: &'a Product,
    input: &'a [f32],
    output: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let product = self.product;
        let (places, place) = (product.places(), product.place());
        let blocks = self
            .output
            .chunks_mut(places * product.groups * product.rows);
        for (block, output) in blocks.enumerate() {
            let first = block * places;
            let count = output.len() / (product.groups * product.rows);
            let input = match &product.gather {
                Some(gather) => {
                    let seen = &mut self.scratch[..count * place];
                    gather.fill(self.input, first..first + count, seen);
                    seen
                }
                None => &self.input[first * place..][..count * place],
            };
            product.multiply(simd, input, output);
            if let Some(thresholds) = &product.thresholds {
                thresholds.apply(simd, output);
            }
        }
    }
}

/// One panel of weights, for some pixels at a time.
struct Tile<'a> {
    /// `[columns, two registers]`.
    panel: &'a [f32],
    columns: usize,
    /// Rows that are no padding.
    rows: usize,
    /// Elements from one pixel to the next, of the input and of the output.
    strides: [usize; 2],
}

impl Tile<'_> {
    /// Multiplies M pixels, whose sums stay in registers.
    #[inline(always)]
    fn run<S: Simd, const M: usize>(
        &self,
        simd: S,
        input: &[f32],
        output: &mut [f32],
        [from, to]: [usize; 2],
    ) {
        let pixels: [&[f32]; M] =
            std::array::from_fn(|pixel| &input[from + pixel * self.strides[0]..][..self.columns]);
        let (registers, _) = S::as_simd_f32s(self.panel);
        let weights = &registers.as_chunks::<2>().0[..self.columns];
        let mut sums = [[simd.splat_f32s(0.0); 2]; M];
        for (column, weights) in weights.iter().enumerate() {
            for (sums, pixel) in sums.iter_mut().zip(pixels) {
                let x = simd.splat_f32s(pixel[column]);
                sums[0] = simd.mul_add_e_f32s(x, weights[0], sums[0]);
                sums[1] = simd.mul_add_e_f32s(x, weights[1], sums[1]);
            }
        }
        for (pixel, sums) in sums.into_iter().enumerate() {
            let line = &mut output[to + pixel * self.strides[1]..][..self.rows];
            match S::as_mut_simd_f32s(line) {
                ([first, second], _) => [*first, *second] = sums,
                ([first], rest) => {
                    *first = sums[0];
                    simd.partial_store_f32s(rest, sums[1]);
                }
                (_, rest) => simd.partial_store_f32s(rest, sums[0]),
            }
        }
    }
}
