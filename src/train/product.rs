//! `Product`: a matrix product, with the sliding window in front of it where there is one.
//! Must not know what becomes of the sums.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::gemm;
use super::lanes::{add, vectorised};
use super::step::{Back, Mode, Parts, Step, frames_of_piece};
use super::weights::Weights;
use super::window::Runs;

/// Pieces of a batch, each with gradients of all weights of its own.
const PIECES: usize = 8;
/// Rows of weights, and pixels, that a piece of a product without a window has.
const ROWS: usize = 64;
/// Elements that a window shows at once, about.
const SEEN_AT_ONCE: usize = 1 << 18;

/// `sums = weights x` for each pixel, x being what the window sees.
#[derive(Debug, Clone)]
pub(super) struct Product {
    /// Number of the weights.
    weights: usize,
    window: Option<Runs>,
    /// `[pieces, rows, columns]`.
    partial: Vec<f32>,
}

impl Product {
    pub(super) fn new(weights: usize, window: Option<Runs>) -> Self {
        Product {
            weights,
            window,
            partial: Vec::new(),
        }
    }

    /// Gradients of a product without a window.
    fn plain(&self, weights: &mut Weights, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let (x, gradient) = (back.inputs[0], back.gradient);
        let (rows, columns) = (weights.rows, weights.columns);
        if weights.trained {
            let parts = weights.gradient.par_chunks_mut(ROWS * columns);
            parts.enumerate().for_each(|(piece, part)| {
                let first = piece * ROWS;
                let range = first..first + part.len() / columns;
                gemm::to_weights(part, (&gradient, rows, range), (x, columns), false);
            });
        }
        let input = back.wanted[0].then(|| {
            let mut input = back.spare.take(x.len());
            let pieces = input.par_chunks_mut(ROWS * columns);
            pieces
                .zip(gradient.par_chunks(ROWS * rows))
                .for_each(|(x, gradient)| gemm::to_input(x, gradient, &weights.used, columns));
            input
        });
        back.spare.give(gradient);
        vec![input]
    }

    /// Gradients of a product behind a window.
    fn windowed(
        window: &Runs,
        partial: &mut Vec<f32>,
        weights: &mut Weights,
        back: Back<'_>,
    ) -> Vec<Option<Vec<f32>>> {
        let (x, gradient) = (back.inputs[0], back.gradient);
        let count = weights.latent.len();
        let frames = frames_of_piece(back.frames, PIECES);
        let pieces = back.frames.div_ceil(frames);
        let written = gradient.len() / back.frames;
        partial.resize(
            if weights.trained {
                pieces * count
            } else {
                pieces
            },
            0.0,
        );
        let mut input = match back.wanted[0] {
            true => back.spare.take(x.len()),
            false => Vec::new(),
        };
        let mut inputs: Vec<&mut [f32]> = input.chunks_mut(frames * window.read).collect();
        inputs.resize_with(pieces, Default::default);
        let partials = partial.par_chunks_mut(if weights.trained { count } else { 1 });
        let work = inputs.into_par_iter().zip(partials).enumerate();
        let fixed = &*weights;
        work.for_each(|(piece, (input, partial))| {
            let range = |size: usize, whole: &[f32]| {
                let first = piece * frames * size;
                first..(first + frames * size).min(whole.len())
            };
            let x = &x[range(window.read, x)];
            let gradient = &gradient[range(written, &gradient)];
            piece_backward(window, fixed, (x, gradient, written), input, partial);
        });
        if weights.trained {
            total(partial, &mut weights.gradient);
        }
        back.spare.give(gradient);
        vec![back.wanted[0].then_some(input)]
    }
}

thread_local! {
    /// What a window shows, on each thread: memory that is not asked for again and again.
    static SEEN: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Some frames, or some places of one, of which a window shows everything at once.
struct View {
    frames: Range<usize>,
    places: Range<usize>,
}

impl View {
    /// Cuts so many frames into views of about [`SEEN_AT_ONCE`] elements.
    fn of(window: &Runs, frames: usize) -> Vec<View> {
        let together = SEEN_AT_ONCE / window.seen.max(1);
        let places = window.places();
        if together > 0 {
            let firsts = (0..frames).step_by(together);
            let view = |first: usize| View {
                frames: first..(first + together).min(frames),
                places: 0..places,
            };
            return firsts.map(view).collect();
        }
        let parts = window.seen.div_ceil(SEEN_AT_ONCE);
        let part = places.div_ceil(parts);
        let views = (0..frames).flat_map(|frame| {
            (0..places).step_by(part).map(move |first| View {
                frames: frame..frame + 1,
                places: first..(first + part).min(places),
            })
        });
        views.collect()
    }

    /// Elements of the view in frames of `size` elements, as many for each place.
    fn range(&self, window: &Runs, size: usize) -> Range<usize> {
        let place = size / window.places();
        let first = self.frames.start * size + self.places.start * place;
        let last = (self.frames.end - 1) * size + self.places.end * place;
        first..last
    }

    /// Writes what is seen.
    fn fill(&self, window: &Runs, x: &[f32], seen: &mut Vec<f32>) {
        self.room(window, seen);
        let size = seen.len() / self.frames.len();
        let frames = self.frames.clone().zip(seen.chunks_exact_mut(size));
        for (frame, seen) in frames {
            let x = &x[frame * window.read..(frame + 1) * window.read];
            window.fill(x, self.places.clone(), seen);
        }
    }

    fn room(&self, window: &Runs, seen: &mut Vec<f32>) {
        let place = window.seen / window.places();
        seen.resize(self.frames.len() * self.places.len() * place, 0.0);
    }

    /// Adds gradients of what is seen to those of the input.
    fn scatter(&self, window: &Runs, seen: &[f32], input: &mut [f32]) {
        let size = seen.len() / self.frames.len();
        let frames = self.frames.clone().zip(seen.chunks_exact(size));
        for (frame, seen) in frames {
            let input = &mut input[frame * window.read..(frame + 1) * window.read];
            vectorised(
                #[inline(always)]
                || window.scatter(seen, self.places.clone(), input),
            );
        }
    }
}

/// Gradients of some frames. `partial` gets those of weights, `input` those of the input, where they have room.
fn piece_backward(
    window: &Runs,
    weights: &Weights,
    (x, gradient, written): (&[f32], &[f32], usize),
    input: &mut [f32],
    partial: &mut [f32],
) {
    let (rows, columns) = (weights.rows, weights.columns);
    input.fill(0.0);
    SEEN.with_borrow_mut(|seen| {
        for (at, view) in View::of(window, x.len() / window.read).iter().enumerate() {
            let gradient = &gradient[view.range(window, written)];
            if weights.trained {
                view.fill(window, x, seen);
                gemm::to_weights(partial, (gradient, rows, 0..rows), (seen, columns), at > 0);
            }
            if !input.is_empty() {
                view.room(window, seen);
                gemm::to_input(seen, gradient, &weights.used, columns);
                view.scatter(window, seen, input);
            }
        }
    });
}

/// Adds up what pieces have, in their order.
fn total(partial: &[f32], gradient: &mut [f32]) {
    const PART: usize = 1 << 14;
    let count = gradient.len();
    let parts = gradient.par_chunks_mut(PART).enumerate();
    parts.for_each(|(part, gradient)| {
        let first = part * PART;
        gradient.copy_from_slice(&partial[first..first + gradient.len()]);
        for piece in partial.chunks_exact(count).skip(1) {
            let piece = &piece[first..first + gradient.len()];
            vectorised(
                #[inline(always)]
                || add(gradient, piece),
            );
        }
    });
}

impl Step for Product {
    fn forward(
        &mut self,
        parts: &mut Parts,
        _: Mode,
        inputs: &[&[f32]],
        output: &mut [f32],
        frames: usize,
    ) {
        let (x, weights) = (inputs[0], &parts.weights[self.weights]);
        let (rows, columns) = (weights.rows, weights.columns);
        let Some(window) = &self.window else {
            let pieces = output.par_chunks_mut(ROWS * rows);
            pieces
                .zip(x.par_chunks(ROWS * columns))
                .for_each(|(sums, x)| gemm::sums(sums, x, &weights.used, columns));
            return;
        };
        let written = output.len() / frames;
        let piece = frames_of_piece(frames, PIECES * 2);
        let pieces = output.par_chunks_mut(piece * written);
        let pieces = pieces.zip(x.par_chunks(piece * window.read));
        pieces.for_each(|(sums, x)| {
            SEEN.with_borrow_mut(|seen| {
                for view in View::of(window, x.len() / window.read) {
                    view.fill(window, x, seen);
                    let sums = &mut sums[view.range(window, written)];
                    gemm::sums(sums, seen, &weights.used, columns);
                }
            });
        });
    }

    fn backward(&mut self, parts: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let weights = &mut parts.weights[self.weights];
        match &self.window {
            None => self.plain(weights, back),
            Some(window) => Self::windowed(window, &mut self.partial, weights, back),
        }
    }

    fn begin(&mut self, parts: &mut Parts, inputs: &[&[f32]]) {
        let weights = &mut parts.weights[self.weights];
        if weights.trained {
            let worth = worth(
                inputs[0],
                self.window.as_ref(),
                weights.columns,
                weights.norm.is_some(),
            );
            weights.worth = worth;
        }
    }
}

/// By column, the deviation of what is multiplied, or its root mean square where the mean matters; its mean square
/// is 1. The square would be what one weight is worth alone; the root keeps accuracy better where many are removed.
fn worth(x: &[f32], window: Option<&Runs>, columns: usize, centred: bool) -> Vec<f32> {
    const FRAMES: usize = 64;
    let mut seen = Vec::new();
    let x = match window {
        None => x,
        Some(window) => {
            let frames: Vec<&[f32]> = x.chunks_exact(window.read).take(FRAMES).collect();
            seen.resize(frames.len() * window.seen, 0.0);
            let shown = seen.par_chunks_exact_mut(window.seen);
            shown
                .zip(frames)
                .for_each(|(seen, frame)| window.fill(frame, 0..window.places(), seen));
            &seen
        }
    };
    let moments = super::moments::Moments::of(x, columns);
    let pairs = moments.variance.iter().zip(&moments.mean);
    let worth = pairs.map(|(variance, mean)| variance + if centred { 0.0 } else { mean * mean });
    let worth: Vec<f64> = worth.collect();
    let mean = worth.iter().sum::<f64>() / columns as f64;
    let unit = if mean > 0.0 { 1.0 / mean } else { 0.0 };
    worth
        .iter()
        .map(|worth| if unit > 0.0 { (worth * unit).sqrt() } else { 1.0 } as f32)
        .collect()
}
