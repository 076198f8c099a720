//! Float networks that finnp quantises: what comes out is a network like any other, near the float one.
//! Must not know how scales and levels are found.

use finnp::dataflow::Dataflow;
use finnp::error::{Kind, Result};
use finnp::manifest::Bits;
use finnp::network::{Coding, Network, Op};
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::{export, import};
use finnp::quantise::{Report, Wishes, quantise, refuse_float};
use finnp::reference::levels;
use finnp::tensor::{DataType, PerChannel};

use super::project::Project;
use super::proto::{Attribute, File};
use super::random::Random;
use super::shared::{copy, shared};

/// Samples of a random network.
const SAMPLES: usize = 24;

/// A float network under construction.
struct Net {
    file: File,
    random: Random,
    last: String,
    shape: [usize; 3],
}

impl Net {
    fn new(seed: u64) -> Self {
        let mut net = Net {
            file: File::new(13, "qonnx.custom_op.general"),
            random: Random::new(seed),
            last: "x".into(),
            shape: [3, 8, 8],
        };
        net.file.input("x", &[1, 3, 8, 8]);
        net
    }

    fn numbers(&mut self, shape: &[usize], size: f64) -> String {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| self.random.number(-size, size) as f32)
            .collect();
        self.file.constant(shape, &values, true)
    }

    /// A convolution of one pixel or of nine, of all channels or of each by itself.
    fn convolution(&mut self, filters: usize, kernel: usize, depthwise: bool) {
        let [channels, ..] = self.shape;
        let depth = if depthwise { 1 } else { channels };
        let size = (2.0 / (depth * kernel * kernel) as f64).sqrt();
        let weights = self.numbers(&[filters, depth, kernel, kernel], 2.0 * size);
        let mut inputs = vec![self.last.clone(), weights];
        if self.random.chance(60) {
            inputs.push(self.numbers(&[filters], 0.3));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let pad = (kernel / 2) as i64;
        let attributes = [
            ("group", Attribute::Int((channels / depth) as i64)),
            ("pads", Attribute::Ints(&[pad; 4])),
            ("kernel_shape", Attribute::Ints(&[kernel as i64; 2])),
        ];
        self.last = self.file.node("Conv", &inputs, &attributes);
        self.shape[0] = filters;
        if self.random.chance(50) {
            self.normalise();
        }
    }

    fn normalise(&mut self) {
        let [channels, ..] = self.shape;
        let parameters: Vec<String> = (0..4)
            .map(|at| {
                let ends = [(0.5, 2.0), (-0.3, 0.3), (-0.3, 0.3), (0.5, 2.0)][at];
                let random = &mut self.random;
                let values: Vec<f32> = (0..channels)
                    .map(|_| random.number(ends.0, ends.1) as f32)
                    .collect();
                self.file.constant(&[channels], &values, true)
            })
            .collect();
        let inputs = [vec![self.last.clone()], parameters].concat();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.last = self.file.node("BatchNormalization", &inputs, &[]);
    }

    /// What bends, or nothing.
    fn bend(&mut self) {
        let kind = self.random.below(4);
        let last = self.last.clone();
        self.last = match kind {
            0 => return,
            1 => {
                let bounds = [0.0, 2.0].map(|bound| self.file.constant(&[], &[bound], true));
                self.file
                    .node("Clip", &[&last, &bounds[0], &bounds[1]], &[])
            }
            2 => self.file.node("LeakyRelu", &[&last], &[]),
            _ => self.file.node("Relu", &[&last], &[]),
        };
    }

    /// Two convolutions beside nothing at all.
    fn residual(&mut self) {
        let (before, channels) = (self.last.clone(), self.shape[0]);
        self.convolution(channels, 3, false);
        self.bend();
        self.convolution(channels, 1, false);
        self.last = self.file.node("Add", &[&self.last, &before], &[]);
        self.bend();
    }

    fn pool(&mut self) {
        let attributes = [
            ("kernel_shape", Attribute::Ints(&[2, 2])),
            ("strides", Attribute::Ints(&[2, 2])),
        ];
        let op = *self.random.pick(&["MaxPool", "AveragePool"]);
        self.last = self.file.node(op, &[&self.last], &attributes);
        self.shape = [self.shape[0], self.shape[1] / 2, self.shape[2] / 2];
    }

    fn finish(mut self) -> Vec<u8> {
        let count = match self.random.chance(50) {
            true => {
                self.last = self.file.node("GlobalAveragePool", &[&self.last], &[]);
                self.shape[0]
            }
            false => self.shape.iter().product(),
        };
        let flat = self.file.node("Flatten", &[&self.last], &[]);
        let weights = self.numbers(&[count, 5], (2.0 / count as f64).sqrt());
        let bias = self.numbers(&[5], 0.1);
        let last = self.file.node("Gemm", &[&flat, &weights, &bias], &[]);
        self.file.output(&last, &[1, 5], false);
        self.file.bytes()
    }
}

fn network(seed: u64) -> Vec<u8> {
    let mut net = Net::new(seed);
    net.convolution(8, 3, false);
    net.bend();
    for _ in 0..net.random.between(1, 3) {
        match net.random.below(3) {
            0 => {
                let channels = net.shape[0];
                net.convolution(channels, 3, true);
                net.bend();
                net.convolution(8, 1, false);
                net.bend();
            }
            1 => net.residual(),
            _ if net.shape[1] > 2 => net.pool(),
            _ => net.convolution(6, 1, false),
        }
    }
    net.finish()
}

/// What arrives: 8 bits on both sides of 0.
fn grid() -> Grid {
    Grid {
        element: DataType::Int(8),
        coding: Coding::scaled(PerChannel::Same(0.0078125)),
    }
}

fn frames(seed: u64, count: usize) -> Vec<Vec<i64>> {
    let mut random = Random::new(seed);
    let frame = |_| (0..192).map(|_| random.between(-128, 127)).collect();
    (0..count).map(frame).collect()
}

fn quantised(float: &[u8], bits: [u32; 2]) -> Result<(Network, Report)> {
    let wishes = Wishes {
        weights: bits[0],
        activations: bits[1],
        of: &|_| Bits::default(),
    };
    quantise(&import(float)?, &wishes, &grid(), &frames(1, SAMPLES))
}

fn integers(network: &Network) -> Dataflow {
    fuse(streamline(network, Some(&grid()), false).unwrap()).unwrap()
}

#[test]
fn quantised_networks_are_networks_like_any_other() {
    for seed in 0..24 {
        let float = network(seed);
        let bits = [1 + seed as u32 % 8, 1 + seed as u32 / 3 % 8];
        let (network, report) = quantised(&float, bits).unwrap();
        let again = import(&export(&network).unwrap()).unwrap();
        let (one, other) = (integers(&network), integers(&again));
        assert_eq!(one, other, "seed {seed}");
        let unseen = frames(seed + 100, 4);
        let found = levels::compare(&again, &other, &unseen).unwrap();
        assert!(found.first.is_none(), "seed {seed}: {:?}", found.first);
        let products = |op: &Op| matches!(op, Op::Conv { .. } | Op::MatMul);
        let count = network.nodes.iter().filter(|node| products(&node.op));
        assert_eq!(report.layers.len(), count.count());
        let wide = report.layers.iter().filter(|layer| layer.weights == 8);
        assert!(wide.count() >= 2, "the ends have 8 bits");
    }
}

#[test]
fn eight_bits_are_near_the_float_network() {
    for seed in 0..12 {
        let (_, report) = quantised(&network(seed), [8, 8]).unwrap();
        let last = report.layers.last().unwrap().snr_db.unwrap();
        let (_, rough) = quantised(&network(seed), [3, 3]).unwrap();
        let rough = rough.layers.last().unwrap().snr_db.unwrap();
        println!("seed {seed}: {last} dB of 8 bits, {rough} dB of 3");
        assert!(last > 25.0 && last >= rough, "seed {seed}: {last} dB");
    }
}

#[test]
fn the_same_samples_give_the_same_bits_on_any_number_of_cores() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        let made = pool.install(|| quantised(&network(3), [4, 4]).unwrap());
        (made.0.to_bytes().unwrap(), made.1)
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn float_networks_are_told_from_others() {
    let float = import(&network(0)).unwrap();
    let error = refuse_float(&float).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.remedy().unwrap().contains("[quantize]"));
    let (done, _) = quantised(&network(0), [4, 4]).unwrap();
    refuse_float(&done).unwrap();
    let wishes = Wishes {
        weights: 4,
        activations: 4,
        of: &|_| Bits::default(),
    };
    let error = quantise(&done, &wishes, &grid(), &frames(1, 2)).unwrap_err();
    assert!(error.message().contains("quantised already"), "{error:?}");
}

/// A project that quantises the small MobileNet.
fn mobilenet() -> Option<Project> {
    let model = shared("models/mobilenet_v1_0.25_128.onnx")?;
    let data = shared("data/nips17_even.zip")?;
    Some(Project::new(&format!(
        "[project]\nname = \"small\"\n\n[model]\npath = {model:?}\n\n\
         [input]\ntype = \"int9\"\nscale = 0.00392156862745098\n\n\
         [target]\nboard = \"alveo-u280\"\n\n[quantize]\nweights = 8\nactivations = 8\n\n\
         [calibration]\npath = {data:?}\nresize = [128, 128]\nmean = 0.5\nstd = 0.5\nsamples = 16\n\n\
         [[layer]]\nmatch = \"W3\"\nweights = 6\nactivations = 5\n"
    )))
}

#[test]
fn a_float_mobilenet_becomes_integers() {
    let Some(project) = mobilenet() else { return };
    project.build(&["--to", "streamline"]).expect_success();
    let report = project.json("network/quantised/quantize.json");
    let layers = report["layers"].as_array().unwrap();
    assert_eq!((layers.len(), &report["samples"]), (28, &16.into()));
    let last = layers[27]["snr_db"].as_f64().unwrap();
    println!("{last} dB at the output");
    assert!(last > 15.0, "{last} dB");
    assert_eq!(
        (&layers[3]["weights"], &layers[4]["weights"]),
        (&6.into(), &8.into())
    );
    assert_eq!(report["tensors"][2]["bits"], 5);
    let again = project.build(&["--to", "streamline"]);
    assert!(again.ran().is_empty());
}

#[test]
fn what_does_not_go_together_is_refused_where_it_stands() {
    let Some(project) = mobilenet() else { return };
    let refused = |project: &Project, words: &str| {
        let call = project.build(&["--to", "prune"]);
        assert_eq!(call.code, 2, "{}", call.stderr);
        assert!(
            format!("{:?}", call.events).contains(words),
            "{:?}",
            call.events
        );
    };
    project.edit("[quantize]\nweights = 8\nactivations = 8\n", "");
    refused(&project, "is given, but the network is not quantised");
    project.edit(
        "[[layer]]\nmatch = \"W3\"\nweights = 6\nactivations = 5\n",
        "",
    );
    refused(&project, "it has no quantiser");
    project.edit(
        "[target]",
        "[quantize]\nweights = 8\nactivations = 9\n[target]",
    );
    refused(&project, "activations");
    project.edit("activations = 9", "activations = 8");
    project.edit("type = \"int9\"\nscale = 0.00392156862745098\n", "");
    refused(&project, "needs to know what arrives");
    project.edit(
        "[input]",
        "[input]\ntype = \"int9\"\nscale = 0.00392156862745098\n",
    );
    let text = std::fs::read_to_string(project.dir().join("accel.toml")).unwrap();
    let start = text.find("[calibration]").unwrap();
    std::fs::write(project.dir().join("accel.toml"), &text[..start]).unwrap();
    refused(&project, "no section `[calibration]`");
    let digits = Project::example("digits");
    copy(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits"),
        &digits.dir(),
    );
    digits.edit("[target]", "[quantize]\nweights = 8\nactivations = 8\n\n[calibration]\npath = \"test.npz\"\n\n[target]");
    refused(&digits, "quantised already");
}
