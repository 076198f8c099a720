//! Random networks: whatever is accepted has every level equal to the f64 reference, and f32 agrees but for rounding.
//! `FINNP_SWEEP=n` tries n seeds, `FINNP_SEED=s` the seed s alone.
//! Must not know how streamlining works.

use std::sync::Mutex;

use finnp::error::{Error, Kind, catch, render};
use finnp::network::Coding;
use finnp::pass::{Grid, fuse, streamline};
use finnp::qonnx::{import, onnx_with_qonnx, parse};
use finnp::reference::{Integers, levels, single};
use finnp::tensor::{DataType, PerChannel};
use rayon::prelude::*;
use tract_onnx::prelude::*;

use super::proto::{Attribute, File};
use super::random::Random;

const MODES: &[&str] = &[
    "ROUND",
    "HALF_EVEN",
    "CEIL",
    "FLOOR",
    "UP",
    "DOWN",
    "HALF_UP",
    "HALF_DOWN",
];

/// Samples per network.
const SAMPLES: usize = 30;

/// A chain of operators under construction.
struct Chain {
    random: Random,
    file: File,
    /// The last tensor and its shape.
    at: String,
    shape: Vec<usize>,
    /// About how large its values are.
    size: f64,
    /// All scales are powers of two, so that ties are everywhere.
    ties: bool,
    /// The last tensor is an activation that a product may read.
    coded: bool,
}

/// A network and what it is fed.
struct Case {
    bytes: Vec<u8>,
    grid: Option<Grid>,
    output: String,
    labels: bool,
}

impl Chain {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let opset = *random.pick(&[9, 11, 12, 13, 15, 17]);
        let domain = *random.pick(&[
            "qonnx.custom_op.general",
            "onnx.brevitas",
            "finn.custom_op.general",
        ]);
        let ties = random.chance(40);
        let mut shape = vec![1, *random.pick(&[1, 2, 3, 5, 7, 9, 12, 16, 17, 23, 31])];
        if random.chance(40) {
            shape = vec![1];
            for most in [4, 4, 3] {
                shape.push(random.between(1, most) as usize);
            }
        }
        let mut file = File::new(opset, domain);
        file.input("in", &shape);
        Chain {
            random,
            file,
            at: "in".into(),
            shape,
            size: 1.0,
            ties,
            coded: false,
        }
    }

    /// A positive number near `about`; a power of two where ties are wanted.
    fn scale(&mut self, about: f64) -> f32 {
        match self.ties {
            true => about.max(1e-6).log2().round().exp2() as f32,
            false => (about * self.random.number(0.7, 1.4)).max(1e-6) as f32,
        }
    }

    /// A number up to about `size`, on a coarse binary grid where ties are wanted.
    fn value(&mut self, size: f64) -> f32 {
        let value = self.random.number(-1.5, 1.5) * size;
        match self.ties {
            true => {
                let step = (size.max(1e-6).log2().floor() - 3.0).exp2();
                ((value / step).round() * step) as f32
            }
            false => value as f32,
        }
    }

    fn gain(&mut self) -> f32 {
        match self.random.below(10) {
            0 => 0.0,
            1 => -0.0,
            2..=4 => -self.scale(1.0),
            _ => self.scale(1.0),
        }
    }

    /// A constant, stored in one of several ways.
    fn constant(&mut self, shape: &[usize], values: &[f32]) -> String {
        match self.random.below(4) {
            0 => self.file.constant_node(shape, values),
            kind => self.file.constant(shape, values, kind == 1),
        }
    }

    fn scalar(&mut self, value: f32) -> String {
        let rank = self.random.below(3);
        let shape = vec![1; rank.min(self.shape.len())];
        self.constant(&shape, &[value])
    }

    fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn channel_axis(&self) -> usize {
        if self.shape.len() == 4 {
            1
        } else {
            self.shape.len() - 1
        }
    }

    /// A shape that broadcasts to one value per channel.
    fn channel_shape(&mut self) -> Vec<usize> {
        let axis = self.channel_axis();
        let mut shape: Vec<usize> = vec![1; self.shape.len()];
        shape[axis] = self.shape[axis];
        if self.random.chance(50) {
            shape.remove(0);
        }
        shape
    }

    /// One value, one per channel, or one per element.
    fn operand(&mut self, make: fn(&mut Self) -> f32) -> String {
        let shape = match self.random.below(10) {
            0..=2 => {
                let value = make(self);
                return self.scalar(value);
            }
            3 => self.shape.clone(),
            _ => self.channel_shape(),
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| make(self)).collect();
        self.constant(&shape, &values)
    }

    fn push(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) {
        let mut all = vec![self.at.as_str()];
        all.extend(inputs);
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        self.at = self.file.node(op, &all, attributes);
        self.coded = false;
    }

    fn affine(&mut self) {
        // Scales that differ per channel cannot be added up; mostly a quantiser follows them.
        let mut kept = self.coded;
        match self.random.below(5) {
            0 => {
                kept &= self.random.chance(5);
                let gain = self.operand(Chain::gain);
                self.push("Mul", &[&gain], &[]);
            }
            1 => {
                let bias = self.operand(|chain| chain.value(chain.size));
                self.push("Add", &[&bias], &[]);
            }
            2 => {
                let bias = self.operand(|chain| chain.value(chain.size));
                self.push("Sub", &[&bias], &[]);
            }
            3 => {
                kept &= self.random.chance(5);
                let divisor = self.operand(|chain| chain.scale(1.0));
                self.push("Div", &[&divisor], &[]);
            }
            _ => {
                kept = false;
                let bias = self.operand(|chain| chain.value(chain.size));
                let at = self.at.clone();
                self.at = self.file.node("Sub", &[&bias, &at], &[]);
            }
        }
        self.coded = kept;
    }

    fn batch_norm(&mut self) {
        // The parameters lie along axis 1, whatever the rank.
        let channels = self.shape[1];
        let mut parameters = Vec::new();
        for kind in 0..4 {
            let values: Vec<f32> = (0..channels)
                .map(|_| match kind {
                    0 => self.gain() * self.size as f32,
                    3 => (self.size * self.size) as f32 * self.random.number(0.3, 2.0) as f32,
                    _ => self.value(self.size),
                })
                .collect();
            parameters.push(self.constant(&[channels], &values));
        }
        let names: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let epsilon = *self.random.pick(&[1e-5, 1e-3]);
        self.push(
            "BatchNormalization",
            &names,
            &[("epsilon", Attribute::Float(epsilon))],
        );
    }

    fn clip(&mut self) {
        let (low, high) = (-self.scale(self.size), self.scale(self.size));
        match self.file.opset < 11 {
            true => self.push(
                "Clip",
                &[],
                &[
                    ("min", Attribute::Float(low)),
                    ("max", Attribute::Float(high)),
                ],
            ),
            false => {
                let low = self.file.constant(&[], &[low], false);
                let high = self.file.constant(&[], &[high], true);
                match self.random.below(3) {
                    0 => self.push("Clip", &[&low], &[]),
                    1 => self.push("Clip", &["", &high], &[]),
                    _ => self.push("Clip", &[&low, &high], &[]),
                }
            }
        }
    }

    fn curve(&mut self) {
        let slope = Attribute::Float(self.random.number(0.0, 0.5) as f32);
        match self.random.below(13) {
            0 | 1 => self.push("Relu", &[], &[]),
            2 => self.push("LeakyRelu", &[], &[("alpha", slope)]),
            3 | 4 => self.clip(),
            5 => self.push("Sigmoid", &[], &[]),
            6 => self.push("Tanh", &[], &[]),
            7 => self.push("HardSigmoid", &[], &[("alpha", slope)]),
            8 => self.push("Elu", &[], &[("alpha", slope)]),
            9 => self.push("Selu", &[], &[]),
            10 => self.push("Softplus", &[], &[]),
            11 => self.push("Softsign", &[], &[]),
            _ => {
                let slope = self.operand(|chain| chain.scale(0.25));
                self.push("PRelu", &[&slope], &[]);
            }
        }
        self.size = self.size.min(2.0);
    }

    /// What changes nothing but names and shapes.
    fn idle(&mut self) {
        let kept = self.coded;
        match self.random.below(6) {
            0 => self.push("Identity", &[], &[]),
            1 => self.push("Dropout", &[], &[]),
            2 if self.shape.len() == 2 => {
                let count = self.elements();
                let divisor = (1..=count)
                    .rev()
                    .find(|d| count % d == 0 && *d <= self.random.below(5) + 1);
                let first = divisor.unwrap_or(1);
                self.reshape(vec![1, first, count / first]);
            }
            3 => self.flatten(),
            4 if self.shape.len() == 4 && self.shape[1] == 1 => {
                self.push(
                    "Transpose",
                    &[],
                    &[("perm", Attribute::Ints(&[0, 2, 3, 1]))],
                );
                self.shape = vec![1, self.shape[2], self.shape[3], 1];
            }
            _ => {}
        }
        self.coded = kept;
    }

    fn reshape(&mut self, shape: Vec<usize>) {
        let lengths: Vec<i64> = shape.iter().map(|&length| length as i64).collect();
        let target = self.file.integers(&lengths);
        self.push("Reshape", &[&target], &[]);
        self.shape = shape;
    }

    fn flatten(&mut self) {
        let kept = self.coded;
        match self.random.chance(50) {
            true => self.push("Flatten", &[], &[]),
            false => {
                let target = self.file.integers(&[1, -1]);
                self.push("Reshape", &[&target], &[]);
            }
        }
        self.shape = vec![1, self.elements()];
        self.coded = kept;
    }

    /// Operators between two layers.
    fn tail(&mut self) {
        for _ in 0..self.random.below(5) {
            match self.random.below(10) {
                0..=3 => self.affine(),
                4 | 5 => self.batch_norm(),
                6 | 7 => self.curve(),
                _ => self.idle(),
            }
        }
    }

    fn quantise(&mut self) {
        match self.random.below(10) {
            0 | 1 => {
                let scale = self.scale(self.size);
                let scale_name = self.scalar(scale);
                let at = self.at.clone();
                self.at = self.file.custom("BipolarQuant", &[&at, &scale_name], &[]);
                self.size = f64::from(scale);
            }
            2 | 3 => self.multi_threshold(),
            _ => {
                let mode = *self.random.pick(MODES);
                self.quant(mode);
            }
        }
        self.coded = true;
    }

    fn quant(&mut self, mode: &str) {
        let bits = *self.random.pick(&[1, 2, 2, 3, 4, 4, 5, 8]);
        let signed = self.random.chance(60);
        let narrow = self.random.chance(30) && bits > 1;
        let zero = if self.random.chance(25) && bits > 1 {
            self.random.between(-3, 5)
        } else {
            0
        };
        let levels = f64::from(1 << bits).min(16.0);
        let scale = self.scale(3.0 * self.size / levels);
        let names = [
            self.scalar(scale),
            self.scalar(zero as f32),
            self.scalar(bits as f32),
        ];
        let at = self.at.clone();
        let op = if self.random.chance(20) {
            "IntQuant"
        } else {
            "Quant"
        };
        self.at = self.file.custom(
            op,
            &[&at, &names[0], &names[1], &names[2]],
            &[
                ("signed", Attribute::Int(i64::from(signed))),
                ("narrow", Attribute::Int(i64::from(narrow))),
                ("rounding_mode", Attribute::Text(mode)),
            ],
        );
        self.size = f64::from(scale) * levels / 3.0;
        self.coded = true;
    }

    fn multi_threshold(&mut self) {
        let steps = *self.random.pick(&[1, 1, 2, 3, 7, 15]);
        let axis = self.channel_axis();
        // Channels are axis 1, so only there can rows differ.
        let rows = if axis == 1 && self.random.chance(60) {
            self.shape[1]
        } else {
            1
        };
        let mut values = Vec::new();
        for _ in 0..rows {
            let mut row: Vec<f32> = (0..steps).map(|_| self.value(self.size)).collect();
            row.sort_by(f32::total_cmp);
            values.extend(row);
        }
        let thresholds = self.constant(&[rows, steps], &values);
        let scale = self.scale(1.0);
        let bias = match self.random.below(4) {
            0 => 0.0,
            1 => -scale / 2.0,
            2 => -scale,
            _ => self.value(1.0),
        };
        let at = self.at.clone();
        self.at = self.file.custom(
            "MultiThreshold",
            &[&at, &thresholds],
            &[
                ("out_scale", Attribute::Float(scale)),
                ("out_bias", Attribute::Float(bias)),
            ],
        );
        self.size = f64::from(scale) * steps as f64 / 2.0;
    }

    /// Quantised weights `[depth, rows]`, or `[rows, depth]` if `turned`.
    fn weights(&mut self, depth: usize, rows: usize, turned: bool) -> String {
        let shape = if turned { [rows, depth] } else { [depth, rows] };
        let size = self.scale(1.0 / (depth as f64).sqrt());
        let values: Vec<f32> = (0..depth * rows)
            .map(|_| match self.random.below(12) {
                0 => 0.0,
                1 => -0.0,
                _ => self.value(f64::from(size)),
            })
            .collect();
        let float = self.constant(&shape, &values);
        let bits = *self.random.pick(&[1, 2, 2, 3, 4, 8]);
        let about = f64::from(size) * 2.0 / f64::from(1 << (bits - 1));
        let scale = match self.random.chance(40) {
            true => {
                let scales: Vec<f32> = (0..rows).map(|_| self.scale(about)).collect();
                let shape = if turned { [rows, 1] } else { [1, rows] };
                self.constant(&shape, &scales)
            }
            false => {
                let scale = self.scale(about);
                self.scalar(scale)
            }
        };
        if bits == 1 && self.random.chance(70) {
            return self.file.custom("BipolarQuant", &[&float, &scale], &[]);
        }
        let (zero, bits) = (self.scalar(0.0), self.scalar(bits as f32));
        let mode = *self.random.pick(MODES);
        let narrow = i64::from(self.random.chance(50));
        self.file.custom(
            "Quant",
            &[&float, &scale, &zero, &bits],
            &[
                ("signed", Attribute::Int(1)),
                ("narrow", Attribute::Int(narrow)),
                ("rounding_mode", Attribute::Text(mode)),
            ],
        )
    }

    fn layer(&mut self) {
        if self.shape.len() > 3 || (self.shape.len() > 2 && self.random.chance(70)) {
            self.flatten();
        }
        let depth = self.shape[self.shape.len() - 1];
        let rows = *self.random.pick(&[1, 2, 3, 5, 6, 8, 11, 13, 20]);
        match self.shape.len() == 2 && self.random.chance(50) {
            true => self.gemm(depth, rows),
            false => {
                let turned = self.random.chance(40);
                let mut weights = self.weights(depth, rows, turned);
                if turned {
                    let axes = Attribute::Ints(&[1, 0]);
                    weights = self.file.node("Transpose", &[&weights], &[("perm", axes)]);
                }
                self.push("MatMul", &[&weights], &[]);
            }
        }
        let last = self.shape.len() - 1;
        self.shape[last] = rows;
        self.coded = false;
    }

    fn gemm(&mut self, depth: usize, rows: usize) {
        let turned = self.random.chance(60);
        let weights = self.weights(depth, rows, turned);
        let mut attributes = vec![("transB", Attribute::Int(i64::from(turned)))];
        if self.random.chance(40) {
            let alpha = *self.random.pick(&[0.5, 2.0, -1.0, 0.3]);
            attributes.push(("alpha", Attribute::Float(alpha)));
        }
        let mut inputs = vec![weights];
        if self.random.chance(60) || self.file.opset < 11 {
            let values: Vec<f32> = (0..rows).map(|_| self.value(self.size)).collect();
            let shape = if self.random.chance(50) {
                vec![rows]
            } else {
                vec![1, rows]
            };
            inputs.push(self.constant(&shape, &values));
            if self.random.chance(40) {
                let beta = *self.random.pick(&[0.5, 2.0, -1.5]);
                attributes.push(("beta", Attribute::Float(beta)));
            }
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.push("Gemm", &names, &attributes);
    }

    /// What the host feeds: a grid of the manifest, or nothing where the first operator is a quantiser.
    fn begin(&mut self) -> Option<Grid> {
        if self.random.chance(35) {
            match self.random.chance(20) {
                true => {
                    let scale = self.scale(1.0);
                    let scale = self.scalar(scale);
                    let at = self.at.clone();
                    self.at = self.file.custom("BipolarQuant", &[&at, &scale], &[]);
                    self.coded = true;
                }
                false => self.quant("ROUND"),
            }
            return None;
        }
        let element = *self.random.pick(&[
            DataType::Uint(8),
            DataType::Int(8),
            DataType::Uint(1),
            DataType::Uint(5),
            DataType::Int(3),
            DataType::Bipolar,
            DataType::Ternary,
        ]);
        let scale = f64::from(self.scale(2.0 / element.max() as f64));
        let zero = if self.random.chance(30) {
            self.random.between(-3, 9)
        } else {
            0
        };
        self.coded = true;
        Some(Grid {
            element,
            coding: Coding {
                scale: PerChannel::Same(scale),
                bias: PerChannel::Same(-scale * zero as f64),
            },
        })
    }

    fn finish(&mut self) -> bool {
        for _ in 0..self.random.below(3) {
            self.affine();
        }
        let axis = self.shape.len() as i64 - 1;
        let axis = || [("axis", Attribute::Int(axis))];
        match self.random.below(6) {
            0 => self.push("Softmax", &[], &axis()),
            1 => {
                let mut attributes = axis().into_iter().collect::<Vec<_>>();
                let keep = self.random.chance(50);
                attributes.push(("keepdims", Attribute::Int(i64::from(keep))));
                self.push("ArgMax", &[], &attributes);
                match keep {
                    true => *self.shape.last_mut().unwrap() = 1,
                    false => drop(self.shape.pop()),
                }
                return true;
            }
            _ => {}
        }
        false
    }
}

fn case(seed: u64) -> Case {
    let mut chain = Chain::new(seed);
    let grid = chain.begin();
    let layers = chain.random.between(1, 5);
    for layer in 0..layers {
        chain.tail();
        if !chain.coded {
            chain.quantise();
        }
        for _ in 0..chain.random.below(2) {
            chain.idle();
        }
        if chain.random.chance(15) {
            chain.affine();
        }
        if layer > 0 || chain.random.chance(90) {
            if !chain.coded {
                chain.quantise();
            }
            chain.layer();
        }
    }
    if chain.random.chance(70) {
        chain.tail();
    }
    if chain.random.chance(30) {
        chain.quantise();
    }
    let labels = chain.finish();
    if chain.at == "in" || chain.random.chance(20) {
        chain.push("Identity", &[], &[]);
    }
    let (at, shape) = (chain.at.clone(), chain.shape.clone());
    chain.file.output(&at, &shape, labels);
    Case {
        bytes: chain.file.bytes(),
        grid,
        output: at,
        labels,
    }
}

/// What a network was good for.
#[derive(Debug, Default)]
struct Found {
    refused: Option<String>,
    far: Option<String>,
    compared: u64,
    single: u64,
}

fn attempt(seed: u64) -> std::result::Result<Found, String> {
    let case = case(seed);
    let shown = |error: finnp::error::Error| format!("seed {seed}: {error:?}");
    let network = import(&case.bytes).map_err(shown)?;
    if number("FINNP_SEED").is_some() {
        describe(&network);
    }
    let dataflow = match streamline(&network, case.grid.as_ref(), false).and_then(fuse) {
        Ok(dataflow) => dataflow,
        Err(error) if error.kind() == Kind::User => {
            return Ok(Found {
                refused: Some(error.message().to_owned()),
                ..Found::default()
            });
        }
        Err(error) => return Err(format!("seed {seed}: {}", render(&error, false))),
    };
    let input = &dataflow.inputs[0];
    let element = dataflow.stream(input.stream).element;
    let (low, high, step) = match &input.quantiser {
        Some(quantiser) => quantiser.codes(),
        None => (element.min(), element.max(), element.step()),
    };
    let mut random = Random::new(seed ^ 0xf00d);
    let length = input.shape.iter().product();
    let frames: Vec<Vec<i64>> = (0..SAMPLES)
        .map(|sample| {
            let number = |_| match sample {
                0 => low,
                1 => high,
                _ => low + step * random.between(0, (high - low) / step),
            };
            (0..length).map(number).collect()
        })
        .collect();
    let levels = levels::compare(&network, &dataflow, &frames).map_err(shown)?;
    if !levels.equal() {
        return Err(format!("seed {seed}: {levels:?}"));
    }
    let single = single::compare(&case.bytes, &network, &dataflow, &frames).map_err(shown)?;
    let mut far = single
        .differences
        .iter()
        .find(|difference| difference.distance > 1e-3)
        .map(|difference| format!("{difference:?}"));
    if single.differences.is_empty() && !case.labels {
        let integers = Integers::new(&dataflow);
        far = outputs(&case, &dataflow.inputs[0].coding, &frames, &integers)
            .map_err(|error| format!("seed {seed}: {error:?}"))?;
    }
    Ok(Found {
        refused: None,
        far: far.map(|far| format!("FINNP_SEED={seed}: f32 is far off: {far}")),
        compared: levels.tensors.iter().map(|tally| tally.compared).sum(),
        single: single.tensors.iter().map(|tally| tally.differing).sum(),
    })
}

/// Real outputs against tract's: the first sample that is far from them.
fn outputs(
    case: &Case,
    coding: &Coding,
    frames: &[Vec<i64>],
    integers: &Integers<'_>,
) -> TractResult<Option<String>> {
    let model = onnx_with_qonnx().parse(&parse(&case.bytes)?, None)?.model;
    let shape = model.input_fact(0)?.shape.as_concrete_finite()?.unwrap();
    let plan = model.into_optimized()?.into_runnable()?;
    let outputs = integers.outputs(frames)?;
    for (frame, ours) in frames.iter().zip(&outputs) {
        let data: Vec<f32> = frame.iter().map(|q| coding.real(*q, 0) as f32).collect();
        let input = tract_onnx::prelude::Tensor::from_shape(&shape, &data)?;
        let result = plan.run(tvec!(input.into_tvalue()))?;
        let theirs: Vec<f64> = result[0]
            .to_plain_array_view::<f32>()?
            .iter()
            .map(|value| f64::from(*value))
            .collect();
        let ours = ours[0].data();
        assert_eq!(ours.len(), theirs.len(), "output {}", case.output);
        let largest = theirs
            .iter()
            .fold(1.0, |most: f64, value| most.max(value.abs()));
        if ours
            .iter()
            .zip(&theirs)
            .any(|(a, b)| (a - b).abs() > 1e-3 * largest)
        {
            return Ok(Some(format!("{ours:?} and {theirs:?}")));
        }
    }
    Ok(None)
}

fn describe(network: &finnp::network::Network) {
    for node in &network.nodes {
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|id| network.value(*id))
            .map(|value| {
                let constant = value
                    .constant
                    .as_ref()
                    .map(|c| c.data().iter().take(4).collect::<Vec<_>>());
                format!(
                    "{} {:?} {}",
                    value.name,
                    value.shape,
                    constant.map_or(String::new(), |c| format!("{c:?}"))
                )
            })
            .collect();
        let output = network.value(node.output);
        println!(
            "{:?} {} -> {} {:?}",
            node.op,
            inputs.join("; "),
            output.name,
            output.shape
        );
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or(1000))
}

#[test]
fn random_networks_are_exact() {
    let seeds: Vec<u64> = match (number("FINNP_SEED"), number("FINNP_SWEEP")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (0..count).collect(),
        (None, None) => (0..40).collect(),
    };
    let failed = Mutex::new(Vec::new());
    let found: Vec<Found> = seeds
        .par_iter()
        .filter_map(|&seed| {
            let result: std::result::Result<Found, String> = attempt(seed);
            result
                .map_err(|error| failed.lock().unwrap().push((seed, error)))
                .ok()
        })
        .collect();
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    for (seed, error) in failed.iter().take(20) {
        println!("FINNP_SEED={seed}: {error}");
    }
    let far: Vec<&String> = found.iter().filter_map(|f| f.far.as_ref()).collect();
    far.iter().for_each(|far| println!("{far}"));
    let refused: Vec<&String> = found.iter().filter_map(|f| f.refused.as_ref()).collect();
    let mut reasons = std::collections::BTreeMap::new();
    for reason in &refused {
        let reason = reason
            .rsplit_once(": ")
            .map_or(reason.as_str(), |(_, why)| why);
        *reasons.entry(reason).or_insert(0) += 1;
    }
    println!(
        "{} networks, {} refused ({reasons:?}), {} levels equal, f32 differs in {}",
        seeds.len(),
        refused.len(),
        found.iter().map(|f| f.compared).sum::<u64>(),
        found.iter().map(|f| f.single).sum::<u64>(),
    );
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
    assert!(
        refused.len() * 10 <= seeds.len().max(10),
        "most networks are accepted"
    );
    // A weight within rounding errors of a boundary differs too, and Softplus overflows in f32.
    assert!(
        far.len() * 200 <= seeds.len(),
        "f32 agrees but for rounding"
    );
}

/// Damaged files are refused or read as something else; nothing panics, and it is never called a bug.
#[test]
fn damaged_random_networks_are_refused_calmly() {
    let rounds = number("FINNP_SWEEP").unwrap_or(600);
    let only = number("FINNP_SEED");
    let bad: Vec<String> = (0..rounds)
        .into_par_iter()
        .filter(|round| only.is_none_or(|only| only == *round))
        .filter_map(|round| {
            if std::env::var_os("LOUD").is_some() {
                eprintln!("S{round}");
            }
            let case = case(round / 4);
            let mut random = Random::new(round ^ 0xdead);
            let mut bytes = case.bytes;
            for _ in 0..random.between(1, 3) {
                let position = random.below(bytes.len());
                bytes[position] ^= 1 << random.below(8);
            }
            let outcome = catch(|| {
                let network = import(&bytes)?;
                let dataflow = fuse(streamline(&network, case.grid.as_ref(), false)?)?;
                let input = &dataflow.inputs[0];
                let element = dataflow.stream(input.stream).element;
                let low = input
                    .quantiser
                    .as_ref()
                    .map_or(element.min(), |q| q.codes().0);
                let frame = vec![low; input.shape.iter().product()];
                let levels = levels::compare(&network, &dataflow, &[frame])?;
                match levels.equal() {
                    true => Ok(()),
                    false => Err(Error::bug(format!("{levels:?}"))),
                }
            });
            if std::env::var_os("LOUD").is_some() {
                eprintln!("E{round}");
            }
            match outcome {
                Ok(Err(error)) if error.kind() != Kind::User => Some(format!("{round}: {error:?}")),
                Err(panic) => Some(format!("{round}: {panic}")),
                Ok(_) => None,
            }
        })
        .collect();
    bad.iter().take(20).for_each(|bad| println!("{bad}"));
    assert!(bad.is_empty(), "{} of {rounds} rounds", bad.len());
}
