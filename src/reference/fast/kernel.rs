//! `Kernel`: a layer that is prepared for f32, and what is proved of its output.
//! Must not know the layers around it.

use pulp::Arch;

use super::depthwise::{Depthwise, Largest};
use super::gather::Gather;
use super::product::Product;
use super::reach::{Reach, Sums};
use super::threshold::Thresholds;
use crate::layer::{
    Activation, LabelSelect, Layer, MaxPool, Mvau, MvauBcr, MvauRc, SlidingWindow, SumPool,
    Tensors, Threshold, Vvau,
};
use crate::tensor::first_largest;

/// Elements that are thresholded at once, about.
const BLOCK: usize = 1 << 13;

/// A prepared layer.
#[derive(Debug)]
pub(super) enum Kernel {
    Product(Box<Product>),
    Depthwise(Box<Depthwise>),
    Largest(Largest),
    Gather(Gather),
    /// Thresholds, and how many elements belong to a row of them.
    Thresholds(Thresholds, usize),
    /// Arg-max over so many channels.
    Labels(usize),
    /// Nothing changes.
    Same,
}

/// What is made of a layer: its output's reach, and the kernel where the layer is proved to be exact in f32.
pub(super) type Prepared = (Reach, Option<Kernel>);

/// Prepares `layer` on elements in `input`.
pub(super) fn prepare(arch: Arch, layer: &Layer, tensors: &Tensors, input: Reach) -> Prepared {
    let (reach, kernel) = match layer {
        Layer::Mvau(layer) => mvau(arch, layer, tensors, input),
        Layer::MvauBcr(layer) => {
            let weights = scattered(layer, tensors);
            let sparse = (
                weights,
                [layer.rows, layer.columns],
                layer.activation.as_ref(),
            );
            zeros(arch, sparse, tensors, input)
        }
        Layer::MvauRc(layer) => {
            let weights = crossed(layer, tensors);
            let sparse = (
                weights,
                [layer.rows, layer.columns],
                layer.activation.as_ref(),
            );
            zeros(arch, sparse, tensors, input)
        }
        Layer::SlidingWindow(layer) => sliding_window(layer, input),
        Layer::Vvau(layer) => vvau(arch, layer, tensors, input),
        Layer::MaxPool(layer) => max_pool(layer, input),
        Layer::SumPool(layer) => sum_pool(layer, input),
        Layer::Threshold(layer) => threshold(arch, layer, tensors, input),
        Layer::WidthConverter(_) => (input, Some(Kernel::Same)),
        Layer::LabelSelect(layer) => label_select(layer),
        Layer::Duplicate(_) => (input, Some(Kernel::Same)),
        Layer::Add(_) | Layer::Concat(_) | Layer::Upsample(_) => {
            let element = layer.hardware().output().element;
            (Reach::new(element.min(), element.max()), None)
        }
    };
    let hardware = layer.hardware();
    let filled = hardware.input().elements() > 0 && hardware.output().elements() > 0;
    let exact = filled && input.is_exact() && reach.is_exact();
    (reach, kernel.filter(|_| exact))
}

/// Reach behind sums with an optional activation of `unit` channels, and the kernel that `make` makes where all is
/// exact.
fn activated(
    arch: Arch,
    (sums, input): (Sums, Reach),
    (activation, tensors, unit): (Option<&Activation>, &Tensors, usize),
    make: impl FnOnce(Option<Thresholds>) -> Kernel,
) -> Prepared {
    let accumulators = sums.reach(input);
    let Some(activation) = activation else {
        let exact = sums.are_exact();
        return (accumulators, exact.then(|| make(None)));
    };
    let output = Reach::steps(activation.base, activation.step, activation.levels);
    let whole = activation.rows > 0 && unit.is_multiple_of(activation.rows);
    let thresholds = match sums.are_exact() && whole {
        true => Thresholds::new(arch, activation, tensors, accumulators),
        false => None,
    };
    (output, thresholds.map(|thresholds| make(Some(thresholds))))
}

fn mvau(arch: Arch, layer: &Mvau, tensors: &Tensors, input: Reach) -> Prepared {
    let shape = [layer.groups, layer.rows, layer.columns];
    let rows = layer.groups * layer.rows;
    let Ok(weights) = tensors.weights(&[rows, layer.columns]) else {
        return (Reach::ALL, None);
    };
    if shape.contains(&0) || !layer.pixels.is_multiple_of(layer.groups) {
        return (Reach::ALL, None);
    }
    let sums = input.sums(weights.chunks_exact(layer.columns));
    let activation = (layer.activation.as_ref(), tensors, rows);
    activated(arch, (sums, input), activation, |thresholds| {
        let product = Product::new(arch, shape, weights).then(thresholds);
        Kernel::Product(Box::new(product))
    })
}

/// Weights that are not kept are 0.
fn zeros(
    arch: Arch,
    (weights, [rows, columns], activation): (Option<Vec<i32>>, [usize; 2], Option<&Activation>),
    tensors: &Tensors,
    input: Reach,
) -> Prepared {
    let Some(weights) = weights else {
        return (Reach::ALL, None);
    };
    let sums = input.sums(weights.chunks_exact(columns));
    let activation = (activation, tensors, rows);
    activated(arch, (sums, input), activation, |thresholds| {
        let shape = [1, rows, columns];
        let product = Product::new(arch, shape, &weights).then(thresholds);
        Kernel::Product(Box::new(product))
    })
}

/// `[rows, columns]`; `None` where the tensors do not fit or weights of a place do not add up to an i32.
fn scattered(layer: &MvauBcr, tensors: &Tensors) -> Option<Vec<i32>> {
    let (lanes, columns) = (layer.blocks.lanes, layer.columns);
    if layer.rows == 0 || columns == 0 || !layer.blocks.fit(columns) {
        return None;
    }
    let kept = layer.kept();
    let index = tensors.index(&[layer.lists(), lanes, kept]).ok()?;
    let weights = tensors.weights(&[layer.rows, lanes, kept]).ok()?;
    let mut dense = vec![0i32; layer.rows * columns];
    for (row, line) in dense.chunks_exact_mut(columns).enumerate() {
        let list = row / layer.blocks.rows * lanes * kept;
        for at in 0..lanes * kept {
            let entry = usize::try_from(index[list + at]).ok()?;
            let weight = line.get_mut(entry * lanes + at / kept)?;
            *weight = weight.checked_add(weights[row * lanes * kept + at])?;
        }
    }
    Some(dense)
}

/// `[rows, columns]`; `None` where the tensors do not fit.
fn crossed(layer: &MvauRc, tensors: &Tensors) -> Option<Vec<i32>> {
    if !layer.cross.fit(layer.rows, layer.columns) {
        return None;
    }
    let (across, sides) = (layer.blocks()[1], layer.cross);
    // The order is the same for every parallelism.
    let one = MvauRc {
        pe: 1,
        simd: 1,
        ..layer.clone()
    };
    let (rows, columns) = (
        one.kept_rows(tensors).ok()?,
        one.kept_columns(tensors).ok()?,
    );
    let weights = one.kept_weights(tensors).ok()?.chunks_exact(sides.kept());
    let mut dense = vec![0i32; layer.rows * layer.columns];
    for (block, (weights, (rows, columns))) in weights.zip(rows.iter().zip(&columns)).enumerate() {
        let top = block / across * sides.rows.lines();
        let left = block % across * sides.columns.lines();
        for (row, place) in rows.iter().flatten() {
            for (column, at) in columns.iter().flatten() {
                let to = dense.get_mut((top + row) * layer.columns + left + column)?;
                *to = to.checked_add(weights[place * sides.columns.kept() + at])?;
            }
        }
    }
    Some(dense)
}

fn sliding_window(layer: &SlidingWindow, input: Reach) -> Prepared {
    let channels = layer.sliding.channels;
    if layer.groups == 0 || !channels.is_multiple_of(layer.groups) {
        return (Reach::ALL, None);
    }
    let output = match layer.sliding.window.is_padded() {
        true => input.with(layer.pad),
        false => input,
    };
    let kernel = output.is_exact().then(|| Gather::new(layer));
    (output, kernel.map(Kernel::Gather))
}

fn vvau(arch: Arch, layer: &Vvau, tensors: &Tensors, input: Reach) -> Prepared {
    let (channels, positions) = (layer.sliding.channels, layer.sliding.positions());
    let Ok(weights) = tensors.weights(&[channels, positions]) else {
        return (Reach::ALL, None);
    };
    if channels == 0 || positions == 0 {
        return (Reach::ALL, None);
    }
    let seen = match layer.sliding.window.is_padded() {
        true => input.with(layer.pad),
        false => input,
    };
    let sums = seen.sums(weights.chunks_exact(positions));
    let activation = (layer.activation.as_ref(), tensors, channels);
    activated(arch, (sums, seen), activation, |thresholds| {
        let weight = |channel, position| weights[channel * positions + position];
        let layer = Depthwise::new(&layer.sliding, layer.pad, weight, thresholds);
        Kernel::Depthwise(Box::new(layer))
    })
}

fn max_pool(layer: &MaxPool, input: Reach) -> Prepared {
    let least = layer.input.min();
    let low = match layer.sliding.window.is_padded() {
        // A window may see nothing else.
        true => least,
        false => input.low.max(least),
    };
    let output = Reach::new(low, input.high.max(least));
    // The start of a comparison may be far below; a power of two is an f32 all the same.
    let kernel = Largest::new(&layer.sliding, least);
    (output, Some(Kernel::Largest(kernel)))
}

/// A sum is a product with weights of 1.
fn sum_pool(layer: &SumPool, input: Reach) -> Prepared {
    let seen = match layer.sliding.window.is_padded() {
        true => input.with(layer.pad),
        false => input,
    };
    let ones = vec![1; layer.sliding.positions()];
    let sums = seen.sums([&ones[..]].into_iter());
    let kernel = (sums.are_exact() && !ones.is_empty())
        .then(|| Depthwise::new(&layer.sliding, layer.pad, |_, _| 1, None));
    (
        sums.reach(seen),
        kernel.map(|kernel| Kernel::Depthwise(Box::new(kernel))),
    )
}

fn threshold(arch: Arch, layer: &Threshold, tensors: &Tensors, input: Reach) -> Prepared {
    let activation = &layer.activation;
    let output = Reach::steps(activation.base, activation.step, activation.levels);
    let thresholds = Thresholds::new(arch, activation, tensors, input);
    let kernel = thresholds.map(|thresholds| Kernel::Thresholds(thresholds, activation.rows));
    (output, kernel)
}

fn label_select(layer: &LabelSelect) -> Prepared {
    let last = layer.channels.saturating_sub(1);
    let output = Reach::new(0, i64::try_from(last).unwrap_or(i64::MAX));
    (output, Some(Kernel::Labels(layer.channels)))
}

impl Kernel {
    /// Elements of scratch memory that it needs.
    pub(super) fn scratch(&self) -> usize {
        match self {
            Kernel::Product(product) => product.scratch(),
            _ => 0,
        }
    }

    /// Computes a frame; all of `output` is written.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        match self {
            Kernel::Product(product) => product.run(arch, input, output, scratch),
            Kernel::Depthwise(layer) => layer.run(arch, input, output),
            Kernel::Largest(layer) => layer.run(arch, input, output),
            Kernel::Gather(gather) => gather.fill(input, 0..gather.places(), output),
            Kernel::Thresholds(thresholds, rows) => {
                output.copy_from_slice(input);
                let block = BLOCK.next_multiple_of(*rows);
                for block in output.chunks_mut(block) {
                    thresholds.run(arch, block);
                }
            }
            Kernel::Labels(channels) => {
                let labels = input.chunks_exact(*channels).map(first_largest);
                let pairs = output.iter_mut().zip(labels);
                pairs.for_each(|(output, label)| *output = label as f32);
            }
            Kernel::Same => output.copy_from_slice(input),
        }
    }
}
