//! `Runs`: what a sliding window sees, as runs of neighbouring elements that are copied at once.
//! Must not know weights.

use std::ops::Range;

use rayon::prelude::*;

use super::lanes::{add, vectorised};
use super::step::{Back, Mode, Parts, Step};
use crate::layer::SlidingWindow;

/// Neighbouring elements of a frame that the window shows side by side.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    length: usize,
}

/// A prepared sliding window.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    runs: Vec<Run>,
    /// Where padding stands, and how long it is.
    pads: Vec<(usize, usize)>,
    /// By place, its first run and its first padding; one more at the end.
    first: Vec<[usize; 2]>,
    pad: f32,
    /// Elements of a frame, and of what is seen of it, at all places and at one.
    pub(super) read: usize,
    pub(super) seen: usize,
    place: usize,
}

impl Runs {
    pub(super) fn new(layer: &SlidingWindow) -> Self {
        let sliding = &layer.sliding;
        let group = layer.group_channels();
        let mut made = Runs {
            runs: Vec::new(),
            pads: Vec::new(),
            first: vec![[0; 2]],
            pad: layer.pad as f32,
            read: sliding.pixels() * sliding.channels,
            seen: sliding.places() * sliding.positions() * sliding.channels,
            place: sliding.positions() * sliding.channels,
        };
        for place in sliding.reads() {
            let place: Vec<Option<usize>> = place.collect();
            let mut to = 0;
            for first in (0..sliding.channels).step_by(group) {
                for pixel in &place {
                    made.push(pixel.map(|p| p * sliding.channels + first), to, group);
                    to += group;
                }
            }
            made.first.push([made.runs.len(), made.pads.len()]);
        }
        made
    }

    /// At `to` of the place at hand the window shows so many elements from `from`, or padding.
    fn push(&mut self, from: Option<usize>, to: usize, length: usize) {
        let [runs, pads] = self.first[self.first.len() - 1];
        match (
            from,
            self.runs[runs..].last_mut(),
            self.pads[pads..].last_mut(),
        ) {
            (Some(from), Some(run), _)
                if run.from + run.length == from && run.to + run.length == to =>
            {
                run.length += length;
            }
            (Some(from), ..) => self.runs.push(Run { from, to, length }),
            (None, _, Some((at, own))) if *at + *own == to => *own += length,
            (None, ..) => self.pads.push((to, length)),
        }
    }

    /// Places of a frame.
    pub(super) fn places(&self) -> usize {
        self.first.len() - 1
    }

    /// Writes what is seen of a frame at some places.
    pub(super) fn fill(&self, frame: &[f32], places: Range<usize>, seen: &mut [f32]) {
        for (place, seen) in places.zip(seen.chunks_exact_mut(self.place)) {
            let ([run, pad], [run_end, pad_end]) = (self.first[place], self.first[place + 1]);
            for (to, length) in &self.pads[pad..pad_end] {
                seen[*to..to + length].fill(self.pad);
            }
            for run in &self.runs[run..run_end] {
                let from = &frame[run.from..run.from + run.length];
                seen[run.to..run.to + run.length].copy_from_slice(from);
            }
        }
    }

    /// Adds gradients of what is seen at some places to those of the frame.
    #[inline(always)]
    pub(super) fn scatter(&self, seen: &[f32], places: Range<usize>, frame: &mut [f32]) {
        for (place, seen) in places.zip(seen.chunks_exact(self.place)) {
            for run in &self.runs[self.first[place][0]..self.first[place + 1][0]] {
                let seen = &seen[run.to..run.to + run.length];
                add(&mut frame[run.from..run.from + run.length], seen);
            }
        }
    }
}

/// A window whose reader is no trained product.
impl Step for Runs {
    fn forward(&mut self, _: &mut Parts, _: Mode, inputs: &[&[f32]], output: &mut [f32], _: usize) {
        let frames = inputs[0].par_chunks(self.read);
        let seen = output.par_chunks_mut(self.seen);
        seen.zip(frames)
            .for_each(|(seen, frame)| self.fill(frame, 0..self.places(), seen));
    }

    fn backward(&mut self, _: &mut Parts, back: Back<'_>) -> Vec<Option<Vec<f32>>> {
        let mut gradient = back.spare.take(back.frames * self.read);
        let frames = gradient.par_chunks_mut(self.read);
        let seen = back.gradient.par_chunks(self.seen);
        frames.zip(seen).for_each(|(frame, seen)| {
            frame.fill(0.0);
            vectorised(
                #[inline(always)]
                || self.scatter(seen, 0..self.places(), frame),
            );
        });
        back.spare.give(back.gradient);
        vec![Some(gradient)]
    }
}
