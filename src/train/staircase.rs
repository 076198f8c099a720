//! `Staircase`: thresholds behind sums, with the normalisation of the sums where that is learnt.
//! Must not know what makes the sums.

use rayon::prelude::*;

use super::lanes::vectorised;
use super::moments::{Moments, added};
use super::step::{Back, Mode, Parts, Step};
use crate::error::Result;
use crate::layer::{Activation, Tensors};

/// Elements of a piece of work, about.
const PIECE: usize = 1 << 16;
/// More thresholds than this are searched, fewer are counted.
const COUNTED: usize = 16;
/// A whole staircase is never narrower, nor wider, than so many usual distances of its input from the mean.
const WIDTH: [f64; 2] = [2.0, 6.0];

/// `value = start + rise * count of thresholds at or below u`, u being the sums behind their line.
#[derive(Debug, Clone)]
pub(super) struct Staircase {
    channels: usize,
    levels: usize,
    /// `[channels, levels]`.
    rows: Vec<f64>,
    /// `[levels, channels]`.
    columns: Vec<f32>,
    start: Vec<f32>,
    rise: Vec<f32>,
    /// The straight line that stands for the staircase in the backward pass: its ends, and its slope.
    low: Vec<f32>,
    high: Vec<f32>,
    slope: Vec<f32>,
    norm: Option<usize>,
    /// Of the last forward pass: gain and offset by channel.
    line: (Vec<f32>, Vec<f32>),
}

impl Staircase {
    /// The staircase of `activation` on so many channels, behind a normalisation or none.
    ///
    /// # Errors
    /// A bug where tensors do not fit.
    pub(super) fn new(
        activation: &Activation,
        tensors: &Tensors,
        channels: usize,
        norm: Option<usize>,
    ) -> Result<Self> {
        let levels = activation.levels;
        let (thresholds, flip) = tensors.thresholds(activation.rows, levels)?;
        let mut rows = Vec::with_capacity(channels * levels);
        let (mut start, mut rise) = (Vec::new(), Vec::new());
        let (base, step) = (activation.base as f32, activation.step as f32);
        for channel in 0..channels {
            let row = channel % activation.rows;
            let list = &thresholds[row * levels..(row + 1) * levels];
            rows.extend(list.iter().map(|t| *t as f64));
            let falls = flip[row] == 1;
            start.push(if falls {
                base + step * levels as f32
            } else {
                base
            });
            rise.push(if falls { -step } else { step });
        }
        let columns = (0..levels).flat_map(|level| {
            let rows = &rows;
            (0..channels).map(move |channel| rows[channel * levels + level] as f32)
        });
        Ok(Staircase {
            channels,
            levels,
            columns: columns.collect(),
            rows,
            start,
            rise,
            low: vec![f32::NEG_INFINITY; channels],
            high: vec![f32::INFINITY; channels],
            slope: vec![0.0; channels],
            norm,
            line: (vec![1.0; channels], vec![0.0; channels]),
        })
    }

    /// Lays the straight lines for u of these means, and usual distances from them: a step is as wide as steps are on
    /// average, and where there is only one, as two usual distances.
    fn lay(&mut self, mean: &[f64], spread: &[f64]) {
        let usual = spread.iter().sum::<f64>() / spread.len().max(1) as f64;
        for channel in 0..self.channels {
            let spread = spread[channel].max(0.1 * usual).max(1e-3);
            // Thresholds that nothing reaches stand at the ends of their type.
            let reach = WIDTH[1] / 2.0 * spread;
            let list = &self.rows[channel * self.levels..(channel + 1) * self.levels];
            let near = |t: &f64| t.clamp(mean[channel] - reach, mean[channel] + reach);
            let list: Vec<f64> = list.iter().map(near).collect();
            let (Some(first), Some(last)) = (list.first(), list.last()) else {
                continue;
            };
            let steps = self.levels as f64;
            let mean = match self.levels {
                1 => 2.0 * spread,
                _ => (last - first) / (steps - 1.0),
            };
            let width = (mean * steps).clamp(WIDTH[0] * spread, WIDTH[1] * spread);
            let centre = f64::midpoint(*first, *last);
            self.low[channel] = (centre - width / 2.0) as f32;
            self.high[channel] = (centre + width / 2.0) as f32;
            self.slope[channel] = (f64::from(self.rise[channel]) * steps / width) as f32;
        }
    }

    /// The straight line of a channel: its ends and its slope.
    #[cfg(test)]
    pub(super) fn straight(&self, channel: usize) -> [f64; 3] {
        [&self.low, &self.high, &self.slope].map(|list| f64::from(list[channel]))
    }

    /// Pixels of a piece of work.
    fn piece(&self) -> usize {
        (PIECE / self.channels).max(1) * self.channels
    }

    /// Values of sums behind lines of f32.
    #[inline(always)]
    fn near(&self, sums: &[f32], output: &mut [f32]) {
        let channels = self.channels;
        let (gain, offset) = (&self.line.0[..channels], &self.line.1[..channels]);
        let (start, rise) = (&self.start[..channels], &self.rise[..channels]);
        let pixels = sums.chunks_exact(channels);
        for (sums, output) in pixels.zip(output.chunks_exact_mut(channels)) {
            let (sums, output) = (&sums[..channels], &mut output[..channels]);
            output.fill(0.0);
            for thresholds in self.columns.chunks_exact(channels) {
                for at in 0..channels {
                    let u = gain[at] * sums[at] + offset[at];
                    output[at] += if u >= thresholds[at] { 1.0 } else { 0.0 };
                }
            }
            for at in 0..channels {
                output[at] = start[at] + rise[at] * output[at];
            }
        }
    }

    /// The same of lines of f64, as exported, or where there are many thresholds.
    fn exact(&self, gain: &[f64], offset: &[f64], sums: &[f32], output: &mut [f32]) {
        let pixels = sums.chunks_exact(self.channels);
        for (sums, output) in pixels.zip(output.chunks_exact_mut(self.channels)) {
            for channel in 0..self.channels {
                let u = gain[channel] * f64::from(sums[channel]) + offset[channel];
                let list = &self.rows[channel * self.levels..(channel + 1) * self.levels];
                let count = match self.levels > COUNTED {
                    true => list.partition_point(|t| u >= *t),
                    false => list.iter().filter(|t| u >= **t).count(),
                };
                output[channel] = self.start[channel] + self.rise[channel] * count as f32;
            }
        }
    }

    /// What is left of the gradient of values before the line: nothing beyond the ends.
    #[inline(always)]
    fn straight_through(&self, sums: &[f32], gradient: &mut [f32]) {
        let channels = self.channels;
        let (gain, offset) = (&self.line.0[..channels], &self.line.1[..channels]);
        let (low, high) = (&self.low[..channels], &self.high[..channels]);
        let slope = &self.slope[..channels];
        let pixels = sums.chunks_exact(channels);
        for (sums, gradient) in pixels.zip(gradient.chunks_exact_mut(channels)) {
            let (sums, gradient) = (&sums[..channels], &mut gradient[..channels]);
            for at in 0..channels {
                let u = gain[at] * sums[at] + offset[at];
                let inside = (u >= low[at]) & (u <= high[at]);
                gradient[at] *= if inside { slope[at] } else { 0.0 };
            }
        }
    }
}

/// Gradients of sums from those of what is behind their line, see [`super::norm::Norm::backward`].
#[inline(always)]
fn behind([a, b, c]: &[Vec<f32>; 3], sums: &[f32], gradient: &mut [f32]) {
    let channels = a.len();
    let (b, c) = (&b[..channels], &c[..channels]);
    let pixels = sums.chunks_exact(channels);
    for (sums, gradient) in pixels.zip(gradient.chunks_exact_mut(channels)) {
        let (sums, gradient) = (&sums[..channels], &mut gradient[..channels]);
        for at in 0..channels {
            gradient[at] = a[at] * gradient[at] + b[at] * sums[at] + c[at];
        }
    }
}

impl Step for Staircase {
    fn forward(
        &mut self,
        parts: &mut Parts,
        mode: Mode,
        inputs: &[&[f32]],
        output: &mut [f32],
        _: usize,
    ) {
        let (sums, channels) = (inputs[0], self.channels);
        if let (Mode::Train, Some(norm)) = (mode, self.norm) {
            self.line = parts.norms[norm].enter(Moments::of(sums, channels));
        }
        let wide = |line: &[f32]| -> Vec<f64> { line.iter().map(|x| f64::from(*x)).collect() };
        let (gain, offset) = match (mode, self.norm) {
            (Mode::Evaluate, Some(norm)) => {
                let norm = &parts.norms[norm];
                (norm.gain.clone(), norm.offset.clone())
            }
            _ => (wide(&self.line.0), wide(&self.line.1)),
        };
        let counted = self.levels <= COUNTED && mode == Mode::Train;
        let piece = self.piece();
        let pieces = output.par_chunks_mut(piece).zip(sums.par_chunks(piece));
        pieces.for_each(|(output, sums)| match counted {
            true => vectorised(
                #[inline(always)]
                || self.near(sums, output),
            ),
            false => self.exact(&gain, &offset, sums, output),
        });
    }

    fn backward(&mut self, parts: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let (sums, mut gradient, channels) = (back.inputs[0], back.gradient, self.channels);
        let piece = self.piece();
        let pieces = gradient.par_chunks_mut(piece).zip(sums.par_chunks(piece));
        pieces.for_each(|(gradient, sums)| {
            vectorised(
                #[inline(always)]
                || self.straight_through(sums, gradient),
            );
        });
        let Some(norm) = self.norm else {
            return vec![Some(gradient)];
        };
        let total = added(&gradient, sums, channels);
        let count = (sums.len() / channels) as f64;
        let lines = parts.norms[norm].backward(&total, count);
        let pieces = gradient.par_chunks_mut(piece).zip(sums.par_chunks(piece));
        pieces.for_each(|(gradient, sums)| {
            vectorised(
                #[inline(always)]
                || behind(&lines, sums, gradient),
            );
        });
        vec![Some(gradient)]
    }

    fn begin(&mut self, parts: &mut Parts, inputs: &[&[f32]]) {
        let moments = Moments::of(inputs[0], self.channels);
        match self.norm {
            Some(norm) => {
                parts.norms[norm].begin(&moments);
                let norm = &parts.norms[norm];
                self.lay(norm.centre(), norm.spread());
            }
            None => {
                let spread: Vec<f64> = moments.variance.iter().map(|v| v.sqrt()).collect();
                self.lay(&moments.mean, &spread);
            }
        }
    }
}
