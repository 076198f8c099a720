//! How fast, and how well, networks learn on this machine: pictures per second of CNV, and what TFC keeps of its
//! accuracy at a fraction of its weights. `cargo bench --bench train`; with arguments only what they say:
//! `cargo bench --bench train -- tfc method=admm density=0.125 epochs=20`.
//! Must not know how training works.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use finnp::data::{Arrays, Values, samples};
use finnp::dataflow::Dataflow;
use finnp::layer::{Blocks, Layer};
use finnp::manifest::{Layout, Pruning};
use finnp::network::{Coding, Network, Op};
use finnp::pass::{Grid, Product, fuse, products};
use finnp::prune::{choose, project};
use finnp::qonnx::import;
use finnp::reference::Real;
use finnp::tensor::{PerChannel, first_largest};
use finnp::train;
use train::{METHODS, Settings, Start, Task, results};

fn shared(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(file)
}

/// A network, and where its layers begin to learn.
struct Case {
    dataflow: Dataflow,
    starts: BTreeMap<String, Start>,
    /// By layer, its columns and channels, and its bits.
    shapes: BTreeMap<String, (usize, [usize; 2], u32)>,
}

impl Case {
    /// Layers but the last are to keep a share of their weights.
    fn new(file: &str, grid: Option<&Grid>, density: f64) -> Self {
        let network = import(&fs::read(shared(file)).unwrap()).unwrap();
        let (dataflow, products) = products(&network, grid, false).unwrap();
        let dataflow = fuse(dataflow).unwrap();
        let real = Real::new(&network).unwrap();
        let (mut starts, mut shapes) = (BTreeMap::new(), BTreeMap::new());
        for node in &dataflow.nodes {
            let Some(mut start) = Start::of(node).unwrap() else {
                continue;
            };
            let product = products.iter().find(|product| product.name == node.name);
            if let (Layer::Mvau(mvau), Some(product)) = (&node.layer, product) {
                latent(&network, &real, product, mvau.columns, &mut start.weights);
                let channels = match dataflow.producer(node.inputs[0]).map(|node| &node.layer) {
                    Some(Layer::SlidingWindow(window)) => window.sliding.channels,
                    _ => mvau.columns,
                };
                let shape = (mvau.rows, [mvau.columns, channels], mvau.weight.bits());
                shapes.insert(node.name.clone(), shape);
                if mvau.activation.is_some() && density < 1.0 {
                    start.density = Some(density);
                }
            }
            starts.insert(node.name.clone(), start);
        }
        Case {
            dataflow,
            starts,
            shapes,
        }
    }

    /// The pattern `bcr-col` with the blocks that finnp chooses for the density that is wanted in the end.
    fn project(&self, name: &str, scores: &[f64], density: f64) -> Vec<bool> {
        let (rows, columns, bits) = self.shapes[name];
        let target = self.starts[name].density.unwrap_or(1.0);
        let choice = Pruning {
            density: Some(target),
            ..Pruning::default()
        };
        let mut blocks = choose(rows, columns, bits, &choice).unwrap();
        blocks.rows = given("rows", blocks.rows);
        let keep = (density * blocks.entries as f64).round() as usize;
        let keep = keep.clamp(blocks.keep, blocks.entries);
        project(scores, columns[0], Blocks { keep, ..blocks })
    }

    fn frames(&self, file: &str, keys: [&str; 2], most: usize) -> (Vec<Vec<i64>>, Vec<i64>) {
        let mut arrays = Arrays::open(&shared(file)).unwrap();
        let images = arrays.read(keys[0]).unwrap();
        let Values::Integer(mut labels) = arrays.read(keys[1]).unwrap().values else {
            panic!("labels are integers");
        };
        let input = &self.dataflow.inputs[0];
        let stream = self.dataflow.stream(input.stream);
        let images = match stream.element.contains(255) {
            true => images,
            // What CNV was trained on, see the models' own notes.
            false => finnp::data::Array {
                shape: images.shape.clone(),
                values: match images.values {
                    Values::Integer(v) => {
                        Values::Integer(v.iter().map(|p| (p * 256 / 255 - 128).min(127)).collect())
                    }
                    Values::Real(_) => panic!("pixels are integers"),
                },
            },
        };
        let found = samples("x", &images, input, stream.element, Layout::Nchw).unwrap();
        let mut frames = found.frames;
        frames.truncate(most);
        labels.truncate(most);
        let order = stream.order;
        frames.iter_mut().for_each(|f| *f = order.to_stream(f));
        (frames, labels)
    }
}

/// Real weights in front of the quantiser, in units of its levels, where that is what makes them.
fn latent(network: &Network, real: &Real<'_>, product: &Product, columns: usize, to: &mut [f64]) {
    let mut at = product.weights;
    loop {
        let Some(node) = network.nodes.iter().find(|node| node.output == at) else {
            return;
        };
        match node.op {
            Op::Quant(_) | Op::BipolarQuant => {
                let known = real.constant(node.inputs[0]).unwrap();
                let scale = real.constant(node.inputs[1]).unwrap();
                let scale = scale.real.broadcast(known.real.shape()).unwrap();
                for (i, to) in to.iter_mut().enumerate() {
                    let index = product.place.index(i / columns, i % columns);
                    let latent = known.real.data()[index] / scale.data()[index];
                    // Another quantiser may stand behind this one: then levels are all that is known.
                    if (latent - *to).abs() < 0.7 || matches!(node.op, Op::BipolarQuant) {
                        *to = latent;
                    }
                }
                return;
            }
            _ => at = node.inputs[0],
        }
    }
}

fn accuracy(
    case: &Case,
    repairs: &[finnp::prune::Repair],
    data: &(Vec<Vec<i64>>, Vec<i64>),
) -> f64 {
    let tail = &case.dataflow.outputs[0].tail;
    let repeat = tail.channels().unwrap_or(1);
    let found = results(&case.dataflow, repairs, &data.0).unwrap();
    let right = found.iter().zip(&data.1).filter(|(result, label)| {
        let real = result
            .iter()
            .enumerate()
            .map(|(at, x)| tail.real(*x, at % repeat));
        first_largest(real) as i64 == **label
    });
    100.0 * right.count() as f64 / found.len() as f64
}

/// Processor time of this process so far, in seconds.
fn spent() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields.get(11).zip(fields.get(12));
    let ticks = ticks.and_then(|(u, s)| Some(u.parse::<f64>().ok()? + s.parse::<f64>().ok()?));
    ticks.unwrap_or(0.0) / 100.0
}

/// A number among arguments like `epochs=3`.
fn given<T: std::str::FromStr>(name: &str, usual: T) -> T {
    let found = std::env::args().find_map(|arg| {
        let (key, value) = arg.split_once('=')?;
        (key == name).then(|| value.parse().ok())?
    });
    found.unwrap_or(usual)
}

fn settings(usual: Settings) -> Settings {
    let method = given("method", "gradual".to_owned());
    let method = METHODS.iter().find(|(name, _)| *name == method).unwrap().1;
    Settings {
        method,
        epochs: given("epochs", usual.epochs),
        batch: given("batch", usual.batch),
        rate: given("rate", usual.rate),
        ramp: given("ramp", usual.ramp),
        teacher: given("teacher", usual.teacher),
        temperature: given("temperature", usual.temperature),
        seed: given("seed", usual.seed),
        shift: given("shift", usual.shift),
        flip: given("flip", usual.flip),
    }
}

/// Trains, and tells how it went.
fn learn(
    case: &Case,
    settings: &Settings,
    data: &(Vec<Vec<i64>>, Vec<i64>),
    test: &(Vec<Vec<i64>>, Vec<i64>),
) {
    let task = Task {
        dataflow: &case.dataflow,
        starts: &case.starts,
        frames: &data.0,
        labels: Some(&data.1),
        project: &|name, scores, density| case.project(name, scores, density),
    };
    let (start, before) = (Instant::now(), Cell::new((0.0, 0.0)));
    let watch = |progress: train::Progress<'_>| {
        if progress.step == 1 {
            before.set((start.elapsed().as_secs_f64(), spent()));
        }
        if progress.step == progress.steps {
            let (time, cpu) = before.get();
            let (time, cpu) = (start.elapsed().as_secs_f64() - time, spent() - cpu);
            let seen = ((progress.steps - 1) * settings.batch) as f64;
            let [all, core] = [time, cpu].map(|time| seen / time);
            println!("    {all:.0} samples/s, {core:.0} per second of a core");
        }
        if progress.state.is_some() || progress.step == progress.steps {
            println!(
                "    {} of {}: {:?}, {:.1} s",
                progress.step,
                progress.steps,
                progress.now,
                start.elapsed().as_secs_f64()
            );
        }
        Ok(())
    };
    let trained = train::train(&task, settings, &watch, None).unwrap();
    println!("{settings:?}");
    println!("    curve {:?}", trained.curve.last().unwrap());
    println!(
        "    accuracy {:.2} %",
        accuracy(case, &trained.repairs, test)
    );
}

fn tfc(name: &str) {
    let grid = Grid {
        element: "uint8".parse().unwrap(),
        coding: Coding::scaled(PerChannel::Same(1.0 / 255.0)),
    };
    let case = Case::new(
        &format!("models/{name}.onnx"),
        Some(&grid),
        given("density", 0.25),
    );
    let data = case.frames(
        "data/mnist.npz",
        ["x_train", "y_train"],
        given("samples", 60000),
    );
    let test = case.frames("data/mnist.npz", ["x_test", "y_test"], 10000);
    println!("{name}: dense {:.2} %", accuracy(&case, &[], &test));
    learn(
        &case,
        &settings(Settings {
            epochs: 5.0,
            ..Settings::default()
        }),
        &data,
        &test,
    );
}

fn cnv(name: &str) {
    let case = Case::new(&format!("models/{name}.onnx"), None, given("density", 0.25));
    let most = given("samples", 1024);
    let data = case.frames("data/cifar10_train20k.npz", ["x_train", "y_train"], most);
    let test = case.frames(
        "data/cifar10_test.npz",
        ["x_test", "y_test"],
        given("test", 500),
    );
    println!("{name}: dense {:.2} %", accuracy(&case, &[], &test));
    let usual = Settings {
        epochs: 1.0,
        batch: 128,
        teacher: 0.0,
        ..Settings::default()
    };
    learn(&case, &settings(usual), &data, &test);
}

fn main() {
    let chosen = |name: &str| {
        let names = std::env::args().skip(1);
        let names = names.filter(|arg| !arg.contains('=') && !arg.starts_with('-'));
        let names: Vec<String> = names.collect();
        names.is_empty() || names.iter().any(|arg| arg == name)
    };
    if chosen("cnv") {
        cnv(&given("model", "cnvW2A2_cifar10".to_owned()));
    }
    if chosen("tfc") {
        tfc(&given("model", "TFC_2W2A".to_owned()));
    }
}
