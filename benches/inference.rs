//! How fast whole networks are computed on the host: the fast road and the layers' definitions, in one run.
//! The networks have the layers of CNV and of MobileNetV1, with random weights. `cargo bench --bench inference`.
//! Must not know real weights.

#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code)]

use std::fs;
use std::time::Instant;

use finnp::dataflow::Dataflow;
use finnp::reference::Integers;
use finnp::tensor::{DataType, Window};

#[path = "../tests/suite/pipeline.rs"]
mod pipeline;
#[path = "../tests/suite/random.rs"]
mod random;

use pipeline::{Pipeline, Steps, frame};
use random::Random;

/// CIFAR-10: six convolutions without padding, two pools, three dense layers.
fn cnv(weight: DataType, activation: DataType) -> Dataflow {
    let mut chain = Pipeline::new(Random::new(1), DataType::Uint(8), [32, 32], 3);
    let steps = Some(Steps::all(activation));
    let kernel = Window::dense([3, 3]);
    let pool = Window {
        stride: [2; 2],
        ..Window::dense([2; 2])
    };
    chain.threshold(Steps::all(DataType::Int(8)));
    for (at, rows) in [64, 64, 128, 128, 256, 256].into_iter().enumerate() {
        chain.window(kernel, 0, 1);
        chain.mvau(rows, 1, weight, steps);
        if at == 1 || at == 3 {
            chain.max_pool(pool);
        }
    }
    chain.mvau(512, 1, weight, steps);
    chain.mvau(512, 1, weight, steps);
    chain.mvau(10, 1, weight, None);
    chain.labels();
    chain.finish()
}

/// ImageNet: a convolution, 13 pairs of a depthwise and a pointwise one, the average, a dense layer.
fn mobilenet() -> Dataflow {
    let mut chain = Pipeline::new(Random::new(2), DataType::Uint(8), [224, 224], 3);
    let weight = DataType::Int(4);
    let steps = Some(Steps::all(DataType::Uint(4)));
    let kernel = |stride| Window {
        stride: [stride; 2],
        pads: [1; 4],
        ..Window::dense([3, 3])
    };
    chain.window(kernel(2), 0, 1);
    chain.mvau(32, 1, weight, steps);
    let pairs = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)];
    let middle = [(1, 512); 5];
    let last = [(2, 1024), (1, 1024)];
    for (stride, rows) in pairs.into_iter().chain(middle).chain(last) {
        chain.vvau(kernel(stride), 0, weight, steps);
        chain.mvau(rows, 1, weight, steps);
    }
    chain.sum_pool(Window::dense(chain.picture), 0);
    chain.mvau(1000, 1, DataType::Int(8), None);
    chain.labels();
    chain.finish()
}

/// Processor time of this process so far, in seconds, where the system tells; else time as it passes.
fn spent(start: Instant) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields.get(11).zip(fields.get(12));
    let ticks = ticks
        .and_then(|(user, system)| Some(user.parse::<f64>().ok()? + system.parse::<f64>().ok()?));
    // A tick is a hundredth of a second on every Linux.
    ticks.map_or_else(|| start.elapsed().as_secs_f64(), |ticks| ticks / 100.0)
}

/// Images per second, and per second of one processor.
fn rate(images: usize, work: impl FnOnce()) -> [f64; 2] {
    let start = Instant::now();
    let before = spent(start);
    work();
    let times = [start.elapsed().as_secs_f64(), spent(start) - before];
    times.map(|time| images as f64 / time)
}

/// Measures `images` images on the fast road, a hundredth of them layer by layer.
fn measure(name: &str, dataflow: &Dataflow, images: usize) {
    let integers = Integers::new(dataflow);
    let mut random = Random::new(3);
    let frames: Vec<Vec<i64>> = (0..16).map(|_| frame(&mut random, dataflow)).collect();
    let streamed = integers.streamed(&frames[0]).unwrap();
    let start = Instant::now();
    let first = integers.outputs(&frames[..1]).unwrap();
    let prepared = start.elapsed().as_secs_f64();
    let mut plain = Vec::new();
    let [slow, slow_cpu] = rate(images / 100, || {
        for _ in 0..images / 100 {
            plain = integers.run(&streamed, |_, _| ()).unwrap();
        }
    });
    assert_eq!(
        integers.real(&plain).unwrap(),
        first[0],
        "{name} is not exact"
    );
    let many: Vec<Vec<i64>> = frames.iter().cycle().take(images).cloned().collect();
    let [fast, fast_cpu] = rate(images, || {
        integers.outputs(&many).unwrap();
    });
    println!("{name}: {fast:.1} images/s on all cores, {fast_cpu:.1} per second of a core");
    println!("    layer by layer on one core {slow:.2} images/s, {slow_cpu:.2} per second of it");
    println!(
        "    {:.0} times faster per core; prepared, with the first image, in {prepared:.2} s",
        fast_cpu / slow_cpu
    );
}

fn main() {
    let cases = [
        ("CNV 1W1A", cnv(DataType::Bipolar, DataType::Bipolar), 3000),
        ("CNV 2W2A", cnv(DataType::Int(2), DataType::Int(2)), 3000),
        ("MobileNetV1 4W4A", mobilenet(), 500),
    ];
    for (name, dataflow, images) in &cases {
        measure(name, dataflow, *images);
    }
}
