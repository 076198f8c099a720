//! `Arena`: the memory in which frames pass from layer to layer, used again for the next sample.
//! Must not know layers.

use super::plan::Step;

/// Memory for one sample.
#[derive(Debug, Default)]
pub(in crate::reference) struct Arena {
    places: Vec<Frame>,
    scratch: Vec<f32>,
}

/// A frame: floats that are integers, or integers that may be larger than any float.
#[derive(Debug, Default)]
struct Frame {
    floats: Vec<f32>,
    integers: Vec<i64>,
    /// Elements, if they are floats.
    held: Option<usize>,
}

impl Frame {
    /// Its elements as floats, which the reader has proved them to be.
    fn float(&mut self) -> &[f32] {
        if self.held.is_none() {
            let count = self.integers.len();
            let floats = room(&mut self.floats, count);
            let pairs = floats.iter_mut().zip(&self.integers);
            pairs.for_each(|(to, from)| *to = *from as f32);
            self.held = Some(count);
        }
        &self.floats[..self.held.unwrap_or(0)]
    }
}

impl Arena {
    /// Makes room for so many frames.
    pub(super) fn open(&mut self, places: usize) {
        if self.places.len() < places {
            self.places.resize_with(places, Frame::default);
        }
    }

    /// A place for so many floats.
    pub(super) fn written(&mut self, place: usize, elements: usize) -> &mut [f32] {
        let frame = &mut self.places[place];
        frame.held = Some(elements);
        room(&mut frame.floats, elements)
    }

    /// Puts integers in a place.
    pub(super) fn keep(&mut self, place: usize, integers: Vec<i64>) {
        let frame = &mut self.places[place];
        frame.integers = integers;
        frame.held = None;
    }

    /// A frame as integers.
    pub(super) fn integers(&self, place: usize) -> Vec<i64> {
        let frame = &self.places[place];
        match frame.held {
            Some(elements) => frame.floats[..elements].iter().map(|x| *x as i64).collect(),
            None => frame.integers.clone(),
        }
    }

    /// Makes a frame of so many elements from another one, with so much memory beside it.
    pub(super) fn through(
        &mut self,
        from: usize,
        (to, elements): (usize, usize),
        scratch: usize,
        make: impl FnOnce(&[f32], &mut [f32], &mut [f32]),
    ) {
        self.written(to, elements);
        let mut output = std::mem::take(&mut self.places[to].floats);
        let beside = room(&mut self.scratch, scratch);
        make(self.places[from].float(), &mut output[..elements], beside);
        self.places[to].floats = output;
    }

    /// Makes a frame of so many elements from two others.
    pub(super) fn both(
        &mut self,
        from: [usize; 2],
        (to, elements): (usize, usize),
        make: impl FnOnce(&[f32], &[f32], &mut [f32]),
    ) {
        from.iter().for_each(|place| {
            self.places[*place].float();
        });
        self.written(to, elements);
        let mut output = std::mem::take(&mut self.places[to].floats);
        let [a, b] = from.map(|place| {
            let frame = &self.places[place];
            &frame.floats[..frame.held.unwrap_or(0)]
        });
        make(a, b, &mut output[..elements]);
        self.places[to].floats = output;
    }
}

/// The first `length` elements of a buffer that never shrinks.
fn room(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

/// By frame, a place that no other frame has between its making and its last reading; as few places as that takes.
pub(super) fn places(steps: &[Step<'_>], last: usize, frames: usize) -> Vec<usize> {
    let mut read_last = vec![0; frames];
    for (at, step) in steps.iter().enumerate() {
        step.from.iter().for_each(|frame| read_last[*frame] = at);
    }
    read_last[last] = usize::MAX;
    let mut places = vec![0; frames];
    let mut free: Vec<usize> = Vec::new();
    let mut used = 1;
    for (at, step) in steps.iter().enumerate() {
        places[step.to] = free.pop().unwrap_or_else(|| {
            used += 1;
            used - 1
        });
        let mut done: Vec<usize> = step.from.clone();
        done.sort_unstable();
        done.dedup();
        let done = done.into_iter().filter(|frame| read_last[*frame] == at);
        free.extend(done.map(|frame| places[frame]));
    }
    places
}
