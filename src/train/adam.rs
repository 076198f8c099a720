//! `Adam`: how far each number goes along its gradient (Kingma and Ba 2015).
//! Must not know what the numbers are.

use rayon::prelude::*;

/// How fast the mean of gradients, and that of their squares, forget.
const FORGET: [f32; 2] = [0.9, 0.999];
/// Keeps numbers without a gradient where they are.
const LEAST: f32 = 1e-12;
/// Numbers of a piece of work.
const PIECE: usize = 1 << 14;

/// Numbers that go together, their gradients, and how far one step goes at most, about.
pub(super) struct Moved<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) rate: f32,
}

/// Means of gradients and of their squares, set by set.
#[derive(Debug, Clone, Default)]
pub(super) struct Adam {
    pub(super) means: Vec<Vec<f32>>,
    pub(super) squares: Vec<Vec<f32>>,
}

impl Adam {
    /// For sets of so many numbers.
    pub(super) fn new(sizes: &[usize]) -> Self {
        let sets: Vec<Vec<f32>> = sizes.iter().map(|size| vec![0.0; *size]).collect();
        Adam {
            means: sets.clone(),
            squares: sets,
        }
    }

    /// Moves all sets, in their order; `step` counts from 0.
    pub(super) fn step(&mut self, step: usize, sets: Vec<Moved<'_>>) {
        let kept = FORGET.map(|forget| 1.0 - f64::from(forget).powf(step as f64 + 1.0));
        let [first, second] = kept.map(|kept| (1.0 / kept) as f32);
        let states = self.means.iter_mut().zip(&mut self.squares);
        for (set, (means, squares)) in sets.into_iter().zip(states) {
            let rate = set.rate * first;
            let values = set.values.par_chunks_mut(PIECE);
            let work = values.zip(set.gradient.par_chunks(PIECE));
            let states = means
                .par_chunks_mut(PIECE)
                .zip(squares.par_chunks_mut(PIECE));
            work.zip(states)
                .for_each(|((values, gradient), (means, squares))| {
                    for at in 0..values.len() {
                        let g = gradient[at];
                        means[at] += (1.0 - FORGET[0]) * (g - means[at]);
                        squares[at] += (1.0 - FORGET[1]) * (g * g - squares[at]);
                        let size = (squares[at] * second).sqrt() + LEAST;
                        values[at] -= rate * means[at] / size;
                    }
                });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_a_bowl_is_found() {
        let mut values = vec![3.0, -2.0];
        let mut adam = Adam::new(&[2]);
        for step in 0..2000 {
            let gradient = [values[0] - 1.0, 100.0 * (values[1] - 0.5)];
            let rate = 0.01;
            adam.step(
                step,
                vec![Moved {
                    values: &mut values,
                    gradient: &gradient,
                    rate,
                }],
            );
        }
        assert!((values[0] - 1.0).abs() < 0.01 && (values[1] - 0.5).abs() < 0.01);
    }
}
