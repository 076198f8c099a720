//! `Gather`: what a sliding window sees, place after place, written side by side for a matrix product.
//! Must not know weights.

use std::ops::Range;

use super::taps::Taps;
use crate::layer::SlidingWindow;

/// A prepared sliding window.
#[derive(Debug)]
pub(super) struct Gather {
    taps: Taps,
    channels: usize,
    groups: usize,
    positions: usize,
    pad: f32,
}

impl Gather {
    pub(super) fn new(layer: &SlidingWindow) -> Self {
        Gather {
            taps: Taps::new(&layer.sliding),
            channels: layer.sliding.channels,
            groups: layer.groups,
            positions: layer.sliding.positions(),
            pad: layer.pad as f32,
        }
    }

    /// Elements of a place.
    pub(super) fn width(&self) -> usize {
        self.positions * self.channels
    }

    /// Number of places.
    pub(super) fn places(&self) -> usize {
        self.taps.output().iter().product()
    }

    /// Writes some `places` of `input`.
    pub(super) fn fill(&self, input: &[f32], places: Range<usize>, output: &mut [f32]) {
        let columns = self.taps.output()[1];
        for (place, seen) in places.zip(output.chunks_exact_mut(self.width())) {
            let (row, column) = (place / columns, place % columns);
            match self.groups {
                1 => self.together(input, row, column, seen),
                _ => self.apart(input, row, column, seen),
            }
        }
    }

    /// One place of one group: neighbours in the picture are copied at once.
    fn together(&self, input: &[f32], row: usize, column: usize, seen: &mut [f32]) {
        let mut at = 0;
        for line in self.taps.lines(row, column) {
            let mut line = line.peekable();
            while let Some(first) = line.next() {
                let mut pixels = 1;
                match first {
                    Some(first) => {
                        while line.next_if_eq(&Some(first + pixels)).is_some() {
                            pixels += 1;
                        }
                        let run = &input[first * self.channels..][..pixels * self.channels];
                        seen[at..at + run.len()].copy_from_slice(run);
                    }
                    None => seen[at..at + self.channels].fill(self.pad),
                }
                at += pixels * self.channels;
            }
        }
    }

    /// One place of several groups.
    fn apart(&self, input: &[f32], row: usize, column: usize, seen: &mut [f32]) {
        let group = self.channels / self.groups;
        for (position, pixel) in self.taps.at(row, column).enumerate() {
            let wholes = seen.chunks_exact_mut(self.positions * group);
            for (number, whole) in wholes.enumerate() {
                let part = &mut whole[position * group..][..group];
                match pixel {
                    Some(pixel) => {
                        let first = pixel * self.channels + number * group;
                        part.copy_from_slice(&input[first..first + group]);
                    }
                    None => part.fill(self.pad),
                }
            }
        }
    }
}
