//! `Schedule`: in which order, and how soon after each other, a layer takes words and makes words.
//! Must not know streams between layers, or what words hold.
//!
//! Nothing here depends on data. What happens in one cycle is seen by others in the next one at the earliest.

use super::{Activation, Sliding};

/// The steps of a layer, at most one per cycle and engine. A step that takes words waits for them; a step that makes
/// a word waits for room in the FIFO behind the layer, from which a word that is read makes room in the next cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Cycles from the step that makes a word to the one in which the word enters the FIFO, at least 1.
    pub latency: u64,
    /// Its engines.
    pub form: Form,
}

impl Schedule {
    /// Cycles from an accumulator to what its thresholds make of it: comparisons, then their count.
    pub const THRESHOLDS: u64 = 2;

    /// Cycles from the step of a window to what it sees: its addresses, then its memory, then the choice of what it
    /// looks at.
    pub const WINDOW: u64 = 3;

    /// Registers in a tree that makes one number of `count`, of four at a time.
    pub fn tree(count: usize) -> u64 {
        let mut left = count;
        let mut registers = 0;
        while left > 1 {
            left = left.div_ceil(4);
            registers += 1;
        }
        registers
    }

    /// Words of the next frame that a layer makes before anything of that frame has arrived: those of places that see
    /// nothing but padding.
    pub fn ahead(&self) -> usize {
        let Form::Window { sliding, words, .. } = &self.form else {
            return 0;
        };
        let (window, [rows, columns]) = (&sliding.window, sliding.output());
        // Rows, or columns, from the first one of the picture to the last one that a place sees.
        let seen = |axis: usize, at: usize| {
            let end = at * window.stride[axis] + window.span()[axis];
            end.saturating_sub(window.pads[axis])
                .min(sliding.picture[axis])
        };
        let waits = |place: &usize| match seen(0, place / columns) {
            0 => false,
            1 => seen(1, place % columns) > 0,
            _ => true,
        };
        let free = (0..rows * columns).take_while(|place| !waits(place));
        free.count() * words
    }

    /// Latency of a sum of `products` products a step: two cycles until weights have left their memory, one for
    /// the products, those of the tree, one for the accumulator, and those of its thresholds.
    pub(super) fn sum(products: usize, activation: Option<&Activation>) -> u64 {
        let thresholds = activation.map_or(0, |_| Schedule::THRESHOLDS);
        4 + Schedule::tree(products) + thresholds
    }
}

/// How many engines a layer has, and what their steps wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One engine: `phases`, in their order, so many times per frame.
    Steps {
        /// What follows each other.
        phases: Vec<Phase>,
        /// How often per frame.
        repeats: usize,
    },
    /// Two engines and two banks. The first one takes the words of a pixel into one bank; it waits until the last
    /// step of the pixel that was there is made. The second one makes `folds` times `steps` steps of each pixel, and
    /// a word in the last of every `steps`.
    Banks {
        /// Pixels of a frame.
        pixels: usize,
        /// Words of a pixel.
        words: usize,
        /// Words that are made of it.
        folds: usize,
        /// Steps that each of these takes.
        steps: usize,
        /// Whether step k of a pixel waits for its word k alone (there are as many steps as words); else every step
        /// waits for all words.
        in_order: bool,
    },
    /// Three engines, two banks of words and two banks of sums. The first one takes the words of a pixel, as that of
    /// [`Form::Banks`] does. The second one makes `blocks` times `steps` steps of each pixel, and every one of them
    /// waits for all words; the last of every `steps` completes a block of sums, and the first of every `steps` waits
    /// until all sums of the block before the last one have become words. The third one makes `results` words of each
    /// block, a word in every step, as soon as the block is complete.
    Blocks {
        /// Pixels of a frame.
        pixels: usize,
        /// Words of a pixel.
        words: usize,
        /// Blocks of sums that are made of it.
        blocks: usize,
        /// Steps that each of these takes.
        steps: usize,
        /// Words that are made of each of these.
        results: usize,
    },
    /// Two engines and a ring of rows. The first one takes words of the picture where there is room; the second one
    /// makes at each place of the window `words` times `steps` steps, and a word in the last of every `steps`.
    ///
    /// A place waits until all that it looks at has arrived. There is room for [`Sliding::rows_kept`] rows, counted
    /// from the first row that the present row of places looks at; and in the row behind these, where no later row of
    /// places looks at that first row, up to the words that lie left of the present place. A row of places is over,
    /// and a place is left, with its last step.
    Window {
        /// The picture and the window.
        sliding: Sliding,
        /// Words of a row of the picture.
        row_words: usize,
        /// Words made at a place.
        words: usize,
        /// Steps that each of these takes.
        steps: usize,
    },
}

/// Equal steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// How many.
    pub steps: usize,
    /// Inputs of which each step takes a word, input i as bit i.
    pub reads: u64,
    /// Whether each step makes a word (one in every copy of the output).
    pub writes: bool,
}

impl Phase {
    /// Steps that take a word of the first input, and make a word or not.
    pub fn of_first(steps: usize, writes: bool) -> Self {
        Phase {
            steps,
            reads: 1,
            writes,
        }
    }
}

/// Cycles from the one in which a word enters a FIFO to the first one in which it can be read.
pub const FIFO_LATENCY: u64 = 2;
